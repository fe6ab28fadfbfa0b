/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sd_notify of a guest; see sdnotify.h. */
#include "supervisor/sdnotify.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"
#include "supervisor/vsock.h"

#define ACCEPT_AGAIN_MS 100
#define EXTEND_MAX      ((uint64_t)24 * 3600 * 1000 * 1000) /* us: a day */

/* ---- the keys; false: a value that is none ---- */

static bool take_ready(struct sdnotify *n, const char *value)
{
	if (!str_eq(value, "1"))
		return false;
	n->ready = true;
	n->reloading = false;
	return true;
}

static bool take_reloading(struct sdnotify *n, const char *value)
{
	n->reloading |= str_eq(value, "1");
	return str_eq(value, "1");
}

static bool take_stopping(struct sdnotify *n, const char *value)
{
	n->stopping |= str_eq(value, "1");
	return str_eq(value, "1");
}

static bool take_status(struct sdnotify *n, const char *value)
{
	AUTO_STR struct str text = STR_INIT;

	str_add_visible(&text, value, strlen(value));
	snprintf(n->status, sizeof(n->status), "%s", str_text(&text));
	return true;
}

static bool take_extend(struct sdnotify *n, const char *value)
{
	struct err err = ERR_INIT;
	uint64_t us;

	if (str_to_u64(value, &us, &err))
		return false;
	if (us > EXTEND_MAX)
		us = EXTEND_MAX;
	n->extend_ms = (int64_t)(us / 1000);
	return true;
}

static bool take_failure(struct sdnotify *n, const char *value)
{
	struct err err = ERR_INIT;
	uint64_t number;

	if (str_to_u64(value, &number, &err) || number > INT32_MAX)
		return false;
	n->failed |= number != 0;
	return true;
}

static const struct {
	const char *key;
	bool (*take)(struct sdnotify *n, const char *value);
} keys[] = {
	{ "READY=", take_ready },
	{ "RELOADING=", take_reloading },
	{ "STOPPING=", take_stopping },
	{ "STATUS=", take_status },
	{ "EXTEND_TIMEOUT_USEC=", take_extend },
	{ "ERRNO=", take_failure },
	{ "EXIT_STATUS=", take_failure },
};

static bool take_line(struct sdnotify *n)
{
	for (size_t i = 0; i < NELEMS(keys); i++)
		if (str_starts(n->line, keys[i].key))
			return keys[i].take(n, n->line + strlen(keys[i].key));
	return false;
}

/* ---- the framing ---- */

static void end_line(struct sdnotify *n)
{
	n->line[n->len] = '\0';
	if (n->spoilt || (n->len > 0 && !take_line(n)))
		n->ignored++;
	n->len = 0;
	n->spoilt = false;
}

void sdnotify_feed(struct sdnotify *n, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len && n->bytes <= SDNOTIFY_MAX; i++) {
		/* what is cut off in the middle is no value */
		if (++n->bytes > SDNOTIFY_MAX || !bytes[i])
			n->spoilt = true;
		else if (bytes[i] == '\n')
			end_line(n);
		else if (n->len + 1 < sizeof(n->line))
			n->line[n->len++] = bytes[i];
		else
			n->spoilt = true;
	}
}

void sdnotify_end(struct sdnotify *n)
{
	end_line(n);
	n->bytes = 0;
}

/* ---- who speaks ---- */

static void hang_up(struct sdnotify_talk *talk)
{
	loop_io_stop(&talk->io);
	fd_close(&talk->fd);
}

/* The end of the talk is the end of the message. */
static void on_words(struct loop_io *io, int events UNUSED)
{
	struct sdnotify_talk *talk = container_of(io, struct sdnotify_talk, io);
	struct sdnotify_ear *ear = talk->ear;
	char bytes[512];
	ssize_t n = sys_read(talk->fd, bytes, sizeof(bytes));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0) {
		sdnotify_feed(&talk->said, bytes, (size_t)n);
	} else {
		sdnotify_end(&talk->said);
		hang_up(talk);
	}
	ear->on_said(ear, &talk->said);
}

static void on_speaker(struct loop_io *io, int events);

static void on_again(struct loop_timer *timer)
{
	struct sdnotify_ear *ear =
		container_of(timer, struct sdnotify_ear, again);

	loop_io_start(&ear->io, ear->fd, LOOP_READ, on_speaker);
}

static void on_speaker(struct loop_io *io, int events UNUSED)
{
	struct sdnotify_ear *ear = container_of(io, struct sdnotify_ear, io);
	int fd = sys_accept(ear->fd);
	size_t i = 0;

	if (fd < 0) { /* no descriptor, perhaps: not at once again */
		loop_io_stop(io);
		loop_timer_start(&ear->again, ACCEPT_AGAIN_MS, on_again);
		return;
	}
	while (i < NELEMS(ear->talks) && ear->talks[i].fd >= 0)
		i++;
	if (i == NELEMS(ear->talks) || !vsock_is_from(fd, ear->uuid)) {
		ear->refused++;
		sys_close(fd);
		return;
	}
	ear->talks[i] = (struct sdnotify_talk){ .fd = fd, .ear = ear };
	loop_io_start(&ear->talks[i].io, fd, LOOP_READ, on_words);
}

int sdnotify_listen(struct sdnotify_ear *ear, const char *uuid,
	void (*on_said)(struct sdnotify_ear *ear, const struct sdnotify *said),
	struct err *err)
{
	*ear = (struct sdnotify_ear){ .fd = vsock_listen(uuid, err),
		.on_said = on_said };
	for (size_t i = 0; i < NELEMS(ear->talks); i++)
		ear->talks[i].fd = -1;
	if (ear->fd < 0)
		return -1;
	snprintf(ear->uuid, sizeof(ear->uuid), "%s", uuid);
	loop_io_start(&ear->io, ear->fd, LOOP_READ, on_speaker);
	return 0;
}

void sdnotify_stop(struct sdnotify_ear *ear)
{
	loop_io_stop(&ear->io);
	loop_timer_stop(&ear->again);
	for (size_t i = 0; i < NELEMS(ear->talks); i++)
		if (ear->talks[i].ear)
			hang_up(&ear->talks[i]);
	fd_close(&ear->fd);
}
