/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The seam's real side: thin calls into the kernel that add close-on-exec
 * and no-signal flags.  base/sys_call.c has the way to the backend in use.
 */
#include "base/sys.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/beneath.h"
#include "base/child.h"
#include "base/stranger.h"

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif
#define WAIT_BY_PIDFD ((idtype_t)3)

static int real_openat(int dirfd, const char *path, int flags, mode_t mode)
{
	return openat(dirfd, path, flags | O_CLOEXEC, mode);
}

static int real_dup(int fd)
{
	return fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

static int real_free_space(const char *path, uint64_t *bytes)
{
	struct statvfs fs = { 0 };
	int rc = statvfs(path, &fs);

	*bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
	return rc;
}

static int real_whole_space(const char *path, uint64_t *bytes)
{
	struct statvfs fs = { 0 };
	int rc = statvfs(path, &fs);

	*bytes = (uint64_t)fs.f_blocks * fs.f_frsize;
	return rc;
}

static int real_fstatat(int dirfd, const char *path, struct stat *st, int flags)
{
	return fstatat(dirfd, path, st, flags);
}

static int real_fstat(int fd, struct stat *st)
{
	return fstat(fd, st);
}

static int real_fallocate(int fd, int mode, off_t at, off_t len)
{
	return fallocate(fd, mode, at, len);
}

static int real_fchmodat(int dirfd, const char *path, mode_t mode)
{
	return fchmodat(dirfd, path, mode, 0);
}

static int real_give(const char *path, uid_t uid)
{
	return lchown(path, uid, uid);
}

static int real_renameat2(
	int from, const char *a, int to, const char *b, unsigned flags)
{
	return (int)syscall(SYS_renameat2, from, a, to, b, flags);
}

static int real_eventfd(unsigned value)
{
	return eventfd(value, EFD_CLOEXEC | EFD_NONBLOCK);
}

static int real_io_setup(unsigned n, unsigned long *context)
{
	return (int)syscall(SYS_io_setup, n, context);
}

static int real_io_destroy(unsigned long context)
{
	return (int)syscall(SYS_io_destroy, context);
}

static int real_io_submit(unsigned long context, long n, struct iocb **at)
{
	return (int)syscall(SYS_io_submit, context, n, at);
}

static int real_io_getevents(
	unsigned long context, long min, long n, struct io_event *at)
{
	return (int)syscall(SYS_io_getevents, context, min, n, at, NULL);
}

static int real_pipe(int fds[2])
{
	int made[2];

	if (pipe2(made, O_CLOEXEC) < 0)
		return -1;
	if (fcntl(made[0], F_SETFL, O_NONBLOCK) < 0) {
		close(made[0]);
		close(made[1]);
		return -1;
	}
	fds[0] = made[0];
	fds[1] = made[1];
	return 0;
}

static bool real_is_writable(int fd)
{
	struct pollfd wait = { .fd = fd, .events = POLLOUT };

	return poll(&wait, 1, 0) != 0;
}

static int real_listdir(int dirfd, const char *path,
	void (*each)(void *arg, const char *name), void *arg)
{
	int fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!dir) {
		int reason = errno;
		if (fd >= 0)
			close(fd);
		errno = reason;
		return -1;
	}
	for (errno = 0; (entry = readdir(dir)); errno = 0) {
		const char *name = entry->d_name;
		if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0)
			each(arg, name);
	}
	int reason = errno;
	closedir(dir);
	errno = reason;
	return reason ? -1 : 0;
}

static int real_socket(int domain, int type, int protocol)
{
	return socket(domain, type | SOCK_CLOEXEC, protocol);
}

static int real_socketpair(int domain, int type, int protocol, int fds[2])
{
	return socketpair(domain, type | SOCK_CLOEXEC, protocol, fds);
}

static int real_bind(int fd, const struct sockaddr *addr, socklen_t len)
{
	return bind(fd, addr, len);
}

static int real_connect(int fd, const struct sockaddr *addr, socklen_t len)
{
	return connect(fd, addr, len);
}

static int real_accept(int fd)
{
	return accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

static ssize_t real_sendmsg(int fd, const struct msghdr *msg, int flags)
{
	return sendmsg(fd, msg, flags | MSG_NOSIGNAL);
}

static ssize_t real_recvmsg(int fd, struct msghdr *msg, int flags)
{
	return recvmsg(fd, msg, flags | MSG_CMSG_CLOEXEC);
}

static int real_pidfd_open(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

static int real_pidfd_kill(int pidfd, int signal)
{
	return (int)syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0);
}

static int real_pidfd_getfd(int pidfd, int fd)
{
	return (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);
}

static int real_kill_group(pid_t leader)
{
	if (leader <= 1) { /* that would be others, or everybody */
		errno = EINVAL;
		return -1;
	}
	return kill(-leader, SIGKILL);
}

/* A process that is not our child: does it live, and if not, how it ended. */
static int ask_about_stranger(int pidfd, struct sys_exit *out)
{
	int status = 0;

	if (stranger_status(pidfd, &status) < 0) {
		*out = (struct sys_exit){ .known = false };
		return errno == ESRCH ? 0 : -1;
	}
	out->known = true;
	out->signalled = WIFSIGNALED(status);
	out->code = out->signalled ? WTERMSIG(status) : WEXITSTATUS(status);
	return 0;
}

static int real_pidfd_wait(int pidfd, struct sys_exit *out)
{
	siginfo_t info = { .si_pid = 0 };
	int done;

	do
		done = waitid(
			WAIT_BY_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG);
	while (done < 0 && errno == EINTR);
	if (done < 0)
		return errno == ECHILD ? ask_about_stranger(pidfd, out) : -1;
	if (info.si_pid == 0) {
		errno = EAGAIN;
		return -1;
	}
	*out = (struct sys_exit){
		.known = true,
		.signalled = info.si_code != CLD_EXITED,
		.code = info.si_status,
	};
	return 0;
}

static int64_t clock_us(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* The C library has a union for the address. */
static int real_getpeername(int fd, struct sockaddr *addr, socklen_t *len)
{
	return getpeername(fd, addr, len);
}

static int real_ioctl(int fd, unsigned long request, void *arg)
{
	return ioctl(fd, request, arg);
}

static int real_inotify_init(void)
{
	return inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
}

static uint64_t real_now_us(void)
{
	return (uint64_t)clock_us(CLOCK_MONOTONIC);
}

static int64_t real_realtime_us(void)
{
	return clock_us(CLOCK_REALTIME);
}

static int real_random(void *buf, size_t len)
{
	char *at = buf;

	while (len > 0) {
		ssize_t n = getrandom(at, len, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

const struct sys_backend sys_real = {
	.openat = real_openat,
	.dup = real_dup,
	.close = close,
	.read = read,
	.write = write,
	.pread = pread,
	.pwrite = pwrite,
	.fstat = real_fstat,
	.fstatat = real_fstatat,
	.readlinkat = readlinkat,
	.free_space = real_free_space,
	.whole_space = real_whole_space,
	.open_beneath = open_beneath,
	.ftruncate = ftruncate,
	.fallocate = real_fallocate,
	.fsync = fsync,
	.mkdirat = mkdirat,
	.mkfifoat = mkfifoat,
	.unlinkat = unlinkat,
	.renameat = renameat,
	.renameat2 = real_renameat2,
	.fchmodat = real_fchmodat,
	.give = real_give,
	.flock = flock,
	.pipe = real_pipe,
	.is_writable = real_is_writable,
	.listdir = real_listdir,
	.socket = real_socket,
	.socketpair = real_socketpair,
	.bind = real_bind,
	.listen = listen,
	.connect = real_connect,
	.accept = real_accept,
	.sendmsg = real_sendmsg,
	.recvmsg = real_recvmsg,
	.getpeername = real_getpeername,
	.getsockopt = getsockopt,
	.spawn = child_start,
	.pidfd_open = real_pidfd_open,
	.pidfd_kill = real_pidfd_kill,
	.pidfd_getfd = real_pidfd_getfd,
	.kill_group = real_kill_group,
	.pidfd_wait = real_pidfd_wait,
	.eventfd = real_eventfd,
	.io_setup = real_io_setup,
	.io_destroy = real_io_destroy,
	.io_submit = real_io_submit,
	.io_getevents = real_io_getevents,
	.ioctl = real_ioctl,
	.inotify_init = real_inotify_init,
	.inotify_add_watch = inotify_add_watch,
	.now_us = real_now_us,
	.realtime_us = real_realtime_us,
	.random = real_random,
};
