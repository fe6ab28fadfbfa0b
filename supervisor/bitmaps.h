/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Our dirty bitmaps in QEMU.  One is named after the backup that it begins
 * with, "vmward-ID", and says what was written since; so it is good for
 * another one only while that backup is there.
 */
#ifndef SUPERVISOR_BITMAPS_H
#define SUPERVISOR_BITMAPS_H

#include "supervisor/op.h"

#define BITMAPS_OURS "vmward-"

/* The node of that name in QEMU's query-named-block-nodes; or NULL. */
const json_t *bitmaps_node(const json_t *nodes, const char *name);
/* The image can keep one while no QEMU has it open. */
bool bitmaps_persist(const json_t *node);
/*
 * Bytes that a bitmap has.  False with why (static text): it cannot be used.
 */
bool bitmaps_count(const json_t *node, const char *name, uint64_t *bytes,
	const char **why);
enum bitmaps { BITMAPS_THIS, BITMAPS_OTHERS };
/* The one of that name goes, or all others of ours. */
struct job *bitmaps_drop_begin(struct vm *vm, enum bitmaps which,
	const char *name, struct job *parent, op_end_fn *on_end);

#endif
