/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The floor of `make bench`: the least a program can do to run QEMU.  Binds
 * and listens monitor and serial socket, connects to both, vforks QEMU with
 * the arguments of a file, sends two commands, waits, kills.  Prints one line
 * per round, microseconds as key=value:
 *
 *   exec   vfork returned: the child runs QEMU
 *   cont   the reply to cont
 *   ready  "READY" on the serial port (-s), all instances
 *   next   -r: SIGKILL -> READY of a successor started at its death
 *   reexec -r: its death -> the successor's exec
 *   gone   SIGKILL -> reaped, all instances
 *   cpu    our own CPU time of the round
 *   ping   -q: median round trip of one query-status
 *   stop   -t: median round trip of stop, on a warm monitor
 *   off    -p: the guest told to power off -> reaped; nobody is killed
 *   burst  -b: of stops: the first guest stopped -> the last one
 *   save, load   -v: of the memory, by QEMU's jobs
 *   attach, detach   -d: of a disk; the BIOS guest is told to let go
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MAX_ARGS = 1024, MAX_INSTANCES = 256, PATIENCE_MS = 60000 };

struct options {
	int monitor_fd; /* where QEMU finds it */
	int serial_fd;  /* -1: not looked at */
	int rounds;
	int count; /* instances at once */
	int pings;
	int stops;
	bool restart;
	bool power;
	bool burst;        /* stops, of all instances */
	const char *disk;  /* an image to plug in and out */
	const char *state; /* an image for the memory */
	const char *file;
};

struct instance {
	pid_t pid;
	int monitor;
	int serial;
	int replies;    /* "return" seen on the monitor */
	size_t matched; /* bytes of READY seen on the serial port */
	bool ready;
	bool off;           /* SHUTDOWN seen */
	bool deleted;       /* DEVICE_DELETED of our disk seen */
	bool ended;         /* a job */
	int64_t stopped_us; /* by QEMU's clock */
};

static char *args; /* the file: NUL-separated */
static size_t args_len;
static char dir[] = "/tmp/vmward-floor.XXXXXX";

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "floor: cannot %s: %s\n", what, strerror(errno));
	exit(1);
}

static int64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static int64_t cpu_us(void)
{
	struct rusage r;

	getrusage(RUSAGE_SELF, &r);
	return (int64_t)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) * 1000000 +
	       r.ru_utime.tv_usec + r.ru_stime.tv_usec;
}

static void read_args(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	enum { MOST = 1 << 20 };
	ssize_t n;

	args = malloc(MOST);
	if (fd < 0 || !args)
		fail("open the file of arguments");
	while ((n = read(fd, args + args_len, MOST - 1 - args_len)) > 0)
		args_len += (size_t)n;
	if (args_len == 0 || args[args_len - 1] != '\0')
		args[args_len++] = '\0';
	close(fd);
}

/* The arguments of one instance: "@N@" becomes its number. */
static void build_argv(int number, char **argv)
{
	size_t count = 0;

	for (char *arg = args; arg < args + args_len && count < MAX_ARGS - 1;
		arg += strlen(arg) + 1) {
		char *mark = strstr(arg, "@N@");

		if (!mark)
			argv[count++] = strdup(arg);
		else if (asprintf(&argv[count++], "%.*s%d%s", (int)(mark - arg),
				 arg, number, mark + 3) < 0)
			fail("build the arguments");
	}
	argv[count] = NULL;
}

/* A listening socket, and a connection to it made before anyone accepts. */
static int listen_and_connect(const char *name, int number, int *listener)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	*listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/%s%d", dir, name,
		number);
	unlink(addr.sun_path);
	if (fd < 0 || *listener < 0 ||
		bind(*listener, (struct sockaddr *)&addr, sizeof(addr)) < 0 ||
		listen(*listener, 1) < 0 ||
		connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		fail("make a socket");
	unlink(addr.sun_path);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

/* In the child, sharing our memory: only calls that leave it alone. */
static _Noreturn void exec_qemu(
	const struct options *o, char **argv, int monitor, int serial)
{
	int null = open("/dev/null", O_RDWR);

	setsid(); /* as ours: the scheduler gives each session its share */
	dup2(null, 0);
	dup2(null, 1);
	/* out of the way of the numbers that QEMU was told */
	monitor = fcntl(monitor, F_DUPFD_CLOEXEC, 500);
	if (serial >= 0)
		serial = fcntl(serial, F_DUPFD_CLOEXEC, 500);
	dup2(monitor, o->monitor_fd);
	if (serial >= 0)
		dup2(serial, o->serial_fd);
	execvp(argv[0], argv);
	_exit(127);
}

static void start(const struct options *o, int number, struct instance *it)
{
	static const char hello[] =
		"{\"execute\":\"qmp_capabilities\"}\n{\"execute\":\"cont\"}\n";
	char *argv[MAX_ARGS];
	int monitor, serial = -1;

	memset(it, 0, sizeof(*it));
	it->serial = -1;
	build_argv(number, argv);
	it->monitor = listen_and_connect("mon", number, &monitor);
	if (o->serial_fd >= 0)
		it->serial = listen_and_connect("ser", number, &serial);
	it->pid = vfork();
	if (it->pid == 0)
		exec_qemu(o, argv, monitor, serial);
	if (it->pid < 0)
		fail("vfork");
	close(monitor);
	if (serial >= 0)
		close(serial);
	for (char **arg = argv; *arg; arg++)
		free(*arg);
	if (write(it->monitor, hello, strlen(hello)) < 0)
		fail("write to QEMU");
}

/* The time that stands before an event. */
static int64_t event_us(const char *buf, const char *event)
{
	static const char key[] = "\"timestamp\": {\"seconds\": ";
	const char *last = NULL;
	char *end;
	int64_t s;

	for (const char *at = buf; (at = strstr(at, key)) && at < event; at++)
		last = at;
	if (!last)
		return 0;
	s = strtoll(last + strlen(key), &end, 10);
	return s * 1000000 +
	       strtoll(end + strlen(", \"microseconds\": "), NULL, 10);
}

/* Counts the replies in what came; they are short, never cut in practice. */
static void read_monitor(struct instance *it)
{
	char buf[8192];
	ssize_t n = read(it->monitor, buf, sizeof(buf) - 1);

	if (n == 0) {
		fprintf(stderr, "floor: QEMU closed its monitor\n");
		exit(1);
	}
	buf[n > 0 ? n : 0] = '\0';
	for (char *at = buf; (at = strstr(at, "\"return\"")); at++)
		it->replies++;
	it->off = it->off || strstr(buf, "\"SHUTDOWN\"");
	it->deleted = it->deleted || strstr(buf, "\"device\": \"disk-data\"");
	it->ended = it->ended || strstr(buf, "\"concluded\"");
	if (strstr(buf, "\"STOP\""))
		it->stopped_us = event_us(buf, strstr(buf, "\"STOP\""));
	if (strstr(buf, "\"error\"")) {
		fprintf(stderr, "floor: QEMU refused: %s\n", buf);
		exit(1);
	}
}

static void read_serial(struct instance *it)
{
	static const char word[] = "READY";
	char buf[4096];
	ssize_t n = read(it->serial, buf, sizeof(buf));

	for (ssize_t i = 0; i < n && !it->ready; i++) {
		it->matched = buf[i] == word[it->matched] ? it->matched + 1 : 0;
		it->ready = it->matched == strlen(word);
	}
}

/* One turn: reads what any instance sent, within a time; false: nothing. */
static bool turn_within(struct instance *all, int count, int ms)
{
	struct pollfd fds[2 * MAX_INSTANCES];

	for (int i = 0; i < count; i++) {
		fds[2 * i] = (struct pollfd){ all[i].monitor, POLLIN, 0 };
		fds[2 * i + 1] = (struct pollfd){ all[i].serial, POLLIN, 0 };
	}
	if (poll(fds, (nfds_t)(2 * count), ms) == 0)
		return false;
	for (int i = 0; i < count; i++) {
		if (fds[2 * i].revents)
			read_monitor(&all[i]);
		if (fds[2 * i + 1].revents)
			read_serial(&all[i]);
	}
	return true;
}

static void turn(struct instance *all, int count)
{
	if (!turn_within(all, count, PATIENCE_MS)) {
		fprintf(stderr, "floor: QEMU does not answer\n");
		exit(1);
	}
}

static void wait_cont(struct instance *all, int count)
{
	for (int i = 0; i < count; i++)
		while (all[i].replies < 2)
			turn(all, count);
}

static void wait_ready(struct instance *all, int count)
{
	for (int i = 0; i < count; i++)
		while (all[i].serial >= 0 && !all[i].ready)
			turn(all, count);
}

static void reap(struct instance *it)
{
	while (waitpid(it->pid, NULL, 0) < 0 && errno == EINTR)
		;
	close(it->monitor);
	if (it->serial >= 0)
		close(it->serial);
}

static int by_size(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Sends a command and waits for its reply. */
static void tell(struct instance *it, const char *command)
{
	int before = it->replies;

	if (write(it->monitor, command, strlen(command)) < 0)
		fail("write to QEMU");
	while (it->replies == before)
		turn(it, 1);
}

/* The same, made as by printf. */
__attribute__((format(printf, 2, 3))) static void tellf(
	struct instance *it, const char *form, ...)
{
	char command[1024];
	va_list ap;

	va_start(ap, form);
	vsnprintf(command, sizeof(command), form, ap);
	va_end(ap);
	tell(it, command);
}

/*
 * The median round trip of a command on a warm monitor; another one, if
 * given, undoes it each time.
 */
static int64_t round_trip(
	struct instance *it, int times, const char *command, const char *undo)
{
	int64_t *took = calloc((size_t)times, sizeof(*took));
	int64_t median;

	if (!took)
		fail("allocate");
	for (int i = 0; i < times; i++) {
		int64_t begin = now_us();

		tell(it, command);
		took[i] = now_us() - begin;
		if (undo)
			tell(it, undo);
	}
	qsort(took, (size_t)times, sizeof(*took), by_size);
	median = took[times / 2];
	free(took);
	return median;
}

/* What the options want to know of one QEMU that runs. */
static void look_closely(const struct options *o, struct instance *it)
{
	if (o->pings > 0)
		printf(" ping=%lld",
			(long long)round_trip(it, o->pings,
				"{\"execute\":\"query-status\"}\n", NULL));
	if (o->stops > 0)
		printf(" stop=%lld", (long long)round_trip(it, o->stops,
					     "{\"execute\":\"stop\"}\n",
					     "{\"execute\":\"cont\"}\n"));
}

static void type(struct instance *it, char byte)
{
	if (write(it->serial, &byte, 1) < 0)
		fail("write to the guest");
}

static void plug(struct instance *it, const char *image)
{
	int64_t begin = now_us();

	tellf(it,
		"{\"execute\":\"blockdev-add\",\"arguments\":{\"driver\":\"raw\","
		"\"node-name\":\"disk-data\",\"discard\":\"unmap\","
		"\"cache\":{\"direct\":true},\"file\":{\"driver\":\"file\","
		"\"filename\":\"%s\",\"aio\":\"io_uring\",\"cache\":"
		"{\"direct\":true}}}}\n",
		image);
	tell(it, "{\"execute\":\"device_add\",\"arguments\":{\"driver\":"
		 "\"virtio-blk-pci\",\"id\":\"disk-data\",\"bus\":\"rp1\","
		 "\"drive\":\"disk-data\",\"serial\":\"data\"}}\n");
	printf(" attach=%lld", (long long)(now_us() - begin));
}

static void unplug(struct instance *it)
{
	int64_t begin = now_us();

	tell(it, "{\"execute\":\"device_del\",\"arguments\":{\"id\":"
		 "\"disk-data\"}}\n");
	do
		type(it, 'e');
	while (!turn_within(it, 1, 1) || !it->deleted);
	tell(it, "{\"execute\":\"blockdev-del\",\"arguments\":{\"node-name\":"
		 "\"disk-data\"}}\n");
	printf(" detach=%lld", (long long)(now_us() - begin));
}

/* All of them at once. */
static void burst(struct instance *all, int count)
{
	static const char stop[] = "{\"execute\":\"stop\"}\n";
	int64_t first = INT64_MAX, last = 0;

	for (int i = 0; i < count; i++)
		if (write(all[i].monitor, stop, strlen(stop)) < 0)
			fail("write to QEMU");
	for (int i = 0; i < count; i++) {
		while (!all[i].stopped_us)
			turn(all, count);
		first = all[i].stopped_us < first ? all[i].stopped_us : first;
		last = all[i].stopped_us > last ? all[i].stopped_us : last;
	}
	printf(" burst=%lld", (long long)(last - first));
}

/* A job of QEMU's that keeps the memory, or goes back to it. */
static int64_t memory_job(struct instance *it, const char *command)
{
	int64_t begin = now_us();

	it->ended = false;
	tellf(it,
		"{\"execute\":\"%s\",\"arguments\":{\"job-id\":\"%s\",\"tag\":"
		"\"t\",\"vmstate\":\"v\",\"devices\":[\"v\"]}}\n",
		command, command);
	while (!it->ended)
		turn(it, 1);
	return now_us() - begin;
}

static void keep_memory(struct instance *it, const char *image)
{
	tellf(it,
		"{\"execute\":\"blockdev-add\",\"arguments\":{\"driver\":"
		"\"qcow2\",\"node-name\":\"v\",\"file\":{\"driver\":\"file\","
		"\"filename\":\"%s\"}}}\n",
		image);
	printf(" save=%lld", (long long)memory_job(it, "snapshot-save"));
	printf(" load=%lld", (long long)memory_job(it, "snapshot-load"));
}

/* The guest powers off; -action shutdown=pause leaves the rest to us. */
static void power_off(struct instance *it)
{
	int64_t begin = now_us();

	type(it, 'p');
	while (!it->off)
		turn(it, 1);
	kill(it->pid, SIGKILL);
	reap(it);
	printf(" off=%lld\n", (long long)(now_us() - begin));
}

static void restart(const struct options *o, struct instance *it)
{
	int64_t begin = now_us(), died;

	kill(it->pid, SIGKILL);
	reap(it);
	died = now_us();
	start(o, 0, it);
	printf(" reexec=%lld", (long long)(now_us() - died));
	wait_cont(it, 1);
	wait_ready(it, 1);
	printf(" next=%lld", (long long)(now_us() - begin));
}

static void play_round(const struct options *o)
{
	static struct instance all[MAX_INSTANCES];
	int64_t cpu = cpu_us(), begin = now_us();

	for (int i = 0; i < o->count; i++)
		start(o, i, &all[i]);
	printf("exec=%lld", (long long)(now_us() - begin));
	wait_cont(all, o->count);
	printf(" cont=%lld", (long long)(now_us() - begin));
	cpu = cpu_us() - cpu;
	if (o->serial_fd >= 0) {
		wait_ready(all, o->count);
		printf(" ready=%lld", (long long)(now_us() - begin));
	}
	look_closely(o, &all[0]);
	if (o->disk) {
		plug(&all[0], o->disk);
		unplug(&all[0]);
	}
	if (o->burst)
		burst(all, o->count);
	if (o->state)
		keep_memory(&all[0], o->state);
	if (o->restart)
		restart(o, &all[0]);
	if (o->power) {
		power_off(&all[0]);
		return;
	}
	begin = now_us();
	for (int i = 0; i < o->count; i++)
		kill(all[i].pid, SIGKILL);
	for (int i = 0; i < o->count; i++)
		reap(&all[i]);
	printf(" gone=%lld cpu=%lld\n", (long long)(now_us() - begin),
		(long long)cpu);
	fflush(stdout);
}

static void usage(void)
{
	fprintf(stderr,
		"usage: floor [-m FD] [-s FD] [-n ROUNDS] [-c COUNT] [-q PINGS]"
		" [-t STOPS] [-r] [-p] [-d IMAGE] [-b COUNT]\n"
		"	[-v IMAGE] FILE\n"
		"FILE: the arguments of QEMU, NUL-separated; @N@ becomes the"
		" number of the instance.\n"
		"-m, -s: descriptors at which QEMU finds monitor (3) and serial"
		" port (none)\n");
	exit(2);
}

static struct options parse(int argc, char **argv)
{
	struct options o = {
		.monitor_fd = 3, .serial_fd = -1, .rounds = 1, .count = 1
	};
	int c;

	while ((c = getopt(argc, argv, "m:s:n:c:q:t:rpd:b:v:")) != -1) {
		int value = optarg ? (int)strtol(optarg, NULL, 10) : 0;

		switch (c) {
		case 'm':
			o.monitor_fd = value;
			break;
		case 's':
			o.serial_fd = value;
			break;
		case 'n':
			o.rounds = value;
			break;
		case 'c':
			o.count = value;
			break;
		case 'q':
			o.pings = value;
			break;
		case 't':
			o.stops = value;
			break;
		case 'r':
			o.restart = true;
			break;
		case 'p':
			o.power = true;
			break;
		case 'b':
			o.burst = true;
			o.count = value;
			break;
		case 'v':
			o.state = optarg;
			break;
		case 'd':
			o.disk = optarg;
			break;
		default:
			usage();
		}
	}
	if (optind != argc - 1 || o.count < 1 || o.count > MAX_INSTANCES)
		usage();
	o.file = argv[optind];
	return o;
}

int main(int argc, char **argv)
{
	struct options o = parse(argc, argv);

	signal(SIGPIPE, SIG_IGN);
	read_args(o.file);
	if (!mkdtemp(dir))
		fail("make a directory");
	for (int i = 0; i < o.rounds; i++)
		play_round(&o);
	rmdir(dir);
	return 0;
}
