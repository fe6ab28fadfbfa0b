/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A change of a VM that its file learns, too: may it be made now, and, once
 * it is, the drop-in and the answer.  Used by the commands that act on what
 * runs and write the same down.
 */
#ifndef SUPERVISOR_CHANGE_H
#define SUPERVISOR_CHANGE_H

#include "supervisor/config.h"
#include "supervisor/control.h"

/* Its QEMU runs, what it runs is known, and its monitor answers. */
bool change_is_live(const struct vm *vm);
/* It is down, and the file alone changes. */
bool change_is_for_file(const struct request *rq, const struct vm *vm);
/*
 * One of both, and no job that changes it is under way but long ones, which
 * show their progress; else the request is answered (false).
 */
bool change_may_begin(struct request *rq, const struct vm *vm);

/* Called when the files were read again, before the answer. */
typedef void change_after_fn(struct request *rq);

/*
 * Writes edits (copied) into the drop-in of the request's VM, but not with
 * --runtime and not for `vmward run`; then answers.  done: what was done
 * while it runs, as the answer says it; after: may be NULL.
 */
void change_write(struct request *rq, const struct config_edit *edits, size_t n,
	const char *done, change_after_fn *after);

#endif
