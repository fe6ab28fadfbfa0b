/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JSON messages over a stream socket.  Owns the descriptor, what was read
 * and not yet handed over, what waits to be written, and the descriptors
 * that travel with it.
 *
 * One turn of the loop reads at most 64 KiB and hands over at most 32
 * messages of a stream; the rest waits for a timer of 0 ms, so that the
 * descriptors of others are polled in between.  A failed write ends the
 * stream only after everything the peer had said was read.
 */
#include "base/jstream.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/fd.h"
#include "base/sys.h"

#define TURN_BYTES    65536
#define TURN_MESSAGES 32
#define OUT_MAX       (1 << 20)
#define FDS_MAX       16

/* A descriptor on its way, with the position of its message in the output. */
struct passing {
	struct list link;
	uint64_t at;
	int fd;
};

static void update(struct jstream *js);
static void flush(struct jstream *js);
static void on_more(struct loop_timer *timer);

void jstream_auto_json(json_t **at)
{
	json_decref(*at);
}

static size_t waiting(const struct jstream *js)
{
	return js->out.len - js->out_done;
}

static bool has_unscanned(const struct jstream *js)
{
	return js->in_done + js->scanned < js->in.len;
}

static bool is_listening(const struct jstream *js)
{
	return js->reading && !js->finishing;
}

static void passing_free(struct passing *passing)
{
	list_del(&passing->link);
	fd_close(&passing->fd);
	free(passing);
}

static void drop_output(struct jstream *js)
{
	str_fini(&js->out);
	js->out_done = 0;
	list_each(&js->passing, it, next)
		passing_free(list_entry(it, struct passing, link));
}

/* The last thing done to a stream; its owner may free it in on_end. */
static void end(struct jstream *js, const struct err *err)
{
	const struct jstream_hooks *hooks = js->hooks;

	jstream_close(js);
	hooks->on_end(js, err);
}

static void end_broken(struct jstream *js, int os)
{
	struct err err = ERR_INIT;
	bool gone = os == ECONNRESET || os == EPIPE;

	err_set(&err, gone ? ERR_GONE : ERR_OS, "connection lost: %s",
		strerror(os));
	err.os = os;
	end(js, &err);
}

static void end_closed(struct jstream *js)
{
	struct err err = ERR_INIT;

	if (js->scan.started)
		err_set(&err, ERR_GONE, "the peer closed within a message");
	end(js, &err);
}

static void end_capped(struct jstream *js, enum prescan_result why)
{
	struct err err = ERR_INIT;

	if (why == PRESCAN_TOO_DEEP)
		err_set(&err, ERR_LIMIT, "a message nests deeper than %u",
			js->limits->depth);
	else if (js->scan.bytes > js->limits->bytes)
		err_set(&err, ERR_LIMIT, "a message is longer than %zu KiB",
			js->limits->bytes >> 10);
	else
		err_set(&err, ERR_LIMIT,
			"a message needs more than %zu KiB of memory",
			js->limits->heap >> 10);
	end(js, &err);
}

/* Keeps descriptors of a received message; the ones too many are closed. */
static void keep_fds(struct jstream *js, struct msghdr *msg)
{
	struct cmsghdr *head = CMSG_FIRSTHDR(msg);
	size_t count;

	if (!head || head->cmsg_level != SOL_SOCKET ||
		head->cmsg_type != SCM_RIGHTS)
		return;
	count = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	if (count == 0)
		return;
	js->fds = xreallocarray(js->fds, js->nfds + count, sizeof(int));
	memcpy(js->fds + js->nfds, CMSG_DATA(head), count * sizeof(int));
	js->nfds += count;
	while (js->nfds > FDS_MAX)
		fd_close(&js->fds[--js->nfds]);
}

static void end_flooded(struct jstream *js)
{
	struct err err = ERR_INIT;

	err_set(&err, ERR_LIMIT, "it says more than %llu bytes",
		(unsigned long long)js->rx_max);
	end(js, &err);
}

/* Reads once; false if the stream is over. */
static bool read_some(struct jstream *js)
{
	static char chunk[TURN_BYTES];
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(FDS_MAX * sizeof(int))];
	} control;
	struct iovec iov = { chunk, sizeof(chunk) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t len;

	if (js->want_fds) { /* without room the kernel closes them */
		msg.msg_control = control.bytes;
		msg.msg_controllen = sizeof(control.bytes);
	}
	len = sys_recvmsg(js->fd, &msg, 0);
	if (len > 0) {
		js->rx_bytes += (uint64_t)len;
		if (js->rx_max && js->rx_bytes > js->rx_max) {
			end_flooded(js);
			return false;
		}
		str_addn(&js->in, chunk, (size_t)len);
		if (js->want_fds)
			keep_fds(js, &msg);
		return true;
	}
	if (len == 0)
		end_closed(js);
	else if (errno != EAGAIN && errno != EINTR)
		end_broken(js, errno);
	else if (js->broken)
		end_broken(js, js->broken);
	else
		return true;
	return false;
}

/* More than 2^63-1. */
static bool is_huge(const char *digits, size_t len)
{
	const char *most = "9223372036854775807";

	if (strspn(digits, "0123456789") < len || len < strlen(most))
		return false;
	return len > strlen(most) || memcmp(digits, most, len) > 0;
}

/*
 * Whole numbers beyond 64 bits with a sign become reals, in place:
 * 18446744073709551615 is QEMU's "unknown" in a balloon's statistics, and
 * jansson would refuse all of the message for it.
 */
static void tame_numbers(char *text)
{
	bool quoted = false;

	for (char *c = text; *c;) {
		size_t len = quoted ? 0 : strspn(c, "+-.0123456789eE");

		if (quoted && *c == '\\' && c[1])
			c++;
		else if (*c == '"')
			quoted = !quoted;
		if (len == 0) {
			c++;
			continue;
		}
		if (is_huge(c + (*c == '-'), len - (*c == '-')))
			memcpy(c + len - 2, "e2", 2);
		c += len;
	}
}

static json_t *parse(const char *text, size_t len, json_error_t *error)
{
	const size_t flags = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY;
	json_t *message = json_loadb(text, len, flags, error);

	if (message || json_error_code(error) != json_error_numeric_overflow)
		return message;
	AUTO_FREE char *tame = xstrndup(text, len);
	tame_numbers(tame);
	return json_loadb(tame, strlen(tame), flags, error);
}

/* Parses one framed value; false if the stream was closed meanwhile. */
static bool hand_over(struct jstream *js, const char *text, size_t len)
{
	unsigned long alive = 1;
	json_error_t error;
	AUTO_STR struct str why = STR_INIT;
	AUTO_JSON json_t *message = parse(text, len, &error);

	js->alive = &alive;
	if (json_is_object(message)) {
		js->hooks->on_message(js, message, NULL);
	} else {
		str_add(&why, message ? "input must be a JSON object"
				      : "JSON parse error, ");
		if (!message)
			str_add_visible(&why, error.text, strlen(error.text));
		js->hooks->on_message(js, NULL, str_text(&why));
	}
	if (alive)
		js->alive = NULL;
	return alive;
}

/* Forgets what was handed over; an idle stream keeps no memory. */
static void trim_input(struct jstream *js)
{
	size_t rest = js->in.len - js->in_done;

	if (rest == 0) {
		str_fini(&js->in);
	} else if (js->in_done > 0) {
		memmove(js->in.data, js->in.data + js->in_done, rest);
		str_cut(&js->in, rest);
	}
	js->in_done = 0;
}

/* Hands over complete messages within budget; false if the stream is over. */
static bool deliver(struct jstream *js)
{
	for (int budget = TURN_MESSAGES;
		budget > 0 && is_listening(js) && has_unscanned(js);) {
		size_t at = js->in_done + js->scanned;
		size_t used = 0;
		enum prescan_result result = prescan_feed(&js->scan,
			js->in.data + at, js->in.len - at, js->limits, &used);
		size_t len = js->scan.bytes;

		js->scanned += used;
		if (result == PRESCAN_TOO_BIG || result == PRESCAN_TOO_DEEP) {
			end_capped(js, result);
			return false;
		}
		if (result == PRESCAN_DONE || !js->scan.started) {
			js->in_done += js->scanned;
			js->scanned = 0;
		}
		if (result == PRESCAN_MORE)
			break;
		prescan_reset(&js->scan);
		if (!hand_over(js, js->in.data + js->in_done - len, len))
			return false;
		budget--;
	}
	return true;
}

/* Lets go of what was held back. */
static void let_go(struct jstream *js)
{
	js->held = false;
	if (waiting(js) == 0)
		return;
	flush(js);
	if (js->finishing && waiting(js) == 0)
		loop_timer_start(&js->more, 0, on_more);
}

/* One turn's share of input. */
static void pump(struct jstream *js)
{
	if (!has_unscanned(js) && is_listening(js) && !read_some(js))
		return;
	js->held |= js->gathers && waiting(js) == 0;
	if (!deliver(js))
		return;
	if (js->held)
		let_go(js);
	if (!has_unscanned(js))
		trim_input(js);
	if ((has_unscanned(js) && is_listening(js)) || js->broken)
		loop_timer_start(&js->more, 0, on_more);
	update(js);
}

/* Sends up to the next message that carries a descriptor. */
static ssize_t write_some(struct jstream *js)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { .bytes = { 0 } };
	struct iovec iov = { js->out.data + js->out_done, waiting(js) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct passing *with = NULL;
	ssize_t len;

	list_each(&js->passing, it, next) {
		struct passing *passing = list_entry(it, struct passing, link);

		if (passing->at > js->tx_bytes) {
			iov.iov_len = (size_t)(passing->at - js->tx_bytes);
			break;
		}
		with = passing;
	}
	if (with) {
		struct cmsghdr *head;

		msg.msg_control = control.bytes;
		msg.msg_controllen = sizeof(control.bytes);
		head = CMSG_FIRSTHDR(&msg);
		head->cmsg_level = SOL_SOCKET;
		head->cmsg_type = SCM_RIGHTS;
		head->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(head), &with->fd, sizeof(int));
	}
	len = sys_sendmsg(js->fd, &msg, MSG_NOSIGNAL);
	if (len > 0 && with)
		passing_free(with);
	return len;
}

/* Writes what the socket takes; a failure ends the stream from the loop. */
static void flush(struct jstream *js)
{
	while (waiting(js) > 0) {
		ssize_t len = write_some(js);

		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0 && errno == EAGAIN)
			return;
		if (len < 0) {
			js->broken = errno;
			loop_timer_start(&js->more, 0, on_more);
			break;
		}
		js->out_done += (size_t)len;
		js->tx_bytes += (uint64_t)len;
	}
	drop_output(js);
}

/* The socket takes more; false if the stream is over. */
static bool write_more(struct jstream *js)
{
	unsigned long alive = 1;
	struct err none = ERR_INIT;

	flush(js);
	if (waiting(js) > 0 || js->broken)
		return true;
	if (js->finishing) {
		end(js, &none);
		return false;
	}
	if (!js->hooks->on_drained)
		return true;
	js->alive = &alive;
	js->hooks->on_drained(js);
	if (alive)
		js->alive = NULL;
	return alive;
}

static void on_ready(struct loop_io *io, int events)
{
	struct jstream *js = container_of(io, struct jstream, io);

	if ((events & LOOP_WRITE) && waiting(js) > 0 && !write_more(js))
		return;
	if ((events & LOOP_READ) && is_listening(js) &&
		!loop_timer_is_active(&js->more))
		pump(js);
	else
		update(js);
}

static void on_more(struct loop_timer *timer)
{
	struct jstream *js = container_of(timer, struct jstream, more);
	struct err none = ERR_INIT;

	if (js->broken && !is_listening(js))
		end_broken(js, js->broken);
	else if (js->finishing && waiting(js) == 0)
		end(js, &none);
	else
		pump(js);
}

/* Watches for what the stream can go on with. */
static void update(struct jstream *js)
{
	bool idle = !loop_timer_is_active(&js->more);
	int events = 0;

	if (is_listening(js) && idle)
		events |= LOOP_READ;
	if (waiting(js) > 0)
		events |= LOOP_WRITE;
	if (events)
		loop_io_start(&js->io, js->fd, events, on_ready);
	else
		loop_io_stop(&js->io);
}

void jstream_open(struct jstream *js, int fd,
	const struct prescan_limits *limits, const struct jstream_hooks *hooks,
	void *owner)
{
	*js = (struct jstream){ .hooks = hooks,
		.limits = limits,
		.owner = owner,
		.fd = fd,
		.reading = true,
		.line_end = "\n" };
	list_init(&js->passing);
	prescan_reset(&js->scan);
	update(js);
}

void jstream_close(struct jstream *js)
{
	if (!jstream_is_open(js))
		return;
	if (js->held)
		let_go(js);
	if (js->alive)
		*js->alive = 0;
	js->alive = NULL;
	js->hooks = NULL;
	loop_timer_stop(&js->more);
	loop_io_stop(&js->io);
	fd_close(&js->fd);
	drop_output(js);
	str_fini(&js->in);
	while (js->nfds > 0)
		fd_close(&js->fds[--js->nfds]);
	free(TAKE(js->fds));
}

bool jstream_is_open(const struct jstream *js)
{
	return js->hooks != NULL;
}

static int pass_fd(struct jstream *js, int fd, struct err *err)
{
	struct passing *passing;
	int copy = sys_dup(fd);

	if (copy < 0)
		return err_os(err, "cannot duplicate a descriptor");
	passing = NEW(struct passing);
	passing->fd = copy;
	passing->at = js->tx_bytes + waiting(js);
	list_add(&js->passing, &passing->link);
	return 0;
}

int jstream_send_text(struct jstream *js, const char *text, size_t len, int fd,
	struct err *err)
{
	bool queued;

	if (!jstream_is_open(js) || js->broken || js->finishing)
		return err_set(err, ERR_GONE, "the connection is closed");
	queued = waiting(js) > 0;
	if (len > (js->out_max ? js->out_max : OUT_MAX) - waiting(js))
		return err_set(err, ERR_LIMIT,
			"the peer does not read: %zu bytes wait", waiting(js));
	if (fd >= 0 && pass_fd(js, fd, err) < 0)
		return -1;
	str_addn(&js->out, text, len);
	if (js->held && waiting(js) < TURN_BYTES)
		return 0;
	if (js->held || !queued)
		flush(js);
	update(js);
	return 0;
}

void jstream_hold(struct jstream *js)
{
	js->held = jstream_is_open(js) && waiting(js) == 0;
}

void jstream_turn(struct jstream *js)
{
	if (jstream_is_open(js))
		pump(js);
}

int jstream_send(
	struct jstream *js, const json_t *message, int fd, struct err *err)
{
	AUTO_STR struct str text = STR_INIT;

	if (!jstream_is_open(js))
		return err_set(err, ERR_GONE, "the connection is closed");
	if (jstream_dump(message, &text, err) < 0)
		return -1;
	str_add(&text, js->line_end);
	return jstream_send_text(js, text.data, text.len, fd, err);
}

void jstream_finish(struct jstream *js)
{
	if (!jstream_is_open(js))
		return;
	js->finishing = true;
	if (waiting(js) == 0)
		loop_timer_start(&js->more, 0, on_more);
	update(js);
}

void jstream_pause(struct jstream *js, bool pause)
{
	if (!jstream_is_open(js))
		return;
	js->reading = !pause;
	if (!pause && has_unscanned(js))
		loop_timer_start(&js->more, 0, on_more);
	update(js);
}

int jstream_take_fd(struct jstream *js)
{
	int fd;

	if (js->nfds == 0)
		return -1;
	fd = js->fds[0];
	js->nfds--;
	memmove(js->fds, js->fds + 1, js->nfds * sizeof(int));
	return fd;
}
