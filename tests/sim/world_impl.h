/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the parts of the simulated world share.  All its memory comes from
 * world_alloc() and goes with the world; nothing is freed before.
 */
#ifndef TESTS_SIM_WORLD_IMPL_H
#define TESTS_SIM_WORLD_IMPL_H

#include <sys/socket.h>
#include <sys/stat.h>

#include "base/loop.h"
#include "tests/sim/world.h"

enum {
	WORLD_FDS = 256,      /* per process */
	WORLD_PIDS = 40,      /* so few that they come back soon */
	WORLD_STREAM = 65536, /* bytes in a pipe or one way of a socket */
	WORLD_PASSED = 16,    /* fds in one message */
	WORLD_WATCHES = 16,   /* directories of one inotify */
};

/* clang-format off */
#define WORLD_CALLS(X) \
	X(openat) X(open_beneath) X(dup) X(close) X(read) X(write) X(pread) X(pwrite) \
	X(fstat) X(fstatat) X(readlinkat) X(free_space) X(whole_space) X(ftruncate) \
	X(fallocate) X(fsync) \
	X(mkdirat) X(mkfifoat) X(unlinkat) X(renameat) X(renameat2) \
	X(fchmodat) X(give) X(flock) X(pipe) X(is_writable) X(listdir) \
	X(socket) X(socketpair) X(bind) X(listen) X(connect) \
	X(accept) X(sendmsg) X(recvmsg) X(getpeername) X(getsockopt) X(spawn) \
	X(pidfd_open) X(pidfd_kill) X(kill_group) X(pidfd_wait) X(eventfd) \
	X(io_setup) X(io_destroy) X(io_submit) X(io_getevents) \
	X(ioctl) X(inotify_init) X(inotify_add_watch) \
	X(now_us) X(realtime_us) X(random)
/* clang-format on */

enum world_call {
#define X(name) CALL_##name,
	WORLD_CALLS(X)
#undef X
		WORLD_NCALLS
};

struct bytes {
	char *data;
	size_t len;
	size_t cap;
	unsigned long version; /* another one after each change of a file */
};

struct entry {
	const char *name;
	struct inode *inode;
};

struct entries {
	struct entry *at;
	size_t n;
	size_t cap;
};

enum inode_type {
	INODE_FILE,
	INODE_DIR,
	INODE_FIFO,
	INODE_SOCKET,
	INODE_NULL,
};

/* A change of a directory that is not durable yet; NULL: name removed. */
struct edit {
	const char *name;
	struct inode *inode;
	bool joined; /* becomes durable together with the next one */
};

struct inode {
	struct list link; /* world.inodes */
	enum inode_type type;
	ino_t number;
	mode_t mode;
	struct bytes now; /* files */
	struct bytes kept;
	struct entries entries; /* directories */
	struct entries kept_entries;
	struct edit *edits;
	size_t nedits;
	size_t cap_edits;
	struct inode *parent; /* where its last name is */
	struct stream *fifo;
	struct file *listener; /* sockets; NULL once it is closed */
};

/* Descriptors on their way through a socket. */
struct passed {
	size_t at; /* bytes before it in the stream */
	size_t n;
	struct file *files[WORLD_PASSED];
	struct passed *next;
};

/* One way of a pipe or socket. */
struct stream {
	struct bytes bytes;
	unsigned readers;
	unsigned writers;
	struct passed *passed;
};

enum file_kind {
	FILE_INODE,
	FILE_STREAM, /* pipe, FIFO, connected socket */
	FILE_SOCKET, /* not connected */
	FILE_PIDFD,
	FILE_EVENT,
	FILE_INOTIFY,
	FILE_LOG,
};

/* An open file description. */
struct file {
	struct list link; /* world.files */
	enum file_kind kind;
	unsigned refs;
	int flags;
	struct inode *inode;
	off_t at;
	int lock; /* LOCK_SH, LOCK_EX or 0 */
	struct stream *in;
	struct stream *out;
	bool is_socket;
	bool listening;
	unsigned backlog;
	unsigned nqueue;
	struct file *queue[16];               /* peers to accept */
	const char *abstract;                 /* name without a file, or NULL */
	struct proc *proc;                    /* FILE_PIDFD */
	struct proc *peer;                    /* who connected or listened */
	uint64_t count;                       /* FILE_EVENT, FILE_INOTIFY */
	struct inode *watched[WORLD_WATCHES]; /* FILE_INOTIFY */
	unsigned nwatched;
};

struct proc {
	struct list link; /* world.procs: live ones and zombies */
	pid_t pid;
	struct proc *parent; /* NULL: init, which reaps at once */
	bool alive;
	bool reaped;
	bool stopped;
	bool die_with_parent;
	struct sys_exit exit;
	struct file *fds[WORLD_FDS];
};

extern struct world {
	struct inode *root;
	struct list inodes;
	struct list files;
	struct list procs;
	struct proc *self;
	struct proc *current;
	ino_t last_ino;
	struct str log;
	uint64_t space;
	bool lies;
	void (*on_spawn)(pid_t pid, const char *const *argv);
	bool (*on_signal)(pid_t pid, int signal);
	void (*on_kill)(pid_t pid, int signal);
	void (*on_end)(pid_t pid);
} world;

/* Zeroed memory that lives as long as the world. */
void *world_alloc(size_t size);
char *world_strdup(const char *text);
/* Counts a call; true with errno set if it is to fail. */
bool world_faults(enum world_call call);
/* After a call. */
void world_did(enum world_call call);

/* world_file.c: descriptors */
struct file *world_new_file(enum file_kind kind);
/* The description of the current process's fd; NULL with EBADF. */
struct file *world_file(int fd);
/* Lowest free fd of the current process; -1 with EMFILE. */
int world_add_fd(struct file *file);
void world_put(struct file *file); /* one reference less */
/* Tells every inotify that watches this directory (or NULL). */
void world_dir_changed(const struct inode *dir);
void world_bytes_write(
	struct bytes *b, size_t at, const void *from, size_t len);
void world_bytes_cut(struct bytes *b, size_t len);
void world_bytes_copy(struct bytes *to, const struct bytes *from);

/* world_fs.c */
struct inode *world_new_inode(enum inode_type type, mode_t mode);
/* The directory and last name of a path, and what is there (or NULL). */
struct place {
	struct inode *dir;
	char name[256];
	struct inode *inode;
};
int world_find(int dirfd, const char *path, struct place *out);
void world_dir_set(struct inode *dir, const char *name, struct inode *to);
void world_fs_start(void);
/* The bytes of a file as world_get_file() has them; NULL: no such file. */
const struct bytes *world_bytes_of(const char *path, bool durable);
void world_fs_lose_power(bool partly);
int world_fsync_file(struct file *file);

/* world_net.c */
void world_stream_open(
	struct file *file, struct stream *in, struct stream *out);
ssize_t world_stream_read(struct file *file, void *buf, size_t len);
ssize_t world_stream_write(struct file *file, const void *buf, size_t len);
int world_file_events(const struct file *file, int wanted);
void world_socket_closed(struct file *file);

/* world_proc.c */
struct proc *world_new_proc(struct proc *parent);
void world_proc_ends(struct proc *proc, bool signalled, int code);
struct proc *world_proc_of(pid_t pid);
void world_proc_start(void);
void world_aio_forget(void);

/* The calls; each file implements its part. */
int world_openat(int dirfd, const char *path, int flags, mode_t mode);
int world_dup(int fd);
int world_close(int fd);
ssize_t world_read(int fd, void *buf, size_t len);
ssize_t world_write(int fd, const void *buf, size_t len);
ssize_t world_pread(int fd, void *buf, size_t len, off_t at);
ssize_t world_pwrite(int fd, const void *buf, size_t len, off_t at);
int world_fstat(int fd, struct stat *st);
int world_fstatat(int dirfd, const char *path, struct stat *st, int flags);
int world_free_space(const char *path, uint64_t *bytes);
int world_whole_space(const char *path, uint64_t *bytes);
int world_open_beneath(int dirfd, const char *name, int flags);
int world_ftruncate(int fd, off_t len);
int world_fallocate(int fd, int mode, off_t at, off_t len);
int world_fsync(int fd);
int world_mkdirat(int dirfd, const char *path, mode_t mode);
int world_mkfifoat(int dirfd, const char *path, mode_t mode);
int world_unlinkat(int dirfd, const char *path, int flags);
int world_renameat(int from, const char *a, int to, const char *b);
int world_renameat2(
	int from, const char *a, int to, const char *b, unsigned flags);
int world_fchmodat(int dirfd, const char *path, mode_t mode);
int world_give(const char *path, uid_t uid);
int world_flock(int fd, int operation);
int world_listdir(int dirfd, const char *path,
	void (*each)(void *arg, const char *name), void *arg);
int world_pipe(int fds[2]);
int world_socket(int domain, int type, int protocol);
int world_socketpair(int domain, int type, int protocol, int fds[2]);
int world_bind(int fd, const struct sockaddr *addr, socklen_t len);
int world_listen(int fd, int backlog);
int world_connect(int fd, const struct sockaddr *addr, socklen_t len);
int world_accept(int fd);
ssize_t world_sendmsg(int fd, const struct msghdr *msg, int flags);
ssize_t world_recvmsg(int fd, struct msghdr *msg, int flags);
int world_getpeername(int fd, struct sockaddr *addr, socklen_t *len);
int world_getsockopt(int fd, int level, int name, void *value, socklen_t *len);
int world_spawn(const struct spawn_plan *plan, pid_t *pid, int *pidfd);
int world_pidfd_open(pid_t pid);
int world_pidfd_kill(int pidfd, int signal);
int world_kill_group(pid_t leader);
int world_pidfd_wait(int pidfd, struct sys_exit *out);
int world_eventfd(unsigned value);
int world_ioctl(int fd, unsigned long request, void *arg);
int world_inotify_init(void);
int world_inotify_add_watch(int fd, const char *path, uint32_t mask);
int world_io_setup(unsigned n, unsigned long *context);
int world_io_destroy(unsigned long context);
int world_io_submit(unsigned long context, long n, struct iocb **at);
int world_io_getevents(
	unsigned long context, long min, long n, struct io_event *at);

#endif
