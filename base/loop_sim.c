/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The simulated loop: time moves only when a test says so, and what is due
 * runs in one defined order: ready descriptors in the order they were
 * started, then timers by due time, then kicks.
 */
#include "base/log.h"
#include "base/loop.h"

/* So many turns without time passing are a livelock. */
enum { MOST_TURNS = 1000000 };

static const int64_t first_us = 1000 * 1000000LL;

static struct {
	bool on;
	int64_t now_us;
	unsigned turn;
	unsigned turns_here; /* since the clock last moved */
	int (*poll)(int fd, int wanted);
	struct list ios;
	struct list timers;
} sim;

_Static_assert(offsetof(struct loop_io, sim.turn) + sizeof(unsigned) <=
		       offsetof(struct loop_io, ev.fd),
	"a simulated watcher knows its descriptor");

void loop_sim_start(void)
{
	sim.on = true;
	sim.now_us = first_us;
	sim.turn = 0;
	sim.turns_here = 0;
	sim.poll = NULL;
	list_init(&sim.ios);
	list_init(&sim.timers);
}

static struct loop_io *first_io(void)
{
	return list_entry(sim.ios.next, struct loop_io, sim.link);
}

static struct loop_due *due_of(struct list *link)
{
	return list_entry(link, struct loop_due, sim.link);
}

void loop_sim_forget(void)
{
	while (!list_is_empty(&sim.ios))
		loop_sim_del_io(first_io());
	while (!list_is_empty(&sim.timers))
		loop_timer_stop(due_of(sim.timers.next)->timer);
	loop_forget_kicks();
}

void loop_sim_end(void)
{
	if (sim.on)
		loop_sim_forget();
	sim.on = false;
}

bool loop_sim_is_on(void)
{
	return sim.on;
}

void loop_sim_set_poll(int (*poll)(int fd, int wanted))
{
	sim.poll = poll;
}

uint64_t loop_sim_now_us(void)
{
	return (uint64_t)sim.now_us;
}

static bool is_started(const struct loop_io *io)
{
	return io->sim.link.next != NULL;
}

void loop_sim_add_io(struct loop_io *io, int fd, int events)
{
	if (!is_started(io)) {
		list_add(&sim.ios, &io->sim.link);
		io->sim.turn = 0;
	}
	io->ev.fd = fd;
	io->ev.events = events;
}

void loop_sim_del_io(struct loop_io *io)
{
	if (is_started(io))
		list_del(&io->sim.link);
	io->sim.link = (struct list){ NULL, NULL };
}

void loop_sim_add_timer(struct loop_timer *timer, int64_t ms)
{
	struct loop_due *due;
	struct list *at;

	loop_timer_stop(timer);
	due = loop_due_make(timer);
	at = sim.timers.next;
	due->sim.at_us = ms > (INT64_MAX - sim.now_us) / 1000
				 ? INT64_MAX
				 : sim.now_us + ms * 1000;
	while (at != &sim.timers && due_of(at)->sim.at_us <= due->sim.at_us)
		at = at->next;
	list_add(at, &due->sim.link);
}

void loop_sim_del_timer(struct loop_timer *timer)
{
	list_del(&timer->due->sim.link);
}

void loop_sim_io(struct loop_io *io, int events)
{
	BUG_ON(!is_started(io));
	io->on_ready(io, events);
}

/* Each ready watcher once; a callback may start and stop any of them. */
static bool run_ios(void)
{
	bool ran = false;
	struct list *at = sim.ios.next;

	if (!sim.poll)
		return false;
	while (at != &sim.ios) {
		struct loop_io *io = list_entry(at, struct loop_io, sim.link);
		int events = 0;
		if (io->sim.turn != sim.turn)
			events = sim.poll(io->ev.fd, io->ev.events);
		if (events == 0) {
			at = at->next;
			continue;
		}
		io->sim.turn = sim.turn;
		io->on_ready(io, events);
		ran = true;
		at = sim.ios.next;
	}
	return ran;
}

/* The timers due at the start; those they start wait for the next turn. */
static bool run_timers(void)
{
	bool ran = false;
	size_t due = 0;

	for (struct list *at = sim.timers.next; at != &sim.timers;
		at = at->next)
		due += due_of(at)->sim.at_us <= sim.now_us;
	for (; due > 0 && !list_is_empty(&sim.timers); due--) {
		struct loop_due *first = due_of(sim.timers.next);
		struct loop_timer *timer = first->timer;
		if (first->sim.at_us > sim.now_us)
			break;
		loop_timer_stop(timer);
		timer->on_timer(timer);
		ran = true;
	}
	return ran;
}

void loop_sim_count(void)
{
	BUG_ON(++sim.turns_here > MOST_TURNS);
}

bool loop_sim_turn(void)
{
	sim.turn++;
	loop_sim_count();
	bool ran = run_ios();
	ran |= run_timers();
	ran |= loop_run_kicks();
	return ran;
}

/* Moves to the next timer if it is due until then. */
static bool skip_until(int64_t until_us)
{
	if (list_is_empty(&sim.timers))
		return false;
	int64_t due_us = due_of(sim.timers.next)->sim.at_us;
	if (due_us > until_us)
		return false;
	if (due_us > sim.now_us) {
		sim.now_us = due_us;
		sim.turns_here = 0;
	}
	return true;
}

bool loop_sim_skip(void)
{
	return skip_until(INT64_MAX);
}

void loop_sim_advance(int64_t ms)
{
	int64_t until_us = sim.now_us + ms * 1000;

	do
		while (loop_sim_turn())
			continue;
	while (skip_until(until_us));
	sim.now_us = until_us;
	sim.turns_here = 0;
}
