/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QEMU's stderr FIFO: lines to the VM's log, the last words kept, and the
 * trace lines that tell why a guest ended read off.
 */
#ifndef SUPERVISOR_STDERR_H
#define SUPERVISOR_STDERR_H

struct machine;

/* Starts to read the machine's FIFO. */
void stderr_watch(struct machine *m);
/* Reads what is there now, the last unfinished line included. */
void stderr_drain(struct machine *m);

#endif
