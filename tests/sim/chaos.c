/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The faults of a seed: each is on or off for the whole run. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>

#include "tests/sim/sim.h"
#include "tests/sim/world_impl.h"

enum { BYSTANDERS = 12 };

static const char *const names[] = {
#define X(id) #id,
	SIM_FAULTS(X)
#undef X
};

static pid_t bystanders[BYSTANDERS];

void chaos_start(void)
{
	for (unsigned i = 0; i < SIM_NFAULTS; i++) {
		sim.on[i] = world_random(10) < 3;
		if (sim.forced && strstr(sim.forced, names[i]))
			sim.on[i] = true;
		if (sim.on[i])
			sim_note("fault %s is on", names[i]);
	}
}

/* Calls of a group fail at times; or they are well again. */
static void break_calls(
	enum sim_fault fault, const char *const calls[], unsigned per_mille)
{
	static const int reasons[] = { ENOSPC, EIO, EIO, ENOMEM };
	int os = fault == SIM_FILES ? EMFILE : reasons[world_random(4)];
	unsigned how_often = 0;

	if (sim_chance(fault, 300)) /* at times, or always */
		how_often =
			world_random(3) ? 1 + world_random(per_mille) : 1000;
	if (!sim.on[fault])
		return;
	for (size_t i = 0; calls[i]; i++)
		world_fail_often(calls[i], how_often, os);
}

static void break_kernel(void)
{
	static const char *const writes[] = { "write", "pwrite", "fallocate",
		"mkdirat", NULL };
	static const char *const syncs[] = { "fsync", "io_submit", NULL };
	static const char *const renames[] = { "renameat", NULL };
	static const char *const files[] = { "openat", "socket", "accept",
		"pipe", "dup", "eventfd", "socketpair", "pidfd_open",
		"inotify_init", NULL };

	if (world_random(8))
		return;
	break_calls(SIM_WRITE, writes, 60);
	break_calls(SIM_FSYNC, syncs, 200);
	break_calls(SIM_RENAME, renames, 200);
	break_calls(SIM_FILES, files, 100);
	if (sim.on[SIM_SPAWN])
		world_fail_often(
			"spawn", sim_chance(SIM_SPAWN, 300) ? 300 : 0, EAGAIN);
}

static void break_config(void)
{
	struct sim_vm *vm = &sim.vms[world_random(sim.nvms)];
	AUTO_FREE char *path =
		life_path("%s/vms/%s.ini", sim.paths.config, vm->name);
	size_t len = strlen(vm->config);

	switch (world_random(4)) {
	case 0:
		sim_note("%s: its file is gone", vm->name);
		world_unlinkat(AT_FDCWD, path, 0);
		/* forgotten when it is down, and then it is a new one */
		if (vm->autostart == SIM_YES)
			vm->wanted = true;
		vm->promise = PROMISED_NOTHING;
		vm->gone = true;
		vm->orders++; /* those under way promise nothing */
		return;
	case 1:
		sim_note("%s: its file is cut", vm->name);
		life_put_config(vm, vm->config, world_random((uint32_t)len));
		return;
	default:
		life_put_config(vm, vm->config, len);
	}
}

static void move_bystanders(void)
{
	pid_t *at = &bystanders[world_random(BYSTANDERS)];

	if (*at > 0 && world_is_alive(*at) && !qemu_of_pid(*at) &&
		*at != client_pid() && *at != world_self()) {
		world_die(*at, SIGKILL);
		*at = 0;
	} else { /* best where a QEMU was */
		*at = birth_stranger(sim.vms[world_random(sim.nvms)].last_pid);
	}
}

/* Somebody tidies up in /run, and takes a lock file for rubbish. */
static void drop_lock(void)
{
	const struct sim_vm *vm = &sim.vms[world_random(sim.nvms)];
	AUTO_FREE char *path =
		life_path("%s/%s/priv/lock", sim.paths.run, vm->name);

	if (qemu_count(vm) && !world_unlinkat(AT_FDCWD, path, 0))
		sim_note("%s: its lock file is gone", vm->name);
}

/* One that writes hits the full disk; others may never notice. */
static void fill_disk(void)
{
	if (world_space() == 0 && world_random(2)) {
		world_set_space((uint64_t)1 << 40);
		sim_note("there is space again");
		return;
	}
	world_set_space(0);
	sim_note("the disk is full");
	for (unsigned i = 0; i < SIM_QEMUS; i++)
		if (sim.qemus[i].pid && world_random(2))
			guest_write(&sim.qemus[i]);
}

static void jump(void)
{
	static const int64_t days[] = { 1, -1, 30 * 365, -30 * 365 };
	int64_t us = days[world_random(4)] * 86400 * 1000000;

	sim_note("the wall clock jumps");
	world_jump(us);
}

void chaos_act(void)
{
	if (sim.up && sim.crash_in == 0 && sim_chance(SIM_CRASH, 60))
		sim.crash_in = 1 + world_random(world_random(3) ? 60 : 600);
	if (sim.up && sim.crash_in == 0 && sim_chance(SIM_POWER, 20)) {
		sim.crash_in = 1 + world_random(200);
		sim.power_in = true;
	}
	if (sim_chance(SIM_UNLOCK, 30))
		drop_lock();
	if (sim_chance(SIM_POWER, 15))
		life_power_loss();
	if (sim_chance(SIM_LEAVE, 15))
		life_leave();
	if (sim_chance(SIM_CLOCK, 20))
		jump();
	if (sim_chance(SIM_FULL, 60))
		fill_disk();
	if (sim_chance(SIM_CONFIG, 40))
		break_config();
	if (sim_chance(SIM_PIDS, 200))
		move_bystanders();
	break_kernel();
	if (world_random(12) == 0)
		qemu_surprise();
}

void chaos_heal(void)
{
	sim_note("no more faults");
	sim.healed = true;
	sim.healed_us = (int64_t)loop_sim_now_us();
	sim.crash_in = 0;
	sim.power_in = false;
	world_heal();
	world_set_space((uint64_t)1 << 40);
	for (unsigned i = 0; i < sim.nvms; i++)
		if (!sim.vms[i].deleted) /* that goes on, and is mended later */
			life_put_config(&sim.vms[i], sim.vms[i].config,
				strlen(sim.vms[i].config));
	qemu_heal();
}
