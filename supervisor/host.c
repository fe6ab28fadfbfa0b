/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The privileged verbs; see supervisor/host.h. */
#include "supervisor/host.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/sock.h"
#include "base/str.h"
#include "base/sys.h"
#include "supervisor/login.h"

/* The files a VM's priv directory may hold, besides the lock: of a process, */
static const char *const leaves[] = { "monitor", "yank", "agent", "stderr",
	"vnc", "serial0", "serial1", "serial2", "serial3", NULL };

/* and of its guest, which may move from one process to another. */
static const char *const moving[] = { "config.ini", "config.ini.tmp", "ready",
	"ready.tmp", "unplug", "unplug.tmp", "clone", "saving", "saving.tmp",
	"frozen", "runtime.ini", "runtime.ini.tmp", NULL };

/* What tells of its last life: it goes with the directory. */
static const char *const lasting[] = { "recorder", "recorder.1", "argv", NULL };

/* Those of a second QEMU, until it is the only one. */
static const char *const sides[] = { "", HOST_NEXT, NULL };

static bool is_one_of(const char *const *names, const char *name)
{
	for (; *names; names++) {
		if (str_eq(*names, name))
			return true;
	}
	return false;
}

static bool leaf_is_known(const char *leaf)
{
	if (str_starts(leaf, HOST_NEXT))
		leaf += strlen(HOST_NEXT);
	return is_one_of(leaves, leaf) || is_one_of(moving, leaf);
}

static bool vm_name_is_safe(const char *vm)
{
	if (!*vm || *vm == '.')
		return false;
	return vm[strspn(vm, "abcdefghijklmnopqrstuvwxyz0123456789._@-")] ==
	       '\0';
}

static char *leaf_path(const struct host_request *rq)
{
	return xasprintf("%s/%s/priv/%s", rq->run_dir, rq->vm, rq->leaf);
}

static int make_dir(const char *path, mode_t mode, struct err *err)
{
	struct stat st;

	if (sys_mkdirat(AT_FDCWD, path, mode) && errno != EEXIST)
		return err_os(err, "cannot make directory '%s'", path);
	if (sys_fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW) ||
		!S_ISDIR(st.st_mode))
		return err_set(err, ERR_OS, "'%s' is no directory", path);
	if (sys_fchmodat(AT_FDCWD, path, mode))
		return err_os(err, "cannot set the mode of '%s'", path);
	return 0;
}

static int do_make_dirs(const struct host_request *rq,
	struct host_reply *reply UNUSED, struct err *err)
{
	AUTO_FREE char *dir = xasprintf("%s/%s", rq->run_dir, rq->vm);
	AUTO_FREE char *priv = xasprintf("%s/priv", dir);

	if (make_dir(dir, 0711, err))
		return -1;
	return make_dir(priv, 0700, err);
}

static int do_listen(const struct host_request *rq, struct host_reply *reply,
	struct err *err)
{
	AUTO_FREE char *path = leaf_path(rq);

	reply->fd = sock_listen(path, 0600, 8, err);
	return reply->fd < 0 ? -1 : 0;
}

static int do_fifo(const struct host_request *rq, struct host_reply *reply,
	struct err *err)
{
	AUTO_FREE char *path = leaf_path(rq);
	AUTO_CLOSE int fd = -1;
	struct stat st;

	if (sys_mkfifoat(AT_FDCWD, path, 0600) && errno != EEXIST)
		return err_os(err, "cannot make FIFO '%s'", path);
	fd = sys_openat(AT_FDCWD, path, O_RDWR | O_NONBLOCK | O_NOFOLLOW, 0);
	if (fd < 0)
		return err_os(err, "cannot open FIFO '%s'", path);
	/* a plain file would be readable for ever */
	if (sys_fstat(fd, &st) || !S_ISFIFO(st.st_mode))
		return err_set(err, ERR_OS, "'%s' is no FIFO", path);
	reply->fd = TAKE_FD(fd);
	return 0;
}

static int do_run_qemu(const struct host_request *rq, struct host_reply *reply,
	struct err *err)
{
	const struct spawn_plan plan = { .path = rq->argv[0],
		.argv = rq->argv,
		.fds = rq->fds,
		.nfds = rq->nfds,
		.new_session = true,
		.group = &rq->group };
	AUTO_FREE char *home = login_path(rq->run_dir, rq->vm);
	struct host_qemu qemu;

	if (host_qemu_run(&plan, &rq->confine, home, &qemu, err))
		return -1;
	reply->pid = qemu.pid;
	reply->fd = qemu.pidfd;
	reply->parts = qemu.parts;
	return 0;
}

static int do_kill(const struct host_request *rq,
	struct host_reply *reply UNUSED, struct err *err)
{
	if (sys_pidfd_kill(rq->pidfd, rq->signal) && errno != ESRCH)
		return err_os(err, "cannot send signal %d to QEMU", rq->signal);
	return 0;
}

static void remove_leaves(const struct host_request *rq, const char *side,
	const char *const *names)
{
	for (; *names; names++) {
		AUTO_FREE char *path = xasprintf(
			"%s/%s/priv/%s%s", rq->run_dir, rq->vm, side, *names);

		sys_unlinkat(AT_FDCWD, path, 0);
	}
}

static bool has_next(const struct host_request *rq)
{
	AUTO_FREE char *path = xasprintf(
		"%s/%s/priv/" HOST_NEXT "monitor", rq->run_dir, rq->vm);
	struct stat st;

	return !sys_fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW);
}

static int do_clean(const struct host_request *rq,
	struct host_reply *reply UNUSED, struct err *err UNUSED)
{
	remove_leaves(rq, rq->leaf, leaves);
	login_remove(rq->run_dir, rq->vm);
	if (*rq->leaf) /* what a second QEMU was goes without a trace */
		remove_leaves(rq, rq->leaf, lasting);
	else if (!has_next(rq)) /* who may have the guest now */
		remove_leaves(rq, "", moving);
	return 0;
}

/* The sockets of consoles; a life that crashed may have left them. */
static void remove_console(void *arg, const char *name)
{
	if (!str_starts(name, "console") || !str_ends(name, ".sock"))
		return;
	AUTO_FREE char *path = xasprintf("%s/%s", (const char *)arg, name);

	sys_unlinkat(AT_FDCWD, path, 0);
}

/*
 * The lock file goes only while we hold it: nobody else can then.  One that
 * is not there was lost: the caller looked at the lock's name as well.
 */
static int do_remove(const struct host_request *rq,
	struct host_reply *reply UNUSED, struct err *err)
{
	AUTO_FREE char *dir = xasprintf("%s/%s", rq->run_dir, rq->vm);
	AUTO_FREE char *priv = xasprintf("%s/priv", dir);
	AUTO_FREE char *lock = xasprintf("%s/lock", priv);
	AUTO_CLOSE int fd = sys_openat(AT_FDCWD, lock, O_RDWR | O_NOFOLLOW, 0);

	if (fd < 0 && errno != ENOENT)
		return err_os(err, "cannot open lock '%s'", lock);
	if (fd >= 0 && sys_flock(fd, LOCK_EX | LOCK_NB))
		return 0; /* somebody lives, or may: keep all of it */
	for (const char *const *side = sides; *side; side++) {
		remove_leaves(rq, *side, leaves);
		remove_leaves(rq, *side, moving);
		remove_leaves(rq, *side, lasting);
	}
	login_remove(rq->run_dir, rq->vm);
	sys_unlinkat(AT_FDCWD, lock, 0);
	if (sys_unlinkat(AT_FDCWD, priv, AT_REMOVEDIR) && errno != ENOENT)
		return 0;
	sys_listdir(AT_FDCWD, dir, remove_console, dir);
	sys_unlinkat(AT_FDCWD, dir, AT_REMOVEDIR);
	return 0;
}

static const struct host_entry {
	bool takes_leaf;
	int (*run)(const struct host_request *rq, struct host_reply *reply,
		struct err *err);
} table[HOST_NVERBS] = {
	[HOST_MAKE_DIRS] = { false, do_make_dirs },
	[HOST_LISTEN] = { true, do_listen },
	[HOST_FIFO] = { true, do_fifo },
	[HOST_RUN_QEMU] = { false, do_run_qemu },
	[HOST_KILL] = { false, do_kill },
	[HOST_CLEAN] = { false, do_clean },
	[HOST_REMOVE] = { false, do_remove },
};

int host_call(const struct host_request *rq, struct host_reply *reply,
	struct err *err)
{
	*reply = (struct host_reply){ .pid = -1, .fd = -1 };
	if (rq->verb >= HOST_NVERBS || !vm_name_is_safe(rq->vm) ||
		rq->nfds > HOST_FDS_MAX ||
		(table[rq->verb].takes_leaf && !leaf_is_known(rq->leaf)) ||
		(rq->verb == HOST_CLEAN && !is_one_of(sides, rq->leaf)))
		return err_set(err, ERR_BUG, "bad request to the host");
	return table[rq->verb].run(rq, reply, err);
}
