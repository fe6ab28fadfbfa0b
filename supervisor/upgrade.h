/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmward upgrade: this process becomes the program that is on disk now and
 * loses nothing: monitors, consoles, clients, timers, locks and children
 * stay what they are.  The new program looks at the state first, as a child;
 * what it refuses leaves all as it was.
 */
#ifndef SUPERVISOR_UPGRADE_H
#define SUPERVISOR_UPGRADE_H

#include "base/handover.h"
#include "supervisor/control.h"
#include "supervisor/lock.h"

/* This process as it was started; env.image of a supervisor that can. */
struct image {
	char *path; /* of the program */
	char **argv;
	struct vm_lock *lock; /* the supervisor's own */
	struct control *control;
	bool upgrading;
};

/* [upgrade] */
void command_upgrade(struct request *request);

/* `vmwardd --check-upgrade FILE`: says its version, or what is wrong. */
int upgrade_check_file(const char *file);
/*
 * The state in descriptor fd, checked; it is closed.  On failure every
 * descriptor of the state is closed, and an ordinary start follows.
 */
MUST_CHECK int upgrade_load(struct handover *h, int fd, struct err *err);
/* The supervisor's lock out of it. */
void upgrade_take_lock(const struct handover *h, struct vm_lock *lock);
/* Everything else, once the registry and the control are there. */
void upgrade_resume(const struct handover *h, struct registry *registry,
	struct control *control);

#endif
