/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Images on file systems that a server or a process answers for.  One that
 * hangs would hang whoever touches it: so before images are looked at, a
 * child touches them.  Where it does not come back in time, the seam refuses
 * all paths there ("Host is down") until it does.
 */
#ifndef SUPERVISOR_FAR_H
#define SUPERVISOR_FAR_H

#include <stdbool.h>

#include "base/list.h"
#include "supervisor/registry.h"

/* Somebody who goes on when all have answered or are given up. */
struct far_wait {
	struct list link;
	void (*on_asked)(struct far_wait *wait); /* NULL: not waiting */
};

/*
 * Asks the far file systems of all pools and VMs.  False: nothing to wait
 * for; true: on_asked will run.
 */
bool far_ask(struct registry *registry, struct far_wait *wait,
	void (*on_asked)(struct far_wait *wait));
/* The same for the op of a VM that is to start, which is woken. */
bool far_ask_for_start(struct vm *vm);
/* Whether the command with this wire name looks at images. */
bool far_concerns(const char *wire);
/* Does not wait any longer; harmless if it does not. */
void far_cancel(struct far_wait *wait);
/* From now on dead file systems are refused; and no longer. */
void far_init(void);
void far_fini(void);
/* `--touch PATH...`, in the child: words from the first path on. */
int far_touch_main(char *const *paths);

#endif
