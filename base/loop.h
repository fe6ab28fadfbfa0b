/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The event loop: a thin shell over one private libev loop (never the
 * default loop: that one steals exit statuses).  Watchers are embedded in
 * their owner, zeroed before first use, and stopped by it.
 * A simulated backend drives timers by a virtual clock (loop_sim_*).
 */
#ifndef BASE_LOOP_H
#define BASE_LOOP_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/list.h"
#include "base/sys.h"

enum { LOOP_READ = EV_READ, LOOP_WRITE = EV_WRITE };

struct loop_io {
	union {
		ev_io ev;
		struct {
			struct list link; /* sim.ios */
			unsigned turn;
		} sim; /* simulated: ends before ev.fd */
	};
	void (*on_ready)(struct loop_io *io, int events);
};

/* A VM has a dozen and hardly ever needs one: it is small while it rests. */
struct loop_timer {
	struct loop_due *due; /* while it is active */
	void (*on_timer)(struct loop_timer *timer);
};

struct loop_signal {
	ev_signal ev;
	void (*on_signal)(struct loop_signal *watcher, int signal);
};

/* The death of a process, by its pidfd (a child of ours or not). */
struct loop_child {
	struct loop_io io;
	struct loop_timer again; /* dead, but its parent has yet to reap it */
	unsigned tries;
	int pidfd;
	void (*on_exit)(struct loop_child *child, const struct sys_exit *how);
};

/* Work to do once, after all callbacks of this turn. */
struct loop_kick {
	struct list link; /* those that are to run, in order */
	void (*on_kick)(struct loop_kick *kick);
};

/* Makes the loop; simulated (see below) there is nothing to make. */
MUST_CHECK int loop_init(struct err *err);
void loop_fini(void);
/* Runs until loop_stop(), or until nothing is watched. */
void loop_run(void);
/* One turn; waits for an event if wait is set.  For tests. */
void loop_turn(bool wait);
void loop_stop(void);
/* Monotonic, microseconds; read afresh. */
uint64_t loop_now_us(void);
/* Monotonic, milliseconds; read afresh. */
int64_t loop_now_ms(void);

/* Watches fd for LOOP_READ and/or LOOP_WRITE; a running watcher is changed. */
void loop_io_start(struct loop_io *io, int fd, int events,
	void (*on_ready)(struct loop_io *io, int events));
/* Stop before the fd is closed.  Harmless if not started. */
void loop_io_stop(struct loop_io *io);

/* Fires once after ms milliseconds; a running timer starts anew. */
void loop_timer_start(struct loop_timer *timer, int64_t ms,
	void (*on_timer)(struct loop_timer *timer));
void loop_timer_stop(struct loop_timer *timer);
bool loop_timer_is_active(const struct loop_timer *timer);

/* Runs on_signal in the loop, once per signal caught; not in a handler. */
void loop_signal_start(struct loop_signal *watcher, int signal,
	void (*on_signal)(struct loop_signal *watcher, int signal));
/* Stops; the signal's disposition is the default again. */
void loop_signal_stop(struct loop_signal *watcher);

/* The pidfd stays the caller's; on_exit runs once, the watcher is stopped. */
void loop_child_start(struct loop_child *child, int pidfd,
	void (*on_exit)(struct loop_child *child, const struct sys_exit *how));
void loop_child_stop(struct loop_child *child);

/* Idempotent: one run per turn, after what else is to run. */
void loop_kick(struct loop_kick *kick, void (*on_kick)(struct loop_kick *));
void loop_kick_stop(struct loop_kick *kick);

/*
 * The simulated loop (base/loop_sim.c): a virtual clock, timers, kicks, and
 * descriptors that are ready when `poll` says so (or never, if it is NULL).
 * All functions above then act on it; signals do nothing.
 */
void loop_sim_start(void);
/* Back to the real loop; forgets every simulated watcher. */
void loop_sim_end(void);
/* Forgets every watcher; the clock goes on.  For a simulated crash. */
void loop_sim_forget(void);
bool loop_sim_is_on(void);
/* Which of the wanted events (LOOP_READ, LOOP_WRITE) are there on fd. */
void loop_sim_set_poll(int (*poll)(int fd, int wanted));
/* Runs what is due during the next ms milliseconds, in order. */
void loop_sim_advance(int64_t ms);
/* Runs what is ready now; true if anything ran. */
bool loop_sim_turn(void);
/* Moves the clock to the next timer; false if there is none. */
bool loop_sim_skip(void);
/* Calls a started watcher as if its fd were ready. */
void loop_sim_io(struct loop_io *io, int events);

/* ---- between base/loop.c and base/loop_sim.c ---- */

/* What an active timer needs of its loop. */
struct loop_due {
	struct loop_timer *timer;
	union {
		ev_timer ev;
		struct {
			struct list link; /* sim.timers, by due time */
			int64_t at_us;
		} sim;
	};
};

/* The virtual clock. */
uint64_t loop_sim_now_us(void);
/* One more turn without time passing; too many are a livelock. */
void loop_sim_count(void);
/* What loop_io_start() and loop_timer_start() do, simulated. */
void loop_sim_add_io(struct loop_io *io, int fd, int events);
/* Harmless on a watcher that is not started. */
void loop_sim_del_io(struct loop_io *io);
/* The same of a timer; the one that is active starts anew. */
void loop_sim_add_timer(struct loop_timer *timer, int64_t ms);
/* Takes an active timer out; loop_due_take() follows. */
void loop_sim_del_timer(struct loop_timer *timer);
/* A timer becomes active, or goes on being so; one that ends to be it. */
struct loop_due *loop_due_make(struct loop_timer *timer);
/* It is active no more. */
void loop_due_take(struct loop_timer *timer);
/* Runs the kicks in their order, those that they feed too; true if any. */
bool loop_run_kicks(void);
/* Forgets all of them. */
void loop_forget_kicks(void);

#endif
