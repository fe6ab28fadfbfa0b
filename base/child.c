/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a plan to a running program.  The first half of this file runs in the
 * child between clone and exec, on the parent's memory: only plain system
 * calls there, no allocation, no locks, no stdio.  It leaves its failure in
 * struct child, which the parent reads (or gets through a pipe after fork).
 */
#include "base/child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/born.h"
#include "base/mem.h"

#ifndef CLONE_PIDFD
#define CLONE_PIDFD 0x00001000
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#define WAIT_BY_PIDFD ((idtype_t)3)

/* The child leaves its frames by execve: no poisoned stack may stay. */
#define IN_CHILD __attribute__((no_sanitize("address")))

enum stage {
	STAGE_NONE,
	STAGE_PROCESS,
	STAGE_GROUP,
	STAGE_CONFINE,
	STAGE_SESSION,
	STAGE_PARENT,
	STAGE_FDS,
	STAGE_NULL,
	STAGE_DIR,
	STAGE_EXEC,
};

static const char *const stage_names[] = {
	[STAGE_PROCESS] = "making a process",
	[STAGE_GROUP] = "joining its control group",
	[STAGE_SESSION] = "starting a session",
	[STAGE_PARENT] = "tying it to our life",
	[STAGE_FDS] = "passing descriptors",
	[STAGE_NULL] = "opening /dev/null",
	[STAGE_DIR] = "entering its directory",
	[STAGE_EXEC] = "exec",
};

struct failure {
	enum stage stage;
	enum confine_part part; /* of STAGE_CONFINE */
	int os;
};

struct child {
	const struct spawn_plan *plan;
	pid_t parent;
	int *copies;   /* one per plan->fds: a copy above all targets */
	int report_fd; /* after fork: where the failure goes; else -1 */
	struct failure failure;
	int rules;   /* a Landlock set; or -1 */
	bool inside; /* it was born into its group of v2 */
};

/* ---- in the child ---- */

IN_CHILD static int fail(struct child *child, enum stage stage)
{
	child->failure.stage = stage;
	child->failure.os = errno;
	return -1;
}

/*
 * By plain system calls: libc refuses to touch 32 and 33, and make(1) and
 * others start us with those ignored.  All zero is SIG_DFL on every machine.
 */
IN_CHILD static void reset_signals(void)
{
	static const unsigned long by_default[8];
	const size_t set_size = _NSIG / 8;
	sigset_t none;

	for (int signal = 1; signal < _NSIG; signal++)
		syscall(SYS_rt_sigaction, signal, by_default, NULL, set_size);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* With our rights still; "0" is whoever writes it. */
IN_CHILD static int join_groups(struct child *child)
{
	const struct spawn_group *group = child->plan->group;

	if (!group)
		return 0;
	for (size_t i = 0; i < group->njoin; i++)
		if (write(group->join[i], "0", 1) != 1)
			return fail(child, STAGE_GROUP);
	if (!child->inside && group->procs >= 0 &&
		write(group->procs, "0", 1) != 1)
		return fail(child, STAGE_GROUP);
	return 0;
}

/* Before its life is tied to ours: a change of user unties it. */
IN_CHILD static int give_up(struct child *child)
{
	enum confine_part part;

	if (!child->plan->confine ||
		confine_enter(child->plan->confine, child->rules, &part) == 0)
		return 0;
	child->failure.part = part;
	return fail(child, STAGE_CONFINE);
}

IN_CHILD static int join_life(struct child *child)
{
	if (child->plan->new_session && setsid() < 0)
		return fail(child, STAGE_SESSION);
	if (!child->plan->die_with_us)
		return 0;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return fail(child, STAGE_PARENT);
	if (getppid() != child->parent)
		_exit(127);
	return 0;
}

/* The lowest number above all targets. */
IN_CHILD static int above_targets(const struct spawn_plan *plan)
{
	int top = 2;

	for (size_t i = 0; i < plan->nfds; i++)
		if (plan->fds[i].to > top)
			top = plan->fds[i].to;
	return top + 1;
}

IN_CHILD static bool is_target(const struct spawn_plan *plan, int fd)
{
	for (size_t i = 0; i < plan->nfds; i++)
		if (plan->fds[i].to == fd)
			return true;
	return false;
}

IN_CHILD static int open_null(struct child *child, int to)
{
	int fd = open("/dev/null", O_RDWR);

	if (fd < 0)
		return fail(child, STAGE_NULL);
	if (fd != to && dup2(fd, to) < 0)
		return fail(child, STAGE_NULL);
	return 0;
}

IN_CHILD static void close_one_by_one(unsigned first, unsigned last)
{
	struct rlimit limit;
	unsigned most = 65536;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < most)
		most = (unsigned)limit.rlim_cur;
	for (unsigned fd = first; fd <= last && fd < most; fd++)
		close((int)fd);
}

/* Closes all from 3 on that is no target; the report pipe closes at exec. */
IN_CHILD static void close_others(const struct child *child)
{
	const struct spawn_plan *plan = child->plan;
	unsigned from = 3;

	for (;;) {
		unsigned keep = UINT_MAX;
		for (size_t i = 0; i < plan->nfds; i++) {
			unsigned to = (unsigned)plan->fds[i].to;
			if (to >= from && to < keep)
				keep = to;
		}
		unsigned report = (unsigned)child->report_fd;
		if (child->report_fd >= 0 && report >= from && report < keep)
			keep = report;
		unsigned last = keep == UINT_MAX ? UINT_MAX : keep - 1;
		if (from <= last && syscall(SYS_close_range, from, last, 0) < 0)
			close_one_by_one(from, last);
		if (keep == UINT_MAX)
			return;
		from = keep + 1;
	}
}

/*
 * Sources may be the targets of others: first all move above every target,
 * then down to their places.
 */
IN_CHILD static int place_fds(struct child *child)
{
	const struct spawn_plan *plan = child->plan;
	int top = above_targets(plan);

	if (child->report_fd >= 0) {
		child->report_fd =
			fcntl(child->report_fd, F_DUPFD_CLOEXEC, top);
		if (child->report_fd < 0)
			return fail(child, STAGE_FDS);
	}
	for (size_t i = 0; i < plan->nfds; i++) {
		child->copies[i] =
			fcntl(plan->fds[i].from, F_DUPFD_CLOEXEC, top);
		if (child->copies[i] < 0)
			return fail(child, STAGE_FDS);
	}
	for (size_t i = 0; i < plan->nfds; i++)
		if (dup2(child->copies[i], plan->fds[i].to) < 0)
			return fail(child, STAGE_FDS);
	for (int fd = 0; fd <= 2; fd++)
		if (!is_target(plan, fd) && open_null(child, fd) < 0)
			return -1;
	close_others(child);
	return 0;
}

IN_CHILD static void become_program(struct child *child)
{
	static const char *const plain_env[] = {
		"PATH=" CHILD_PATH,
		"LANG=" CHILD_LANG,
		NULL,
	};
	union {
		const char *const *ours;
		char *const *libc;
	} argv = { child->plan->argv }, env = { plain_env };

	if (child->plan->env)
		env.ours = child->plan->env;
	execve(child->plan->path, argv.libc, env.libc);
	fail(child, STAGE_EXEC);
}

IN_CHILD static int run_child(void *arg)
{
	struct child *child = arg;
	const char *dir = child->plan->dir ? child->plan->dir : "/";

	reset_signals();
	umask(077);
	if (join_groups(child) == 0 && give_up(child) == 0 &&
		join_life(child) == 0 && place_fds(child) == 0) {
		if (chdir(dir) < 0)
			fail(child, STAGE_DIR);
		else
			become_program(child);
	}
	if (child->report_fd >= 0 && write(child->report_fd, &child->failure,
					     sizeof child->failure) < 0)
		_exit(126);
	_exit(127);
}

/* ---- in the parent ---- */

/* Says what failed; returns -1 with errno. */
static int complain(const struct child *child)
{
	const struct failure *failure = &child->failure;
	bool confining = failure->stage == STAGE_CONFINE;

	if (child->plan->failed)
		*child->plan->failed = failure->part;
	errno = failure->os;
	return err_os(child->plan->err, "cannot start '%s': %s",
		child->plan->path,
		confining ? confine_part_name(failure->part)
			  : stage_names[failure->stage]);
}

/* The files that it may use, before there is a child. */
static int make_rules(struct child *child)
{
	const struct confine *confine = child->plan->confine;

	if (!confine || !(confine->parts & CONFINE_BIT(CONFINE_FILES)))
		return 0;
	child->rules = confine_prepare(confine);
	if (child->rules >= 0)
		return 0;
	child->failure.part = CONFINE_FILES;
	return fail(child, STAGE_CONFINE);
}

static void reap(int pidfd)
{
	siginfo_t info;

	while (waitid(WAIT_BY_PIDFD, (id_t)pidfd, &info, WEXITED) < 0 &&
		errno == EINTR)
		continue;
}

/* Waits until the child has become its program or has said why not. */
static void read_report(int fd, struct child *child)
{
	struct failure failure;
	ssize_t n;

	do
		n = read(fd, &failure, sizeof failure);
	while (n < 0 && errno == EINTR);
	if (n == (ssize_t)sizeof failure)
		child->failure = failure;
}

static int clone_by_fork(struct child *child, pid_t *pid, int *pidfd)
{
	int report[2];

	if (pipe2(report, O_CLOEXEC) < 0)
		return fail(child, STAGE_PROCESS);
	child->report_fd = report[1];
	*pid = fork();
	if (*pid == 0)
		run_child(child);
	if (*pid < 0) {
		fail(child, STAGE_PROCESS);
	} else {
		*pidfd = (int)syscall(SYS_pidfd_open, *pid, 0);
		if (*pidfd < 0) {
			fail(child, STAGE_PROCESS);
			kill(*pid, SIGKILL);
			waitpid(*pid, NULL, 0);
		}
	}
	close(report[1]);
	if (child->failure.stage == STAGE_NONE)
		read_report(report[0], child);
	close(report[0]);
	return child->failure.stage == STAGE_PROCESS ? -1 : 0;
}

/* True if the kernel could make it right inside its group. */
static bool born_into_group(
	struct child *child, char *stack, size_t size, pid_t *pid, int *pidfd)
{
	const struct spawn_group *group = child->plan->group;
	struct born born = { .run = run_child,
		.arg = child,
		.stack = stack,
		.size = size,
		.group = group ? group->into : -1 };

	if (born.group < 0)
		return false;
	child->inside = true;
	*pid = born_make(&born, pidfd);
	child->inside = *pid >= 0;
	return child->inside;
}

static int clone_quickly(struct child *child, pid_t *pid, int *pidfd)
{
	/* One is enough: the parent sleeps until the child has left it. */
	static char stack[64 * 1024] __attribute__((aligned(64)));

	if (born_into_group(child, stack, sizeof stack, pid, pidfd))
		return 0;
	*pid = clone(run_child, stack + sizeof stack,
		CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, child, pidfd);
	if (*pid >= 0)
		return 0;
	if (errno == EINVAL || errno == ENOSYS || errno == EPERM)
		return clone_by_fork(child, pid, pidfd);
	return fail(child, STAGE_PROCESS);
}

/* Makes the child with signals blocked, so that none hits it half-made. */
static int start(const struct spawn_plan *plan, pid_t *pid, int *pidfd,
	int (*make)(struct child *child, pid_t *pid, int *pidfd))
{
	AUTO_FREE int *copies = xcalloc(plan->nfds, sizeof *copies);
	struct child child = {
		.plan = plan,
		.parent = getpid(),
		.copies = copies,
		.report_fd = -1,
		.rules = -1,
	};
	sigset_t all;
	sigset_t before;
	pid_t new_pid = -1;
	int new_pidfd = -1;

	int dumpable = prctl(PR_GET_DUMPABLE, 0, 0, 0, 0);

	if (make_rules(&child))
		return complain(&child);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	int made = make(&child, &new_pid, &new_pidfd);
	sigprocmask(SIG_SETMASK, &before, NULL);
	/* a change of user marks the memory, which is ours */
	if (plan->confine)
		prctl(PR_SET_DUMPABLE, dumpable, 0, 0, 0);
	if (child.rules >= 0)
		close(child.rules);
	if (made < 0)
		return complain(&child);
	if (child.failure.stage != STAGE_NONE) {
		reap(new_pidfd);
		close(new_pidfd);
		return complain(&child);
	}
	*pid = new_pid;
	*pidfd = new_pidfd;
	return 0;
}

int child_start_by_fork(const struct spawn_plan *plan, pid_t *pid, int *pidfd)
{
	return start(plan, pid, pidfd, clone_by_fork);
}

int child_start(const struct spawn_plan *plan, pid_t *pid, int *pidfd)
{
	return start(plan, pid, pidfd, clone_quickly);
}
