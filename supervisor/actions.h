/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the cells of the life cycle's matrix do.  Each begins something and
 * returns; the end of what it began is posted as an event.
 */
#ifndef SUPERVISOR_ACTIONS_H
#define SUPERVISOR_ACTIONS_H

#include "supervisor/vm.h"

/* Starts QEMU. */
void act_start(struct vm *vm);
/* Starts QEMU again, after an end or a back-off. */
void act_retry(struct vm *vm);
/* Climbs down the stop ladder. */
void act_stop(struct vm *vm);
/* An order to stop while it goes down anyhow: it will stay down. */
void act_stop_more(struct vm *vm);
/* A stop while QEMU starts: the start is undone, then the end is ours. */
void act_cancel_start(struct vm *vm);
/* The order to stop is taken back; what the guest was told stays told. */
void act_stop_cancelled(struct vm *vm);
/* Its memory goes to disk, then QEMU ends. */
void act_save(struct vm *vm);
/* That failed or was cancelled: it goes on as before. */
void act_save_failed(struct vm *vm);
/* The guest is off: ends QEMU. */
void act_quit(struct vm *vm);
/* SIGKILL, at once. */
void act_kill(struct vm *vm);
/* The same while QEMU starts. */
void act_kill_start(struct vm *vm);
/* Arms the next try to reach an unreachable QEMU. */
void act_retry_adoption(struct vm *vm);
/* Tries to take a living QEMU over. */
void act_adopt(struct vm *vm);
/* The guest runs: its probe begins. */
void act_running(struct vm *vm);
/* QEMU is there, its guest waits. */
void act_paused_start(struct vm *vm);
/* The guest goes on. */
void act_resumed(struct vm *vm);
/* The guest was paused. */
void act_paused(struct vm *vm);
/* The start failed and left no process. */
void act_start_failed(struct vm *vm);
/* Down, and to stay down: desired=down is recorded. */
void act_rest(struct vm *vm);
/* Waits for the next try. */
void act_wait(struct vm *vm);
/* Failed too often: until reset-failed. */
void act_give_up(struct vm *vm);
/* Failures are forgotten. */
void act_forgive(struct vm *vm);
/* No cell: closes the disks that the guest let go while nobody waited. */
void act_reap(struct vm *vm);
/* No cell: after an upgrade the timers of its state run again. */
void act_go_on(struct vm *vm);
/* No cell: its files were read; what goes by them does so. */
void act_follow_files(struct vm *vm);
/* Known, and nothing to do. */
void act_nothing(struct vm *vm);

#endif
