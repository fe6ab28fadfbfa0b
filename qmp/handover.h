/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A monitor connection on its way to the next image of this process: no
 * reconnect, no event lost, half a message included.
 */
#ifndef QMP_HANDOVER_H
#define QMP_HANDOVER_H

#include "base/handover.h"
#include "qmp/client.h"

/* False while a command is under way, or the talk has not begun or ends. */
bool qmp_can_move(const struct qmp_client *client);
/* Appends it to an object. */
void qmp_put(struct handover *h, json_t *to, const struct qmp_client *client);
/* Goes on with it; client NULL: only checks. */
MUST_CHECK int qmp_get(const json_t *from, struct qmp_client *client,
	const struct qmp_hooks *hooks, void *owner, struct err *err);

#endif
