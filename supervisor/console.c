/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One serial port: drain, log, readers, one writer; see console.h. */
#include "supervisor/console.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/atom.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/slab.h"
#include "base/sock.h"
#include "base/sys.h"
#include "base/trim.h"

#define CHUNK           16384
#define BUDGET          (256 * 1024) /* per turn; then the drain rests */
#define REST_MS         10
#define REPLAY          16384
#define INPUT_MAX       65536
#define READERS_MAX     32
#define ACCEPT_AGAIN_MS 100

struct console_reader {
	struct list link; /* console.readers */
	struct console *console;
	int fd;
	struct loop_io io;
	uint64_t at; /* stream offset of the next byte it gets */
	bool may_write;
	bool told_busy;
	bool left;    /* takes nothing any more; what it typed still counts */
	bool is_full; /* takes nothing now: LOOP_WRITE goes on */
};

static void on_serial(struct loop_io *io, int events);
static void on_reader(struct loop_io *io, int events);
static void on_rest(struct loop_timer *timer);

static uint64_t stream_end(const struct console *c)
{
	return c->log_base + c->log_len;
}

static void open_log(struct console *c)
{
	struct stat st;

	c->log_fd = sys_openat(AT_FDCWD, c->log_path,
		O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW, 0640);
	c->log_len = 0;
	if (c->log_fd >= 0 && !sys_fstat(c->log_fd, &st))
		c->log_len = (uint64_t)st.st_size;
}

/* At its cap the log becomes LOG.1 and a new one begins. */
static void rotate(struct console *c)
{
	AUTO_FREE char *older = xasprintf("%s.1", c->log_path);

	c->log_base += c->log_len;
	if (sys_renameat(AT_FDCWD, c->log_path, AT_FDCWD, older))
		sys_ftruncate(c->log_fd, 0); /* then without an older one */
	fd_close(&c->log_fd);
	open_log(c);
}

static void drop_reader(struct console_reader *r)
{
	struct console *c = r->console;

	loop_io_stop(&r->io);
	list_del(&r->link);
	c->nreaders--;
	if (c->writer == r)
		c->writer = NULL;
	fd_close(&r->fd);
	free(r);
}

/* Gives a reader what the log holds for it. */
static void catch_up(struct console_reader *r)
{
	struct console *c = r->console;
	char chunk[CHUNK];

	if (r->at < c->log_base)
		r->at = c->log_base; /* rotated away under a slow reader */
	while (!r->left && r->at < stream_end(c)) {
		ssize_t got = sys_pread(c->log_fd, chunk, sizeof(chunk),
			(off_t)(r->at - c->log_base));
		ssize_t put;

		if (got <= 0) {
			r->at = stream_end(c);
			break;
		}
		put = sys_write(r->fd, chunk, (size_t)got);
		r->left = put < 0 && errno != EAGAIN;
		if (put > 0)
			r->at += (uint64_t)put;
		if (put < got)
			break;
	}
	r->is_full = !r->left && r->at < stream_end(c);
	loop_io_start(&r->io, r->fd,
		r->is_full ? LOOP_READ | LOOP_WRITE : LOOP_READ, on_reader);
}

/* A log that could not be opened is tried again; one cut short is noticed. */
static void check_log(struct console *c)
{
	struct stat st;

	if (c->log_fd < 0) {
		open_log(c);
		list_each(&c->readers, it, next)
			list_entry(it, struct console_reader, link)->at =
				stream_end(c);
	} else if (!sys_fstat(c->log_fd, &st) &&
		   (uint64_t)st.st_size < c->log_len) {
		c->log_base += c->log_len - (uint64_t)st.st_size;
		c->log_len = (uint64_t)st.st_size;
	}
}

/* What no disk took: readers that miss nothing before it get it live. */
static void hand_live(struct console *c, const char *bytes, size_t len)
{
	c->lost += len;
	list_each(&c->readers, it, next) {
		struct console_reader *r =
			list_entry(it, struct console_reader, link);

		if (!r->left && r->at == stream_end(c) &&
			sys_write(r->fd, bytes, len) < 0)
			log_debug(c->vm, "a console reader does not read");
	}
}

/* One chunk of output: to the log, to the readers, to the watcher. */
static void take_output(struct console *c, const char *bytes, size_t len)
{
	size_t put = 0;
	ssize_t rc;

	check_log(c);
	rc = c->log_fd < 0 ? -1 : sys_write(c->log_fd, bytes, len);
	if (rc > 0)
		put = (size_t)rc;
	c->log_len += put;
	list_each(&c->readers, it, next) {
		struct console_reader *r =
			list_entry(it, struct console_reader, link);

		if (!r->is_full)
			catch_up(r);
	}
	if (put < len)
		hand_live(c, bytes + put, len - put);
	if (c->log_len > c->log_max)
		rotate(c);
	if (c->tee)
		c->tee(c->tee_arg, bytes, len);
	if (c->on_output)
		c->on_output(c, bytes, len);
}

/* Reads until the socket is empty or the budget is used: true at its end. */
static bool drain(struct console *c, size_t budget)
{
	char chunk[CHUNK];

	for (size_t taken = 0; taken < budget;) {
		ssize_t got = sys_read(c->fd, chunk, sizeof(chunk));

		if (got == 0)
			return true;
		if (got < 0)
			return errno != EAGAIN && errno != EINTR;
		taken += (size_t)got;
		take_output(c, chunk, (size_t)got);
		trim_soon();
	}
	loop_io_stop(&c->io);
	loop_timer_start(&c->rest, REST_MS, on_rest);
	return false;
}

static void send_input(struct console *c)
{
	while (c->fd >= 0 && c->input_done < c->input.len) {
		ssize_t put = sys_write(c->fd, c->input.data + c->input_done,
			c->input.len - c->input_done);

		if (put < 0)
			break;
		c->input_done += (size_t)put;
	}
	if (c->input_done == c->input.len) {
		str_fini(&c->input);
		c->input_done = 0;
	}
}

static void watch_serial(struct console *c)
{
	if (c->fd >= 0 && !loop_timer_is_active(&c->rest))
		loop_io_start(&c->io, c->fd,
			c->input.len ? LOOP_READ | LOOP_WRITE : LOOP_READ,
			on_serial);
}

static void on_rest(struct loop_timer *timer)
{
	watch_serial(container_of(timer, struct console, rest));
}

static void on_serial(struct loop_io *io, int events)
{
	struct console *c = container_of(io, struct console, io);

	if (events & LOOP_WRITE)
		send_input(c);
	if ((events & LOOP_READ) && drain(c, BUDGET)) {
		loop_io_stop(&c->io);
		fd_close(&c->fd);
		return;
	}
	watch_serial(c);
}

/* The first who types owns the keyboard until he leaves. */
static bool takes_keyboard(struct console_reader *r)
{
	static const char busy[] =
		"\r\n[vmward: somebody else types here; you only read]\r\n";
	struct console *c = r->console;

	if (!c->writer && r->may_write)
		c->writer = r;
	if (c->writer == r)
		return true;
	if (!r->told_busy && sys_write(r->fd, busy, sizeof(busy) - 1) < 0)
		log_debug(c->vm, "a console reader does not read");
	r->told_busy = true;
	return false;
}

static void on_reader(struct loop_io *io, int events)
{
	struct console_reader *r = container_of(io, struct console_reader, io);
	char chunk[4096];
	ssize_t got;

	if (events & LOOP_READ) {
		got = sys_read(r->fd, chunk, sizeof(chunk));
		if (got == 0 || (got < 0 && errno != EAGAIN)) {
			drop_reader(r);
			return;
		}
		if (got > 0 && takes_keyboard(r))
			console_input(r->console, chunk, (size_t)got);
	}
	if (events & LOOP_WRITE)
		catch_up(r);
}

static void on_accept(struct loop_io *io, int events);

static void on_accept_again(struct loop_timer *timer)
{
	struct console *c = container_of(timer, struct console, accept_again);

	loop_io_start(&c->accept_io, c->listener, LOOP_READ, on_accept);
}

static void on_accept(struct loop_io *io, int events UNUSED)
{
	struct console *c = container_of(io, struct console, accept_io);
	bool may_write = false;
	int fd = sys_accept(c->listener);

	if (fd < 0 && errno != EAGAIN && errno != EINTR &&
		errno != ECONNABORTED) { /* no descriptors: else it spins */
		loop_io_stop(&c->accept_io);
		loop_timer_start(
			&c->accept_again, ACCEPT_AGAIN_MS, on_accept_again);
	}
	if (fd < 0)
		return;
	if (c->nreaders >= READERS_MAX ||
		(c->may_attach && !c->may_attach(c, fd, &may_write)))
		sys_close(fd);
	else
		console_add_reader(c, fd, may_write, REPLAY);
}

struct console_reader *console_add_reader(
	struct console *c, int fd, bool may_write, uint64_t replay)
{
	struct console_reader *r = NEW(struct console_reader);
	uint64_t held = replay < c->log_len ? replay : c->log_len;

	r->console = c;
	r->fd = fd;
	r->may_write = may_write;
	r->at = stream_end(c) - held;
	list_add(&c->readers, &r->link);
	c->nreaders++;
	catch_up(r);
	return r;
}

void console_input(struct console *c, const char *bytes, size_t len)
{
	if (c->fd < 0 || c->input.len + len > INPUT_MAX)
		return;
	str_addn(&c->input, bytes, len);
	send_input(c);
	watch_serial(c);
}

struct console *console_new(const struct console_wish *wish,
	bool (*may_attach)(const struct console *c, int fd, bool *may_write),
	void *owner)
{
	struct console *c = SLAB_NEW(struct console);
	struct err err = ERR_INIT;
	AUTO_FREE char *dir = xasprintf("%s/%s", wish->log_dir, wish->vm);

	list_init(&c->link);
	list_init(&c->readers);
	c->vm = atom_get(wish->vm);
	c->name = atom_get(wish->name);
	c->log_path = atom_take(xasprintf("%s/%s.log", dir, wish->name));
	c->log_max = wish->log_max;
	c->fd = c->listener = c->log_fd = -1;
	c->may_attach = may_attach;
	c->owner = owner;
	if (fd_make_dirs(dir, 0755, &err))
		log_warn(wish->vm, "no console log: %s", err.text);
	open_log(c);
	if (!wish->socket_path)
		return c;
	c->socket_path = atom_get(wish->socket_path);
	c->listener = sock_listen(wish->socket_path, 0666, 16, &err);
	if (c->listener < 0)
		log_warn(wish->vm, "no console socket: %s", err.text);
	else
		loop_io_start(&c->accept_io, c->listener, LOOP_READ, on_accept);
	return c;
}

void console_free(struct console *c)
{
	if (!c)
		return;
	console_detach(c);
	list_each(&c->readers, it, next)
		drop_reader(list_entry(it, struct console_reader, link));
	loop_io_stop(&c->accept_io);
	loop_timer_stop(&c->accept_again);
	fd_close(&c->listener);
	fd_close(&c->log_fd);
	if (c->socket_path)
		sys_unlinkat(AT_FDCWD, c->socket_path, 0);
	list_del(&c->link);
	str_fini(&c->input);
	atom_drop(c->socket_path);
	atom_drop(c->log_path);
	atom_drop(c->name);
	atom_drop(c->vm);
	slab_put(c);
}

void console_attach(struct console *c, int fd)
{
	console_detach(c);
	c->fd = fd;
	watch_serial(c);
}

void console_detach(struct console *c)
{
	loop_timer_stop(&c->rest);
	if (c->fd >= 0)
		drain(c, 4 * BUDGET);
	loop_timer_stop(&c->rest);
	loop_io_stop(&c->io);
	fd_close(&c->fd);
	str_fini(&c->input);
	c->input_done = 0;
}

char *console_tail(const struct console *c, size_t max)
{
	uint64_t held = max < c->log_len ? max : c->log_len;
	char *tail = xmalloc(held + 1);
	ssize_t got = c->log_fd < 0 ? 0
				    : sys_pread(c->log_fd, tail, held,
					      (off_t)(c->log_len - held));

	tail[got > 0 ? got : 0] = '\0';
	return tail;
}

/* ---- to the next image of this process ---- */

static const struct handover_field fields[] = {
	HAND(HAND_ATOM, struct console, name),
	HAND(HAND_ATOM, struct console, vm),
	HAND(HAND_ATOM, struct console, log_path),
	HAND(HAND_ATOM, struct console, socket_path),
	HAND(HAND_I64, struct console, log_max),
	HAND(HAND_FD, struct console, log_fd),
	HAND(HAND_I64, struct console, log_base),
	HAND(HAND_I64, struct console, log_len),
	HAND(HAND_I64, struct console, lost),
	HAND(HAND_FD, struct console, fd),
	HAND(HAND_FD, struct console, listener),
	HAND(HAND_BYTES, struct console, input),
	HAND(HAND_I64, struct console, input_done),
};

static const struct handover_field reader_fields[] = {
	HAND(HAND_FD, struct console_reader, fd),
	HAND(HAND_I64, struct console_reader, at),
	HAND(HAND_BOOL, struct console_reader, may_write),
	HAND(HAND_BOOL, struct console_reader, told_busy),
	HAND(HAND_BOOL, struct console_reader, left),
	HAND(HAND_BOOL, struct console_reader, is_full),
};

void console_put(struct handover *h, json_t *to, const struct console *c)
{
	json_t *readers = json_array();

	handover_put(h, to, fields, NELEMS(fields), c);
	list_each(&c->readers, it, next) {
		const struct console_reader *r =
			list_entry(it, struct console_reader, link);
		json_t *reader = json_object();

		handover_put(
			h, reader, reader_fields, NELEMS(reader_fields), r);
		json_object_set_new(
			reader, "writer", json_boolean(c->writer == r));
		json_array_append_new(readers, reader);
	}
	json_object_set_new(to, "readers", readers);
}

int console_check(const json_t *from, struct err *err)
{
	json_t *readers = handover_need(from, "readers", true, err);
	json_t *reader;
	size_t i;

	if (!readers || handover_get(from, fields, NELEMS(fields), NULL, err))
		return -1;
	json_array_foreach(readers, i, reader)
	{
		if (handover_get(reader, reader_fields, NELEMS(reader_fields),
			    NULL, err))
			return -1;
	}
	return 0;
}

static void get_reader(struct console *c, const json_t *from)
{
	struct console_reader *r = NEW(struct console_reader);
	struct err checked = ERR_INIT;

	BUG_ON(handover_get(
		from, reader_fields, NELEMS(reader_fields), r, &checked));
	r->console = c;
	list_add(&c->readers, &r->link);
	c->nreaders++;
	if (json_is_true(json_object_get(from, "writer")))
		c->writer = r;
	loop_io_start(&r->io, r->fd,
		r->is_full ? LOOP_READ | LOOP_WRITE : LOOP_READ, on_reader);
}

struct console *console_get(const json_t *from, struct err *err)
{
	struct console *c;
	json_t *reader;
	size_t i;

	if (console_check(from, err))
		return NULL;
	c = SLAB_NEW(struct console);
	BUG_ON(handover_get(from, fields, NELEMS(fields), c, err));
	list_init(&c->link);
	list_init(&c->readers);
	json_array_foreach(json_object_get(from, "readers"), i, reader)
		get_reader(c, reader);
	if (c->listener >= 0)
		loop_io_start(&c->accept_io, c->listener, LOOP_READ, on_accept);
	watch_serial(c);
	return c;
}
