/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The privileged verbs: what they make, and the names they refuse. */
#include "supervisor/host.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/sock.h"
#include "base/sys.h"

#include "tests/unit/tap.h"
#include "tests/unit/temp.h"

static struct err err = ERR_INIT;
static struct host_reply reply;

static struct host_request request(enum host_verb verb, const char *leaf)
{
	struct host_request rq = { .verb = verb, .vm = "web" };

	snprintf(rq.run_dir, sizeof(rq.run_dir), "%s", temp_root);
	snprintf(rq.leaf, sizeof(rq.leaf), "%s", leaf);
	return rq;
}

static int call(enum host_verb verb, const char *leaf)
{
	struct host_request rq = request(verb, leaf);

	return host_call(&rq, &reply, &err);
}

static mode_t mode_of(const char *name)
{
	struct stat st;

	return lstat(temp_path(name), &st) ? 0 : st.st_mode;
}

static bool is_there(const char *name)
{
	return mode_of(name) != 0;
}

/* ---- names ---- */

static void refused(struct host_request rq, const char *what)
{
	reply.fd = 77;
	is_int(host_call(&rq, &reply, &err), -1, "%s is refused", what);
	is_int(err.code, ERR_BUG, "as a bug of the caller");
	is_int(reply.fd, -1, "and gives no descriptor");
}

static void test_names(void)
{
	static const char *const vms[] = { "", ".", "..", "a/b", "../x", "/x",
		"Web", "a b", "a\tb", ".hidden", "w\xc3\xa9" };
	static const char *const leaves[] = { "", "lock", "..", "../monitor",
		"monitor/", "serial4", "console.sock", "/etc/passwd" };
	struct host_request rq;

	for (size_t i = 0; i < NELEMS(vms); i++) {
		rq = request(HOST_MAKE_DIRS, "");
		snprintf(rq.vm, sizeof(rq.vm), "%s", vms[i]);
		refused(rq, vms[i]);
	}
	for (size_t i = 0; i < NELEMS(leaves); i++) {
		refused(request(HOST_LISTEN, leaves[i]), leaves[i]);
		refused(request(HOST_FIFO, leaves[i]), leaves[i]);
	}
	refused(request(HOST_NVERBS, ""), "no verb");
	rq = request(HOST_RUN_QEMU, "");
	rq.nfds = HOST_FDS_MAX + 1;
	refused(rq, "one descriptor too many");
	ok(!is_there("web"), "nothing was made");
	rq = request(HOST_MAKE_DIRS, "");
	snprintf(rq.vm, sizeof(rq.vm), "ci@47.x-y_z");
	is_int(host_call(&rq, &reply, &err), 0, "all letters of a name are in");
}

/* ---- directories, sockets, the FIFO ---- */

static void test_dirs(void)
{
	umask(077);
	is_int(call(HOST_MAKE_DIRS, ""), 0, "make the directories");
	is_int(mode_of("web") & 07777, 0711, "the VM's is 0711");
	is_int(mode_of("web/priv") & 07777, 0700, "priv is 0700");
	chmod(temp_path("web"), 0777);
	chmod(temp_path("web/priv"), 0755);
	is_int(call(HOST_MAKE_DIRS, ""), 0, "make them again");
	is_int(mode_of("web") & 07777, 0711, "the modes are set");
	is_int(mode_of("web/priv") & 07777, 0700, "right again");
	rmdir(temp_path("web/priv"));
	mkdir(temp_path("elsewhere"), 0700);
	chmod(temp_path("elsewhere"), 0755);
	if (symlink(temp_path("elsewhere"), temp_path("web/priv")))
		ok(false, "symlink");
	is_int(call(HOST_MAKE_DIRS, ""), -1, "a link is no directory");
	is_int(mode_of("elsewhere") & 07777, 0755, "its target is untouched");
	unlink(temp_path("web/priv"));
	rmdir(temp_path("elsewhere"));
	is_int(call(HOST_MAKE_DIRS, ""), 0, "again without it");
}

static void test_sockets(void)
{
	AUTO_CLOSE int fd = -1;
	AUTO_CLOSE int listener = -1;

	is_int(call(HOST_LISTEN, "monitor"), 0, "listen");
	listener = reply.fd;
	ok(S_ISSOCK(mode_of("web/priv/monitor")), "a socket");
	is_int(mode_of("web/priv/monitor") & 07777, 0600, "of mode 0600");
	fd = sock_connect(temp_path("web/priv/monitor"), &err);
	ok(fd >= 0, "that can be connected");
}

static void test_fifo(void)
{
	AUTO_CLOSE int fd = -1;
	char byte = 0;

	is_int(call(HOST_FIFO, "stderr"), 0, "make a FIFO");
	fd = reply.fd;
	ok(S_ISFIFO(mode_of("web/priv/stderr")), "a FIFO");
	is_int(mode_of("web/priv/stderr") & 07777, 0600, "of mode 0600");
	ok(read(fd, &byte, 1) < 0 && errno == EAGAIN, "empty, not at its end");
	ok(write(fd, "x", 1) == 1, "written without a reader");
	is_int(call(HOST_FIFO, "stderr"), 0, "open it again");
	ok(read(reply.fd, &byte, 1) == 1 && byte == 'x',
		"and read what a dead one wrote");
	close(reply.fd);
	unlink(temp_path("web/priv/stderr"));
	close(open(temp_path("web/priv/stderr"), O_CREAT | O_WRONLY, 0600));
	is_int(call(HOST_FIFO, "stderr"), -1, "a plain file is none");
	is_int(reply.fd, -1, "and is not given");
	unlink(temp_path("web/priv/stderr"));
	if (symlink("/dev/null", temp_path("web/priv/stderr")))
		ok(false, "symlink");
	is_int(call(HOST_FIFO, "stderr"), -1, "nor is a link");
	unlink(temp_path("web/priv/stderr"));
}

/* ---- processes ---- */

static void test_processes(void)
{
	static const char *const argv[] = { "/bin/sh", "-c",
		"echo hi; exec cat <&9", NULL };
	struct host_request rq = request(HOST_RUN_QEMU, "");
	struct pollfd wait = { .events = POLLIN };
	char text[8] = "";
	int out[2];
	int in[2];
	int status = 0;

	if (pipe(out) || pipe(in))
		ok(false, "pipe");
	rq.argv = argv;
	rq.group = (struct spawn_group){ .into = -1, .procs = -1 };
	rq.fds[rq.nfds++] = (struct spawn_fd){ out[1], 1 };
	rq.fds[rq.nfds++] = (struct spawn_fd){ in[0], 9 };
	is_int(host_call(&rq, &reply, &err), 0, "run a program");
	ok(reply.pid > 0 && reply.fd >= 0, "with pid and pidfd");
	ok(read(out[0], text, 3) == 3 && strcmp(text, "hi\n") == 0,
		"on the descriptors it was given");
	is_int(getsid(reply.pid), reply.pid, "in a session of its own");
	rq = request(HOST_KILL, "");
	rq.pidfd = wait.fd = reply.fd;
	rq.signal = SIGTERM;
	is_int(host_call(&rq, &reply, &err), 0, "send it a signal");
	is_int(poll(&wait, 1, 20000), 1, "it dies");
	waitpid(-1, &status, 0);
	ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM, "of that");
	is_int(host_call(&rq, &reply, &err), 0, "a dead one is no error");
	rq.pidfd = -1;
	is_int(host_call(&rq, &reply, &err), -1, "no process is one");
	close(wait.fd);
	close(out[0]);
	close(out[1]);
	close(in[0]);
	close(in[1]);
	rq = request(HOST_RUN_QEMU, "");
	rq.argv = (const char *const[]){ "/no/such/qemu", NULL };
	is_int(host_call(&rq, &reply, &err), -1, "no such program");
	is_int(reply.fd, -1, "gives no pidfd");
}

/* ---- the end ---- */

/* A QEMU that ends while another one may have its guest. */
static void test_clean_beside_next(void)
{
	close(open(temp_path("web/priv/saving"), O_CREAT | O_WRONLY, 0600));
	is_int(call(HOST_LISTEN, HOST_NEXT "monitor"), 0, "a second one");
	close(reply.fd);
	is_int(call(HOST_LISTEN, "agent"), 0, "beside the first");
	close(reply.fd);
	is_int(call(HOST_CLEAN, ""), 0, "clean behind the first");
	ok(!is_there("web/priv/agent"), "takes what is of the process");
	ok(is_there("web/priv/saving"), "and not what is of the guest");
	is_int(call(HOST_CLEAN, HOST_NEXT), 0, "clean behind the second");
	ok(!is_there("web/priv/next-monitor"), "takes what is of it");
	ok(is_there("web/priv/saving"), "and nothing else");
	is_int(call(HOST_CLEAN, ""), 0, "clean when none is left");
	ok(!is_there("web/priv/saving"), "takes that too");
}

static void test_remove(void)
{
	int lock = open(temp_path("web/priv/lock"), O_CREAT | O_RDWR, 0600);

	close(open(temp_path("web/priv/config.ini"), O_CREAT | O_WRONLY, 0600));
	flock(lock, LOCK_EX);
	is_int(call(HOST_REMOVE, ""), 0, "remove while the lock is held");
	ok(is_there("web/priv/config.ini"), "leaves all as it is");
	is_int(call(HOST_CLEAN, ""), 0, "clean");
	ok(!is_there("web/priv/config.ini"), "takes the files");
	ok(!is_there("web/priv/monitor"), "and sockets");
	ok(is_there("web/priv/lock"), "and leaves the lock");
	close(lock);
	is_int(call(HOST_LISTEN, "monitor"), 0, "some more");
	close(reply.fd);
	close(open(temp_path("web/mine"), O_CREAT | O_WRONLY, 0600));
	is_int(call(HOST_REMOVE, ""), 0, "remove");
	ok(!is_there("web/priv"), "takes priv with all in it");
	ok(is_there("web/mine"), "but nothing of others");
	unlink(temp_path("web/mine"));
	is_int(call(HOST_REMOVE, ""), 0, "remove again");
	ok(!is_there("web"), "and now the directory");
	is_int(call(HOST_REMOVE, ""), 0, "harmless without one");
}

int main(void)
{
	temp_make();
	test_names();
	test_dirs();
	test_sockets();
	test_fifo();
	test_processes();
	test_clean_beside_next();
	test_remove();
	return done();
}
