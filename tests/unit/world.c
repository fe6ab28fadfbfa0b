/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The simulated world behaves as the kernel does, faults included. */
#include "tests/sim/world.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <sys/file.h>
#include <sys/un.h>

#include "base/aio.h"
#include "base/fd.h"
#include "base/job.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/spawn.h"
#include "base/sys.h"
#include "tests/unit/tap.h"

static void has(const char *path, bool durable, const char *want)
{
	AUTO_STR struct str got = STR_INIT;
	bool there = world_get_file(path, durable, &got);

	is_str(there ? str_text(&got) : NULL, want, "%s%s", path,
		durable ? " after a power loss" : "");
}

static int create(const char *path, const char *text)
{
	int fd = sys_openat(AT_FDCWD, path, O_RDWR | O_CREAT, 0600);

	if (fd >= 0 && sys_write(fd, text, strlen(text)) < 0)
		fd_close(&fd);
	return fd;
}

static void note(void *arg, const char *name)
{
	str_addf(arg, "[%s]", name);
}

static void test_files(void)
{
	AUTO_STR struct str names = STR_INIT;
	char buf[16] = "";
	struct stat st;

	world_start(1);
	int fd = create("/tmp/a", "hello");
	is_int(fd, 3, "the lowest free fd");
	is_int(sys_pread(fd, buf, sizeof buf, 1), 4, "pread");
	is_str(buf, "ello", "its bytes");
	is_int(sys_pwrite(fd, "J", 1, 0), 1, "pwrite");
	has("/tmp/a", false, "Jello");
	is_int(sys_ftruncate(fd, 2), 0, "ftruncate");
	is_int(sys_fallocate(fd, 0, 0, 100), 0, "fallocate");
	is_int(sys_fstat(fd, &st), 0, "fstat");
	is_int(st.st_size, 100, "size");
	ok(S_ISREG(st.st_mode), "a regular file");
	fd_close(&fd);
	is_int(sys_read(fd, buf, 1), -1, "closed");
	is_int(errno, EBADF, "EBADF");
	is_int(sys_openat(AT_FDCWD, "/tmp/a", O_CREAT | O_EXCL, 0), -1,
		"O_EXCL");
	is_int(errno, EEXIST, "EEXIST");
	is_int(sys_openat(AT_FDCWD, "/none/a", O_CREAT, 0), -1, "no parent");
	is_int(errno, ENOENT, "ENOENT");
	is_int(sys_openat(AT_FDCWD, "/tmp/a/b", O_RDONLY, 0), -1,
		"below a "
		"file");
	is_int(errno, ENOTDIR, "ENOTDIR");
	is_int(sys_mkdirat(AT_FDCWD, "/tmp/d", 0700), 0, "mkdir");
	AUTO_CLOSE int dir = sys_openat(AT_FDCWD, "/tmp/d", O_RDONLY, 0);
	is_int(sys_renameat(AT_FDCWD, "/tmp/a", dir, "b"), 0, "rename");
	is_int(sys_listdir(AT_FDCWD, "/tmp", note, &names), 0, "list");
	is_str(str_text(&names), "[d]", "names");
	is_int(sys_unlinkat(AT_FDCWD, "/tmp/d", AT_REMOVEDIR), -1, "not empty");
	is_int(errno, ENOTEMPTY, "ENOTEMPTY");
	is_int(sys_unlinkat(dir, "../d/./b", 0), 0, "unlink");
	is_int(sys_unlinkat(AT_FDCWD, "/tmp/d", AT_REMOVEDIR), 0, "rmdir");
}

static void test_power_loss(void)
{
	world_start(1);
	AUTO_CLOSE int tmp = sys_openat(AT_FDCWD, "/tmp", O_RDONLY, 0);
	int a = create("/tmp/a", "old");
	create("/tmp/b", "never synced");
	has("/tmp/a", true, NULL);
	is_int(sys_fsync(a), 0, "fsync of the file");
	has("/tmp/a", true, NULL);
	is_int(sys_fsync(tmp), 0, "fsync of its directory");
	has("/tmp/a", true, "old");
	has("/tmp/b", true, "");
	is_int(sys_pwrite(a, "new", 3, 0), 3, "change");
	is_int(sys_renameat(tmp, "a", tmp, "c"), 0, "rename");
	has("/tmp/c", false, "new");
	pid_t before = world_self();
	world_power_loss();
	tmp = -1;
	has("/tmp/a", false, "old");
	has("/tmp/b", false, "");
	has("/tmp/c", false, NULL);
	is_int(world_fds(world_self()), 3, "a new supervisor, without fds");
	ok(world_self() != before, "with a new pid");
}

/* A rename in one directory is seen wholly or not at all. */
static void test_partial_loss(void)
{
	unsigned renamed = 0;
	unsigned torn = 0;

	for (uint64_t seed = 1; seed <= 200; seed++) {
		AUTO_STR struct str at = STR_INIT;
		char text[1024];
		world_start(seed);
		memset(text, 'a', sizeof text);
		world_put_file("/tmp/f", text, sizeof text, 0600);
		memset(text, 'b', sizeof text);
		int fd = sys_openat(AT_FDCWD, "/tmp/f", O_WRONLY, 0);
		if (sys_write(fd, text, sizeof text) < 0)
			ok(false, "write");
		sys_renameat(AT_FDCWD, "/tmp/f", AT_FDCWD, "/tmp/g");
		world_power_loss_partly();
		bool old = world_get_file("/tmp/f", false, &at);
		bool new = old || world_get_file("/tmp/g", false, &at);
		if (old && world_get_file("/tmp/g", false, &at))
			new = false;
		if (!new || at.len != sizeof text)
			ok(false, "seed %d: one of two names", (int)seed);
		renamed += !old;
		torn += at.data && at.data[0] != at.data[512];
	}
	ok(renamed > 50 && renamed < 150, "renamed in %u of 200", renamed);
	ok(torn > 50 && torn < 150, "half-written in %u of 200", torn);
}

static void test_faults(void)
{
	unsigned failed = 0;

	world_start(7);
	world_fail("openat", 2, ENOSPC);
	AUTO_CLOSE int a = create("/tmp/a", "x");
	ok(a >= 0, "the first call works");
	is_int(create("/tmp/b", "x"), -1, "the second fails");
	is_int(errno, ENOSPC, "as told");
	AUTO_CLOSE int c = create("/tmp/b", "x");
	ok(c >= 0, "the third works");
	is_int(world_calls("openat"), 3, "calls are counted");
	world_fail("write", 1, EIO);
	world_heal();
	is_int(sys_write(a, "x", 1), 1, "healed");
	world_fail_often("write", 300, EIO);
	for (int i = 0; i < 1000; i++)
		failed += sys_write(a, "x", 1) < 0;
	ok(failed > 200 && failed < 400, "%u of 1000 fail", failed);
	world_fail_often("write", 0, 0);
	world_fail("close", 1, EIO);
	int d = sys_openat(AT_FDCWD, "/tmp/a", O_RDONLY, 0);
	is_int(sys_close(d), -1, "close fails");
	is_int(sys_close(d), -1, "but has closed");
	is_int(errno, EBADF, "EBADF");
}

static void test_same_seed(void)
{
	uint32_t a[8];
	uint32_t b[8];

	world_start(42);
	for (int i = 0; i < 8; i++)
		a[i] = world_random(1000);
	world_start(42);
	for (int i = 0; i < 8; i++)
		b[i] = world_random(1000);
	ok(memcmp(a, b, sizeof a) == 0, "the same seed, the same world");
	world_start(43);
	ok(world_random(1000000) != a[0], "another seed, another world");
	int64_t wall = sys_realtime_us();
	uint64_t mono = sys_now_us();
	loop_sim_advance(1500);
	is_int(sys_realtime_us() - wall, 1500000, "the wall clock goes on");
	world_jump(-1000000);
	is_int(sys_realtime_us() - wall, 500000, "and jumps");
	is_int(sys_now_us() - mono, 1500000, "the monotonic one does not");
	is_int((long long)sys_now_us() / 1000, loop_now_ms(), "one clock");
}

static pid_t started;
static struct str started_argv = STR_INIT;

static void on_spawn(pid_t pid, const char *const *argv)
{
	started = pid;
	str_cut(&started_argv, 0);
	for (; *argv; argv++)
		str_addf(&started_argv, "[%s]", *argv);
}

static int start_child(const struct spawn_fd *fds, size_t nfds, bool dies)
{
	const char *const argv[] = { "qemu", "-S", NULL };
	const struct spawn_plan plan = {
		.path = "/bin/qemu",
		.argv = argv,
		.fds = fds,
		.nfds = nfds,
		.die_with_us = dies,
	};
	struct err err = ERR_INIT;
	pid_t pid = -1;
	int pidfd = -1;

	world_on_spawn(on_spawn);
	if (spawn(&plan, &pid, &pidfd, &err) < 0)
		is_str(err.text, "", "spawn");
	return pidfd;
}

static int lock_of(const char *path)
{
	int fd = sys_openat(AT_FDCWD, path, O_RDWR | O_CREAT, 0600);

	if (sys_flock(fd, LOCK_EX | LOCK_NB) < 0) {
		int reason = errno;
		fd_close(&fd);
		errno = reason;
	}
	return fd;
}

/* What the whole design stands on: QEMU holds the lock, not we. */
static void test_locks(void)
{
	world_start(3);
	world_put_file("/bin/qemu", "", 0, 0755);
	int lock = lock_of("/run/lock");
	ok(lock >= 0, "locked");
	is_int(lock_of("/run/lock"), -1, "not twice");
	is_int(errno, EWOULDBLOCK, "EWOULDBLOCK");
	const struct spawn_fd fds[] = { { lock, 10 } };
	int pidfd = start_child(fds, 1, false);
	ok(pidfd >= 0, "a child inherits it");
	is_str(str_text(&started_argv), "[qemu][-S]", "its arguments");
	is_int(world_fds(started), 4, "its fds: 0, 1, 2 and the lock");
	fd_close(&lock);
	is_int(lock_of("/run/lock"), -1, "the child holds it alone");
	world_crash();
	is_int(lock_of("/run/lock"), -1, "also after our crash");
	ok(world_is_alive(started), "the child lives");
	is_int(sys_unlinkat(AT_FDCWD, "/run/lock", 0), 0, "unlink");
	AUTO_CLOSE int other = lock_of("/run/lock");
	ok(other >= 0, "another file of that name is not locked");
	world_exit(started, 0);
	ok(!world_is_alive(started), "the child ends");
}

static void test_processes(void)
{
	struct sys_exit how = { .known = false };

	world_start(4);
	world_put_file("/bin/qemu", "", 0, 0755);
	AUTO_CLOSE int pidfd = start_child(NULL, 0, false);
	pid_t pid = started;
	is_int(sys_pidfd_wait(pidfd, &how), -1, "it lives");
	is_int(errno, EAGAIN, "EAGAIN");
	world_exit(pid, 3);
	is_int(sys_pidfd_kill(pidfd, SIGKILL), 0, "a zombie takes signals");
	AUTO_CLOSE int again = sys_pidfd_open(pid);
	ok(again >= 0, "a zombie keeps its pid");
	is_int(sys_pidfd_wait(pidfd, &how), 0, "reaped");
	ok(how.known && !how.signalled && how.code == 3, "exit status");
	is_int(sys_pidfd_kill(pidfd, SIGKILL), -1, "gone");
	is_int(errno, ESRCH, "ESRCH");
	is_int(sys_pidfd_open(pid), -1, "no such pid");
	bool reused = false;
	for (int i = 0; i < 39 && !reused; i++) {
		pid_t other = world_bystander();
		reused = other == pid;
		if (!reused)
			world_exit(other, 0);
	}
	ok(reused, "somebody else gets the pid soon");
	is_int(sys_pidfd_kill(pidfd, SIGKILL), -1, "and is not hit");
	ok(world_is_alive(pid), "he lives");
	AUTO_CLOSE int b = sys_pidfd_open(pid);
	world_die(pid, SIGSEGV);
	is_int(sys_pidfd_wait(b, &how), 0, "a stranger's end");
	ok(how.signalled && how.code == SIGSEGV, "is known");
	AUTO_CLOSE int c = start_child(NULL, 0, true);
	ok(c >= 0, "a child that dies with us");
	pid = started;
	world_crash();
	ok(!world_is_alive(pid), "some die with us");
	is_int(world_count(), 1, "only the supervisor is left");
}

static void test_spawn_failures(void)
{
	const char *const argv[] = { "x", NULL };
	const struct spawn_plan plan = { .path = "/bin/x", .argv = argv };
	struct err err = ERR_INIT;
	pid_t pid;
	int pidfd;

	world_start(5);
	is_int(spawn(&plan, &pid, &pidfd, &err), -1, "no such program");
	is_str(err.text,
		"cannot start '/bin/x': exec: "
		"No such file or directory",
		"its text");
	world_put_file("/bin/x", "", 0, 0755);
	world_fail("spawn", 1, EAGAIN);
	is_int(spawn(&plan, &pid, &pidfd, &err), -1, "a fault");
	is_str(err.text,
		"cannot start '/bin/x': "
		"Resource temporarily unavailable",
		"its text");
	is_int(world_fds(world_self()), 3, "no fd is left");
}

static socklen_t name_socket(struct sockaddr_un *addr, const char *name)
{
	*addr = (struct sockaddr_un){ .sun_family = AF_UNIX };
	size_t len = strlen(name + 1) + 1;
	memcpy(addr->sun_path, name, len);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
}

static int connect_to(const char *name)
{
	struct sockaddr_un addr;
	socklen_t len = name_socket(&addr, name);
	int fd = sys_socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	if (sys_connect(fd, (struct sockaddr *)&addr, len) < 0)
		fd_close(&fd);
	return fd;
}

static int listen_at(const char *name)
{
	struct sockaddr_un addr;
	socklen_t len = name_socket(&addr, name);
	int fd = sys_socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	if (sys_bind(fd, (struct sockaddr *)&addr, len) < 0 ||
		sys_listen(fd, 2) < 0)
		fd_close(&fd);
	return fd;
}

static void test_sockets(const char *name)
{
	char buf[64] = "";

	world_start(6);
	is_int(connect_to(name), -1, "nobody listens");
	AUTO_CLOSE int server = listen_at(name);
	ok(server >= 0, "listen");
	is_int(listen_at(name), -1, "not twice");
	is_int(errno, EADDRINUSE, "EADDRINUSE");
	is_int(sys_accept(server), -1, "nobody came");
	is_int(errno, EAGAIN, "EAGAIN");
	AUTO_CLOSE int client = connect_to(name);
	ok(client >= 0, "connect");
	is_int(world_poll(world_self(), server, LOOP_READ), LOOP_READ,
		"readable");
	AUTO_CLOSE int peer = sys_accept(server);
	is_int(sys_write(client, "hello", 5), 5, "write");
	is_int(sys_read(peer, buf, sizeof buf), 5, "read");
	is_str(buf, "hello", "its bytes");
	is_int(sys_read(peer, buf, sizeof buf), -1, "no more");
	is_int(errno, EAGAIN, "EAGAIN");
	struct ucred cred = { .pid = 0 };
	socklen_t len = sizeof cred;
	is_int(sys_getsockopt(peer, SOL_SOCKET, SO_PEERCRED, &cred, &len), 0,
		"credentials");
	is_int(cred.pid, world_self(), "of the peer");
	size_t sent = 0;
	for (ssize_t n; (n = sys_write(client, buf, sizeof buf)) > 0;)
		sent += (size_t)n;
	is_int(sent, 65536, "a full socket");
	is_int(errno, EAGAIN, "says EAGAIN");
	is_int(world_poll(world_self(), client, LOOP_WRITE), 0, "as poll does");
	fd_close(&peer);
	is_int(sys_write(client, "x", 1), -1, "no reader");
	is_int(errno, EPIPE, "EPIPE");
	is_int(sys_read(client, buf, 1), 0, "end of file");
	int queued = 0;
	while (queued < 10 && connect_to(name) >= 0)
		queued++;
	is_int(queued, 3, "a backlog of 2 lets 3 in");
	is_int(errno, EAGAIN, "EAGAIN");
}

static ssize_t send_fd(int over, const char *text, int fd)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} room = { .bytes = { 0 } };
	char copy[16];
	struct iovec part = { copy, strlen(text) };
	struct msghdr msg = { .msg_iov = &part, .msg_iovlen = 1 };

	memcpy(copy, text, part.iov_len);
	if (fd >= 0) {
		msg.msg_control = room.bytes;
		msg.msg_controllen = sizeof room.bytes;
		struct cmsghdr *head = CMSG_FIRSTHDR(&msg);
		head->cmsg_level = SOL_SOCKET;
		head->cmsg_type = SCM_RIGHTS;
		head->cmsg_len = CMSG_LEN(sizeof fd);
		memcpy(CMSG_DATA(head), &fd, sizeof fd);
	}
	return sys_sendmsg(over, &msg, 0);
}

/* What one recvmsg gives: its text, and the fd or -1. */
static int receive(int over, char text[32])
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} room = { .bytes = { 0 } };
	struct iovec part = { text, 31 };
	struct msghdr msg = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = room.bytes,
		.msg_controllen = sizeof room.bytes,
	};
	int fd = -1;

	ssize_t n = sys_recvmsg(over, &msg, 0);
	text[n > 0 ? n : 0] = '\0';
	struct cmsghdr *head = n >= 0 ? CMSG_FIRSTHDR(&msg) : NULL;
	if (head)
		memcpy(&fd, CMSG_DATA(head), sizeof fd);
	return fd;
}

static void test_passing(void)
{
	char text[32];
	int pair[2];

	world_start(6);
	is_int(sys_socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0, "pair");
	int file = create("/tmp/a", "inside");
	is_int(send_fd(pair[0], "one", -1), 3, "without");
	is_int(send_fd(pair[0], "two", file), 3, "with an fd");
	is_int(send_fd(pair[0], "three", -1), 5, "without");
	fd_close(&file);
	is_int(receive(pair[1], text), -1, "no fd comes early");
	is_str(text, "one", "and no byte of the next message");
	int got = receive(pair[1], text);
	ok(got >= 0, "the fd");
	is_str(text, "twothree", "with its bytes");
	is_int(sys_pread(got, text, 6, 0), 6, "still open");
	is_int(receive(pair[1], text), -1, "no more");
}

static int synced = -1;

static void on_synced(struct aio_sync *sync UNUSED, int error)
{
	synced = error;
}

static void test_aio(void)
{
	struct aio_sync sync = { .fd = -1 };

	world_start(8);
	world_put_file("/tmp/a", "old", 3, 0600);
	int fd = sys_openat(AT_FDCWD, "/tmp/a", O_RDWR, 0);
	is_int(sys_pwrite(fd, "new", 3, 0), 3, "write");
	aio_fsync(&sync, fd, on_synced);
	has("/tmp/a", true, "old");
	is_int(synced, -1, "not synced yet");
	loop_sim_advance(100);
	is_int(synced, 0, "synced");
	has("/tmp/a", true, "new");
	aio_fini();
}

static unsigned ends;

static void tool_ended(struct spawn_tool *tool)
{
	ends++;
	is_str(str_text(&tool->out), "{}\n", "its output");
	is_int(tool->exit.code, 2, "its exit status");
}

/* The code above the seam runs unchanged on the simulated loop. */
static void test_tool(void)
{
	const char *const argv[] = { "/bin/qemu", "info", NULL };
	struct spawn_tool tool = { .on_end = tool_ended };
	struct err err = ERR_INIT;

	world_start(9);
	world_on_spawn(on_spawn);
	world_put_file("/bin/qemu", "", 0, 0755);
	is_int(spawn_tool_start(&tool, argv, &err), 0, "start: %s", err.text);
	pid_t self = world_as(started);
	is_int(sys_write(1, "{}\n", 3), 3, "the tool writes");
	world_as(self);
	loop_sim_advance(10);
	is_int(ends, 0, "not yet");
	world_exit(started, 2);
	loop_sim_advance(10);
	is_int(ends, 1, "ended");
	spawn_tool_stop(&tool);
	is_int(spawn_tool_start(&tool, argv, &err), 0, "again");
	spawn_tool_stop(&tool);
	ok(!world_is_alive(started), "stop kills");
	loop_sim_advance(10);
	is_int(world_fds(world_self()), 3, "and reaps in the background");
	log_info("vm=web", "seen");
	ok(strstr(world_log(), "info vm=web seen\n") != NULL, "the log");
}

int main(void)
{
	test_files();
	test_power_loss();
	test_partial_loss();
	test_faults();
	test_same_seed();
	test_locks();
	test_processes();
	test_spawn_failures();
	test_sockets("/run/sock");
	test_sockets("\0abstract");
	test_passing();
	test_aio();
	test_tool();
	world_end();
	ok(!loop_sim_is_on(), "the real world again");
	str_fini(&started_argv);
	return done();
}
