/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The real loop, one private libev loop.  EVFLAG_NOENV keeps LIBEV_FLAGS out;
 * the signal mask stays ours.  When the simulated loop is on, each function
 * hands over to base/loop_sim.c.
 */
#include "base/loop.h"

#include <errno.h>

#include "base/log.h"

/* A dead process not reaped by its parent is asked after 1, 2, .. 16 ms. */
enum { MOST_TRIES = 5 };

static struct ev_loop *loop;
static struct list kicks = LIST_INIT(kicks);
static ev_timer kicker; /* never started, only fed at the lowest priority */

static void kicks_run(struct ev_loop *at, ev_timer *ev, int events);

int loop_init(struct err *err)
{
	if (loop_sim_is_on())
		return 0;
	BUG_ON(loop);
	loop = ev_loop_new(EVFLAG_NOENV | EVFLAG_NOSIGMASK);
	if (!loop)
		return err_os(err, "cannot make an event loop");
	ev_init(&kicker, kicks_run);
	ev_set_priority(&kicker, EV_MINPRI);
	return 0;
}

void loop_fini(void)
{
	loop_forget_kicks();
	if (!loop)
		return;
	ev_clear_pending(loop, &kicker);
	ev_loop_destroy(loop);
	loop = NULL;
}

static bool sim_stopped;

void loop_run(void)
{
	if (!loop_sim_is_on()) {
		BUG_ON(!loop);
		ev_run(loop, 0);
		return;
	}
	sim_stopped = false;
	while (!sim_stopped && (loop_sim_turn() || loop_sim_skip()))
		continue;
}

void loop_turn(bool wait)
{
	if (!loop_sim_is_on()) {
		BUG_ON(!loop);
		ev_run(loop, wait ? EVRUN_ONCE : EVRUN_NOWAIT);
		return;
	}
	if (!loop_sim_turn() && wait && loop_sim_skip())
		loop_sim_turn();
}

void loop_stop(void)
{
	sim_stopped = true;
	if (loop)
		ev_break(loop, EVBREAK_ALL);
}

uint64_t loop_now_us(void)
{
	return loop_sim_is_on() ? loop_sim_now_us() : sys_now_us();
}

int64_t loop_now_ms(void)
{
	return (int64_t)(loop_now_us() / 1000);
}

static void io_is_ready(struct ev_loop *at UNUSED, ev_io *ev, int events)
{
	struct loop_io *io = container_of(ev, struct loop_io, ev);

	io->on_ready(io, events & (LOOP_READ | LOOP_WRITE));
}

void loop_io_start(struct loop_io *io, int fd, int events,
	void (*on_ready)(struct loop_io *io, int events))
{
	BUG_ON(fd < 0);
	io->on_ready = on_ready;
	if (loop_sim_is_on()) {
		loop_sim_add_io(io, fd, events);
		return;
	}
	BUG_ON(!loop);
	if (ev_is_active(&io->ev) && io->ev.fd == fd &&
		(io->ev.events & (LOOP_READ | LOOP_WRITE)) == events)
		return;
	ev_io_stop(loop, &io->ev);
	ev_io_init(&io->ev, io_is_ready, fd, events);
	ev_io_start(loop, &io->ev);
}

void loop_io_stop(struct loop_io *io)
{
	if (loop_sim_is_on())
		loop_sim_del_io(io);
	else if (loop)
		ev_io_stop(loop, &io->ev);
}

struct loop_due *loop_due_make(struct loop_timer *timer)
{
	if (!timer->due) {
		timer->due = NEW(struct loop_due);
		timer->due->timer = timer;
	}
	return timer->due;
}

void loop_due_take(struct loop_timer *timer)
{
	free(TAKE(timer->due));
}

static void timer_is_due(
	struct ev_loop *at UNUSED, ev_timer *ev, int events UNUSED)
{
	struct loop_timer *timer = container_of(ev, struct loop_due, ev)->timer;

	loop_due_take(timer);
	timer->on_timer(timer);
}

void loop_timer_start(struct loop_timer *timer, int64_t ms,
	void (*on_timer)(struct loop_timer *timer))
{
	ev_timer *ev;

	BUG_ON(ms < 0);
	timer->on_timer = on_timer;
	if (loop_sim_is_on()) {
		loop_sim_add_timer(timer, ms);
		return;
	}
	BUG_ON(!loop);
	ev = &loop_due_make(timer)->ev;
	ev_timer_stop(loop, ev);
	/* A stale clock would count time that passed before this call. */
	ev_now_update(loop);
	ev_timer_init(ev, timer_is_due, (double)ms / 1000.0, 0.);
	ev_timer_start(loop, ev);
}

void loop_timer_stop(struct loop_timer *timer)
{
	if (!timer->due)
		return;
	if (loop_sim_is_on())
		loop_sim_del_timer(timer);
	else if (loop)
		ev_timer_stop(loop, &timer->due->ev);
	loop_due_take(timer);
}

bool loop_timer_is_active(const struct loop_timer *timer)
{
	return timer->due != NULL;
}

static void signal_came(
	struct ev_loop *at UNUSED, ev_signal *ev, int events UNUSED)
{
	struct loop_signal *watcher = container_of(ev, struct loop_signal, ev);

	watcher->on_signal(watcher, ev->signum);
}

void loop_signal_start(struct loop_signal *watcher, int signal,
	void (*on_signal)(struct loop_signal *watcher, int signal))
{
	watcher->on_signal = on_signal;
	if (loop_sim_is_on())
		return;
	BUG_ON(!loop);
	ev_signal_stop(loop, &watcher->ev);
	ev_signal_init(&watcher->ev, signal_came, signal);
	ev_signal_start(loop, &watcher->ev);
}

void loop_signal_stop(struct loop_signal *watcher)
{
	if (loop)
		ev_signal_stop(loop, &watcher->ev);
}

static void ask_child(struct loop_child *child);

static void child_asked_again(struct loop_timer *timer)
{
	ask_child(container_of(timer, struct loop_child, again));
}

static void child_is_ready(struct loop_io *io, int events UNUSED)
{
	ask_child(container_of(io, struct loop_child, io));
}

/* The pidfd says it is dead: find out how it ended. */
static void ask_child(struct loop_child *child)
{
	struct sys_exit how = { .known = false };

	if (sys_pidfd_wait(child->pidfd, &how) < 0) {
		if (errno == EAGAIN)
			return;
		if (errno == EINPROGRESS && child->tries < MOST_TRIES) {
			loop_io_stop(&child->io);
			loop_timer_start(&child->again, 1 << child->tries++,
				child_asked_again);
			return;
		}
		how = (struct sys_exit){ .known = false };
	}
	loop_child_stop(child);
	child->on_exit(child, &how);
}

void loop_child_start(struct loop_child *child, int pidfd,
	void (*on_exit)(struct loop_child *child, const struct sys_exit *how))
{
	child->pidfd = pidfd;
	child->on_exit = on_exit;
	child->tries = 0;
	loop_io_start(&child->io, pidfd, LOOP_READ, child_is_ready);
}

void loop_child_stop(struct loop_child *child)
{
	loop_timer_stop(&child->again);
	loop_io_stop(&child->io);
}

bool loop_run_kicks(void)
{
	bool ran = false;

	while (!list_is_empty(&kicks)) {
		struct loop_kick *kick =
			list_entry(kicks.next, struct loop_kick, link);

		list_del(&kick->link);
		kick->on_kick(kick);
		ran = true;
		if (loop_sim_is_on())
			loop_sim_count();
	}
	return ran;
}

void loop_forget_kicks(void)
{
	while (!list_is_empty(&kicks))
		list_del(kicks.next);
}

static void kicks_run(
	struct ev_loop *at UNUSED, ev_timer *ev UNUSED, int events UNUSED)
{
	loop_run_kicks();
}

void loop_kick(struct loop_kick *kick, void (*on_kick)(struct loop_kick *))
{
	kick->on_kick = on_kick;
	if (kick->link.next && !list_is_empty(&kick->link))
		return;
	list_add(&kicks, &kick->link);
	if (loop_sim_is_on())
		return;
	BUG_ON(!loop);
	if (!ev_is_pending(&kicker))
		ev_feed_event(loop, &kicker, EV_CUSTOM);
}

void loop_kick_stop(struct loop_kick *kick)
{
	if (kick->link.next)
		list_del(&kick->link);
}
