/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The laboratory of `make bench`: a private --root with a supervisor and its
 * VMs, the programs that are timed, and the floor on the same arguments.
 * This process adopts the children of whom it kills, so that it can end all.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/bench.h"

enum { MAX_WORDS = 16, DISKS = 100, MAX_FLOOR_ARGS = 256 };

const char *lab_root;
const char *lab_build;
static char root[] = "/tmp/vmward-bench.XXXXXX";
static char fast[] = "/dev/shm/vmward-bench.XXXXXX";
static pid_t daemon_is = -1;
static int errors = -1; /* what the programs say on stderr */
static char floor_args[96], floor_serial[24], floor_monitor[24];

double now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

void sleep_ms(long ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000 };

	while (nanosleep(&ts, &ts) < 0 && errno == EINTR)
		;
}

/* ---- ends ---- */

/* The children of this process, also those that it inherited. */
static void kill_children(void)
{
	FILE *list = fopen("/proc/thread-self/children", "r");
	int pid;

	while (list && fscanf(list, "%d", &pid) == 1)
		kill(pid, SIGKILL);
	if (list)
		fclose(list);
}

static void remove_root(void)
{
	pid_t pid = vfork();

	if (pid == 0) {
		execlp("rm", "rm", "-rf", root, fast, NULL);
		_exit(127);
	}
	waitpid(pid, NULL, 0);
}

void lab_close(void)
{
	control_close();
	console_close();
	if (daemon_is > 0)
		kill(daemon_is, SIGKILL);
	daemon_is = -1;
	/* the death of a parent brings its children here: until none is left */
	for (;;) {
		kill_children();
		if (waitpid(-1, NULL, 0) < 0 && errno != EINTR)
			break;
	}
	remove_root();
}

/* The last lines that a program wrote to stderr. */
static void show_errors(void)
{
	char buf[2048];
	off_t end = lseek(errors, 0, SEEK_END);
	off_t from = end > (off_t)sizeof(buf) ? end - (off_t)sizeof(buf) : 0;
	ssize_t n = pread(errors, buf, sizeof(buf), from);

	if (n > 0)
		fprintf(stderr, "%.*s", (int)n, buf);
}

_Noreturn void die(const char *fmt, ...)
{
	va_list ap;

	if (errors >= 0)
		show_errors();
	fputs("bench: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	lab_close();
	exit(1);
}

static void on_signal(int signal)
{
	(void)signal;
	lab_close();
	_exit(130);
}

/* ---- files ---- */

static void make_dirs(const char *leaf)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", root, leaf);
	for (char *at = path + strlen(root) + 1; *at; at++) {
		if (*at != '/')
			continue;
		*at = '\0';
		mkdir(path, 0755);
		*at = '/';
	}
	if (mkdir(path, 0755))
		die("cannot make '%s': %s", path, strerror(errno));
}

void lab_instances(unsigned count)
{
	char path[256], temporary[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/etc/vmward/vms/vm@.ini", root);
	snprintf(temporary, sizeof(temporary), "%s/vm.ini", root);
	file = fopen(temporary, "w");
	if (!file)
		die("cannot write '%s': %s", temporary, strerror(errno));
	fprintf(file,
		"[vm]\ninstances = 0-%u\nmemory = 16M\naccel = tcg\n"
		"[disk.root]\nimage = %s/disk-%%i.raw\n",
		count - 1, root);
	if (fclose(file) || rename(temporary, path))
		die("cannot write '%s': %s", path, strerror(errno));
}

static void make_disks(void)
{
	static char boot[1 << 16];
	char path[256];
	ssize_t size;
	int fd;

	snprintf(path, sizeof(path), "%s/guest/bios.raw", lab_build);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	size = fd < 0 ? -1 : read(fd, boot, sizeof(boot));
	if (size <= 0)
		die("cannot read '%s': make guest", path);
	close(fd);
	for (unsigned i = 0; i < 2 * DISKS; i++) {
		snprintf(path, sizeof(path), "%s/%s-%u.raw", root,
			i < DISKS ? "disk" : "floor", i % DISKS);
		fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
		if (fd < 0 || write(fd, boot, (size_t)size) != size ||
			ftruncate(fd, 1 << 20))
			die("cannot write '%s': %s", path, strerror(errno));
		close(fd);
	}
}

/* As on any host, run is a tmpfs: a disk's file system would be measured. */
static void make_run(void)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/run", root);
	if (!mkdtemp(fast) || symlink(fast, path))
		die("cannot make '%s': %s", path, strerror(errno));
}

void lab_open(const char *build_dir)
{
	char path[64];

	lab_build = build_dir;
	if (!mkdtemp(root))
		die("cannot make a directory: %s", strerror(errno));
	lab_root = root;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	snprintf(path, sizeof(path), "%s/errors", root);
	errors = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	make_run();
	make_dirs("etc/vmward/vms");
	make_disks();
	lab_instances(1);
}

/* ---- programs ---- */

/*
 * Starts a program; its output goes to a descriptor.  A service manager gives
 * a daemon a session of its own, and the scheduler looks at that.
 */
static pid_t start_program(const char *const *argv, int out, bool daemon)
{
	const union {
		const char *const *ours;
		char *const *theirs;
	} args = { argv };
	pid_t pid = vfork();

	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);

		if (daemon)
			setsid();
		dup2(null, 0);
		dup2(out >= 0 ? out : null, 1);
		dup2(errors, 2);
		execvp(argv[0], args.theirs);
		_exit(127);
	}
	if (pid < 0)
		die("cannot start %s: %s", argv[0], strerror(errno));
	return pid;
}

struct cost run_program(const char *const *argv)
{
	double begin = now_ms();
	pid_t pid = start_program(argv, -1, false);
	struct cost cost = { 0 };
	struct rusage use;

	while (wait4(pid, &cost.status, 0, &use) < 0 && errno == EINTR)
		;
	cost.wall = now_ms() - begin;
	cost.cpu = (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1e3 +
		   (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e3;
	return cost;
}

struct cost vmward(const char *word, ...)
{
	char program[256];
	const char *argv[MAX_WORDS] = { program, "--root", root };
	unsigned n = 3;
	struct cost cost;
	va_list ap;

	snprintf(program, sizeof(program), "%s/vmward", lab_build);
	va_start(ap, word);
	for (const char *w = word; w && n < MAX_WORDS - 1;
		w = va_arg(ap, const char *))
		argv[n++] = w;
	va_end(ap);
	argv[n] = NULL;
	cost = run_program(argv);
	if (cost.status)
		die("vmward %s failed with wait status %d", word, cost.status);
	return cost;
}

/* ---- the supervisor ---- */

void daemon_spawn(void)
{
	char program[256];
	const char *argv[] = { program, "--root", root, NULL };

	snprintf(program, sizeof(program), "%s/vmwardd", lab_build);
	daemon_is = start_program(argv, -1, true);
}

pid_t daemon_pid(void)
{
	return daemon_is;
}

void daemon_end(int signal)
{
	kill(daemon_is, signal);
	while (waitpid(daemon_is, NULL, 0) < 0 && errno == EINTR)
		;
	daemon_is = -1;
}

/* ---- the floor ---- */

/* Where an argument says "id=NAME...,fd=N": N; the floor keeps those two. */
static bool take_fd(const char *arg, const char *id, char *out, size_t size)
{
	const char *fd = strstr(arg, ",fd=");

	if (!fd || strncmp(arg, "socket,id=", 10) != 0 ||
		strncmp(arg + 10, id, strlen(id)) != 0)
		return false;
	snprintf(out, size, "%ld", strtol(fd + 4, NULL, 10));
	return true;
}

/*
 * One argument as the floor uses it: sockets that nobody talks to are bound
 * by QEMU, and the disk is that of the instance, opened by its name.
 */
static void write_floor_arg(FILE *out, const char *arg)
{
	const char *disk = strstr(arg, "/dev/fdset/1\"");
	char fd[24];

	if (take_fd(arg, "mon", floor_monitor, sizeof(floor_monitor)) ||
		take_fd(arg, "serial0", floor_serial, sizeof(floor_serial)))
		fputs(arg, out);
	else if (take_fd(arg, "", fd, sizeof(fd)))
		fprintf(out, "%.*spath=%s/floor%s-@N@,server=on,wait=off",
			(int)(strstr(arg, "fd=") - arg), arg, root, fd);
	else if (disk)
		fprintf(out, "%.*s%s/floor-@N@.raw%s", (int)(disk - arg), arg,
			root, disk + strlen("/dev/fdset/1"));
	else
		fputs(arg, out);
	fputc('\0', out);
}

void floor_learn(void)
{
	char path[64], *arg = NULL;
	size_t size = 0;
	FILE *in, *out;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)qemu_pid(VM));
	snprintf(floor_args, sizeof(floor_args), "%s/floor.args", root);
	in = fopen(path, "r");
	out = fopen(floor_args, "w");
	if (!in || !out)
		die("cannot learn QEMU's arguments: %s", strerror(errno));
	while (getdelim(&arg, &size, '\0', in) > 0) {
		bool with_fd = strcmp(arg, "-add-fd") == 0;

		/* the descriptors of the disk: it has its name instead */
		if (with_fd && getdelim(&arg, &size, '\0', in) < 0)
			break;
		if (!with_fd)
			write_floor_arg(out, arg);
	}
	free(arg);
	fclose(in);
	if (fclose(out) || !*floor_serial || !*floor_monitor)
		die("cannot learn QEMU's arguments from '%s'", path);
}

/* "key=1 other=2" as an object. */
static json_t *parse_figures(char *text)
{
	json_t *out = json_object();
	char *rest = text;

	for (char *word; (word = strsep(&rest, " \n"));) {
		char *value = strchr(word, '=');

		if (!value)
			continue;
		*value++ = '\0';
		json_object_set_new(
			out, word, json_integer(strtoll(value, NULL, 10)));
	}
	return out;
}

json_t *floor_run(const char *option, const char *value)
{
	char program[256], buf[512];
	const char *argv[] = { program, "-m", floor_monitor, "-s", floor_serial,
		option ? option : floor_args, value ? value : floor_args,
		floor_args, NULL };
	int fds[2], status;
	ssize_t n, len = 0;
	pid_t pid;

	argv[option ? value ? 8 : 7 : 6] = NULL;
	snprintf(program, sizeof(program), "%s/tests/bench/floor", lab_build);
	if (pipe2(fds, O_CLOEXEC))
		die("cannot make a pipe: %s", strerror(errno));
	pid = start_program(argv, fds[1], false);
	close(fds[1]);
	while ((n = read(fds[0], buf + len, sizeof(buf) - 1 - (size_t)len)) > 0)
		len += n;
	close(fds[0]);
	buf[len] = '\0';
	waitpid(pid, &status, 0);
	if (status)
		die("the floor failed");
	return parse_figures(buf);
}

double floor_ms(const json_t *figures, const char *key)
{
	const json_t *value = json_object_get(figures, key);

	if (!value)
		die("the floor did not say %s", key);
	return (double)json_integer_value(value) / 1e3;
}
