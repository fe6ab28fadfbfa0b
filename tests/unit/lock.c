/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A VM's two locks: taken, inherited, lost one at a time. */
#include "supervisor/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"

#include "tests/unit/tap.h"
#include "tests/unit/temp.h"

#define UUID "6e0a3f7e-0000-4000-8000-000000000001"

static struct err err = ERR_INIT;
static const char *path;

static int take(struct vm_lock *lock, enum lock_state *state)
{
	return lock_take(lock, path, temp_root, UUID, state, &err);
}

static enum lock_state look(void)
{
	enum lock_state state = LOCK_HELD;

	if (lock_look(path, temp_root, UUID, &state, &err) != 0)
		ok(false, "lock_look: %s", err.text);
	return state;
}

static void test_take(void)
{
	struct vm_lock a = VM_LOCK_INIT;
	struct vm_lock b = VM_LOCK_INIT;
	enum lock_state state = LOCK_HELD;
	struct stat st;

	is_int(look(), LOCK_FREE, "free before there is a file");
	ok(access(path, F_OK) != 0, "looking makes no file");
	is_int(take(&a, &state), 0, "take it");
	is_int(state, LOCK_FREE, "it was free");
	ok(a.file_fd >= 0 && a.name_fd >= 0, "both are held");
	ok(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600, "mode 0600");
	is_int(take(&b, &state), 0, "take it again");
	is_int(state, LOCK_HELD, "it is held");
	ok(b.file_fd < 0 && b.name_fd < 0, "nothing was taken");
	is_int(look(), LOCK_HELD, "a look sees it");
	is_int(lock_take(&b, temp_path("other"), temp_root, "another", &state,
		       &err),
		0, "another VM");
	is_int(state, LOCK_FREE, "is not in the way");
	lock_drop(&b);
	lock_drop(&a);
	is_int(look(), LOCK_FREE, "dropped");
	is_int(take(&a, &state), 0, "a look leaves nothing behind");
	is_int(state, LOCK_FREE, "so it can be taken");
	lock_drop(&a);
	lock_drop(&a);
	ok(a.file_fd == -1, "a second drop is harmless");
}

/* A child that has both, as QEMU does, and sleeps until it is killed. */
static pid_t start_holder(void)
{
	struct vm_lock lock = VM_LOCK_INIT;
	enum lock_state state = LOCK_HELD;
	pid_t pid;

	if (take(&lock, &state) != 0 || state != LOCK_FREE)
		return -1;
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	lock_drop(&lock);
	return pid;
}

static void end_holder(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void test_inherited(void)
{
	pid_t pid = start_holder();
	struct vm_lock lock = VM_LOCK_INIT;
	enum lock_state state = LOCK_FREE;

	is_int(look(), LOCK_HELD, "held by the child after our drop");
	unlink(path);
	is_int(look(), LOCK_HELD, "held though the file is gone");
	is_int(take(&lock, &state), 0, "take with a new file");
	is_int(state, LOCK_HELD, "is refused by the name");
	ok(lock.file_fd < 0 && lock.name_fd < 0, "and takes nothing");
	end_holder(pid);
	is_int(look(), LOCK_FREE, "free with the child's death");
	pid = start_holder();
	kill(pid, SIGSTOP);
	is_int(look(), LOCK_HELD, "held by a stopped child");
	end_holder(pid);
}

/* The name alone may be free (another network namespace): the file counts. */
static void test_file_alone(void)
{
	struct vm_lock lock = VM_LOCK_INIT;
	enum lock_state state = LOCK_FREE;

	if (take(&lock, &state) != 0)
		ok(false, "take: %s", err.text);
	close(lock.name_fd);
	lock.name_fd = -1;
	is_int(look(), LOCK_HELD, "the file alone holds");
	lock_drop(&lock);
}

static int bind_fails(int fd, const struct sockaddr *addr, socklen_t len)
{
	(void)fd;
	(void)addr;
	(void)len;
	errno = EACCES;
	return -1;
}

static int flock_fails(int fd, int operation)
{
	(void)fd;
	(void)operation;
	errno = ENOLCK;
	return -1;
}

static void test_unclear(void)
{
	struct sys_backend odd = sys_real;
	struct vm_lock lock = VM_LOCK_INIT;
	enum lock_state state = LOCK_HELD;

	odd.bind = bind_fails;
	sys_use(&odd);
	is_int(take(&lock, &state), -1, "an odd errno of bind is an error");
	is_int(lock_look(path, temp_root, UUID, &state, &err), -1,
		"for a look too");
	odd = sys_real;
	odd.flock = flock_fails;
	sys_use(&odd);
	is_int(take(&lock, &state), -1, "an odd errno of flock is an error");
	ok(lock.file_fd < 0 && lock.name_fd < 0, "nothing was kept");
	is_int(state, LOCK_HELD, "and nothing was said");
	sys_use(&sys_real);
	unlink(path);
	if (symlink("/etc/passwd", path) != 0)
		ok(false, "symlink");
	is_int(take(&lock, &state), -1, "no symbolic link is followed");
	unlink(path);
	is_int(take(&lock, &state), 0, "no lock was left behind");
	is_int(state, LOCK_FREE, "by all the errors");
	lock_drop(&lock);
}

static int refuse;

static int openat_fails(int dirfd, const char *name, int flags, mode_t mode)
{
	if (strstr(name, "lock-key")) {
		errno = refuse;
		return -1;
	}
	return sys_real.openat(dirfd, name, flags, mode);
}

/* No other key takes its place: locks held by name would not be seen. */
static void test_key_unseen(void)
{
	static const int reasons[] = { EMFILE, ENFILE, ENOMEM, EIO, EACCES };
	char *key = lock_key("/run/x", temp_root, &err);
	struct sys_backend odd = sys_real;

	ok(key && str_starts(key, "/run/x ") && strlen(key) == 7 + 32,
		"a key is made");
	odd.openat = openat_fails;
	sys_use(&odd);
	for (size_t i = 0; i < NELEMS(reasons); i++) {
		refuse = reasons[i];
		ok(!lock_key("/run/x", temp_root, &err), "unseen: no key (%s)",
			strerror(refuse));
		is_int(err.os, refuse, "and why");
	}
	refuse = ENOENT; /* so it is to be made, which fails as well */
	ok(!lock_key("/run/x", temp_root, &err), "not to be made: no key");
	sys_use(&sys_real);
	char *again = lock_key("/run/x", temp_root, &err);
	ok(again && str_eq(key, again), "seen again: the same key");
	free(key);
	free(again);
}

static void test_key_spoilt(void)
{
	const char *file = temp_path("lock-key");
	char *key = lock_key("/run/x", temp_root, &err);
	char *other;

	struct err why = ERR_INIT;

	if (fd_write_file(AT_FDCWD, file, "rubbish\n", 8, 0600, false, &why))
		ok(false, "%s", why.text);
	other = lock_key("/run/x", temp_root, &err);
	ok(key && other && !str_eq(key, other), "a spoilt one is made anew");
	free(key);
	key = lock_key("/run/x", temp_root, &err);
	ok(key && str_eq(key, other), "and stays");
	unlink(file);
	free(key);
	free(other);
}

int main(void)
{
	char name[128];

	temp_make();
	snprintf(name, sizeof(name), "%s/lock", temp_root);
	path = name;
	test_take();
	test_inherited();
	test_file_alone();
	test_unclear();
	test_key_unseen();
	test_key_spoilt();
	return done();
}
