/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The simulated hooks: programs of an admin's that end at once, fail, talk
 * too much or never end.  Four run at a time and one of a VM; each is gone
 * soon after its deadline, and with the supervisor that ran it.
 */
#include <stdio.h>

#include "base/log.h"
#include "tests/sim/sim.h"
#include "tests/sim/world_impl.h"

enum { AT_ONCE = 4, TIMEOUT_S = 10, SLACK_US = 1000000, OUT_FD = 1 };

/* clang-format off */
static const char *const names[SIM_NHOOKS] = {
	[SIM_HOOK_STARTED] = "started",
	[SIM_HOOK_STOPPED] = "stopped",
	[SIM_HOOK_INCIDENT] = "incident",
	[SIM_HOOK_CRASH_LOOP] = "crash-loop",
};
/* clang-format on */

static struct sim_hook {
	pid_t pid; /* 0: a free slot */
	struct sim_vm *vm;
	enum sim_hook_event event;
	int64_t born_us;
	int64_t end_us; /* of its own; INT64_MAX: never */
	bool talks;
} running[SIM_QEMUS];

static char *program_of(const struct sim_vm *vm, enum sim_hook_event event)
{
	return life_path("/usr/lib/hooks/%s-%s", vm->name, names[event]);
}

void hooks_install(struct sim_vm *vm, struct str *config)
{
	for (int event = 0; event < SIM_NHOOKS; event++) {
		AUTO_FREE char *program =
			program_of(vm, (enum sim_hook_event)event);
		world_put_file(program, "", 0, 0755);
	}
	str_addf(config, "[hooks]\ntimeout = %us\n", TIMEOUT_S);
	for (int event = 0; event < SIM_HOOK_CRASH_LOOP; event++) {
		AUTO_FREE char *program =
			program_of(vm, (enum sim_hook_event)event);
		str_addf(config, "%s = %s\n", names[event], program);
	}
}

static struct sim_hook *of_pid(pid_t pid)
{
	for (size_t i = 0; i < NELEMS(running); i++)
		if (running[i].pid == pid)
			return &running[i];
	return NULL;
}

unsigned hooks_count(void)
{
	unsigned n = 0;

	for (size_t i = 0; i < NELEMS(running); i++)
		n += running[i].pid != 0;
	return n;
}

static void check_room(const struct sim_vm *vm)
{
	for (size_t i = 0; i < NELEMS(running); i++)
		if (running[i].pid && running[i].vm == vm)
			sim_breach("hooks", "%s: two at a time", vm->name);
	if (hooks_count() >= AT_ONCE)
		sim_breach("hooks", "more than %d run", AT_ONCE);
}

/* Which VM and occasion a program is for; NULL: it is no hook. */
static struct sim_vm *vm_of(const char *program, enum sim_hook_event *event)
{
	for (unsigned i = 0; i < sim.nvms; i++)
		for (int e = 0; e < SIM_NHOOKS; e++) {
			*event = (enum sim_hook_event)e;
			AUTO_FREE char *path = program_of(&sim.vms[i], *event);
			if (str_eq(path, program))
				return &sim.vms[i];
		}
	return NULL;
}

bool hooks_spawned(pid_t pid, const char *program)
{
	enum sim_hook_event event;
	struct sim_vm *vm = vm_of(program, &event);
	int64_t now = (int64_t)loop_sim_now_us();

	if (!vm)
		return false;
	sim_note("%s: hook %s is pid %d", vm->name, names[event], (int)pid);
	check_room(vm);
	struct sim_hook *hook = of_pid(0);
	BUG_ON(!hook);
	*hook = (struct sim_hook){ .pid = pid,
		.vm = vm,
		.event = event,
		.born_us = now,
		.end_us = now + world_random(3000) * 1000,
		.talks = world_random(4) == 0 };
	if (world_random(4) == 0)
		hook->end_us = INT64_MAX;
	vm->hooks[event]++;
	return true;
}

bool hooks_ended(pid_t pid)
{
	struct sim_hook *hook = of_pid(pid);

	if (!hook)
		return false;
	sim_note("%s: hook %s ends", hook->vm->name, names[hook->event]);
	hook->pid = 0;
	return true;
}

/* A pipe that nobody empties takes no more: it goes on later. */
static void talk(struct sim_hook *hook)
{
	static const char line[] = "a hook has much to say\n";

	hook->talks = false;
	while (world_write(OUT_FD, line, strlen(line)) > 0)
		;
}

static bool pump(struct sim_hook *hook)
{
	int64_t now = (int64_t)loop_sim_now_us();

	if (hook->pid && sim.up &&
		now - hook->born_us > TIMEOUT_S * 1000000LL + SLACK_US)
		sim_breach("hooks", "%s: one is not ended", hook->vm->name);
	if (!hook->pid || (!hook->talks && now < hook->end_us))
		return false;
	pid_t before = world_as(hook->pid);
	if (hook->talks)
		talk(hook);
	else
		world_exit(hook->pid, (int)world_random(2));
	world_as(before);
	return true;
}

bool hooks_pump(void)
{
	bool did = false;

	for (size_t i = 0; i < NELEMS(running); i++)
		did |= pump(&running[i]);
	return did;
}

int64_t hooks_next_us(void)
{
	int64_t next = INT64_MAX;

	for (size_t i = 0; i < NELEMS(running); i++)
		if (running[i].pid && running[i].end_us < next)
			next = running[i].end_us;
	return next;
}

void hooks_check_life(void)
{
	for (size_t i = 0; i < NELEMS(running); i++)
		if (running[i].pid)
			sim_breach("hooks", "%s: one outlived its supervisor",
				running[i].vm->name);
}
