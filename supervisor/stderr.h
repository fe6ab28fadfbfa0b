/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QEMU's stderr FIFO: lines to the VM's log, the last words kept, and the
 * trace lines that tell why a guest ended read off.
 */
#ifndef SUPERVISOR_STDERR_H
#define SUPERVISOR_STDERR_H

#include "base/loop.h"
#include "base/str.h"
#include "supervisor/cause.h"
#include "supervisor/vmlog.h"

struct stderr_pipe {
	int fd; /* O_RDWR|O_NONBLOCK: never an EOF, never EPIPE; -1 */
	struct loop_io io;
	struct str line;
	struct str last_words; /* at most 2 KiB, for failures */
	struct cause_inputs *seen;
	struct vmlog *log;
};

/* Starts to read the FIFO, which is the pipe's from now on. */
void stderr_open(struct stderr_pipe *pipe, int fd, struct cause_inputs *seen,
	struct vmlog *log);
/* Reads what is there now, the last unfinished line included. */
void stderr_drain(struct stderr_pipe *pipe);
/*
 * Last words as one line a person reads: without time stamps, QEMU's own
 * name and the JSON of the option it complains of (its id is kept).  New.
 */
char *stderr_readable(const char *words);
/* Closes the FIFO; the last words stay.  Harmless on a closed one. */
void stderr_close(struct stderr_pipe *pipe);

#endif
