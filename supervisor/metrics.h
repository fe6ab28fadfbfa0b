/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What VMs use as OpenMetrics text, from what supervisor/stats remembers:
 * names of our own, or those of the libvirt exporter for dashboards that
 * exist.  Asks and waits for nobody.
 */
#ifndef SUPERVISOR_METRICS_H
#define SUPERVISOR_METRICS_H

#include <stdbool.h>

#include "base/list.h"
#include "base/str.h"

/*
 * Appends a page of the text about these VMs (struct vm.link).  `after` is
 * what the page before gave, or "".  Returns where the next page begins, new;
 * NULL: this was the last one, it ends with # EOF.
 */
char *metrics_page(struct list *vms, bool libvirt_names, const char *after,
	struct str *out);

#endif
