/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JSON messages over a stream socket: framing by balanced braces (a newline
 * is not needed), caps before parsing, back-pressure, descriptor passing.
 * The one codec of the QMP client, the control server, the guest agent and
 * the fake QEMU of the tests.
 *
 * Callbacks run from the loop (or jstream_turn, which the loop's callback
 * ends with), never from within another call of this module, and
 * may close or free the stream (jstream_close in a callback is safe: the
 * stream looks at nothing of itself afterwards).
 */
#ifndef BASE_JSTREAM_H
#define BASE_JSTREAM_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/list.h"
#include "base/loop.h"
#include "base/prescan.h"
#include "base/str.h"

#define AUTO_JSON __attribute__((cleanup(jstream_auto_json)))
void jstream_auto_json(json_t **at); /* for AUTO_JSON only */

struct jstream;

struct jstream_hooks {
	/*
	 * One parsed message, borrowed.  NULL: text that is no JSON, with
	 * the reason in why; the stream goes on.
	 */
	void (*on_message)(
		struct jstream *js, json_t *message, const char *why);
	/*
	 * The end: EOF, a socket error, or a cap broken (err says which;
	 * code NONE for a clean EOF).  Called once; the fd is closed already.
	 */
	void (*on_end)(struct jstream *js, const struct err *err);
	/* What had to wait was written; or NULL.  Not after a send that
	 * went out at once. */
	void (*on_drained)(struct jstream *js);
};

struct jstream {
	const struct jstream_hooks *hooks;
	const struct prescan_limits *limits;
	void *owner;
	int fd;
	struct loop_io io;
	struct loop_timer more; /* goes on next turn: budget used up, or end */
	struct str in;
	size_t in_done; /* bytes of in already handed over */
	struct str out;
	size_t out_done; /* bytes of out already written */
	size_t out_max;  /* cap of what is queued; 0: 1 MiB */
	bool reading;
	bool finishing; /* close when out is drained */
	bool gathers;   /* what a turn sends leaves in one write, at its end */
	bool held;      /* such a turn is on */
	const char *line_end; /* "\r\n" for servers, "\n" for clients */
	int *fds;             /* received by SCM_RIGHTS, not yet taken */
	size_t nfds;
	bool want_fds;        /* else received descriptors are closed */
	struct list passing;  /* descriptors to send, with their offset */
	unsigned long *alive; /* detects a close inside a callback */
	uint64_t rx_bytes;
	uint64_t rx_max; /* of a peer that says no more; 0: no limit */
	uint64_t tx_bytes;
	struct prescan scan;
	size_t scanned; /* bytes after in_done the scan has seen */
	int broken;     /* errno of a failed write; the end is near */
};

/*
 * Takes over a connected (or still connecting), non-blocking socket and
 * starts to read.  The struct is the caller's; the fd is the stream's.
 * Sets every member; line_end, out_max, rx_max, want_fds and gathers may be
 * changed after.
 */
void jstream_open(struct jstream *js, int fd,
	const struct prescan_limits *limits, const struct jstream_hooks *hooks,
	void *owner);
/* Closes now, without on_end; harmless on a closed stream. */
void jstream_close(struct jstream *js);
bool jstream_is_open(const struct jstream *js);
/*
 * Queues a message (borrowed) with up to one descriptor (or -1), which is
 * duplicated at once.  Fails with ERR_GONE on a closed stream, ERR_LIMIT
 * when more than out_max would wait; then nothing was queued.  Tries to
 * write at once.
 */
MUST_CHECK int jstream_send(
	struct jstream *js, const json_t *message, int fd, struct err *err);
/* The same for exactly these bytes: JSON with its line end, agent sync. */
MUST_CHECK int jstream_send_text(struct jstream *js, const char *text,
	size_t len, int fd, struct err *err);
/* Holds back what is sent now for the turn that follows: jstream_turn. */
void jstream_hold(struct jstream *js);
/*
 * A turn of the loop for a stream that was just opened: what its peer has
 * sent already is handed over without a wait.  The caller's last act; the
 * stream may be closed and freed afterwards.
 */
void jstream_turn(struct jstream *js);
/* Reads no more; closes (calling on_end with NONE) once all is written. */
void jstream_finish(struct jstream *js);
/* Stops or resumes reading (back-pressure on the peer). */
void jstream_pause(struct jstream *js, bool pause);
/* Appends a message as one line of text, without a line end. */
MUST_CHECK int jstream_dump(
	const json_t *message, struct str *out, struct err *err);
/*
 * A value as text, by jansson's flags; NULL if it is none.  New: what
 * json_dumps gives is not for free() where JSON has memory of its own.
 */
char *jstream_text(const json_t *value, size_t flags);
/*
 * A stream that moves to the next image of this process: false while it
 * cannot (descriptors on their way, or its end is near).  What was read and
 * not handed over, and what waits to be written, are appended.
 */
bool jstream_can_move(const struct jstream *js);
void jstream_save(const struct jstream *js, struct str *in, struct str *out);
/* Goes on with such bytes; right after jstream_open(). */
void jstream_restore(
	struct jstream *js, const struct str *in, const struct str *out);
/* A received descriptor, now the caller's; -1 if there is none. */
int jstream_take_fd(struct jstream *js);

#endif
