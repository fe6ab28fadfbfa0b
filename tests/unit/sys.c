/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The real backend: flags at birth, listing, exit statuses, clocks. */
#include "base/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/stranger.h"
#include "base/sys_exec.h"
#include "tests/unit/tap.h"

static char dir[64];

static void is_cloexec(int fd, const char *what)
{
	ok(fd >= 0 && (fcntl(fd, F_GETFD) & FD_CLOEXEC), "%s is close-on-exec",
		what);
}

static void test_flags(void)
{
	int fds[2];
	char byte;

	AUTO_CLOSE int file = sys_openat(AT_FDCWD, dir, O_RDONLY, 0);
	is_cloexec(file, "a file");
	AUTO_CLOSE int event = sys_eventfd(0);
	is_cloexec(event, "an eventfd");
	is_int(sys_pipe(fds), 0, "pipe");
	is_cloexec(fds[0], "a pipe's reading end");
	is_cloexec(fds[1], "a pipe's writing end");
	is_int(sys_read(fds[0], &byte, 1), -1, "reading does not block");
	is_int(errno, EAGAIN, "but says so");
	ok(!(fcntl(fds[1], F_GETFL) & O_NONBLOCK), "writing does");
	ok(sys_is_writable(fds[1]), "an empty pipe is writable");
	fcntl(fds[1], F_SETFL, O_NONBLOCK);
	while (write(fds[1], dir, sizeof dir) > 0)
		continue;
	ok(!sys_is_writable(fds[1]), "a full one is not");
	fd_close(&fds[0]);
	fd_close(&fds[1]);
	AUTO_CLOSE int pidfd = sys_pidfd_open(getpid());
	is_cloexec(pidfd, "a pidfd");
}

/* Sends a descriptor over a socket pair. */
static void pass_fd(int over, int fd)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} room = { .bytes = { 0 } };
	struct iovec text = { .iov_base = (char[]){ 'x' }, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &text,
		.msg_iovlen = 1,
		.msg_control = room.bytes,
		.msg_controllen = sizeof room.bytes,
	};
	struct cmsghdr *head = CMSG_FIRSTHDR(&msg);

	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(head), &fd, sizeof fd);
	is_int(sys_sendmsg(over, &msg, 0), 1, "sent");
}

static int take_fd(int over)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} room = { .bytes = { 0 } };
	char byte;
	struct iovec text = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &text,
		.msg_iovlen = 1,
		.msg_control = room.bytes,
		.msg_controllen = sizeof room.bytes,
	};
	int fd = -1;

	is_int(sys_recvmsg(over, &msg, 0), 1, "received");
	struct cmsghdr *head = CMSG_FIRSTHDR(&msg);
	if (head)
		memcpy(&fd, CMSG_DATA(head), sizeof fd);
	return fd;
}

static void test_sockets(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int pair[2];

	snprintf(addr.sun_path, sizeof addr.sun_path, "%s/sock", dir);
	AUTO_CLOSE int server = sys_socket(AF_UNIX, SOCK_STREAM, 0);
	is_cloexec(server, "a socket");
	is_int(sys_bind(server, (struct sockaddr *)&addr, sizeof addr), 0,
		"bind");
	is_int(sys_listen(server, 1), 0, "listen");
	AUTO_CLOSE int client =
		sys_socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	is_int(sys_connect(client, (struct sockaddr *)&addr, sizeof addr), 0,
		"connect");
	AUTO_CLOSE int peer = sys_accept(server);
	is_cloexec(peer, "an accepted socket");
	ok(fcntl(peer, F_GETFL) & O_NONBLOCK, "and non-blocking");
	is_int(sys_socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0, "pair");
	is_cloexec(pair[0], "a pair's end");
	pass_fd(pair[0], server);
	AUTO_CLOSE int got = take_fd(pair[1]);
	is_cloexec(got, "a received descriptor");
	fd_close(&pair[1]);
	struct iovec text = { .iov_base = (char[]){ 'x' }, .iov_len = 1 };
	struct msghdr msg = { .msg_iov = &text, .msg_iovlen = 1 };
	is_int(sys_sendmsg(pair[0], &msg, 0), -1, "no peer: no SIGPIPE");
	is_int(errno, EPIPE, "but EPIPE");
	fd_close(&pair[0]);
	sys_unlinkat(AT_FDCWD, addr.sun_path, 0);
}

static void note(void *arg, const char *name)
{
	struct str *names = arg;

	str_addf(names, "[%s]", name);
}

static void test_files(void)
{
	AUTO_STR struct str names = STR_INIT;
	AUTO_CLOSE int at =
		sys_openat(AT_FDCWD, dir, O_RDONLY | O_DIRECTORY, 0);

	is_int(sys_mkdirat(at, "d", 0700), 0, "mkdir");
	is_int(sys_mkfifoat(at, "d/f", 0600), 0, "mkfifo");
	is_int(sys_listdir(at, "d", note, &names), 0, "list");
	is_str(str_text(&names), "[f]", "without . and ..");
	is_int(sys_listdir(at, "d/f", note, &names), -1, "not a directory");
	is_int(errno, ENOTDIR, "says so");
	is_int(sys_renameat2(at, "d/f", at, "d/f", 1), -1, "no replacing");
	is_int(errno, EEXIST, "flags arrive");
	is_int(sys_fchmodat(at, "d/f", 0640), 0, "chmod");
	is_int(sys_renameat(at, "d/f", at, "g"), 0, "rename");
	is_int(sys_unlinkat(at, "g", 0), 0, "unlink");
	is_int(sys_unlinkat(at, "d", AT_REMOVEDIR), 0, "rmdir");
}

static void test_wait(void)
{
	struct sys_exit how = { .known = false };
	int hold[2];

	is_int(sys_pipe(hold), 0, "pipe");
	pid_t pid = fork();
	if (pid == 0) {
		char byte;
		close(hold[1]);
		fcntl(hold[0], F_SETFL, 0);
		_exit(read(hold[0], &byte, 1) == 0 ? 9 : 1);
	}
	AUTO_CLOSE int pidfd = sys_pidfd_open(pid);
	fd_close(&hold[0]);
	is_int(sys_pidfd_wait(pidfd, &how), -1, "it lives");
	is_int(errno, EAGAIN, "EAGAIN");
	fd_close(&hold[1]);
	while (sys_pidfd_wait(pidfd, &how) < 0 && errno == EAGAIN)
		continue;
	ok(how.known && !how.signalled && how.code == 9, "exit status");
	is_int(waitpid(pid, NULL, 0), -1, "it was reaped");
	pid = fork();
	if (pid == 0)
		for (;;)
			pause();
	AUTO_CLOSE int other = sys_pidfd_open(pid);
	is_int(sys_pidfd_kill(other, SIGKILL), 0, "kill");
	while (sys_pidfd_wait(other, &how) < 0 && errno == EAGAIN)
		continue;
	ok(how.known && how.signalled && how.code == SIGKILL, "signal");
	is_int(sys_pidfd_kill(other, SIGKILL), -1, "kill of a dead one");
	is_int(errno, ESRCH, "ESRCH: never another process");
}

static uint64_t stopped_clock(void)
{
	return 42;
}

static void test_rest(void)
{
	unsigned char a[16] = { 0 };
	unsigned char b[16] = { 0 };

	is_int(sys_random(a, sizeof a), 0, "random");
	is_int(sys_random(b, sizeof b), 0, "random again");
	ok(memcmp(a, b, sizeof a) != 0, "differs");
	uint64_t before = sys_now_us();
	ok(sys_now_us() >= before && before > 0, "monotonic");
	ok(sys_realtime_us() > 1500000000LL * 1000000, "wall clock");
	struct sys_backend other = sys_real;
	other.now_us = stopped_clock;
	sys_use(&other);
	is_int(sys_now_us(), 42, "another backend");
	sys_use(&sys_real);
}

/* ---- what a parent of others knows ---- */

static int say_seven(int pidfd UNUSED, int *status)
{
	*status = 7 << 8;
	return 0;
}

static int know_nothing(int pidfd UNUSED, int *status UNUSED)
{
	errno = ECHILD;
	return -1;
}

/* A child that is dead and reaped: nobody but its parent knows. */
static void test_parent(void)
{
	pid_t pid = fork();
	int pidfd;
	int status = 0;

	if (pid == 0)
		_exit(3);
	pidfd = sys_pidfd_open(pid);
	is_int(stranger_pid(pidfd), pid, "the pid of a pidfd");
	waitpid(pid, NULL, 0);
	is_int(stranger_pid(pidfd), -1, "there is none any more");
	stranger_ask(say_seven);
	is_int(stranger_status(pidfd, &status), 0, "the parent is asked");
	is_int(status, 7 << 8, "and believed");
	stranger_ask(know_nothing);
	if (!stranger_status(pidfd, &status))
		is_int(status, 3 << 8, "else the kernel");
	else
		is_int(errno, ESRCH, "or nobody knows");
	stranger_ask(NULL);
	close(pidfd);
}

int main(void)
{
	snprintf(dir, sizeof dir, "/tmp/vmward-sys-XXXXXX");
	if (!mkdtemp(dir))
		return 1;
	test_flags();
	test_sockets();
	test_files();
	test_wait();
	test_rest();
	test_parent();
	is_int(rmdir(dir), 0, "nothing is left");
	return done();
}
