/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The measurements of `make bench` about many VMs, and its main(): an idle
 * supervisor, one that was killed, fifty starts and ends.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

#include "tests/bench/bench.h"

#define ALL "vm@*"

static void one_figure(
	const char *what, const char *unit, double value, double most)
{
	struct samples s = { .n = 0 };

	sample(&s, value);
	table_row(&(struct row){
		what, unit, NULL, &s, most < 0 ? BAR_NONE : BAR_MOST, most });
}

/* ---- idle ---- */

/* With `count` VMs that run and do nothing. */
void measure_idle(const struct plan *plan, unsigned count)
{
	static unsigned fds_of_one;
	char what[64];
	double cpu;
	long wakeups;

	control_close(); /* our own connection is not part of it */
	sleep_ms(plan->shorter ? 1500 : 2000); /* what was freed is trimmed */
	cpu = daemon_cpu();
	wakeups = proc_number("status", "\nvoluntary_ctxt_switches:") +
		  proc_number("status", "\nnonvoluntary_ctxt_switches:");
	sleep_ms(plan->idle_ms);
	wakeups = proc_number("status", "\nvoluntary_ctxt_switches:") +
		  proc_number("status", "\nnonvoluntary_ctxt_switches:") -
		  wakeups;
	cpu = daemon_cpu() - cpu;
	snprintf(what, sizeof(what), "idle %g s, %u VMs: wakeups",
		plan->idle_ms / 1e3, count);
	one_figure(what, "", (double)wakeups, 0);
	one_figure("  CPU", "ms", cpu, 0);
	snprintf(what, sizeof(what), "  memory, RSS, %u VMs", count);
	one_figure(what, "MiB",
		(double)proc_number("smaps_rollup", "Rss:") / 1024, 4);
	snprintf(what, sizeof(what), "  memory, PSS, %u VMs", count);
	one_figure(what, "MiB",
		(double)proc_number("smaps_rollup", "\nPss:") / 1024, 1.5);
	one_figure(
		"  threads", "", (double)proc_number("status", "Threads:"), 1);
	if (count == 1)
		fds_of_one = daemon_fds();
	else if (fds_of_one > 0) /* not by --only */
		one_figure("  descriptors per VM", "",
			(double)(daemon_fds() - fds_of_one) / (count - 1), 7);
	control_open();
}

/* ---- the supervisor dies ---- */

/* Counts a page of the list; the name to go on after, or NULL. */
static json_t *count_page(const char *after, unsigned *n)
{
	json_t *list = ask("vm-list", NULL,
		json_pack("{s:b,s:s*}", "running", 1, "after", after));
	const json_t *vms = json_object_get(list, "vms");
	json_t *next = json_incref(json_object_get(list, "next"));

	for (size_t i = 0; i < json_array_size(vms); i++) {
		const char *state = json_string_value(
			json_object_get(json_array_get(vms, i), "state"));

		*n += state && strcmp(state, "running") == 0;
	}
	json_decref(list);
	return next;
}

static unsigned count_running(void)
{
	json_t *next = NULL;
	unsigned n = 0;

	do {
		json_t *from = next;

		next = count_page(json_string_value(from), &n);
		json_decref(from);
	} while (next);
	return n;
}

/* Each VM is asked for once: a list over and over would be measured too. */
static void await_running(unsigned count)
{
	char vm[16];

	for (unsigned i = 0; i < count; i++) {
		snprintf(vm, sizeof(vm), "vm@%u", i);
		ask_send("vm-wait", vm, json_pack("{s:s}", "state", "running"));
	}
	for (unsigned i = 0; i < count; i++) {
		json_t *reply = ask_answer(30000);

		if (!reply)
			die("the VMs do not come back");
		json_decref(reply);
	}
}

void measure_recovery(const struct plan *plan, unsigned count)
{
	static struct samples took;
	char what[64];

	took.n = 0;
	for (int i = 0; i < (plan->shorter ? 1 : 5); i++) {
		double begin;

		control_close();
		daemon_end(SIGKILL);
		begin = now_ms();
		daemon_spawn();
		control_open();
		await_running(count);
		sample(&took, now_ms() - begin);
		if (count_running() != count)
			die("not all VMs came back");
	}
	snprintf(what, sizeof(what), "exec of vmwardd -> %u VMs under control",
		count);
	table_row(&(struct row){ what, "ms", NULL, &took,
		count >= 50 ? BAR_MOST : BAR_NONE, count > 50 ? 50 : 25 });
}

/* ---- many at once ---- */

static void start_all(unsigned count)
{
	lab_instances(count);
	json_decref(ask("reload", NULL, NULL));
	vmward("start", ALL, NULL);
	if (count_running() != count)
		die("%u of %u VMs run", count_running(), count);
}

static void kill_all(void)
{
	vmward("kill", ALL, "--yes", NULL);
}

void measure_mass(const struct plan *plan, unsigned count)
{
	static struct samples floor_rate, rate, floor_gone, gone;
	char what[64], number[16];

	floor_rate.n = rate.n = floor_gone.n = gone.n = 0;
	snprintf(number, sizeof(number), "%u", count);
	lab_instances(count);
	json_decref(ask("reload", NULL, NULL));
	for (int i = 0; i < (plan->shorter ? 1 : 5); i++) {
		json_t *floor = floor_run("-c", number);

		sample(&floor_rate, count / floor_ms(floor, "cont") * 1e3);
		sample(&floor_gone, floor_ms(floor, "gone"));
		json_decref(floor);
		sample(&rate, count / vmward("start", ALL, NULL).wall * 1e3);
		if (count_running() != count)
			die("not all VMs run");
		sleep_ms(1000);
		sample(&gone, vmward("kill", ALL, "--yes", NULL).wall);
	}
	snprintf(what, sizeof(what), "start %u at once", count);
	table_row(&(struct row){
		what, "VM/s", &floor_rate, &rate, BAR_RATIO_LEAST, 0.85 });
	snprintf(what, sizeof(what), "force-off %u at once", count);
	table_row(&(struct row){ what, "ms", &floor_gone, &gone, BAR_MOST,
		count > 50 ? 200 : 100 });
}

/* ---- all of it ---- */

/* With some VMs that run. */
static void measure_running(const struct plan *plan, unsigned count)
{
	start_all(count);
	if (count == 1) {
		measure_passthrough(plan);
		measure_disk(plan);
		measure_image(plan);
	}
	if (count == 1 || count == plan->many)
		measure_commands(plan, count);
	measure_idle(plan, count);
	if (count > 1)
		measure_recovery(plan, count);
	kill_all();
}

static void one(const struct plan *plan)
{
	measure_running(plan, 1);
}

static void ten(const struct plan *plan)
{
	if (!plan->shorter)
		measure_running(plan, 10);
}

static void many(const struct plan *plan)
{
	measure_mass(plan, plan->many);
	measure_running(plan, plan->many);
}

static void most(const struct plan *plan)
{
	if (!plan->most)
		return;
	measure_mass(plan, plan->most);
	measure_running(plan, plan->most);
}

#define ONLY "--only="

/* What that names. */
static const struct part {
	const char *name;
	void (*measure)(const struct plan *plan);
} parts[] = {
	{ "starts", measure_starts },
	{ "one", one },
	{ "ten", ten },
	{ "snapshots", measure_snapshots },
	{ "many", many },
	{ "most", most },
};

/* All parts, or (only not NULL) that one. */
static void bench(const struct plan *plan, const char *only)
{
	daemon_spawn();
	control_open();
	vmward("start", VM, NULL);
	floor_learn();
	vmward("kill", VM, NULL);
	table_head();
	for (size_t i = 0; i < NELEMS(parts); i++)
		if (!only || strcmp(only, parts[i].name) == 0)
			parts[i].measure(plan);
	control_close();
	daemon_end(SIGTERM);
	measure_network(plan);
}

static bool is_part(const char *name)
{
	for (size_t i = 0; i < NELEMS(parts); i++)
		if (strcmp(name, parts[i].name) == 0)
			return true;
	return false;
}

int main(int argc, char **argv)
{
	const struct plan whole = { false, 15, 100, 1000, 50, 100, 10000 };
	const struct plan shorter = { true, 2, 10, 100, 5, 0, 1000 };
	bool strict = false, brief = false;
	const char *only = NULL;

	for (int i = 2; i < argc; i++) {
		strict |= strcmp(argv[i], "--strict") == 0;
		brief |= strcmp(argv[i], "--short") == 0;
		if (strncmp(argv[i], ONLY, strlen(ONLY)) == 0)
			only = argv[i] + strlen(ONLY);
	}
	if (argc < 2 || (only && !is_part(only))) {
		fputs("usage: measure BUILD [--short] [--strict] "
		      "[" ONLY "starts|one|ten|snapshots|many|most]\n",
			stderr);
		return 2;
	}
	lab_open(argv[1]);
	bench(brief ? &shorter : &whole, only);
	lab_close();
	table_end();
	return strict && table_missed() ? 1 : 0;
}
