/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What QEMU has no options for and is told before its guest runs: links that
 * are down, limits of disks, the socket of a display, and the lines of [raw]
 * qmp-N.
 */
#ifndef SUPERVISOR_SETUP_H
#define SUPERVISOR_SETUP_H

#include "qmp/call.h"
#include "supervisor/vm.h"

struct setup {
	struct vm *vm;
	struct machine *machine; /* the VM's, unless set to another */
	struct qmp_call call;
	struct list *raw;  /* next of spec.raws to send */
	struct list *nic;  /* next of spec.nics to look at */
	struct list *disk; /* next of spec.disks to look at */
	unsigned shown;    /* of the display's two commands */
	bool again;        /* QEMU may have got some of it: it may refuse */
};

/* From the first one on; vm->running is there. */
void setup_init(struct setup *setup, struct vm *vm, bool again);
void setup_fini(struct setup *setup); /* also of one that is all zeros */
/*
 * Sends the next thing, whose reply wakes the job; false: that was all, or
 * the job failed.
 */
bool setup_next(struct setup *setup, struct job *job);

#endif
