/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a guest's systemd says of itself (sd_notify(3) over vsock): lines of
 * KEY=VALUE, in one datagram or, over a stream, in pieces until its end.  A
 * hostile peer: what is too long, not text or not known is counted, and
 * changes nothing.
 */
#ifndef SUPERVISOR_SDNOTIFY_H
#define SUPERVISOR_SDNOTIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/loop.h"

#define SDNOTIFY_MAX 4096 /* bytes of one message, as systemd takes them */

struct sdnotify {
	bool ready;        /* READY=1 */
	bool reloading;    /* RELOADING=1, until READY=1 */
	bool stopping;     /* STOPPING=1 */
	bool failed;       /* ERRNO=, EXIT_STATUS= other than 0 */
	char status[128];  /* STATUS=, as it is shown; "" takes it back */
	int64_t extend_ms; /* EXTEND_TIMEOUT_USEC=; 0: none */
	unsigned ignored;  /* lines that said nothing to us */
	/* the message on its way */
	char line[512];
	size_t len;
	size_t bytes;
	bool spoilt; /* the line is too long, or no text */
};

/* Some bytes of a message; lines that are whole take effect. */
void sdnotify_feed(struct sdnotify *n, const char *bytes, size_t len);
/* The end of a message: its last line needs no newline. */
void sdnotify_end(struct sdnotify *n);
/* One connection, and what it says. */
struct sdnotify_talk {
	int fd;
	struct loop_io io;
	struct sdnotify_ear *ear;
	struct sdnotify said;
};

/* Where a VM's guest is heard. */
struct sdnotify_ear {
	int fd;
	struct loop_io io;
	struct loop_timer again; /* when a connection could not be taken */
	char uuid[37];
	struct sdnotify_talk talks[4]; /* so many at a time */
	unsigned refused; /* connections: too many, or another guest's */
	void (*on_said)(struct sdnotify_ear *ear, const struct sdnotify *said);
};

/*
 * Listens for this VM; on_said comes with what one connection said so far.
 * It may stop the listening.
 */
MUST_CHECK int sdnotify_listen(struct sdnotify_ear *ear, const char *uuid,
	void (*on_said)(struct sdnotify_ear *ear, const struct sdnotify *said),
	struct err *err);
void sdnotify_stop(struct sdnotify_ear *ear);

#endif
