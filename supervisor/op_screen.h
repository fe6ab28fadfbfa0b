/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Jobs on the screen and the keyboard of a guest. */
#ifndef SUPERVISOR_OP_SCREEN_H
#define SUPERVISOR_OP_SCREEN_H

#include "supervisor/op.h"

/* Writes what the screen shows as PNG to fd (taken), open for writing. */
struct job *op_screenshot_begin(
	struct vm *vm, int fd, op_end_fn *on_end, void *arg);
/*
 * Presses the chords (stolen; send-key's `keys` each) one after the other,
 * each for hold_ms.
 */
struct job *op_keys_begin_steal(struct vm *vm, json_t *chords, int64_t hold_ms,
	op_end_fn *on_end, void *arg);

#endif
