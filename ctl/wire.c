/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The client's end of the control socket.  A cold command is one connect,
 * one write and one or two reads: the negotiation goes out with the request.
 * Nothing here waits without a deadline.
 */
#include "ctl/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"

#define NEGOTIATION_ID "hello"
#define MESSAGE_MAX    (4U << 20) /* a supervisor never sends more */

int64_t wire_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Waits for events on the socket; false when the time came or a signal. */
static bool wait_for(int fd, short events, int64_t until_ms)
{
	struct pollfd at = { .fd = fd, .events = events };
	int64_t left = until_ms - wire_now_ms();

	if (left < 0)
		left = 0;
	if (left > 3600000)
		left = 3600000;
	return poll(&at, 1, (int)left) > 0;
}

/*
 * Fills in the address; a path that is too long goes through an O_PATH
 * descriptor of its directory, which the caller closes after connect.
 */
static int make_address(
	const char *path, struct sockaddr_un *addr, int *dir, struct err *err)
{
	const char *name = strrchr(path, '/');
	AUTO_FREE char *parent = NULL;

	addr->sun_family = AF_UNIX;
	if (strlen(path) < sizeof(addr->sun_path)) {
		memcpy(addr->sun_path, path, strlen(path) + 1);
		return 0;
	}
	if (!name || strlen(name) > 64)
		return err_set(err, ERR_UNREACHABLE, "the path is too long");
	parent = xstrndup(path, (size_t)(name - path));
	*dir = open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (*dir < 0)
		return err_set(err, ERR_UNREACHABLE, "%s", strerror(errno));
	snprintf(addr->sun_path, sizeof(addr->sun_path), "/proc/self/fd/%d%s",
		*dir, name);
	return 0;
}

static int refused(int why, struct err *err)
{
	enum err_code code = ERR_UNREACHABLE;

	if (why == EACCES || why == EPERM)
		code = ERR_DENIED;
	return err_set(err, code, "%s", strerror(why));
}

int wire_connect(const char *path, int64_t ms, struct err *err)
{
	struct sockaddr_un addr = { 0 };
	AUTO_CLOSE int dir = -1;
	AUTO_CLOSE int fd = -1;
	int64_t until = wire_now_ms() + ms;

	if (make_address(path, &addr, &dir, err) < 0)
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return refused(errno, err);
	while (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
		/* EAGAIN: the backlog is full; poll() cannot wait for it */
		if (errno != EAGAIN && errno != EINTR)
			return refused(errno, err);
		if (wire_now_ms() >= until)
			return err_set(err, ERR_UNREACHABLE,
				"it takes no connections");
		poll(NULL, 0, 10);
	}
	return TAKE_FD(fd);
}

static int cannot_reach(struct wire *w, const char *remedy, struct err *err)
{
	struct err why = *err;

	return err_set(err, why.code,
		"cannot reach the supervisor at %s: %s; %s", w->path, why.text,
		why.code == ERR_DENIED ? "are you in group vmward?" : remedy);
}

int wire_open(struct wire *w, const char *path, bool events, const char *remedy,
	struct err *err)
{
	static const char plain[] = "{\"execute\": \"qmp_capabilities\", "
				    "\"id\": \"" NEGOTIATION_ID "\"}\n";
	static const char with_events[] =
		"{\"execute\": \"qmp_capabilities\", \"arguments\": "
		"{\"enable\": [\"vmward\"]}, \"id\": \"" NEGOTIATION_ID "\"}\n";

	memset(w, 0, sizeof(*w));
	w->path = xstrdup(path);
	w->fd = wire_connect(path, WIRE_PATIENCE_MS, err);
	if (w->fd < 0)
		return cannot_reach(w, remedy, err);
	w->heard_ms = wire_now_ms();
	str_add(&w->out, events ? with_events : plain);
	return 0;
}

void wire_close(struct wire *w)
{
	fd_close(&w->fd);
	if (w->passing > 0)
		fd_close(&w->passing);
	str_fini(&w->in);
	str_fini(&w->out);
	free(w->path);
	w->path = NULL;
	w->at = 0;
}

static int add_bytes(const char *bytes, size_t len, void *arg)
{
	str_addn(arg, bytes, len);
	return 0;
}

int wire_queue(struct wire *w, const char *id, const char *execute,
	const json_t *arguments, struct err *err)
{
	json_t *message = json_pack("{s:s, s:O*, s:s}", "execute", execute,
		"arguments", arguments, "id", id);

	if (!message ||
		json_dump_callback(message, add_bytes, &w->out, JSON_COMPACT)) {
		json_decref(message);
		return err_set(err, ERR_USAGE, "%s: cannot be written as JSON",
			execute);
	}
	str_addc(&w->out, '\n');
	json_decref(message);
	return 0;
}

int wire_attach(struct wire *w, const char *path, struct err *err)
{
	/* no FIFO and no tape waits */
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		return err_set(err, ERR_NOT_FOUND, "no file '%s'", path);
	if (fd < 0)
		return err_os(err, "cannot open '%s'", path);
	w->passing = fd;
	return 0;
}

int wire_attach_new(struct wire *w, const char *path, struct err *err)
{
	int fd = open(path,
		O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0 && errno == EEXIST)
		return err_set(err, ERR_EXISTS,
			"'%s' is there already: remove it, or say another name",
			path);
	if (fd < 0)
		return err_os(err, "cannot make '%s'", path);
	w->passing = fd;
	return 0;
}

/* send(), with what is passed along. */
static ssize_t send_some(struct wire *w, char *bytes, size_t len)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { .bytes = { 0 } };
	struct iovec iov = { bytes, len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	if (w->passing > 0) {
		msg.msg_control = control.bytes;
		msg.msg_controllen = sizeof(control.bytes);
		control.align = (struct cmsghdr){ .cmsg_level = SOL_SOCKET,
			.cmsg_type = SCM_RIGHTS,
			.cmsg_len = CMSG_LEN(sizeof(int)) };
		memcpy(CMSG_DATA(&control.align), &w->passing, sizeof(int));
	}
	n = sendmsg(w->fd, &msg, MSG_NOSIGNAL);
	if (n > 0 && w->passing > 0) {
		close(w->passing);
		w->passing = 0;
	}
	return n;
}

/* The peer is gone, or has been silent for too long. */
static int lost(struct wire *w, const char *why, struct err *err)
{
	return err_set(err, ERR_UNREACHABLE,
		"the supervisor at %s %s; \"vmward doctor\" looks into it",
		w->path, why);
}

int wire_flush(struct wire *w, struct err *err)
{
	int64_t until = wire_now_ms() + WIRE_PATIENCE_MS;
	size_t done = 0;

	while (done < w->out.len) {
		ssize_t n = send_some(w, w->out.data + done, w->out.len - done);

		if (n > 0)
			done += (size_t)n;
		else if (errno == EAGAIN && wire_now_ms() < until)
			wait_for(w->fd, POLLOUT, until);
		else if (errno == EAGAIN)
			return lost(w, "does not read", err);
		else if (errno == EPIPE || errno == ECONNRESET)
			break; /* what it said before is worth reading */
		else if (errno != EINTR)
			return lost(w, strerror(errno), err);
	}
	str_cut(&w->out, 0);
	return 0;
}

/* Takes the next line out of the buffer; false if it is not complete. */
static bool take_line(struct wire *w, const char **line, size_t *len)
{
	const char *end;

	if (w->at >= w->in.len)
		return false;
	*line = w->in.data + w->at;
	end = memchr(*line, '\n', w->in.len - w->at);
	if (!end)
		return false;
	*len = (size_t)(end - *line);
	w->at += *len + 1;
	return true;
}

/* Drops what was handed out, so that the buffer does not grow. */
static void compact(struct wire *w)
{
	size_t left = w->in.len - w->at;

	if (w->at == 0)
		return;
	memmove(w->in.data, w->in.data + w->at, left);
	str_cut(&w->in, left);
	w->at = 0;
}

/* Reads once: 1 something, 0 nothing in time, -1 the end. */
static int read_more(struct wire *w, int64_t until_ms, struct err *err)
{
	char buf[16384];
	ssize_t n = recv(w->fd, buf, sizeof(buf), 0);

	if (n < 0 && errno == EAGAIN) {
		if (!wait_for(w->fd, POLLIN, until_ms))
			return 0;
		n = recv(w->fd, buf, sizeof(buf), 0);
	}
	if (n == 0)
		return lost(w, "closed the connection", err);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return 0;
	if (n < 0)
		return lost(w, strerror(errno), err);
	if (w->in.len - w->at > MESSAGE_MAX)
		return lost(w, "sends an endless line", err);
	compact(w);
	str_addn(&w->in, buf, (size_t)n);
	w->heard_ms = wire_now_ms();
	return 1;
}

/* Whether the message is for the caller; errors of the negotiation are. */
static int sift(struct wire *w, json_t *message, struct err *err)
{
	const char *id = json_string_value(json_object_get(message, "id"));
	const json_t *error = json_object_get(message, "error");

	if (json_object_get(message, "QMP"))
		return 0;
	if (id && str_eq(id, NEGOTIATION_ID) && !error)
		return 0;
	if (error && (!id || str_eq(id, NEGOTIATION_ID))) {
		wire_to_err(error, err);
		err_wrap(err, "the supervisor at %s: ", w->path);
		return -1;
	}
	return 1;
}

int wire_next(struct wire *w, int64_t until_ms, json_t **out, struct err *err)
{
	for (;;) {
		const char *line;
		size_t len;
		int wanted;

		while (!take_line(w, &line, &len)) {
			int got = read_more(w, until_ms, err);

			if (got <= 0)
				return got;
		}
		*out = json_loadb(line, len, 0, NULL);
		if (!*out)
			return lost(w, "sends what is no JSON", err);
		wanted = sift(w, *out, err);
		if (wanted > 0)
			return 1;
		json_decref(*out);
		*out = NULL;
		if (wanted < 0)
			return -1;
	}
}

void wire_to_err(const json_t *error, struct err *err)
{
	const char *desc = json_string_value(json_object_get(error, "desc"));
	const char *code = json_string_value(json_object_get(error, "code"));
	const char *class = json_string_value(json_object_get(error, "class"));
	enum err_code known = ERR_QMP;

	if (code)
		known = err_code_of(code);
	else if (class && str_eq(class, "CommandNotFound"))
		known = ERR_UNSUPPORTED;
	else if (class && str_eq(class, "DeviceNotFound"))
		known = ERR_NOT_FOUND;
	err_set(err, known, "%s", desc ? desc : "no reason given");
}

int wire_status(const json_t *error)
{
	struct err err = ERR_INIT;

	wire_to_err(error, &err);
	return err_code_status(err.code);
}

/* Waits for the reply with an id. */
static json_t *await_reply(
	struct wire *w, const char *id, int64_t ms, struct err *err)
{
	int64_t until = wire_now_ms() + ms;

	for (;;) {
		json_t *message = NULL;
		json_t *value;
		const char *got;
		int n = wire_next(w, until, &message, err);

		if (n < 0)
			return NULL;
		if (n == 0 && wire_now_ms() >= until) {
			lost(w, "does not answer", err);
			return NULL;
		}
		if (n == 0)
			continue;
		got = json_string_value(json_object_get(message, "id"));
		if (!got || !str_eq(got, id)) {
			json_decref(message);
			continue;
		}
		value = json_incref(json_object_get(message, "return"));
		if (!value)
			wire_to_err(json_object_get(message, "error"), err);
		json_decref(message);
		return value;
	}
}

json_t *wire_call(struct wire *w, const char *execute, const json_t *arguments,
	int64_t ms, struct err *err)
{
	static unsigned serial;
	char id[16];

	snprintf(id, sizeof(id), "c%u", ++serial);
	if (wire_queue(w, id, execute, arguments, err) < 0 ||
		wire_flush(w, err) < 0)
		return NULL;
	return await_reply(w, id, ms, err);
}
