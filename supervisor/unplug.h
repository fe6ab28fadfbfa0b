/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Devices that a guest was asked to let go, for a successor:
 * NAME/priv/unplug, as long as the QEMU lives.  "data w": and the drop-in is
 * to say so once it is gone, whoever sees that.  A kind is the word of its
 * section: "disk", "net".
 */
#ifndef SUPERVISOR_UNPLUG_H
#define SUPERVISOR_UNPLUG_H

#include <stdbool.h>
#include <stddef.h>

#include "supervisor/op.h"

/* It is asked; write: into the drop-in, too. */
void unplug_mark(
	struct vm *vm, const char *kind, const char *device, bool write);
/* All that was to be done for it is done. */
void unplug_forget(struct vm *vm, const char *kind, const char *device);
/* Whether that one was asked, and is there still. */
bool unplug_is_asked(const struct vm *vm, const char *kind, const char *device);
/* Whether any was asked. */
bool unplug_is_marked(const struct vm *vm);
/*
 * The i-th of a kind whose end is to be written; new, NULL: there are not so
 * many.
 */
char *unplug_to_write(const struct vm *vm, const char *kind, size_t i);
/*
 * Takes a device out of our drop-in; what others wrote of it is switched off.
 * NULL: nothing says that there is one, and on_end will not run.
 */
struct job *unplug_write_begin(struct vm *vm, const char *kind,
	const char *device, op_end_fn *on_end, void *arg);

#endif
