/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The measurements of `make bench` about one VM: starts, ends, restarts, cold
 * commands, QMP, disks.  Every round plays the floor first, then ours.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/bench/bench.h"

/* How long QEMU had lived when it was killed. */
static const struct {
	const char *what;
	double ms;
} ages[] = {
	{ "  after a life of 0.1 s", 100 },
	{ "  after a life of 1.2 s", 1200 },
};

enum { AGES = sizeof(ages) / sizeof(ages[0]) };

struct starts {
	struct samples floor_cont, floor_ready, floor_next, floor_reexec;
	struct samples floor_gone, floor_off, floor_cpu;
	struct samples running, ready, next, gone, off;
	struct samples cpu, client_cpu, commands, bytes, restart;
	struct samples age_floor[AGES], age_next[AGES]; /* by the life before */
};

static struct starts starts;

static double number_at(const json_t *o, const char *key)
{
	return (double)json_integer_value(json_object_get(o, key));
}

/* Starts VM and waits for its guest's code; what that took and cost. */
static void start_once(struct starts *s)
{
	double cpu, begin;
	struct cost client;

	vmward("reset-failed", VM, NULL); /* a second crash would wait */
	console_forget();
	cpu = daemon_cpu();
	begin = now_ms();
	client = vmward("start", VM, NULL);
	sample(&s->running, now_ms() - begin);
	console_open();
	console_ready();
	sample(&s->ready, now_ms() - begin);
	sample(&s->client_cpu, client.cpu);
	sample(&s->cpu, daemon_cpu() - cpu + client.cpu);
}

static void learn_qmp(struct starts *s)
{
	json_t *status = ask("vm-status", VM, NULL);
	const json_t *qemu = json_object_get(status, "qemu");

	sample(&s->commands, number_at(qemu, "commands"));
	sample(&s->bytes, number_at(qemu, "bytes_sent"));
	json_decref(status);
}

/* kill -9 of QEMU -> READY of the successor */
static void restart_once(struct samples *next, struct samples *restart)
{
	pid_t pid = qemu_pid(VM);
	double begin = now_ms();
	json_t *status;

	kill(pid, SIGKILL);
	console_ready();
	sample(next, now_ms() - begin);
	status = ask("vm-status", VM, NULL);
	sample(restart, number_at(status, "restart_us") / 1e3);
	json_decref(status);
}

static void kill_once(struct samples *gone)
{
	pid_t pid = qemu_pid(VM);
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd at = { .fd = pidfd, .events = POLLIN };

	sample(gone, vmward("kill", VM, NULL).wall);
	if (poll(&at, 1, 0) != 1)
		die("kill returned before QEMU was gone");
	close(pidfd);
}

/* The guest powers itself off -> the supervisor says that it is stopped. */
static void power_off_once(struct starts *s)
{
	double begin;

	console_forget();
	vmward("start", VM, NULL);
	console_open();
	console_ready();
	ask_send("vm-wait", VM, json_pack("{s:s}", "state", "stopped"));
	sleep_ms(5);
	begin = now_ms();
	console_type('p');
	json_decref(ask_answer(10000));
	sample(&s->off, now_ms() - begin);
}

static void round_of_starts(struct starts *s)
{
	json_t *floor = floor_run("-r", NULL);

	sample(&s->floor_cont, floor_ms(floor, "cont"));
	sample(&s->floor_ready, floor_ms(floor, "ready"));
	sample(&s->floor_next, floor_ms(floor, "next"));
	sample(&s->floor_reexec, floor_ms(floor, "reexec"));
	sample(&s->floor_gone, floor_ms(floor, "gone"));
	sample(&s->floor_cpu, floor_ms(floor, "cpu"));
	json_decref(floor);
	start_once(s);
	learn_qmp(s);
	restart_once(&s->next, &s->restart);
	kill_once(&s->gone);
	floor = floor_run("-p", NULL);
	sample(&s->floor_off, floor_ms(floor, "off"));
	json_decref(floor);
	power_off_once(s);
}

/* QEMU is killed at an age, but not before its guest runs. */
static void round_of_age(struct starts *s, int age)
{
	json_t *floor = floor_run("-r", NULL);
	double begin;
	double left;

	sample(&s->age_floor[age], floor_ms(floor, "next"));
	json_decref(floor);
	vmward("reset-failed", VM, NULL);
	console_forget();
	begin = now_ms();
	vmward("start", VM, NULL);
	console_open();
	console_ready();
	left = ages[age].ms - (now_ms() - begin);
	if (left > 0)
		sleep_ms((long)left);
	restart_once(&s->age_next[age], &s->restart);
	vmward("kill", VM, NULL);
}

void measure_starts(const struct plan *plan)
{
	struct starts *s = &starts;

	for (unsigned i = 0; i < plan->rounds; i++)
		round_of_starts(s);
	for (unsigned i = 0; i < (plan->shorter ? 1 : 5) * AGES; i++)
		round_of_age(s, (int)(i % AGES));
	console_close();
	const struct row rows[] = {
		{ "start returns, VM running", "ms", &s->floor_cont,
			&s->running, BAR_RATIO, 1.15 },
		{ "start -> guest code", "ms", &s->floor_ready, &s->ready,
			BAR_RATIO, 1.05 },
		{ "QMP commands per start", "", NULL, &s->commands, BAR_MOST,
			6 },
		{ "QMP bytes sent per start", "B", NULL, &s->bytes, BAR_MOST,
			400 },
		{ "CPU per start, daemon and client", "ms", &s->floor_cpu,
			&s->cpu, BAR_MOST, 3 },
		{ "  of it the client", "ms", NULL, &s->client_cpu, BAR_NONE,
			0 },
		{ "kill -9 of QEMU -> successor's guest code", "ms",
			&s->floor_next, &s->next, BAR_RATIO, 1.05 },
		{ ages[0].what, "ms", &s->age_floor[0], &s->age_next[0],
			BAR_RATIO, 1.05 },
		{ ages[1].what, "ms", &s->age_floor[1], &s->age_next[1],
			BAR_RATIO, 1.05 },
		{ "death seen -> exec of the successor", "ms", &s->floor_reexec,
			&s->restart, BAR_MOST, 2 },
		{ "force-off: kill returns, QEMU gone", "ms", &s->floor_gone,
			&s->gone, BAR_MARGIN, 3 },
		{ "guest powers off -> stopped", "ms", &s->floor_off, &s->off,
			BAR_RATIO, 1.5 },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		table_row(&rows[i]);
}

/* ---- cold commands ---- */

enum { LIST, STATUS, PAUSE, COLD };

static const char *const cold_words[COLD] = { "list", "status", "pause" };

static struct samples truth[COLD], cold[COLD], stop, rest;
/* of both programs: what a machine that does other work hardly changes */
static struct samples truth_cpu[COLD], cold_cpu[COLD];

/* Each command right behind a /bin/true of its own. */
static void round_of_commands(void)
{
	static const char *const floor[] = { "/bin/true", NULL };

	for (int i = 0; i < COLD; i++) {
		struct cost least = run_program(floor);
		double before = daemon_cpu();
		struct cost cost =
			vmward(cold_words[i], i == LIST ? NULL : VM, NULL);

		sample(&truth[i], least.wall);
		sample(&truth_cpu[i], least.cpu);
		sample(&cold[i], cost.wall);
		sample(&cold_cpu[i], cost.cpu + daemon_cpu() - before);
	}
	vmward("resume", VM, NULL);
}

/* QEMU's own time for a stop, on a connection that is there already. */
static void learn_stop(void)
{
	json_t *figures = floor_run("-t", "25");

	sample(&stop, floor_ms(figures, "stop"));
	json_decref(figures);
}

/* Whoever pauses waits for QEMU's stop: what is left is ours. */
static void pause_rows(unsigned count)
{
	char what[64];

	for (unsigned i = 0; i < cold[PAUSE].n; i++)
		sample(&rest, cold[PAUSE].v[i] - median(&stop));
	table_row(&(struct row){ "  of it QEMU's stop, on a warm monitor", "ms",
		NULL, &stop, BAR_NONE, 0 });
	snprintf(what, sizeof(what), "  without that, %u VM%s", count,
		count == 1 ? "" : "s");
	table_row(&(struct row){
		what, "ms", &truth[PAUSE], &rest, BAR_RATIO, 2 });
}

void measure_commands(const struct plan *plan, unsigned count)
{
	for (int i = 0; i < COLD; i++)
		truth[i].n = cold[i].n = truth_cpu[i].n = cold_cpu[i].n = 0;
	stop.n = rest.n = 0;
	for (unsigned i = 0; i < plan->commands; i++) {
		if (i % 20 == 0)
			learn_stop();
		round_of_commands();
	}
	for (int i = 0; i < COLD; i++) {
		char what[48];

		snprintf(what, sizeof(what), "cold %s, %u VM%s (/bin/true)",
			cold_words[i], count, count == 1 ? "" : "s");
		table_row(&(struct row){ what, "ms", &truth[i], &cold[i],
			i == PAUSE ? BAR_NONE : BAR_RATIO, 2 });
		table_row(&(struct row){ "  CPU of client and supervisor", "ms",
			&truth_cpu[i], &cold_cpu[i], BAR_NONE, 0 });
	}
	pause_rows(count);
}

/* ---- QMP ---- */

enum { PING_ROUNDS = 9 };

/* Median round trip, and how many in a second. */
static void ping_once(
	unsigned pings, struct samples *ours, struct samples *rate)
{
	static struct samples each;
	double begin = now_ms();

	each.n = 0;
	for (unsigned i = 0; i < pings; i++) {
		double at = now_ms();

		json_decref(ask("vm-qmp", VM,
			json_pack("{s:s}", "execute", "query-status")));
		sample(&each, (now_ms() - at) * 1e3);
	}
	sample(rate, pings / (now_ms() - begin) * 1e3);
	sample(ours, median(&each));
}

void measure_passthrough(const struct plan *plan)
{
	static struct samples floor, ours, rate;
	unsigned pings = plan->pings / PING_ROUNDS + 1;
	char number[16];

	snprintf(number, sizeof(number), "%u", pings);
	for (int round = 0; round < PING_ROUNDS; round++) {
		json_t *figures = floor_run("-q", number);

		sample(&floor, floor_ms(figures, "ping") * 1e3);
		json_decref(figures);
		ping_once(pings, &ours, &rate);
	}
	table_row(&(struct row){
		"QMP pass-through, warm", "us", &floor, &ours, BAR_RATIO, 2 });
	table_row(&(struct row){
		"  one after the other", "/s", NULL, &rate, BAR_LEAST, 4000 });
}

/* ---- an image ---- */

static void sync_path(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) != 0)
		die("cannot sync %s", path);
	close(fd);
}

/* The floor: qemu-img, and the image made as durable as ours is. */
void measure_image(const struct plan *plan)
{
	static struct samples floor, ours;
	char path[96], name[96];

	for (unsigned i = 0; i < plan->rounds; i++) {
		const char *argv[] = { "qemu-img", "create", "-q", "-f",
			"qcow2", path, "64M", NULL };
		double begin;

		snprintf(path, sizeof(path), "%s/floor-%u.qcow2", lab_root, i);
		begin = now_ms();
		if (run_program(argv).status != 0)
			die("qemu-img create failed");
		sync_path(path);
		sync_path(lab_root);
		sample(&floor, now_ms() - begin);
		snprintf(name, sizeof(name), "%s/ours-%u.qcow2", lab_root, i);
		begin = now_ms();
		json_decref(ask("image-create", NULL,
			json_pack(
				"{s:s,s:i}", "image", name, "size", 64 << 20)));
		sample(&ours, now_ms() - begin);
		unlink(path);
		unlink(name);
	}
	table_row(&(struct row){ "create an image; floor: qemu-img, fsync",
		"ms", &floor, &ours, BAR_MARGIN, 2 });
}

/* ---- a disk ---- */

/* The guest is told to finish the unplug until the request is answered. */
static double detach_once(void)
{
	double begin = now_ms();
	json_t *reply;

	ask_send("vm-disk-detach", VM,
		json_pack("{s:s,s:b}", "disk", "data", "runtime", true));
	/* as for the floor: the guest has been asked before it is told */
	while (!(reply = ask_answer(1)))
		console_type('e');
	json_decref(reply);
	return now_ms() - begin;
}

void measure_disk(const struct plan *plan)
{
	static struct samples floor_in, floor_out, in, out;
	char image[96];

	snprintf(image, sizeof(image), "%s/disk-99.raw", lab_root);
	console_open();
	for (unsigned i = 0; i < plan->rounds; i++) {
		json_t *floor = floor_run("-d", image);
		double begin;

		sample(&floor_in, floor_ms(floor, "attach"));
		sample(&floor_out, floor_ms(floor, "detach"));
		json_decref(floor);
		begin = now_ms();
		json_decref(ask("vm-disk-attach", VM,
			json_pack("{s:s,s:b,s:{s:s}}", "disk", "data",
				"runtime", true, "pairs", "image", image)));
		sample(&in, now_ms() - begin);
		sample(&out, detach_once());
	}
	console_close();
	table_row(&(struct row){
		"attach a disk", "ms", &floor_in, &in, BAR_MARGIN, 3 });
	table_row(&(struct row){
		"detach a disk", "ms", &floor_out, &out, BAR_MARGIN, 3 });
}
