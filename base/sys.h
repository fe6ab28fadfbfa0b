/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The seam for outside calls.  Every module above uses sys_NAME() with the
 * signature and errno of the call of that name; base/sys.c binds it to the
 * kernel, tests/sim to a simulated world.  Descriptors are CLOEXEC at birth:
 * the real backend adds O_CLOEXEC, SOCK_CLOEXEC and MSG_CMSG_CLOEXEC itself.
 */
#ifndef BASE_SYS_H
#define BASE_SYS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>

#ifndef RENAME_NOREPLACE /* of renameat2(): not every libc knows them */
#define RENAME_NOREPLACE 1
#define RENAME_EXCHANGE  2
#endif

struct spawn_plan; /* base/child.h */
struct iocb;       /* linux/aio_abi.h */
struct io_event;

/* How a child ended.  known=false: somebody else reaped it. */
struct sys_exit {
	bool known;
	bool signalled;
	int code; /* exit status, or the signal */
};

struct sys_backend {
	int (*openat)(int dirfd, const char *path, int flags, mode_t mode);
	/* A name in a directory, never out of it: "../x", "/x" and links that
	 * leave it fail with EXDEV. */
	int (*open_beneath)(int dirfd, const char *name, int flags);
	int (*dup)(int fd);
	int (*close)(int fd);
	ssize_t (*read)(int fd, void *buf, size_t len);
	ssize_t (*write)(int fd, const void *buf, size_t len);
	ssize_t (*pread)(int fd, void *buf, size_t len, off_t at);
	ssize_t (*pwrite)(int fd, const void *buf, size_t len, off_t at);
	int (*fstat)(int fd, struct stat *st);
	int (*fstatat)(int dirfd, const char *path, struct stat *st, int flags);
	ssize_t (*readlinkat)(
		int dirfd, const char *path, char *target, size_t len);
	/* Bytes that an unprivileged writer could still store at path. */
	int (*free_space)(const char *path, uint64_t *bytes);
	/* Bytes of the whole file system. */
	int (*whole_space)(const char *path, uint64_t *bytes);
	int (*ftruncate)(int fd, off_t len);
	int (*fallocate)(int fd, int mode, off_t at, off_t len);
	int (*fsync)(int fd); /* blocks: start-up and children only */
	int (*mkdirat)(int dirfd, const char *path, mode_t mode);
	int (*mkfifoat)(int dirfd, const char *path, mode_t mode);
	int (*unlinkat)(int dirfd, const char *path, int flags);
	int (*renameat)(int from, const char *a, int to, const char *b);
	int (*renameat2)(
		int from, const char *a, int to, const char *b, unsigned flags);
	int (*fchmodat)(int dirfd, const char *path, mode_t mode);
	int (*give)(const char *path, uid_t uid);
	int (*flock)(int fd, int operation);
	int (*pipe)(int fds[2]);     /* the reading end does not block */
	bool (*is_writable)(int fd); /* a line of 4 KiB would not block */
	/* Calls each(arg, name) for every entry but "." and "..". */
	int (*listdir)(int dirfd, const char *path,
		void (*each)(void *arg, const char *name), void *arg);
	int (*socket)(int domain, int type, int protocol);
	int (*socketpair)(int domain, int type, int protocol, int fds[2]);
	int (*bind)(int fd, const struct sockaddr *addr, socklen_t len);
	int (*listen)(int fd, int backlog);
	int (*connect)(int fd, const struct sockaddr *addr, socklen_t len);
	int (*accept)(int fd); /* non-blocking, close-on-exec result */
	ssize_t (*sendmsg)(int fd, const struct msghdr *msg, int flags);
	ssize_t (*recvmsg)(int fd, struct msghdr *msg, int flags);
	int (*getpeername)(int fd, struct sockaddr *addr, socklen_t *len);
	int (*getsockopt)(
		int fd, int level, int name, void *value, socklen_t *len);
	/* Starts a child as planned; fills pid and pidfd.  See base/child.h. */
	int (*spawn)(const struct spawn_plan *plan, pid_t *pid, int *pidfd);
	int (*pidfd_open)(pid_t pid);
	int (*pidfd_kill)(int pidfd, int signal);
	/* A copy of a descriptor of that process; a world may have none. */
	int (*pidfd_getfd)(int pidfd, int fd);
	/* SIGKILL to the group of a child that leads one, not reaped so far */
	int (*kill_group)(pid_t leader);
	/*
	 * Reaps a dead child, or asks PIDFD_GET_INFO about a process that is
	 * not ours.  -1/EAGAIN: it lives; -1/EINPROGRESS: it is dead, but its
	 * parent has yet to reap it: ask again a little later.
	 */
	int (*pidfd_wait)(int pidfd, struct sys_exit *out);
	/* The kernel's aio (base/aio); a world without it says ENOSYS. */
	int (*eventfd)(unsigned value); /* non-blocking */
	int (*io_setup)(unsigned n, unsigned long *context);
	int (*io_destroy)(unsigned long context);
	int (*io_submit)(unsigned long context, long n, struct iocb **at);
	int (*io_getevents)(
		unsigned long context, long min, long n, struct io_event *at);
	int (*ioctl)(int fd, unsigned long request, void *arg);
	int (*inotify_init)(void); /* non-blocking */
	int (*inotify_add_watch)(int fd, const char *path, uint32_t mask);
	uint64_t (*now_us)(void);     /* CLOCK_MONOTONIC */
	int64_t (*realtime_us)(void); /* CLOCK_REALTIME */
	int (*random)(void *buf, size_t len);
};

extern const struct sys_backend sys_real; /* the kernel */
/* The backend in use; the real one unless a test sets another. */
void sys_use(const struct sys_backend *backend);
/*
 * Asked before any call with an absolute path (but for links): false fails it
 * with EHOSTDOWN.  NULL: nobody is asked.
 */
void sys_set_gate(bool (*may)(const char *path));

/* The calls of the backend in use, as the members of the same names. */
int sys_dup(int fd); /* close-on-exec */
int sys_openat(int dirfd, const char *path, int flags, mode_t mode);
int sys_open_beneath(int dirfd, const char *name, int flags);
int sys_close(int fd);
ssize_t sys_read(int fd, void *buf, size_t len);
ssize_t sys_write(int fd, const void *buf, size_t len);
ssize_t sys_pread(int fd, void *buf, size_t len, off_t at);
ssize_t sys_pwrite(int fd, const void *buf, size_t len, off_t at);
int sys_fstat(int fd, struct stat *st);
int sys_fstatat(int dirfd, const char *path, struct stat *st, int flags);
ssize_t sys_readlinkat(int dirfd, const char *path, char *target, size_t len);
int sys_free_space(const char *path, uint64_t *bytes);
int sys_whole_space(const char *path, uint64_t *bytes);
int sys_ftruncate(int fd, off_t len);
int sys_fallocate(int fd, int mode, off_t at, off_t len);
int sys_fsync(int fd);
int sys_mkdirat(int dirfd, const char *path, mode_t mode);
int sys_mkfifoat(int dirfd, const char *path, mode_t mode);
int sys_unlinkat(int dirfd, const char *path, int flags);
int sys_renameat(int from, const char *a, int to, const char *b);
int sys_renameat2(
	int from, const char *a, int to, const char *b, unsigned flags);
int sys_fchmodat(int dirfd, const char *path, mode_t mode);
/* The path itself gets another owner and group, of the same number. */
int sys_give(const char *path, uid_t uid);
int sys_flock(int fd, int operation);
int sys_pipe(int fds[2]);
bool sys_is_writable(int fd);
int sys_listdir(int dirfd, const char *path,
	void (*each)(void *arg, const char *name), void *arg);
int sys_socket(int domain, int type, int protocol);
int sys_socketpair(int domain, int type, int protocol, int fds[2]);
int sys_bind(int fd, const struct sockaddr *addr, socklen_t len);
int sys_listen(int fd, int backlog);
int sys_connect(int fd, const struct sockaddr *addr, socklen_t len);
int sys_accept(int fd);
ssize_t sys_sendmsg(int fd, const struct msghdr *msg, int flags);
ssize_t sys_recvmsg(int fd, struct msghdr *msg, int flags);
int sys_getpeername(int fd, struct sockaddr *addr, socklen_t *len);
int sys_getsockopt(int fd, int level, int name, void *value, socklen_t *len);
int sys_spawn(const struct spawn_plan *plan, pid_t *pid, int *pidfd);
int sys_pidfd_open(pid_t pid);
int sys_pidfd_kill(int pidfd, int signal);
int sys_pidfd_getfd(int pidfd, int fd); /* close-on-exec */
int sys_kill_group(pid_t leader);
int sys_pidfd_wait(int pidfd, struct sys_exit *out);
int sys_eventfd(unsigned value);
int sys_io_setup(unsigned n, unsigned long *context);
int sys_io_destroy(unsigned long context);
int sys_io_submit(unsigned long context, long n, struct iocb **at);
int sys_io_getevents(
	unsigned long context, long min, long n, struct io_event *at);
int sys_ioctl(int fd, unsigned long request, void *arg);
int sys_inotify_init(void);
int sys_inotify_add_watch(int fd, const char *path, uint32_t mask);
uint64_t sys_now_us(void);
int64_t sys_realtime_us(void);
int sys_random(void *buf, size_t len);

#endif
