/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The client's end of the control socket: connect with a deadline, all
 * requests in one write without waiting for the greeting, replies by id.
 */
#ifndef CTL_WIRE_H
#define CTL_WIRE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

#define WIRE_PATIENCE_MS 10000 /* for what a supervisor answers at once */

struct wire {
	int fd;
	char *path; /* for messages */
	struct str out;
	struct str in;
	size_t at;        /* bytes of in already handed out */
	int64_t heard_ms; /* when the peer last said something */
	int passing;      /* goes out with the next bytes; 0: none */
};

#define AUTO_WIRE __attribute__((cleanup(wire_close)))
#define WIRE_INIT        \
	{                \
		.fd = -1 \
	}

/* The monotonic clock. */
int64_t wire_now_ms(void);
/*
 * Connects a stream socket, also below a deep directory; blocking nowhere
 * for longer than ms.  -1 with ERR_UNREACHABLE or ERR_DENIED whose text is
 * the reason only.
 */
MUST_CHECK int wire_connect(const char *path, int64_t ms, struct err *err);
/*
 * Connects and queues the negotiation, with our events if wanted.  Fails
 * with ERR_UNREACHABLE or ERR_DENIED, a line with the path and the remedy.
 */
MUST_CHECK int wire_open(struct wire *w, const char *path, bool events,
	const char *remedy, struct err *err);
void wire_close(struct wire *w);
/* Queues a request; arguments (borrowed) may be NULL. */
MUST_CHECK int wire_queue(struct wire *w, const char *id, const char *execute,
	const json_t *arguments, struct err *err);
/* Opens a file that goes along with what is queued; ERR_NOT_FOUND, ERR_OS. */
MUST_CHECK int wire_attach(struct wire *w, const char *path, struct err *err);
/* The same for a file that is new; ERR_EXISTS if it is not. */
MUST_CHECK int wire_attach_new(
	struct wire *w, const char *path, struct err *err);
/* Writes all that is queued. */
MUST_CHECK int wire_flush(struct wire *w, struct err *err);
/*
 * The next reply or event, new, in *out: 1.  0: the time came, or a signal.
 * -1: the connection is lost (ERR_UNREACHABLE).  The greeting and the reply
 * to the negotiation never show.
 */
MUST_CHECK int wire_next(
	struct wire *w, int64_t until_ms, json_t **out, struct err *err);
/*
 * One request and its reply: the value of "return", new; events are
 * dropped.  NULL with the error of the reply, or ERR_UNREACHABLE when there
 * was none for ms.
 */
json_t *wire_call(struct wire *w, const char *execute, const json_t *arguments,
	int64_t ms, struct err *err);
/* The error object of a reply as an error value. */
void wire_to_err(const json_t *error, struct err *err);
/* The exit status of the error object of a reply. */
int wire_status(const json_t *error);

#endif
