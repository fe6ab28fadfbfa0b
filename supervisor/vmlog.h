/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The log of one VM: the supervisor's lines about it and QEMU's stderr, in
 * LOG/NAME/vm.log, 1 MiB and one older file.  Each line also goes to our own
 * log and out as event VM_LOG.  A full disk loses lines, counted; it never
 * stops anything.
 */
#ifndef SUPERVISOR_VMLOG_H
#define SUPERVISOR_VMLOG_H

#include <jansson.h>
#include <stdint.h>

#include "base/log.h"

struct recorder;

struct vmlog {
	const char *vm;            /* name */
	const char *object;        /* "vm=web" */
	const char *path;          /* LOG/NAME/vm.log */
	struct recorder *recorder; /* gets each line too; or NULL */
	uint64_t lost;
	uint64_t filled;   /* second up to which room came back */
	unsigned spent;    /* of the room for a burst */
	unsigned left_out; /* lines since the last one that had room */
	uint64_t second;   /* of the present stderr budget */
	unsigned lines;    /* of QEMU's stderr in this second */
};

/* The log of a VM below dir; opens nothing. */
void vmlog_init(struct vmlog *log, const char *dir, const char *vm);
/* Frees what init made. */
void vmlog_fini(struct vmlog *log);
/*
 * One line, to the file, our own log and the subscribers.  After a burst of
 * 60 there is room for one a second; what has none is counted, and told with
 * the next that has.
 */
void vmlog_line(struct vmlog *log, enum log_level level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* A line of QEMU's stderr; past 20 a second they are counted, not kept. */
void vmlog_stderr(struct vmlog *log, const char *line);
/*
 * The last `lines` lines, or those after byte offset `after` (>= 0), as
 * {"lines":[{time,level,text}],"next":OFFSET}; at most 40 KiB.  since_us (or
 * 0) drops older lines.  New; never NULL.
 */
json_t *vmlog_read(
	const struct vmlog *log, size_t lines, int64_t after, int64_t since_us);
/* RFC 3339 UTC with milliseconds of a wall-clock time. */
void vmlog_time(int64_t real_us, char out[32]);

#endif
