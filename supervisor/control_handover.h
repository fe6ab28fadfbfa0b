/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control socket on its way to the next image of this process: the
 * listener, and clients with what they wait for.
 */
#ifndef SUPERVISOR_CONTROL_HANDOVER_H
#define SUPERVISOR_CONTROL_HANDOVER_H

#include "base/handover.h"
#include "supervisor/control.h"

/* A request that cannot be asked again ("vm-stop web"), new; or NULL. */
char *control_busy_with(const struct control *control);
/* All of it as an object; new. */
json_t *control_put(struct handover *h, const struct control *control);
/* 0 if it can be gone on with. */
MUST_CHECK int control_check(const json_t *from, struct err *err);
/*
 * Goes on with it.  What clients wait for is asked again; the one who
 * ordered the upgrade gets the result (stolen).
 */
void control_get_steal(const json_t *from, struct control *control,
	const char *path, json_t *result);

#endif
