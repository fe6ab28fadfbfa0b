/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The multi-step operations on a VM, each a job in a file of its own
 * (op_start.c, op_stop.c, ...).  They work on vm and machine and end; what
 * follows is supervisor/lifecycle's business.
 */
#ifndef SUPERVISOR_OP_H
#define SUPERVISOR_OP_H

#include "base/job.h"
#include "supervisor/vm.h"

/* Called once at the end, before the operation is freed. */
typedef void op_end_fn(struct job *job, void *arg);

/*
 * Lock, intent, images, sockets, QEMU, capabilities, cont.  Fails with
 * ERR_EXISTS when the lock turns out to be held: then adopt.  A failure
 * leaves no process.
 */
struct job *op_start_begin(struct vm *vm, op_end_fn *on_end, void *arg);
/*
 * Of a QEMU adopted before its guest ran: [raw] qmp-N and links that are
 * down, then cont unless it was started paused.
 */
struct job *op_finish_begin(struct vm *vm, op_end_fn *on_end, void *arg);
/*
 * The stop ladder by vm->stop, down to SIGKILL; ends when the process is
 * gone.  vm->stop_step says which step worked.
 */
struct job *op_stop_begin(struct vm *vm, op_end_fn *on_end, void *arg);
/* A stop under way asks the guest no more: quit, SIGTERM, SIGKILL. */
void op_stop_hurry(struct vm *vm);
/* The guest is off and QEMU kept: quit it. */
struct job *op_quit_begin(struct vm *vm, op_end_fn *on_end, void *arg);
/*
 * Takes over a QEMU that lives.  `status` of op_adopt_status() is QEMU's run
 * state.  Fails with ERR_UNREACHABLE and the reason.
 */
struct job *op_adopt_begin(struct vm *vm, op_end_fn *on_end, void *arg);
const char *op_adopt_status(const struct job *job);
/* The block node without space that stopped the guest; "" if none did. */
const char *op_adopt_full_node(const struct job *job);

/* pause, resume, reset, reboot: one thing asked of QEMU or the guest. */
enum op_ask { ASK_PAUSE, ASK_RESUME, ASK_RESET, ASK_REBOOT };
struct job *op_ask_begin(
	struct vm *vm, enum op_ask what, op_end_fn *on_end, void *arg);
/* A QMP command of a user; op_qmp_result() is QEMU's return, borrowed. */
struct job *op_qmp_begin_steal(struct vm *vm, const char *command,
	json_t *arguments, op_end_fn *on_end, void *arg);
json_t *op_qmp_result(const struct job *job);

/*
 * Writes SECTION.KEY edits into the VM's drop-in, after the edits begun
 * before it.  It fails if they are refused; then nothing was changed.
 */
struct config_edit;
struct job *op_edit_begin(struct vm *vm, const struct config_edit *edits,
	size_t n, op_end_fn *on_end, void *arg);

/* Of one just begun: the edits hold only until the VM, which runs, stops. */
void op_edit_for_this_life(struct job *job);

/* The disk grows to size (bytes), never shrinks. */
struct job *op_disk_resize_begin(struct vm *vm, const char *name, uint64_t size,
	op_end_fn *on_end, void *arg);

/*
 * Plugs a disk (stolen, with the pairs it was made of) into the running VM:
 * image made if it must be, node, device, slot; undone wholly on failure.
 */
struct job *op_disk_attach_begin_steal(struct vm *vm, struct spec_disk *disk,
	json_t *pairs, op_end_fn *on_end, void *arg);

#endif
