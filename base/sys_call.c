/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The seam itself: each sys_NAME() is the one of the backend in use. */
#include "base/sys.h"

#include <errno.h>

static const struct sys_backend *backend = &sys_real;
static bool (*gate)(const char *path);

void sys_set_gate(bool (*may)(const char *path))
{
	gate = may;
}

/* A name in an open directory was asked about when that was opened. */
static bool is_shut(const char *path)
{
	if (!gate || *path != '/' || gate(path))
		return false;
	errno = EHOSTDOWN;
	return true;
}

void sys_use(const struct sys_backend *other)
{
	backend = other;
}

int sys_openat(int dirfd, const char *path, int flags, mode_t mode)
{
	if (is_shut(path))
		return -1;
	return backend->openat(dirfd, path, flags, mode);
}

int sys_dup(int fd)
{
	return backend->dup(fd);
}

int sys_close(int fd)
{
	return backend->close(fd);
}

ssize_t sys_read(int fd, void *buf, size_t len)
{
	return backend->read(fd, buf, len);
}

ssize_t sys_write(int fd, const void *buf, size_t len)
{
	return backend->write(fd, buf, len);
}

ssize_t sys_pread(int fd, void *buf, size_t len, off_t at)
{
	return backend->pread(fd, buf, len, at);
}

ssize_t sys_pwrite(int fd, const void *buf, size_t len, off_t at)
{
	return backend->pwrite(fd, buf, len, at);
}

int sys_fstat(int fd, struct stat *st)
{
	return backend->fstat(fd, st);
}

int sys_fstatat(int dirfd, const char *path, struct stat *st, int flags)
{
	if (is_shut(path))
		return -1;
	return backend->fstatat(dirfd, path, st, flags);
}

ssize_t sys_readlinkat(int dirfd, const char *path, char *target, size_t len)
{
	return backend->readlinkat(dirfd, path, target, len);
}

int sys_free_space(const char *path, uint64_t *bytes)
{
	if (is_shut(path))
		return -1;
	return backend->free_space(path, bytes);
}

int sys_whole_space(const char *path, uint64_t *bytes)
{
	if (is_shut(path))
		return -1;
	return backend->whole_space(path, bytes);
}

int sys_open_beneath(int dirfd, const char *name, int flags)
{
	return backend->open_beneath(dirfd, name, flags);
}

int sys_ftruncate(int fd, off_t len)
{
	return backend->ftruncate(fd, len);
}

int sys_fallocate(int fd, int mode, off_t at, off_t len)
{
	return backend->fallocate(fd, mode, at, len);
}

int sys_fsync(int fd)
{
	return backend->fsync(fd);
}

int sys_mkdirat(int dirfd, const char *path, mode_t mode)
{
	if (is_shut(path))
		return -1;
	return backend->mkdirat(dirfd, path, mode);
}

int sys_mkfifoat(int dirfd, const char *path, mode_t mode)
{
	return backend->mkfifoat(dirfd, path, mode);
}

int sys_unlinkat(int dirfd, const char *path, int flags)
{
	if (is_shut(path))
		return -1;
	return backend->unlinkat(dirfd, path, flags);
}

int sys_renameat(int from, const char *a, int to, const char *b)
{
	if (is_shut(a) || is_shut(b))
		return -1;
	return backend->renameat(from, a, to, b);
}

int sys_renameat2(
	int from, const char *a, int to, const char *b, unsigned flags)
{
	if (is_shut(a) || is_shut(b))
		return -1;
	return backend->renameat2(from, a, to, b, flags);
}

int sys_fchmodat(int dirfd, const char *path, mode_t mode)
{
	return backend->fchmodat(dirfd, path, mode);
}

int sys_give(const char *path, uid_t uid)
{
	return backend->give(path, uid);
}

int sys_flock(int fd, int operation)
{
	return backend->flock(fd, operation);
}

int sys_pipe(int fds[2])
{
	return backend->pipe(fds);
}

bool sys_is_writable(int fd)
{
	return backend->is_writable(fd);
}

int sys_listdir(int dirfd, const char *path,
	void (*each)(void *arg, const char *name), void *arg)
{
	if (is_shut(path))
		return -1;
	return backend->listdir(dirfd, path, each, arg);
}

int sys_socket(int domain, int type, int protocol)
{
	return backend->socket(domain, type, protocol);
}

int sys_socketpair(int domain, int type, int protocol, int fds[2])
{
	return backend->socketpair(domain, type, protocol, fds);
}

int sys_bind(int fd, const struct sockaddr *addr, socklen_t len)
{
	return backend->bind(fd, addr, len);
}

int sys_listen(int fd, int backlog)
{
	return backend->listen(fd, backlog);
}

int sys_connect(int fd, const struct sockaddr *addr, socklen_t len)
{
	return backend->connect(fd, addr, len);
}

int sys_accept(int fd)
{
	return backend->accept(fd);
}

ssize_t sys_sendmsg(int fd, const struct msghdr *msg, int flags)
{
	return backend->sendmsg(fd, msg, flags);
}

ssize_t sys_recvmsg(int fd, struct msghdr *msg, int flags)
{
	return backend->recvmsg(fd, msg, flags);
}

int sys_getpeername(int fd, struct sockaddr *addr, socklen_t *len)
{
	return backend->getpeername(fd, addr, len);
}

int sys_getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
	return backend->getsockopt(fd, level, name, value, len);
}

int sys_spawn(const struct spawn_plan *plan, pid_t *pid, int *pidfd)
{
	return backend->spawn(plan, pid, pidfd);
}

int sys_pidfd_open(pid_t pid)
{
	return backend->pidfd_open(pid);
}

int sys_kill_group(pid_t leader)
{
	return backend->kill_group(leader);
}

int sys_pidfd_kill(int pidfd, int signal)
{
	return backend->pidfd_kill(pidfd, signal);
}

int sys_pidfd_getfd(int pidfd, int fd)
{
	if (backend->pidfd_getfd)
		return backend->pidfd_getfd(pidfd, fd);
	errno = ENOSYS;
	return -1;
}

int sys_pidfd_wait(int pidfd, struct sys_exit *out)
{
	return backend->pidfd_wait(pidfd, out);
}

int sys_eventfd(unsigned value)
{
	return backend->eventfd(value);
}

int sys_io_setup(unsigned n, unsigned long *context)
{
	return backend->io_setup(n, context);
}

int sys_io_destroy(unsigned long context)
{
	return backend->io_destroy(context);
}

int sys_io_submit(unsigned long context, long n, struct iocb **at)
{
	return backend->io_submit(context, n, at);
}

int sys_io_getevents(
	unsigned long context, long min, long n, struct io_event *at)
{
	return backend->io_getevents(context, min, n, at);
}

int sys_ioctl(int fd, unsigned long request, void *arg)
{
	return backend->ioctl(fd, request, arg);
}

int sys_inotify_init(void)
{
	return backend->inotify_init();
}

int sys_inotify_add_watch(int fd, const char *path, uint32_t mask)
{
	return backend->inotify_add_watch(fd, path, mask);
}

uint64_t sys_now_us(void)
{
	return backend->now_us();
}

int64_t sys_realtime_us(void)
{
	return backend->realtime_us();
}

int sys_random(void *buf, size_t len)
{
	return backend->random(buf, len);
}
