/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One look at what VMs use, and what happened between two looks: rates as
 * rows for a table.
 */
#ifndef CTL_SAMPLE_H
#define CTL_SAMPLE_H

#include <jansson.h>
#include <stdint.h>

#include "ctl/call.h"
#include "ctl/table.h"
#include "ctl/wire.h"

struct sample {
	int64_t at_ms;
	json_t *vms;  /* objects of vm-stats */
	json_t *host; /* object of vm-list; NULL with names */
	int status;   /* the worst exit status of those that failed */
};

#define SAMPLE_INIT              \
	{                        \
		0, NULL, NULL, 0 \
	}

/* The columns of sample_rates(), for table_print() and top. */
extern const struct column sample_columns[];

/*
 * Asks for the named VMs, or (NULL) for all that are up and the host.  A VM
 * that cannot be asked is reported on stderr and left out.  -1 only when the
 * supervisor is lost.
 */
MUST_CHECK int sample_take(const struct call *call, struct wire *w,
	const json_t *names, struct sample *out, struct err *err);
void sample_fini(struct sample *s);
/*
 * An array of objects, one per VM of `now`, new; rates are null for a VM
 * that is not in `before` or has another QEMU by now.
 */
json_t *sample_rates(const struct sample *before, const struct sample *now);

#endif
