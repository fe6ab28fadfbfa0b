/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether a running QEMU writes to the overlays that a clone put on its
 * disks (supervisor/live_link): asked of it, and what follows from that for
 * a clone whose supervisor died.
 */
#ifndef SUPERVISOR_LIVE_SETTLE_H
#define SUPERVISOR_LIVE_SETTLE_H

#include "supervisor/vm.h"

enum live_end {
	LIVE_UNDONE, /* it does not: all may go back */
	LIVE_DONE,   /* it does, or opened them anew since, or is gone */
	LIVE_OPEN,   /* nobody knows */
};

/* The name of the next overlay of a disk in QEMU, new. */
char *live_settle_node(const struct vm *vm, const char *disk);
/* For a successor: the clone of that name is under way. */
MUST_CHECK int live_settle_mark(
	const struct vm *vm, const char *new_vm, struct err *err);
void live_settle_unmark(const struct vm *vm);
/* Asks about the disks in that clone's journal; fills *out, and what runs. */
void live_settle_ask_start(struct vm *vm, const char *new_vm,
	enum live_end *out, struct job *parent,
	void (*on_end)(struct job *job, void *arg), void *arg);
/* Takes overlays away from QEMU that no disk has. */
void live_settle_close_start(struct vm *vm, struct job *parent,
	void (*on_end)(struct job *job, void *arg), void *arg);

/* A dead supervisor was at it. */
bool live_settle_is_marked(const struct vm *vm);
/* Finishes or undoes that clone. */
struct job *live_settle_begin(
	struct vm *vm, void (*on_end)(struct job *job, void *arg), void *arg);

#endif
