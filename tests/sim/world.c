/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The world itself: its memory, its random, its faults, and the table that
 * puts it behind base/sys.  The calls are in world_file.c (descriptors),
 * world_fs.c (names), world_net.c (streams) and world_proc.c (processes).
 */
#include "tests/sim/world.h"

#include <errno.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/sys.h"
#include "tests/sim/world_impl.h"

enum { MOST_FAULTS = 64, LOG_CAP = 1 << 20 };

static const int64_t first_realtime_us = 1700000000LL * 1000000;

struct block {
	struct block *next;
	long double align; /* what follows suits every type */
};

struct fault {
	enum world_call call;
	unsigned long at; /* how often the call was made by then */
	int os;
};

struct world world;

static struct {
	bool on;
	struct block *blocks;
	uint64_t state;
	int64_t jumped_us;
	unsigned long calls[WORLD_NCALLS];
	struct fault faults[MOST_FAULTS];
	size_t nfaults;
	struct {
		unsigned per_mille;
		int os;
	} often[WORLD_NCALLS];
	void (*on_call)(const char *call);
} core;

static const char *const call_names[] = {
#define X(name) #name,
	WORLD_CALLS(X)
#undef X
};

void *world_alloc(size_t size)
{
	struct block *block = xcalloc(1, sizeof *block + size);

	block->next = core.blocks;
	core.blocks = block;
	return block + 1;
}

char *world_strdup(const char *text)
{
	size_t len = strlen(text);
	char *copy = world_alloc(len + 1);

	memcpy(copy, text, len);
	return copy;
}

uint32_t world_random(uint32_t below)
{
	core.state ^= core.state << 13;
	core.state ^= core.state >> 7;
	core.state ^= core.state << 17;
	uint32_t high = (uint32_t)(core.state >> 32);
	return below ? high % below : 0;
}

void world_jump(int64_t us)
{
	core.jumped_us += us;
}

const char *world_log(void)
{
	return str_text(&world.log);
}

static enum world_call call_of(const char *name)
{
	for (int i = 0; i < WORLD_NCALLS; i++)
		if (str_eq(call_names[i], name))
			return (enum world_call)i;
	log_bug(__FILE__, __LINE__, name);
}

void world_fail(const char *call, unsigned nth, int os)
{
	enum world_call which = call_of(call);

	BUG_ON(core.nfaults == MOST_FAULTS || nth == 0);
	core.faults[core.nfaults++] = (struct fault){
		.call = which,
		.at = core.calls[which] + nth,
		.os = os,
	};
}

void world_fail_often(const char *call, unsigned per_mille, int os)
{
	enum world_call which = call_of(call);

	core.often[which].per_mille = per_mille;
	core.often[which].os = os;
}

void world_heal(void)
{
	core.nfaults = 0;
	memset(core.often, 0, sizeof core.often);
}

unsigned long world_calls(const char *call)
{
	return core.calls[call_of(call)];
}

void world_on_call(void (*hook)(const char *call))
{
	core.on_call = hook;
}

bool world_faults(enum world_call call)
{
	unsigned long now = ++core.calls[call];

	for (size_t i = 0; i < core.nfaults; i++) {
		struct fault fault = core.faults[i];
		if (fault.call != call || fault.at != now)
			continue;
		core.faults[i] = core.faults[--core.nfaults];
		errno = fault.os;
		return true;
	}
	if (core.often[call].per_mille == 0 ||
		world_random(1000) >= core.often[call].per_mille)
		return false;
	errno = core.often[call].os;
	return true;
}

void world_did(enum world_call call)
{
	int saved = errno;

	/* the log is for reading in tests: its beginning may go */
	if (world.log.len > LOG_CAP) {
		size_t half = world.log.len / 2;
		memmove(world.log.data, world.log.data + half,
			world.log.len - half);
		str_cut(&world.log, world.log.len - half);
	}
	if (core.on_call)
		core.on_call(call_names[call]);
	errno = saved;
}

/* ---- the seam: count, fail or do, tell ---- */

#define ARGS(...) __VA_ARGS__
#define SEAM(type, name, params, args)            \
	static type seam_##name(params)           \
	{                                         \
		if (world_faults(CALL_##name)) {  \
			world_did(CALL_##name);   \
			return -1;                \
		}                                 \
		type result = world_##name(args); \
		world_did(CALL_##name);           \
		return result;                    \
	}

SEAM(int, openat, ARGS(int d, const char *p, int f, mode_t m), ARGS(d, p, f, m))
SEAM(int, dup, ARGS(int fd), ARGS(fd))
SEAM(ssize_t, read, ARGS(int fd, void *b, size_t n), ARGS(fd, b, n))
SEAM(ssize_t, write, ARGS(int fd, const void *b, size_t n), ARGS(fd, b, n))
SEAM(ssize_t, pread, ARGS(int fd, void *b, size_t n, off_t at),
	ARGS(fd, b, n, at))
SEAM(ssize_t, pwrite, ARGS(int fd, const void *b, size_t n, off_t at),
	ARGS(fd, b, n, at))
SEAM(int, fstat, ARGS(int fd, struct stat *st), ARGS(fd, st))
SEAM(int, fstatat, ARGS(int d, const char *p, struct stat *st, int f),
	ARGS(d, p, st, f))
SEAM(int, free_space, ARGS(const char *p, uint64_t *n), ARGS(p, n))
SEAM(int, whole_space, ARGS(const char *p, uint64_t *n), ARGS(p, n))
SEAM(int, open_beneath, ARGS(int d, const char *p, int f), ARGS(d, p, f))
SEAM(int, ftruncate, ARGS(int fd, off_t n), ARGS(fd, n))
SEAM(int, fallocate, ARGS(int fd, int mode, off_t at, off_t n),
	ARGS(fd, mode, at, n))
SEAM(int, fsync, ARGS(int fd), ARGS(fd))
SEAM(int, mkdirat, ARGS(int d, const char *p, mode_t m), ARGS(d, p, m))
SEAM(int, mkfifoat, ARGS(int d, const char *p, mode_t m), ARGS(d, p, m))
SEAM(int, unlinkat, ARGS(int d, const char *p, int f), ARGS(d, p, f))
SEAM(int, renameat, ARGS(int d, const char *a, int e, const char *b),
	ARGS(d, a, e, b))
SEAM(int, renameat2,
	ARGS(int d, const char *a, int e, const char *b, unsigned f),
	ARGS(d, a, e, b, f))
SEAM(int, fchmodat, ARGS(int d, const char *p, mode_t m), ARGS(d, p, m))
SEAM(int, give, ARGS(const char *p, uid_t u), ARGS(p, u))
SEAM(int, flock, ARGS(int fd, int op), ARGS(fd, op))
SEAM(int, pipe, ARGS(int fds[2]), ARGS(fds))
SEAM(int, listdir,
	ARGS(int d, const char *p, void (*each)(void *, const char *),
		void *arg),
	ARGS(d, p, each, arg))
SEAM(int, socket, ARGS(int d, int t, int p), ARGS(d, t, p))
SEAM(int, socketpair, ARGS(int d, int t, int p, int fds[2]), ARGS(d, t, p, fds))
SEAM(int, bind, ARGS(int fd, const struct sockaddr *a, socklen_t n),
	ARGS(fd, a, n))
SEAM(int, listen, ARGS(int fd, int backlog), ARGS(fd, backlog))
SEAM(int, connect, ARGS(int fd, const struct sockaddr *a, socklen_t n),
	ARGS(fd, a, n))
SEAM(int, accept, ARGS(int fd), ARGS(fd))
SEAM(ssize_t, sendmsg, ARGS(int fd, const struct msghdr *m, int f),
	ARGS(fd, m, f))
SEAM(ssize_t, recvmsg, ARGS(int fd, struct msghdr *m, int f), ARGS(fd, m, f))
SEAM(int, getpeername, ARGS(int fd, struct sockaddr *a, socklen_t *n),
	ARGS(fd, a, n))
SEAM(int, getsockopt,
	ARGS(int fd, int level, int name, void *value, socklen_t *n),
	ARGS(fd, level, name, value, n))
SEAM(int, spawn, ARGS(const struct spawn_plan *p, pid_t *pid, int *fd),
	ARGS(p, pid, fd))
SEAM(int, pidfd_open, ARGS(pid_t pid), ARGS(pid))
SEAM(int, pidfd_kill, ARGS(int fd, int signal), ARGS(fd, signal))
SEAM(int, kill_group, ARGS(pid_t leader), ARGS(leader))
SEAM(int, pidfd_wait, ARGS(int fd, struct sys_exit *out), ARGS(fd, out))
SEAM(int, eventfd, ARGS(unsigned value), ARGS(value))
SEAM(int, io_setup, ARGS(unsigned n, unsigned long *c), ARGS(n, c))
SEAM(int, io_destroy, ARGS(unsigned long c), ARGS(c))
SEAM(int, io_submit, ARGS(unsigned long c, long n, struct iocb **at),
	ARGS(c, n, at))
SEAM(int, io_getevents,
	ARGS(unsigned long c, long min, long n, struct io_event *at),
	ARGS(c, min, n, at))

SEAM(int, ioctl, ARGS(int fd, unsigned long r, void *a), ARGS(fd, r, a))
SEAM(int, inotify_init, ARGS(void), ARGS())
SEAM(int, inotify_add_watch, ARGS(int fd, const char *p, uint32_t m),
	ARGS(fd, p, m))

/* As in the kernel, the descriptor is gone even if close() fails. */
static int seam_close(int fd)
{
	bool faults = world_faults(CALL_close);
	int os = errno;
	int result = world_close(fd);

	if (result == 0 && faults) {
		errno = os;
		result = -1;
	}
	world_did(CALL_close);
	return result;
}

/* The world has no links. */
static ssize_t seam_readlinkat(int d, const char *p, char *target, size_t n)
{
	(void)d, (void)p, (void)target, (void)n;
	errno = EINVAL;
	return -1;
}

static bool seam_is_writable(int fd)
{
	return world_poll(world.current->pid, fd, LOOP_WRITE) != 0;
}

static int64_t seam_realtime_us(void)
{
	return first_realtime_us + core.jumped_us + (int64_t)loop_sim_now_us();
}

static int seam_random(void *buf, size_t len)
{
	unsigned char *at = buf;

	if (world_faults(CALL_random))
		return -1;
	while (len-- > 0)
		*at++ = (unsigned char)world_random(256);
	return 0;
}

static const struct sys_backend backend = {
#define X(name)     .name = seam_##name,
#define seam_now_us loop_sim_now_us
	WORLD_CALLS(X)
#undef seam_now_us
#undef X
};

static int poll_current(int fd, int wanted)
{
	return world_poll(world.current->pid, fd, wanted);
}

static void forget(void)
{
	while (core.blocks) {
		struct block *block = core.blocks;
		core.blocks = block->next;
		free(block);
	}
	str_fini(&world.log);
	memset(&core, 0, sizeof core);
	memset(&world, 0, sizeof world);
}

void world_start(uint64_t seed)
{
	if (core.on)
		world_end();
	core.on = true;
	core.state = seed * 0x9e3779b97f4a7c15ULL;
	if (core.state == 0)
		core.state = 1;
	for (int i = 0; i < 8; i++)
		world_random(0);
	world.space = (uint64_t)1 << 40;
	list_init(&world.inodes);
	list_init(&world.files);
	list_init(&world.procs);
	loop_sim_start();
	loop_sim_set_poll(poll_current);
	world_proc_start();
	world_fs_start();
	sys_use(&backend);
}

void world_end(void)
{
	if (!core.on)
		return;
	sys_use(&sys_real);
	loop_sim_end();
	world_aio_forget();
	forget();
}
