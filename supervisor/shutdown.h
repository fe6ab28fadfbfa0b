/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All VMs go down: because the host does (each by its on-host-shutdown) or
 * because we are told to.  Backwards through the order, in one time limit;
 * meanwhile nothing starts.
 */
#ifndef SUPERVISOR_SHUTDOWN_H
#define SUPERVISOR_SHUTDOWN_H

#include "supervisor/registry.h"

enum shutdown_kind { SHUTDOWN_HOST, SHUTDOWN_ALL };

struct shutdown;

/* Begins; on_done is called once, from the loop, when all is over. */
struct shutdown *shutdown_begin(struct registry *registry,
	enum shutdown_kind kind, int64_t limit_ms, void (*on_done)(void *arg),
	void *arg);
/* No more patience: what is still up is killed. */
void shutdown_kill(struct shutdown *s);
/* {"stopped":[..],"left":[..],"up":[..]}: names; new. */
json_t *shutdown_report(const struct shutdown *s);
/* Ends the state in which nothing starts.  Accepts NULL. */
void shutdown_free(struct shutdown *s);

#endif
