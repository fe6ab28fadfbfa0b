/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A stream whose other end is a plain descriptor, and what it saw. */
#ifndef TESTS_UNIT_STREAM_H
#define TESTS_UNIT_STREAM_H

#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/jstream.h"
#include "base/loop.h"
#include "base/str.h"

/* What one stream saw. */
struct seen {
	struct str text; /* messages, "|" behind each; "!why|" for garbage */
	int messages;
	int ends;
	int drained;
	struct err err;
	bool close_at_message;
	bool pause_at_message;
};

static void on_message(struct jstream *js, json_t *message, const char *why)
{
	struct seen *seen = js->owner;
	struct err err = ERR_INIT;

	seen->messages++;
	if (message && jstream_dump(message, &seen->text, &err) < 0)
		return;
	if (!message)
		str_addf(&seen->text, "!%s", why);
	str_addc(&seen->text, '|');
	if (seen->pause_at_message)
		jstream_pause(js, true);
	if (seen->close_at_message) {
		jstream_close(js);
		free(js);
	}
}

static void on_end(struct jstream *js, const struct err *err)
{
	struct seen *seen = js->owner;

	seen->ends++;
	seen->err = *err;
	if (seen->close_at_message)
		free(js);
}

static void on_drained(struct jstream *js)
{
	struct seen *seen = js->owner;

	seen->drained++;
}

static const struct jstream_hooks seen_hooks = { on_message, on_end,
	on_drained };

static inline int open_pair(struct jstream *js, struct seen *seen)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) < 0)
		return -1;
	*seen = (struct seen){ .ends = 0 };
	jstream_open(js, fds[0], &prescan_qmp, &seen_hooks, seen);
	return fds[1];
}

static inline void close_pair(struct jstream *js, struct seen *seen, int peer)
{
	jstream_close(js);
	str_fini(&seen->text);
	close(peer);
}

/* Turns until nothing more happens. */
static inline void settle(void)
{
	for (int i = 0; i < 20; i++)
		loop_turn(false);
}

static inline bool put(int fd, const char *text, size_t len)
{
	return write(fd, text, len) == (ssize_t)len;
}

#endif
