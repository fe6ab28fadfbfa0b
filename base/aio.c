/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's queue holds pointers to requests; a request outlives a
 * cancelled fsync, so that a late completion finds nobody instead of freed
 * memory.  The eventfd is watched only while something is under way: an
 * idle supervisor has no watcher here.
 */
#include "base/aio.h"

#include <errno.h>
#include <linux/aio_abi.h>
#include <string.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/sys.h"

enum { QUEUE_LEN = 256, EVENTS_AT_ONCE = 32 };

struct aio_request {
	struct aio_sync *sync; /* NULL: cancelled */
	struct iocb iocb;
};

enum aio_mode { AIO_UNKNOWN, AIO_KERNEL, AIO_INLINE };

static struct {
	enum aio_mode mode;
	unsigned long context;
	int event_fd;
	unsigned busy; /* requests the kernel holds */
	struct loop_io io;
	struct loop_kick kick;
	struct list waiting; /* aio_sync.link: no room yet */
	struct list done;    /* aio_sync.link: to be told */
} aio;

static void go_inline(void)
{
	log_warn(NULL,
		"the kernel's aio does not work (%s): fsync may "
		"hold up the supervisor",
		strerror(errno));
	aio.mode = AIO_INLINE;
}

static void set_up(void)
{
	list_init(&aio.waiting);
	list_init(&aio.done);
	aio.event_fd = sys_eventfd(0);
	if (aio.event_fd < 0) {
		go_inline();
		return;
	}
	aio.context = 0;
	if (sys_io_setup(QUEUE_LEN, &aio.context) != 0) {
		go_inline();
		fd_close(&aio.event_fd);
		return;
	}
	aio.mode = AIO_KERNEL;
}

static void tell_done(struct loop_kick *kick UNUSED)
{
	while (!list_is_empty(&aio.done)) {
		struct aio_sync *sync =
			list_entry(aio.done.next, struct aio_sync, link);

		list_del(&sync->link);
		sync->on_synced(sync, sync->error);
	}
}

static void finish(struct aio_sync *sync, int error)
{
	sync->request = NULL;
	sync->error = error;
	list_add(&aio.done, &sync->link);
	loop_kick(&aio.kick, tell_done);
}

static void sync_inline(struct aio_sync *sync)
{
	finish(sync, sys_fsync(sync->fd) == 0 ? 0 : errno);
}

static void submit_waiting(void);

static void reap(const struct io_event *event)
{
	struct aio_request *request =
		(struct aio_request *)(uintptr_t)event->data;

	aio.busy--;
	if (request->sync)
		finish(request->sync, event->res < 0 ? (int)-event->res : 0);
	free(request);
}

static void on_event(struct loop_io *io UNUSED, int events UNUSED)
{
	uint64_t count;
	struct io_event at[EVENTS_AT_ONCE];
	int n;

	if (sys_read(aio.event_fd, &count, sizeof(count)) < 0 &&
		errno != EAGAIN)
		log_error(NULL, "cannot read the aio eventfd: %s",
			strerror(errno));
	do {
		n = sys_io_getevents(aio.context, 0, EVENTS_AT_ONCE, at);
		for (int i = 0; i < n; i++)
			reap(&at[i]);
	} while (n == EVENTS_AT_ONCE);
	submit_waiting();
	if (aio.busy == 0)
		loop_io_stop(&aio.io);
}

/* False: the queue is full, and something in it will make room. */
static bool submit(struct aio_sync *sync)
{
	struct aio_request *request = NEW(struct aio_request);
	struct iocb *list[1] = { &request->iocb };

	request->sync = sync;
	request->iocb.aio_data = (uintptr_t)request;
	request->iocb.aio_lio_opcode = IOCB_CMD_FSYNC;
	request->iocb.aio_fildes = (unsigned)sync->fd;
	request->iocb.aio_flags = IOCB_FLAG_RESFD;
	request->iocb.aio_resfd = (unsigned)aio.event_fd;
	if (sys_io_submit(aio.context, 1, list) == 1) {
		sync->request = request;
		if (aio.busy++ == 0)
			loop_io_start(
				&aio.io, aio.event_fd, LOOP_READ, on_event);
		return true;
	}
	free(request);
	if (errno == EAGAIN && aio.busy > 0)
		return false;
	/* EINVAL: this file system has none; others: ask fsync itself */
	sync_inline(sync);
	return true;
}

static void submit_waiting(void)
{
	while (!list_is_empty(&aio.waiting)) {
		struct aio_sync *sync =
			list_entry(aio.waiting.next, struct aio_sync, link);

		list_del(&sync->link);
		if (!submit(sync)) {
			list_add(&aio.waiting, &sync->link);
			return;
		}
	}
}

void aio_fsync(struct aio_sync *sync, int fd,
	void (*on_synced)(struct aio_sync *sync, int error))
{
	if (aio.mode == AIO_UNKNOWN)
		set_up();
	list_init(&sync->link);
	sync->request = NULL;
	sync->fd = fd;
	sync->on_synced = on_synced;
	if (aio.mode == AIO_INLINE)
		sync_inline(sync);
	else if (!list_is_empty(&aio.waiting) || !submit(sync))
		list_add(&aio.waiting, &sync->link);
}

void aio_cancel(struct aio_sync *sync)
{
	if (sync->request)
		sync->request->sync = NULL;
	sync->request = NULL;
	if (sync->link.next)
		list_del(&sync->link);
}

void aio_forget(void)
{
	memset(&aio, 0, sizeof(aio));
}

static void forget_all(struct list *head)
{
	list_each(head, it, next)
		aio_cancel(list_entry(it, struct aio_sync, link));
}

void aio_fini(void)
{
	if (aio.mode == AIO_UNKNOWN)
		return;
	while (aio.busy > 0) {
		struct io_event at[1];

		if (sys_io_getevents(aio.context, 1, 1, at) != 1)
			break;
		reap(at);
	}
	forget_all(&aio.waiting);
	forget_all(&aio.done);
	loop_kick_stop(&aio.kick);
	loop_io_stop(&aio.io);
	if (aio.mode == AIO_KERNEL) {
		sys_io_destroy(aio.context);
		fd_close(&aio.event_fd);
	}
	memset(&aio, 0, sizeof(aio));
}
