/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every difference between the file of a running VM and its machine, as QEMU
 * itself tells it, and when each is done: now, at the guest's reset, at the
 * next cold start, or not at all and why.  Pure.
 */
#ifndef SUPERVISOR_DELTA_H
#define SUPERVISOR_DELTA_H

#include <jansson.h>

#include "supervisor/diff.h"
#include "supervisor/observe.h"

enum delta_when { DELTA_HOT, DELTA_RESET, DELTA_COLD, DELTA_REFUSED };

/* What is done about it now. */
enum delta_act {
	DELTA_WAITS, /* nothing */
	DELTA_ATTACH,
	DELTA_LINK,
	DELTA_RATE,
	DELTA_PORT,
	DELTA_MEMORY,
	DELTA_CPUS,
	DELTA_THROTTLE,
	DELTA_DISC,
	DELTA_LIMITS,
	DELTA_RESIZE,
	DELTA_DETACH,
};

struct delta {
	struct list link; /* deltas.list */
	enum delta_when when;
	enum delta_act act;
	char *section;   /* "disk.data" */
	char *key;       /* NULL: the device itself */
	char *from, *to; /* NULL: not there, or its default */
	char *file;      /* where it is written; NULL: nowhere */
	unsigned line;
	char *why; /* it waits, or is refused; or NULL */
};

struct deltas {
	struct list list; /* in the order of the file */
};

/*
 * All of a VM whose files are good and that runs; what it was not asked
 * (seen NULL) is as `running` says.
 */
void deltas_make(
	struct deltas *out, const struct vm *vm, const struct observed *seen);
void deltas_fini(struct deltas *deltas);
/* How many there are of one kind. */
unsigned deltas_count(const struct deltas *deltas, enum delta_when when);
/* [{"section":..,"key":..,"from":..,"to":..,"when":..,"why":..}]; new. */
json_t *deltas_json(const struct deltas *deltas);
/* "web.ini:3: [vm] cpus 1 -> 2 (at cold start)", one for each; new. */
json_t *deltas_text(const struct deltas *deltas);

#endif
