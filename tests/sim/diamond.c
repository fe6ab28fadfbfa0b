/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Twelve VMs in a diamond, with random probe delays and failures: QEMUs that
 * die in their start, crash before they are ready, or are never ready.  Each
 * birth and each order to end is checked against the edges; one edge can be
 * left out of the files, to see that this is noticed.  Every fifth seed boots
 * the host instead: so many starts at once as its file says, and no more.
 */
#include <signal.h>
#include <stdio.h>

#include "tests/sim/sim.h"

enum {
	N = 12,
	DELAY_MS = 20000,
	TIMEOUT_S = 40,
	NEVER_MS = 90000,
	SLOT_S = 30 /* a start counts no longer among those at once */
};
enum trouble { NO_TROUBLE, BAD_START, CRASH_ONCE, NEVER_READY };

static struct {
	bool after[N][N]; /* the row's VM follows the column's */
	bool requires[N][N];
	enum trouble trouble[N];
	int64_t born_us[N]; /* the first of its QEMUs */
	unsigned most;      /* starts at once, by a boot; 0: by a client */
	bool filled;        /* so many were seen */
	bool stopping;
} d;

static size_t number(const struct sim_vm *vm)
{
	return (size_t)(vm - sim.vms);
}

static void draw_edge(size_t from, size_t to)
{
	d.after[from][to] = true;
	d.requires[from][to] = world_random(3) > 0;
}

/* One at the foot, two rows of five, one on top. */
static void draw_edges(void)
{
	for (size_t i = 1; i <= 5; i++)
		draw_edge(i, 0);
	for (size_t i = 6; i <= 10; i++) {
		draw_edge(i, i - 5);
		draw_edge(i, 1 + world_random(5));
		draw_edge(11, i);
	}
}

static void put_vm(size_t i, size_t drop)
{
	struct sim_vm *vm = &sim.vms[i];
	AUTO_STR struct str after = STR_INIT;
	AUTO_STR struct str needs = STR_INIT;
	AUTO_STR struct str likes = STR_INIT;

	for (size_t k = 0; k < N; k++) {
		if (!d.after[i][k])
			continue;
		if (i != drop)
			str_addf(&after, "%svm%zu", after.len ? ", " : "",
				k + 1);
		struct str *list = d.requires[i][k] ? &needs : &likes;
		str_addf(list, "%svm%zu", list->len ? ", " : "", k + 1);
	}
	snprintf(vm->name, sizeof(vm->name), "vm%zu", i + 1);
	vm->wanted = vm->stop_is_open = true;
	vm->open = 1; /* somebody may stop it at any time */
	vm->config = xasprintf("[vm]\nmemory = 64M\n[disk.root]\nimage = "
			       "%s.raw\n[start]\nafter = %s\nrequires = %s\n"
			       "wants = %s\nready = serial:^up\n"
			       "ready-timeout = %ds\nautostart = %s\n"
			       "[stop]\ntimeout = 20s\n",
		vm->name, str_text(&after), str_text(&needs), str_text(&likes),
		TIMEOUT_S, d.most ? "yes" : "no");
	vm->record_path = life_path("%s/records/%s", sim.paths.state, vm->name);
	vm->dropin_path = life_path(
		"%s/vms/%s.ini.d/50-vmward.ini", sim.paths.config, vm->name);
	AUTO_FREE char *image =
		life_path("%s/%s.raw", sim.paths.images, vm->name);
	world_put_file(image, "raw", 3, 0644);
	life_put_config(vm, vm->config, strlen(vm->config));
}

static void put_settings(void)
{
	AUTO_FREE char *path = life_path("%s/vmward.ini", sim.paths.config);
	char text[64];

	d.most = 1 + world_random(3);
	snprintf(
		text, sizeof(text), "[vmward]\nparallel-starts = %u\n", d.most);
	world_put_file(path, text, strlen(text), 0644);
}

void diamond_put(bool drop)
{
	if (sim.seed % 5 == 0)
		put_settings();
	draw_edges();
	for (size_t i = 0; i < N; i++)
		d.trouble[i] = world_random(12) < 1   ? BAD_START
			       : world_random(10) < 1 ? CRASH_ONCE
			       : world_random(14) < 1 ? NEVER_READY
						      : NO_TROUBLE;
	size_t dropped = drop ? 6 + world_random(5) : N;
	sim.nvms = N;
	for (size_t i = 0; i < N; i++)
		put_vm(i, dropped);
}

/* ---- what QEMUs do ---- */

bool diamond_is_bad(const struct sim_vm *vm)
{
	return d.trouble[number(vm)] == BAD_START;
}

void diamond_runs(struct sim_qemu *q)
{
	int64_t now = (int64_t)loop_sim_now_us();
	enum trouble trouble = d.trouble[number(q->vm)];
	uint32_t ms =
		trouble == NEVER_READY ? NEVER_MS : world_random(DELAY_MS);

	q->up_us = now + (int64_t)ms * 1000 + 1;
	if (trouble == CRASH_ONCE && q->vm->births == 1)
		q->crash_us = now + (int64_t)(ms / 2) * 1000;
}

static bool is_up(size_t i)
{
	const struct sim_qemu *q = qemu_of_vm(&sim.vms[i]);

	return q && q->said_up;
}

/* Of a boot: no more start at once than may; who came again does not count. */
static void check_parallel(size_t me)
{
	int64_t since = (int64_t)loop_sim_now_us() - (SLOT_S - 1) * 1000000;
	unsigned others = 0;

	if (!d.most || sim.vms[me].births > 1)
		return;
	d.born_us[me] = (int64_t)loop_sim_now_us();
	for (size_t i = 0; i < N; i++)
		others += i != me && sim.vms[i].births == 1 &&
			  qemu_of_vm(&sim.vms[i]) && !is_up(i) &&
			  d.born_us[i] > since;
	if (others >= d.most)
		sim_breach("parallel", "vm%zu starts beside %u, %u may", me + 1,
			others, d.most);
	if (others + 1 == d.most)
		d.filled = true;
}

/* All that it follows are up, or failed and are not required. */
void diamond_born(const struct sim_qemu *q)
{
	size_t me = number(q->vm);

	check_parallel(me);
	for (size_t i = 0; i < N; i++) {
		bool fails = d.trouble[i] == BAD_START ||
			     d.trouble[i] == NEVER_READY ||
			     sim.vms[i].births == 0;

		if (!d.after[me][i] || is_up(i) || q->vm->births > 1)
			continue;
		if (d.requires[me][i] || !fails)
			sim_breach("order", "vm%zu starts before vm%zu is up",
				me + 1, i + 1);
	}
}

/* All that follow it are down. */
void diamond_told_to_end(const struct sim_qemu *q)
{
	size_t me = number(q->vm);

	for (size_t i = 0; d.stopping && i < N; i++)
		if (d.after[i][me] && qemu_of_vm(&sim.vms[i]))
			sim_breach("order", "vm%zu goes down before vm%zu",
				me + 1, i + 1);
}

/* ---- the run ---- */

static bool is_to_come(size_t i)
{
	if (d.trouble[i] == BAD_START || d.trouble[i] == NEVER_READY)
		return false;
	for (size_t k = 0; k < N; k++)
		if (d.requires[i][k] && !is_to_come(k))
			return false;
	return true;
}

static bool is_to_be_born(size_t i)
{
	for (size_t k = 0; k < N; k++)
		if (d.requires[i][k] && !is_to_come(k))
			return false;
	return true;
}

/* All that require the lowest one, near or far, go down with it. */
static bool needs_lowest(size_t i)
{
	for (size_t k = 0; k < N; k++)
		if (d.requires[i][k] && (k == 0 || needs_lowest(k)))
			return true;
	return false;
}

static void stop_lowest(void)
{
	client_ask(&sim.vms[0], "vm-stop");
	for (size_t i = 0; i < N; i++)
		if ((i == 0 || needs_lowest(i)) && qemu_of_vm(&sim.vms[i]))
			sim_breach("order", "vm1 is down, vm%zu is not", i + 1);
}

void diamond_run(void)
{
	life_sleep(1000);
	if (!d.most)
		client_say(&sim.vms[N - 1], "vm-start");
	life_sleep((int64_t)N * (TIMEOUT_S + 10) * 1000);
	if (d.most && !d.filled && d.trouble[0] == NO_TROUBLE)
		sim_breach("parallel", "never %u at once", d.most);
	for (size_t i = 0; i < N; i++) {
		if (is_up(i) !=
			(is_to_come(i) || (d.trouble[i] == NEVER_READY &&
						  is_to_be_born(i))))
			sim_breach("order", "vm%zu is %s", i + 1,
				is_up(i) ? "up" : "not up");
		if ((sim.vms[i].births > 0) != is_to_be_born(i))
			sim_breach("order", "vm%zu was started %u times", i + 1,
				sim.vms[i].births);
	}
	if (sim.seed % 3 == 0)
		stop_lowest();
	d.stopping = true;
	client_ask(&sim.vms[0], "host-shutdown");
	for (size_t i = 0; i < N; i++)
		if (qemu_of_vm(&sim.vms[i]))
			sim_breach("order", "vm%zu is not down", i + 1);
}
