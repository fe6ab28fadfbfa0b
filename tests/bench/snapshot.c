/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The measurements of `make bench` about snapshots: five VMs as one point in
 * time, one with its memory, and back.  The floor's QEMU keeps its memory
 * alone; ours has a disk with it.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/bench.h"

#define ONE "snap@0"

enum { GROUP = 5 };

static void run(const char *const *argv)
{
	if (run_program(argv).status != 0)
		die("%s failed", argv[0]);
}

/* One disk each, which can have snapshots. */
static void make_vms(void)
{
	char from[256], to[256], path[256];
	const char *convert[] = { "qemu-img", "convert", "-q", "-f", "raw",
		"-O", "qcow2", from, to, NULL };
	FILE *file;

	snprintf(from, sizeof(from), "%s/guest/bios.raw", lab_build);
	for (unsigned i = 0; i < GROUP; i++) {
		snprintf(to, sizeof(to), "%s/snap-%u.qcow2", lab_root, i);
		run(convert);
	}
	snprintf(path, sizeof(path), "%s/etc/vmward/vms/snap@.ini", lab_root);
	file = fopen(path, "w");
	if (!file)
		die("cannot write '%s'", path);
	fprintf(file,
		"[vm]\ninstances = 0-%d\nmemory = 16M\naccel = tcg\n"
		"[disk.root]\nimage = %s/snap-%%i.qcow2\n"
		"[start]\nready = serial:READY\n",
		GROUP - 1, lab_root);
	if (fclose(file))
		die("cannot write '%s'", path);
	json_decref(ask("reload", NULL, NULL));
	vmward("start", "snap@*", "--wait", NULL);
}

static json_t *wish(const char *name, bool memory)
{
	return json_pack("{s:s,s:b}", "name", name, "memory", memory);
}

static void forget(const char *name)
{
	json_decref(ask("vm-snapshot-delete", ONE,
		json_pack("{s:[s]}", "snapshots", name)));
}

static double skew_once(void)
{
	json_t *all = json_array();
	json_t *reply;
	double skew;

	for (unsigned i = 1; i < GROUP; i++)
		json_array_append_new(all, json_sprintf("snap@%u", i));
	reply = ask("vm-snapshot-create", ONE,
		json_pack("{s:s,s:o}", "name", "group", "with", all));
	skew = (double)json_integer_value(json_object_get(reply, "skew-us"));
	json_decref(reply);
	json_decref(ask("vm-snapshot-delete", ONE,
		json_pack("{s:[s],s:b}", "snapshots", "group", "group", 1)));
	return skew / 1e3;
}

static void measure_group(const struct plan *plan)
{
	static struct samples floor, ours;
	char count[16];

	snprintf(count, sizeof(count), "%d", GROUP);
	for (unsigned i = 0; i < plan->rounds; i++) {
		json_t *figures = floor_run("-b", count);

		sample(&floor, floor_ms(figures, "burst"));
		json_decref(figures);
		sample(&ours, skew_once());
	}
	table_row(&(struct row){ "group of 5: first stop -> last one", "ms",
		&floor, &ours, BAR_RATIO, 1.2 });
}

/* Asks it of one; what that took. */
static double took(const char *execute, json_t *arguments)
{
	double begin = now_ms();

	json_decref(ask(execute, ONE, arguments));
	return now_ms() - begin;
}

static void measure_one(const struct plan *plan)
{
	static struct samples floor_save, floor_load, disks, save, load;
	char state[256];
	const char *make[] = { "qemu-img", "create", "-q", "-f", "qcow2", state,
		"1M", NULL };

	snprintf(state, sizeof(state), "%s/state.qcow2", lab_root);
	for (unsigned i = 0; i < plan->rounds; i++) {
		json_t *figures;

		run(make);
		figures = floor_run("-v", state);
		sample(&floor_save, floor_ms(figures, "save"));
		sample(&floor_load, floor_ms(figures, "load"));
		json_decref(figures);
		sample(&disks,
			took("vm-snapshot-create", wish("disks", false)));
		sample(&save, took("vm-snapshot-create", wish("memory", true)));
		sample(&load,
			took("vm-snapshot-revert",
				json_pack("{s:s}", "snapshot", "memory")));
		forget("disks");
		forget("memory");
	}
	table_row(&(struct row){ "snapshot of a disk that is in use", "ms",
		NULL, &disks, BAR_NONE, 0 });
	table_row(&(struct row){ "snapshot with memory; floor: QEMU's job",
		"ms", &floor_save, &save, BAR_NONE, 0 });
	table_row(&(struct row){ "revert of a running VM; floor: QEMU's job",
		"ms", &floor_load, &load, BAR_MARGIN, 4 });
}

void measure_snapshots(const struct plan *plan)
{
	make_vms();
	measure_group(plan);
	measure_one(plan);
	vmward("kill", "snap@*", "--yes", NULL);
}
