/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Images of a running VM become bases that it and its clone both have
 * overlays of.  By name that is done first, each image and its overlay
 * exchanged: then a life that begins at any instant reads the same, whether
 * QEMU took the overlays or not.  It takes all in one transaction.
 */
#ifndef SUPERVISOR_LIVE_LINK_H
#define SUPERVISOR_LIVE_LINK_H

#include <jansson.h>

#include "supervisor/live_settle.h"
#include "supervisor/vm.h"

struct live_link;

/* A disk of the running VM. */
struct live_link_wish {
	const char *disk;
	const char *image; /* what it has; its new overlay gets this name */
	const char *base;  /* what that is called then; beside it */
	const char *copy;  /* the overlay of the clone */
};

/* Nothing to link yet; new_vm: the name of the clone, whose journal it is. */
struct live_link *live_link_new(struct vm *vm, const char *new_vm);
void live_link_free(struct live_link *link); /* never started; or NULL */
/* The entry of the journal for it, new. */
json_t *live_link_add(
	struct live_link *link, const struct live_link_wish *wish);
/* That disk can have another overlay. */
bool live_link_may(const struct vm *vm, const char *disk);
/*
 * Does it.  How it ended, told apart from whether: on LIVE_UNDONE the journal
 * takes all back, on LIVE_DONE the disks stay so, on LIVE_OPEN the journal
 * must stay.
 */
struct job *live_link_start(struct live_link *link, struct job *parent,
	void (*on_end)(struct job *job, void *arg), void *arg);
enum live_end live_link_end(const struct job *job);

#endif
