/* SPDX-License-Identifier: GPL-2.0-or-later */
/* UNIX sockets: short and long paths, and who is at the other end. */
#include "base/sock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/sys.h"

#include "tests/unit/tap.h"
#include "tests/unit/temp.h"

static struct err err = ERR_INIT;

static mode_t mode_of(const char *path)
{
	struct stat st;

	return lstat(path, &st) ? 0 : st.st_mode & 07777;
}

/* Our end of a connection through a listener; *theirs is the other one. */
static int connect_pair(const char *path, int listener, int *theirs)
{
	int fd = sock_connect(path, &err);

	*theirs = fd < 0 ? -1 : sys_accept(listener);
	return fd;
}

static void test_short(void)
{
	const char *path = temp_path("s");
	AUTO_CLOSE int listener = -1;
	AUTO_CLOSE int fd = -1;
	AUTO_CLOSE int theirs = -1;

	is_int(sock_connect(path, &err), -1, "nothing there");
	is_int(err.code, ERR_UNREACHABLE, "is unreachable");
	umask(077);
	listener = sock_listen(path, 0666, 2, &err);
	ok(listener >= 0, "listen");
	is_int(mode_of(path), 0666, "the mode whatever the umask is");
	ok(fcntl(listener, F_GETFD) & FD_CLOEXEC, "close-on-exec");
	ok(fcntl(listener, F_GETFL) & O_NONBLOCK, "does not block");
	fd = connect_pair(path, listener, &theirs);
	ok(fd >= 0 && theirs >= 0, "connect");
	ok(fcntl(fd, F_GETFL) & O_NONBLOCK, "does not block either");
	ok(write(fd, "x", 1) == 1, "and bytes go through");
	fd_close(&listener);
	is_int(sock_connect(path, &err), -1, "a socket nobody listens on");
	is_int(err.code, ERR_UNREACHABLE, "is unreachable");
	listener = sock_listen(path, 0600, 2, &err);
	ok(listener >= 0, "a dead socket's place is taken");
	is_int(mode_of(path), 0600, "with the mode of now");
}

static void test_backlog(void)
{
	const char *path = temp_path("full");
	AUTO_CLOSE int listener = sock_listen(path, 0600, 1, &err);
	int fds[8];
	int n = 0;

	ok(listener >= 0, "a small backlog");
	while (n < 8 && (fds[n] = sock_connect(path, &err)) >= 0)
		n++;
	ok(n > 0 && n < 8, "a listener that accepts nobody fills up (%d)", n);
	is_int(err.code, ERR_UNREACHABLE, "then it is unreachable, at once");
	while (n > 0)
		close(fds[--n]);
}

static void test_long(void)
{
	AUTO_FREE char *dir =
		xasprintf("%s/%0*d/%0*d", temp_root, 90, 1, 90, 2);
	AUTO_FREE char *path = xasprintf("%s/monitor", dir);
	AUTO_FREE char *name = xasprintf("%s/%0*d", dir, 61, 3);
	AUTO_FREE char *file = xasprintf("%s/monitor/deeper", dir);
	AUTO_CLOSE int listener = -1;
	AUTO_CLOSE int fd = -1;
	AUTO_CLOSE int theirs = -1;

	is_int(sock_listen(path, 0600, 2, &err), -1, "no such directory");
	is_int(fd_make_dirs(dir, 0700, &err), 0, "make it");
	listener = sock_listen(path, 0640, 2, &err);
	ok(listener >= 0, "listen on %zu bytes of path", strlen(path));
	is_int(mode_of(path), 0640, "there, with its mode");
	fd = connect_pair(path, listener, &theirs);
	ok(fd >= 0 && theirs >= 0, "connect to it");
	fd_close(&listener);
	listener = sock_listen(path, 0600, 2, &err);
	ok(listener >= 0, "and take its place");
	is_int(sock_listen(name, 0600, 2, &err), -1, "a name of 61 bytes");
	is_int(err.code, ERR_LIMIT, "is too long");
	is_int(sock_connect(file, &err), -1, "a socket is no directory");
}

static void test_in_the_way(void)
{
	AUTO_FREE char *dir = xstrdup(temp_path("dir"));

	mkdir(dir, 0700);
	is_int(sock_listen(dir, 0600, 2, &err), -1, "no directory is removed");
	is_int(mode_of(dir), 0700, "it is still there");
	is_int(sock_listen("/proc/none/s", 0600, 2, &err), -1, "no place");
}

/* A child that connects, says so with a byte, and sleeps until killed. */
static pid_t start_client(const char *path)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (write(sock_connect(path, &err), "x", 1) == 1)
		for (;;)
			pause();
	_exit(1);
}

static void test_peer(void)
{
	AUTO_FREE char *path = xstrdup(temp_path("peer"));
	AUTO_CLOSE int listener = sock_listen(path, 0600, 2, &err);
	struct pollfd wait = { .fd = listener, .events = POLLIN };
	AUTO_CLOSE int pidfd = -1;
	struct sock_peer peer;
	pid_t pid = start_client(path);
	pid_t seen = 0;

	poll(&wait, 1, -1);
	AUTO_CLOSE int fd = sys_accept(listener);
	is_int(sock_peer(fd, &peer), 0, "the peer is known");
	is_int(peer.pid, pid, "by its pid");
	is_int(peer.uid, geteuid(), "its user");
	is_int(peer.gid, getegid(), "and its group");
	ok(sock_peer_in_group(fd, getegid()), "it is in its own group");
	ok(!sock_peer_in_group(fd, 0x7ffffff0), "and in no other");
	pidfd = sock_peer_pidfd(fd, &seen);
	ok(pidfd >= 0, "a pidfd of it");
	is_int(seen, pid, "with its pid");
	kill(pid, SIGKILL);
	wait = (struct pollfd){ .fd = pidfd, .events = POLLIN };
	is_int(poll(&wait, 1, 20000), 1, "tells its death");
	waitpid(pid, NULL, 0);
	is_int(sock_peer(-1, &peer), -1, "no socket, no peer");
	is_int(sock_peer_pidfd(-1, &seen), -1, "and no pidfd");
	ok(!sock_peer_in_group(-1, getegid()), "and no group");
}

int main(void)
{
	temp_make();
	test_short();
	test_backlog();
	test_long();
	test_in_the_way();
	test_peer();
	return done();
}
