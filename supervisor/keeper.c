/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The life of the keeper: it starts the brain, serves it, passes signals on,
 * and starts another one when that was killed.  The verbs: keeper_serve.
 */
#include "supervisor/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/spawn.h"
#include "base/str.h"
#include "base/sys.h"
#include "base/sys_exec.h"
#include "base/words.h"
#include "supervisor/keeper_renew.h"
#include "supervisor/keeper_serve.h"

#define SHORT_LIFE_MS 1000
#define AGAIN_MS      1000
#define DYING_MS      1000 /* from the end of its socket to its own */

enum { LOST = 111 }; /* the status after nonsense: both begin anew */

static void start_brain(struct keeper *k);

/* ---- its places ---- */

struct below {
	int dir;
	unsigned depth;
};

/*
 * What root made goes to the brain: links and second names never, and always
 * from the directory that was opened, whatever has its name by now.
 */
static void hand_over(void *arg, const char *name)
{
	const struct below *at = arg;
	AUTO_CLOSE int fd = sys_openat(at->dir, name,
		O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY, 0);
	struct below below = { fd, at->depth - 1 };
	struct stat st;

	if (fd < 0 || sys_fstat(fd, &st) || at->depth == 0)
		return;
	if (!S_ISDIR(st.st_mode) && st.st_nlink > 1)
		return;
	if (st.st_uid == 0 && fchown(fd, KEEPER_UID, KEEPER_UID))
		log_warn(NULL, "cannot give '%s' away: %s", name,
			strerror(errno));
	if (S_ISDIR(st.st_mode))
		sys_listdir(fd, ".", hand_over, &below);
}

/* Of another supervisor's nothing is touched: its lock says that it is. */
static bool is_free(const struct paths *paths)
{
	AUTO_FREE char *lock = xasprintf("%s/supervisor.lock", paths->run);
	AUTO_CLOSE int fd = sys_openat(AT_FDCWD, lock, O_RDWR | O_NOFOLLOW, 0);

	return fd < 0 || !sys_flock(fd, LOCK_EX | LOCK_NB);
}

static int make_places(const struct paths *paths, struct err *err)
{
	const char *const dirs[] = { paths->run, paths->state, paths->log };
	struct below top = { AT_FDCWD, 8 };

	if (paths_make(paths, err))
		return -1;
	if (!is_free(paths))
		return 0;
	for (size_t i = 0; i < NELEMS(dirs); i++)
		hand_over(&top, dirs[i]);
	return 0;
}

/* ---- the end ---- */

static void leave(struct keeper *k, int status)
{
	k->status = status;
	loop_stop();
}

/* The brain says what no brain says: neither of us goes on. */
static void die_of(struct keeper *k, const char *verb, const char *why)
{
	log_error(NULL, "the keeper dies of nonsense: %s: %s", verb, why);
	k->lost = true;
	loop_io_stop(&k->io);
	sys_pidfd_kill(k->brain_fd, SIGKILL);
	leave(k, LOST);
}

/* It hung up, or said nothing at all, and lives on. */
static void on_silence(struct loop_timer *timer)
{
	die_of(container_of(timer, struct keeper, again), "?", "an empty one");
}

static void on_again(struct loop_timer *timer)
{
	start_brain(container_of(timer, struct keeper, again));
}

/* By itself: its word is ours.  Killed: a new one goes on. */
static void on_brain_end(struct loop_child *child, const struct sys_exit *how)
{
	struct keeper *k = container_of(child, struct keeper, end);
	int64_t lived = loop_now_ms() - k->began_ms;

	loop_io_stop(&k->io);
	fd_close(&k->fd);
	fd_close(&k->brain_fd);
	k->brain = -1;
	keeper_bury(k);
	if (k->lost)
		return;
	if (how->known && !how->signalled) {
		leave(k, how->code);
		return;
	}
	log_warn(NULL, "the brain was killed by signal %d: another goes on",
		how->known ? how->code : 0);
	loop_timer_start(
		&k->again, lived < SHORT_LIFE_MS ? AGAIN_MS : 0, on_again);
}

/* ---- messages ---- */

static void answer(struct keeper *k, const struct keeper_call *call)
{
	/* a brain that is gone needs no answer */
	if (keeper_send(k->fd, &call->reply, sizeof(call->reply), &call->give))
		log_debug(
			NULL, "the brain does not listen: %s", strerror(errno));
}

static void on_message(struct loop_io *io, int events UNUSED)
{
	struct keeper *k = container_of(io, struct keeper, io);
	struct keeper_request rq;
	struct keeper_fds got = { .n = 0 };
	ssize_t n = keeper_receive(k->fd, &rq, sizeof(rq), &got);
	struct keeper_call call = { .k = k, .rq = &rq, .got = &got };
	const char *why = "no message";

	if (n < 0 && errno == EAGAIN)
		return;
	if (n == 0) { /* it is dying; or should */
		loop_io_stop(io);
		loop_timer_start(&k->again, DYING_MS, on_silence);
		return;
	}
	if (n > 0 && keeper_request_is_sane(
			     &rq, (size_t)n, got.n, k->serial + 1, &why)) {
		k->serial++;
		keeper_serve(&call);
		why = call.nonsense;
	}
	if (why)
		die_of(k,
			n == (ssize_t)sizeof(rq) ? keeper_verb_name(rq.verb)
						 : "?",
			why);
	else
		answer(k, &call);
	keeper_fds_close(&call.give);
	keeper_fds_close(&got);
}

static void listen_to_brain(struct keeper *k)
{
	k->began_ms = loop_now_ms();
	loop_io_start(&k->io, k->fd, LOOP_READ, on_message);
	loop_child_start(&k->end, k->brain_fd, on_brain_end);
}

/* ---- the brain ---- */

/* Our own words, which descriptor leads to us, and whom to notify. */
static char **brain_argv(const struct keeper *k, const char *number)
{
	static const char *const drop[] = { "--keeper-state", "--notify-fd",
		NULL };
	AUTO_FREE char *notify = xasprintf("%d", k->notify_fd);
	const char *add[] = { "--keeper-fd", number, NULL, notify, NULL };

	if (k->notify_fd >= 0)
		add[2] = "--notify-fd";
	return words_anew(k->argv, drop, add);
}

static int spawn_brain(struct keeper *k, int fd, struct err *err)
{
	const struct confine shut = { .parts = CONFINE_BIT(CONFINE_USER) |
					       CONFINE_BIT(CONFINE_PRIVILEGES),
		.uid = KEEPER_UID };
	int place = k->notify_fd == 3 ? 4 : 3;
	AUTO_FREE char *number = xasprintf("%d", place);
	AUTO_FREE char **argv = brain_argv(k, number);
	const struct spawn_fd fds[] = { { 0, 0 }, { 1, 1 }, { 2, 2 },
		{ fd, place }, { k->notify_fd, k->notify_fd } };
	const struct spawn_plan plan = { .path = k->program,
		.argv = (const char *const *)argv,
		.env = (const char *const *)environ,
		.fds = fds,
		.nfds = NELEMS(fds) - (k->notify_fd < 0),
		.new_session = true, /* a terminal's signals come by us */
		.die_with_us = true,
		.confine = &shut };

	return spawn(&plan, &k->brain, &k->brain_fd, err);
}

/* A second brain has nobody to notify. */
static void end_notify(struct keeper *k)
{
	if (k->notify_fd >= 0)
		sys_close(k->notify_fd);
	k->notify_fd = -1;
}

static int try_brain(struct keeper *k, struct err *err)
{
	int ends[2];
	int rc;

	if (sys_socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends))
		return err_os(err, "cannot make a pair of sockets");
	rc = spawn_brain(k, ends[1], err);
	sys_close(ends[1]);
	if (rc) {
		sys_close(ends[0]);
		return -1;
	}
	k->fd = ends[0];
	k->serial = 0;
	end_notify(k);
	listen_to_brain(k);
	return 0;
}

static void start_brain(struct keeper *k)
{
	struct err err = ERR_INIT;

	if (!try_brain(k, &err))
		return;
	log_error(NULL, "%s", err.text);
	loop_timer_start(&k->again, AGAIN_MS, on_again);
}

/* ---- signals ---- */

static void pass_on(struct keeper *k, int signal)
{
	if (k->brain_fd >= 0)
		sys_pidfd_kill(k->brain_fd, signal);
	else if (signal != SIGHUP)
		leave(k, 0);
}

/* keeper.signals, in this order. */
static const int passed_on[] = { SIGTERM, SIGINT, SIGHUP, SIGPWR };

static void on_signal(struct loop_signal *watcher, int signal)
{
	size_t i = 0;

	while (passed_on[i] != signal)
		i++;
	pass_on(container_of(watcher - i, struct keeper, signals), signal);
}

static void listen_to_signals(struct keeper *k)
{
	for (size_t i = 0; i < NELEMS(passed_on); i++)
		loop_signal_start(&k->signals[i], passed_on[i], on_signal);
	exec_hold_signals(false); /* those of a renewal */
}

static void stop_all(struct keeper *k)
{
	for (size_t i = 0; i < NELEMS(k->signals); i++)
		loop_signal_stop(&k->signals[i]);
	loop_io_stop(&k->io);
	loop_child_stop(&k->end);
	loop_timer_stop(&k->again);
	keeper_bury(k);
	cgroups_free(k->cgroups);
	fd_close(&k->fd);
	fd_close(&k->brain_fd);
}

/* The image before us was asked to renew itself, and did. */
static void answer_renewal(struct keeper *k)
{
	const struct keeper_call call = { .reply = { .serial = k->serial } };

	answer(k, &call);
	listen_to_brain(k);
}

int keeper_main(struct keeper *k, int state)
{
	AUTO_FREE char *group = cgroup_name(k->paths.run);
	struct err err = ERR_INIT;

	k->fd = k->brain_fd = -1;
	k->cgroups = cgroups_new("", group);
	k->brain = -1;
	list_init(&k->children);
	umask(022);
	signal(SIGPIPE, SIG_IGN);
	if (loop_init(&err) || make_places(&k->paths, &err) ||
		(state >= 0 ? keeper_resume(k, state, &err)
			    : try_brain(k, &err))) {
		log_error(NULL, "%s", err.text);
		return 1;
	}
	listen_to_signals(k);
	if (state >= 0)
		answer_renewal(k);
	loop_run();
	stop_all(k);
	loop_fini();
	return k->status;
}
