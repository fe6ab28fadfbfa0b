/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Children: what they inherit, how failure is told, that no exit is lost.
 * This program is its own helper: its first argument names the part to play.
 */
#include "base/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/loop.h"
#include "base/sys.h"
#include "tests/unit/tap.h"

static char self[256];

/* ---- the parts of the helper ---- */

static int play_report(void)
{
	FILE *status = fopen("/proc/self/status", "re");
	char line[256];
	char cwd[256] = "";
	mode_t mask = umask(0);

	while (status && fgets(line, sizeof line, status))
		if (strncmp(line, "SigBlk", 6) == 0 ||
			strncmp(line, "SigIgn", 6) == 0)
			printf("%s", line);
	if (status)
		fclose(status);
	for (int fd = 0; fd < 1024; fd++) {
		struct stat st;
		if (fstat(fd, &st) < 0)
			continue;
		printf("fd %d %s", fd, S_ISCHR(st.st_mode) ? "chr" : "");
		if (!S_ISCHR(st.st_mode))
			printf("ino %llu", (unsigned long long)st.st_ino);
		printf("%s\n", fcntl(fd, F_GETFD) ? " cloexec" : "");
	}
	printf("umask %03o\n", (unsigned)mask);
	printf("cwd %s\n", getcwd(cwd, sizeof cwd));
	printf("session %s\n", getsid(0) == getpid() ? "own" : "inherited");
	for (char **env = environ; *env; env++)
		printf("env %s\n", *env);
	return 0;
}

/* Has a child of its own that ends with 7; reaps it when told to. */
static int play_parent(void)
{
	char byte;
	pid_t pid = fork();

	if (pid == 0)
		_exit(read(0, &byte, 1) == 1 ? 7 : 1);
	printf("%d\n", (int)pid);
	fflush(stdout);
	if (read(3, &byte, 1) != 1)
		return 1;
	waitpid(pid, NULL, 0);
	return 0;
}

/* Starts a child that dies with us; says its pid; waits to be killed. */
static int play_keeper(void)
{
	const char *const argv[] = { self, "pause", NULL };
	struct err err = ERR_INIT;
	const struct spawn_plan plan = {
		.path = self,
		.argv = argv,
		.die_with_us = true,
	};
	pid_t pid = -1;
	int pidfd;

	if (spawn(&plan, &pid, &pidfd, &err) < 0)
		return 1;
	printf("%d\n", (int)pid);
	fflush(stdout);
	for (;;)
		pause();
}

static int play_talk(void)
{
	char text[3000];

	memset(text, 'e', sizeof text);
	text[sizeof text - 1] = '\n';
	for (int i = 0; i < 3; i++)
		fwrite(text, 1, sizeof text, stderr);
	fprintf(stderr, "last words\n");
	printf("one\n(10/100%%)\r(20/100%%)\rlast");
	return 3;
}

static int play_flood(void)
{
	for (int i = 0; i < 20000; i++)
		printf("line %05d\n", i);
	return 0;
}

static int play(const char *part)
{
	if (str_eq(part, "report"))
		return play_report();
	if (str_eq(part, "parent"))
		return play_parent();
	if (str_eq(part, "keeper"))
		return play_keeper();
	if (str_eq(part, "talk"))
		return play_talk();
	if (str_eq(part, "flood"))
		return play_flood();
	if (str_eq(part, "pause"))
		for (;;)
			pause();
	return 99;
}

/* ---- the tests ---- */

/* Runs self with a part to play; its stdout goes to fd 1 of the pipe. */
static pid_t start_part(
	const char *part, const struct spawn_fd *fds, size_t nfds, int *pidfd)
{
	const char *const argv[] = { self, part, NULL };
	const struct spawn_plan plan = {
		.path = self,
		.argv = argv,
		.fds = fds,
		.nfds = nfds,
		.new_session = true,
	};
	struct err err = ERR_INIT;
	pid_t pid = -1;

	ok(spawn(&plan, &pid, pidfd, &err) == 0, "start %s: %s", part,
		err.text);
	return pid;
}

static void slurp(int fd, struct str *out)
{
	char buf[4096];
	ssize_t n;

	fcntl(fd, F_SETFL, 0);
	while ((n = read(fd, buf, sizeof buf)) > 0)
		str_addn(out, buf, (size_t)n);
}

static int wait_for(int pidfd, struct sys_exit *how)
{
	int rc;

	do
		rc = sys_pidfd_wait(pidfd, how);
	while (rc < 0 && (errno == EAGAIN || errno == EINPROGRESS));
	return rc;
}

static unsigned long long inode(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 ? (unsigned long long)st.st_ino : 0;
}

static void has_line(const struct str *report, const char *line)
{
	AUTO_FREE char *want = xasprintf("\n%s\n", line);

	if (!ok(strstr(str_text(report), want) != NULL, "child has '%s'", line))
		printf("# %s\n", str_text(report));
}

static unsigned count_lines(const struct str *report, const char *prefix)
{
	unsigned n = 0;

	for (const char *p = str_text(report); (p = strstr(p, prefix)); p++)
		n += p > str_text(report) && p[-1] == '\n';
	return n;
}

/* A child of a parent with odd signals, fds, umask and environment. */
static void test_inheritance(const char *way)
{
	AUTO_STR struct str report = STR_INIT;
	struct sys_exit how = { .known = false };
	char line[64];
	int out[2];
	int a[2];
	int b[2];
	int pidfd = -1;

	printf("# by %s\n", way);
	is_int(sys_pipe(out) + sys_pipe(a) + sys_pipe(b), 0, "pipes");
	int odd = dup(a[0]); /* not close-on-exec */
	/* a and b change places, 60 lies above a gap */
	const struct spawn_fd fds[] = {
		/* the next free ones, where copies would be made */
		{ a[1], odd + 2 },
		{ b[1], odd + 1 },
		{ a[0], b[0] },
		{ b[0], a[0] },
		{ out[1], 1 },
		{ a[1], 60 },
	};
	pid_t pid = start_part("report", fds, NELEMS(fds), &pidfd);
	ok(pid > 0 && pidfd >= 0, "pid and pidfd");
	fd_close(&out[1]);
	str_add(&report, "\n");
	slurp(out[0], &report);
	is_int(wait_for(pidfd, &how), 0, "wait");
	ok(how.known && !how.signalled && how.code == 0, "ends well");
	has_line(&report, "fd 0 chr");
	has_line(&report, "fd 2 chr");
	snprintf(line, sizeof line, "fd %d ino %llu", b[0], inode(a[0]));
	has_line(&report, line);
	snprintf(line, sizeof line, "fd %d ino %llu", a[0], inode(b[0]));
	has_line(&report, line);
	snprintf(line, sizeof line, "fd 60 ino %llu", inode(a[1]));
	has_line(&report, line);
	snprintf(line, sizeof line, "fd %d ino %llu", odd + 2, inode(a[1]));
	has_line(&report, line);
	snprintf(line, sizeof line, "fd %d ino %llu", odd + 1, inode(b[1]));
	has_line(&report, line);
	is_int(count_lines(&report, "fd "), 8, "exactly these descriptors");
	has_line(&report, "SigBlk:\t0000000000000000");
	has_line(&report, "SigIgn:\t0000000000000000");
	has_line(&report, "umask 077");
	has_line(&report, "cwd /");
	has_line(&report, "session own");
	has_line(&report, "env LANG=C.UTF-8");
	is_int(count_lines(&report, "env "), 2, "PATH and LANG only");
	close(odd);
	for (int i = 0; i < 2; i++) {
		fd_close(&a[i]);
		fd_close(&b[i]);
	}
	fd_close(&out[0]);
	fd_close(&pidfd);
}

static void note(void *arg, const char *name UNUSED)
{
	*(int *)arg += 1;
}

static int open_fds(void)
{
	int n = 0;

	return sys_listdir(AT_FDCWD, "/proc/self/fd", note, &n) == 0 ? n : -1;
}

static void fails_at(struct spawn_plan *plan, const char *want)
{
	const char *const argv[] = { "x", NULL };
	struct err err = ERR_INIT;
	int before = open_fds();
	pid_t pid = -5;
	int pidfd = -5;

	plan->argv = argv;
	is_int(spawn(plan, &pid, &pidfd, &err), -1, "fails");
	is_str(err.text, want, "naming the stage");
	ok(err.code == ERR_OS && err.os > 0, "with errno");
	ok(pid == -5 && pidfd == -5, "outputs untouched");
	is_int(open_fds(), before, "no descriptor is left");
	is_int(waitpid(-1, NULL, WNOHANG), -1, "no zombie is left");
}

static void test_failures(void)
{
	const struct spawn_fd bad[] = { { 900, 3 } };
	AUTO_FREE char *dir = xasprintf("cannot start '%s': entering its "
					"directory: No such file or directory",
		self);
	AUTO_FREE char *fds = xasprintf("cannot start '%s': passing "
					"descriptors: Bad file descriptor",
		self);

	fails_at(&(struct spawn_plan){ .path = "/nonexistent" },
		"cannot start '/nonexistent': exec: "
		"No such file or directory");
	fails_at(&(struct spawn_plan){ .path = "/etc/passwd" },
		"cannot start '/etc/passwd': exec: Permission denied");
	fails_at(&(struct spawn_plan){ .path = self, .dir = "/nonexistent" },
		dir);
	fails_at(&(struct spawn_plan){ .path = self, .fds = bad, .nfds = 1 },
		fds);
}

static unsigned ended;
static unsigned wrong;

struct quick {
	struct loop_child child;
	int code;
};

static void quick_ended(struct loop_child *child, const struct sys_exit *how)
{
	struct quick *quick = container_of(child, struct quick, child);

	ended++;
	wrong += !how->known || how->signalled || how->code != quick->code;
	fd_close(&child->pidfd);
}

static void test_many(void)
{
	static struct quick quick[200];
	char command[32];
	const char *const argv[] = { "sh", "-c", command, NULL };
	const struct spawn_plan plan = { .path = "/bin/sh", .argv = argv };
	struct err err = ERR_INIT;
	int before = open_fds();
	unsigned failed = 0;

	for (int i = 0; i < 200; i++) {
		pid_t pid;
		int pidfd;
		quick[i].code = i % 100;
		snprintf(command, sizeof command, "exit %d", i % 100);
		if (spawn(&plan, &pid, &pidfd, &err) < 0)
			failed++;
		else
			loop_child_start(&quick[i].child, pidfd, quick_ended);
		if (i % 10 == 0)
			loop_turn(false);
	}
	loop_run();
	is_int(failed, 0, "all start");
	is_int(ended, 200, "all ends are seen");
	is_int(wrong, 0, "with the right exit status");
	is_int(open_fds(), before, "no descriptor is left");
}

/* The pid that a helper prints first. */
static pid_t read_pid(int fd)
{
	char text[32] = "";
	size_t len = 0;

	fcntl(fd, F_SETFL, 0);
	while (len < sizeof text - 1 && read(fd, text + len, 1) == 1)
		if (text[len++] == '\n')
			break;
	return (pid_t)strtol(text, NULL, 10);
}

static void test_die_with_us(void)
{
	struct sys_exit how = { .known = false };
	int out[2];
	int keeper = -1;

	is_int(sys_pipe(out), 0, "pipe");
	const struct spawn_fd fds[] = { { out[1], 1 } };
	start_part("keeper", fds, 1, &keeper);
	fd_close(&out[1]);
	pid_t pid = read_pid(out[0]);
	ok(pid > 1, "the keeper has a child");
	int child = sys_pidfd_open(pid);
	is_int(sys_pidfd_wait(child, &how), -1, "which lives");
	is_int(errno, EAGAIN, "and is not ours");
	sys_pidfd_kill(keeper, SIGKILL);
	is_int(wait_for(keeper, &how), 0, "the keeper is killed");
	/* the child's copy of the pipe is gone when the child is */
	bool dead = false;
	for (int64_t end = loop_now_ms() + 10000; loop_now_ms() < end;) {
		dead = sys_pidfd_wait(child, &how) == 0 || errno == EINPROGRESS;
		if (dead)
			break;
	}
	ok(dead, "its child dies with it");
	fd_close(&child);
	fd_close(&keeper);
	fd_close(&out[0]);
}

/* How a process ended that is not our child. */
static void test_stranger(void)
{
	struct sys_exit how = { .known = false };
	int in[2];
	int out[2];
	int reap[2];
	int helper = -1;

	is_int(sys_pipe(in) + sys_pipe(out) + sys_pipe(reap), 0, "pipes");
	fcntl(in[0], F_SETFL, 0);
	fcntl(reap[0], F_SETFL, 0);
	const struct spawn_fd fds[] = { { in[0], 0 }, { out[1], 1 },
		{ reap[0], 3 } };
	start_part("parent", fds, NELEMS(fds), &helper);
	int child = sys_pidfd_open(read_pid(out[0]));
	is_int(sys_pidfd_wait(child, &how), -1, "it lives");
	is_int(errno, EAGAIN, "EAGAIN");
	is_int(write(in[1], "x", 1), 1, "let it end");
	int rc;
	while ((rc = sys_pidfd_wait(child, &how)) < 0 && errno == EAGAIN)
		continue;
	bool asks = rc == 0 ? how.known : errno == EINPROGRESS;
	is_int(write(reap[1], "x", 1), 1, "let it be reaped");
	is_int(wait_for(helper, &how), 0, "its parent ends");
	is_int(how.code, 0, "well");
	is_int(sys_pidfd_wait(child, &how), 0, "its end is known");
	if (asks)
		ok(how.known && !how.signalled && how.code == 7,
			"with its status, by PIDFD_GET_INFO");
	else
		ok(!how.known, "as unknown: this kernel does not tell");
	for (int i = 0; i < 2; i++) {
		fd_close(&in[i]);
		fd_close(&out[i]);
		fd_close(&reap[i]);
	}
	fd_close(&child);
	fd_close(&helper);
}

static unsigned tool_ends;
static struct str lines = STR_INIT;
static unsigned line_count;
static unsigned stop_at;

static void tool_ended(struct spawn_tool *tool)
{
	tool_ends++;
	ok(tool->exited, "on_end comes after the exit");
}

static void tool_said(struct spawn_tool *tool, const char *line)
{
	line_count++;
	if (lines.len < 200)
		str_addf(&lines, "[%s]", line);
	if (line_count == stop_at)
		spawn_tool_stop(tool);
}

static void test_tool(void)
{
	struct spawn_tool tool = { .on_end = tool_ended };
	const char *const argv[] = { self, "talk", NULL };
	struct err err = ERR_INIT;
	int before = open_fds();

	is_int(spawn_tool_start(&tool, argv, &err), 0, "tool: %s", err.text);
	loop_run();
	is_int(tool_ends, 1, "on_end, once");
	is_str(str_text(&tool.out), "one\n(10/100%)\r(20/100%)\rlast",
		"stdout");
	is_int(tool.errors.len, 4096, "the last 4 KiB of stderr");
	ok(str_ends(str_text(&tool.errors), "e\nlast words\n"), "its end");
	ok(tool.exit.known && tool.exit.code == 3, "exit status");
	spawn_tool_stop(&tool);
	tool.on_line = tool_said;
	is_int(spawn_tool_start(&tool, argv, &err), 0, "again, by lines");
	loop_run();
	is_str(str_text(&lines), "[one][(10/100%)][(20/100%)][last]", "lines");
	is_int(tool_ends, 2, "on_end");
	spawn_tool_stop(&tool);
	spawn_tool_stop(&tool);
	is_int(open_fds(), before, "no descriptor is left");
}

static void test_flood(void)
{
	struct spawn_tool tool = { .on_end = tool_ended };
	const char *const argv[] = { self, "flood", NULL };
	struct err err = ERR_INIT;
	int before = open_fds();

	tool_ends = line_count = 0;
	is_int(spawn_tool_start(&tool, argv, &err), 0, "flood");
	loop_run();
	is_int(tool.out.len, 65536, "stdout is capped");
	ok(tool.truncated, "and says so");
	spawn_tool_stop(&tool);
	tool.on_line = tool_said;
	is_int(spawn_tool_start(&tool, argv, &err), 0, "flood by lines");
	loop_run();
	is_int(line_count, 20000, "every line comes");
	spawn_tool_stop(&tool);
	line_count = 0;
	stop_at = 5;
	is_int(spawn_tool_start(&tool, argv, &err), 0, "flood again");
	loop_run();
	is_int(line_count, 5, "stopped by its own line: no more lines");
	is_int(tool_ends, 2, "and no end");
	is_int(waitpid(-1, NULL, WNOHANG), -1, "but it was reaped");
	is_int(open_fds(), before, "no descriptor is left");
}

static void test_find(void)
{
	const char *const none[] = { "no-such-tool-vmward", NULL };
	struct spawn_tool tool = { .on_end = tool_ended };
	struct err err = ERR_INIT;

	AUTO_FREE char *sh = spawn_find("sh");
	ok(sh && sh[0] == '/' && str_ends(sh, "/sh"), "sh is %s", sh);
	AUTO_FREE char *there = spawn_find("/bin/sh");
	is_str(there, "/bin/sh", "a path stays");
	is_str(spawn_find("/etc/passwd"), NULL, "not a program");
	is_str(spawn_find(""), NULL, "no name");
	is_int(spawn_tool_start(&tool, none, &err), -1, "missing tool");
	is_str(err.text,
		"cannot start 'no-such-tool-vmward': "
		"no such program on PATH",
		"its text");
	spawn_tool_stop(&tool);
}

static struct sys_backend forking;

int main(int argc, char **argv)
{
	struct err err = ERR_INIT;
	sigset_t blocked;

	ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
	if (len < 0)
		return 1;
	if (argc > 1)
		return play(argv[1]);
	setenv("JUNK", "1", 1);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR1);
	sigprocmask(SIG_SETMASK, &blocked, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	umask(0);
	is_int(loop_init(&err), 0, "loop");
	test_inheritance("clone");
	test_failures();
	forking = sys_real;
	forking.spawn = child_start_by_fork;
	sys_use(&forking);
	test_inheritance("fork");
	test_failures();
	sys_use(&sys_real);
	sigprocmask(SIG_SETMASK, NULL, &blocked);
	ok(sigismember(&blocked, SIGUSR1) && !sigismember(&blocked, SIGUSR2),
		"our own mask is as before");
	test_many();
	test_die_with_us();
	test_stranger();
	test_tool();
	test_flood();
	test_find();
	str_fini(&lines);
	loop_fini();
	return done();
}
