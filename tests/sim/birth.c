/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How the simulated QEMUs come and go: what a spawned process is, what /proc
 * says of it, the signals it gets and its end.
 */
#include <signal.h>
#include <stdio.h>

#include "tests/sim/sim.h"
#include "tests/sim/world_impl.h"

enum { LISTENS_MS = 60000 };

/* /proc as the supervisor reads it: start time, and the arguments. */
static void put_proc(pid_t pid, const char *const *argv)
{
	static unsigned births;
	AUTO_STR struct str line = STR_INIT;
	char path[64];
	char stat[128];

	for (size_t i = 0; argv[i]; i++)
		str_addn(&line, argv[i], strlen(argv[i]) + 1);
	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
	world_put_file(path, str_text(&line), line.len, 0444);
	snprintf(stat, sizeof(stat),
		"%d (x) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 %u 0\n",
		(int)pid, ++births);
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	world_put_file(path, stat, strlen(stat), 0444);
}

pid_t birth_stranger(pid_t wish)
{
	static const char *const argv[] = { "/usr/bin/stranger", NULL };
	pid_t pid = wish > 0 ? world_bystander_as(wish) : -1;

	if (pid < 0)
		pid = world_bystander();
	if (pid > 0)
		put_proc(pid, argv);
	return pid;
}

static const char *argument(const char *const *argv, const char *option)
{
	for (size_t i = 0; argv[i] && argv[i + 1]; i++)
		if (str_eq(argv[i], option))
			return argv[i + 1];
	return "";
}

static struct sim_vm *vm_of_argv(const char *const *argv)
{
	const char *name = strchr(argument(argv, "-name"), '=');

	if (!name++)
		return NULL;
	AUTO_FREE char *text = xstrndup(name, strcspn(name, ","));
	return life_vm(text);
}

static void on_spawn(pid_t pid, const char *const *argv)
{
	struct sim_vm *vm = vm_of_argv(argv);
	struct sim_qemu *q = qemu_of_pid(0);

	put_proc(pid, argv);
	if (hooks_spawned(pid, argv[0]) || replace_spawned(pid, argv[0]) ||
		tool_spawned(pid, argv))
		return;
	if (!vm || !q)
		sim_breach("simulator", "cannot be '%s'", argv[0]);
	*q = (struct sim_qemu){ .pid = pid,
		.vm = vm,
		.mon = -1,
		.yank = -1,
		.serial = -1,
		.deaf = world_random(5) == 0,
		.bad = sim_chance(SIM_EXEC, 100),
		.silent = sim_chance(SIM_LOST, 30) };
	q->wake_us = (int64_t)loop_sim_now_us() + world_random(300) * 1000;
	if (sim.slow_births)
		q->wake_us += LISTENS_MS * 1000;
	snprintf(q->uuid, sizeof(q->uuid), "%s", argument(argv, "-uuid"));
	const char *chardev = argument(argv, "-mon");
	chardev = strchr(chardev, '=');
	snprintf(q->chardev, sizeof(q->chardev), "%.*s",
		chardev ? (int)strcspn(chardev + 1, ",") : 0,
		chardev ? chardev + 1 : "");
	sim_note("%s: QEMU is pid %d", vm->name, (int)pid);
	plug_start(q, argv);
	guest_start(q, argv);
	vm->births++;
	if (sim.diamond) {
		q->bad = diamond_is_bad(vm);
		diamond_born(q);
	}
	oracle_spawned(q);
}

static bool on_signal(pid_t pid, int signal)
{
	struct sim_qemu *q = qemu_of_pid(pid);

	if (!q || signal != SIGTERM)
		return false;
	q->term = true;
	return true;
}

static void on_end(pid_t pid)
{
	struct sim_qemu *q = qemu_of_pid(pid);

	if (hooks_ended(pid) || replace_ended(pid) || tool_ended(pid) || !q)
		return;
	sim_note("%s: QEMU pid %d is gone", q->vm->name, (int)pid);
	q->vm->last_pid = pid;
	oracle_ended(q);
	q->mon = -1; /* its descriptors went with it */
	qemu_hang_up(q);
	str_fini(&q->in);
	str_fini(&q->yank_in);
	q->pid = 0;
}

void qemu_start(void)
{
	world_on_spawn(on_spawn);
	world_on_signal(on_signal);
	world_on_end(on_end);
}
