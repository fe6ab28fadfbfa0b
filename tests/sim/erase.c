/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The end of a VM in the simulated world: deleted in calm, by a supervisor
 * that dies in the midst of it, or in the chaos; all of it goes, or nothing.
 */
#include <fcntl.h>

#include "supervisor/vm.h"
#include "tests/sim/sim.h"
#include "tests/sim/world_impl.h"

bool erase_is_there(char *path)
{
	struct place place;
	bool found = !world_find(AT_FDCWD, path, &place) && place.inode;

	free(path);
	return found;
}

static bool has_file(const struct sim_vm *vm)
{
	return erase_is_there(
		life_path("%s/vms/%s.ini", sim.paths.config, vm->name));
}

static bool has_image(const struct sim_vm *vm)
{
	return erase_is_there(
		life_path("%s/%s.%s", vm->images, vm->name, vm->format));
}

/* All of it is there, or nothing but images that are in no pool. */
static void check_erased(const struct sim_vm *vm, bool must_be_gone)
{
	bool file = has_file(vm);
	bool in_pool = vm->images == sim.paths.images;
	bool image = has_image(vm);

	if (file && must_be_gone)
		sim_breach(
			"I2", "%s: deleted, and its file is there", vm->name);
	if (image != (file || !in_pool))
		sim_breach("I6", "%s: its file is %s, its image is %s",
			vm->name, file ? "there" : "gone",
			image ? "there" : "gone");
	if (file != calm_knows(vm))
		sim_breach("I5", "%s: its file is %s, it is %s", vm->name,
			file ? "there" : "gone",
			calm_knows(vm) ? "known" : "not known");
	if (!file && erase_is_there(xstrdup(vm->dropin_path)))
		sim_breach("I5", "%s: deleted, its drop-in is there", vm->name);
	if (erase_is_there(life_path(
		    "%s/deleting/%s.json", sim.paths.state, vm->name)))
		sim_breach("I5", "%s: the journal of its end stays", vm->name);
}

/* Deleted by a supervisor that dies in the midst of it, or with the host. */
static void erase_halfway(struct sim_vm *vm)
{
	client_say(vm, "vm-delete");
	sim.crash_in = 1 + world_random(60);
	sim.power_in = world_random(2);
	life_sleep(2000);
	sim.crash_in = 0;
	sim.power_in = false;
	calm_await_life();
	life_sleep(SIM_WATCH_S * 1000);
	check_erased(vm, false);
}

/* Once that is answered not even a power loss brings it back. */
static void erase_wholly(struct sim_vm *vm)
{
	client_ask(vm, "vm-delete");
	if (world_random(2)) {
		life_power_loss();
		calm_await_life();
	}
	life_sleep(SIM_WATCH_S * 1000);
	check_erased(vm, true);
}

static void put_back(struct sim_vm *vm)
{
	life_put_images(vm);
	life_put_config(vm, vm->config, strlen(vm->config));
	life_sleep(SIM_WATCH_S * 1000);
	if (!calm_knows(vm))
		sim_breach("I3", "%s: made again, it is not known", vm->name);
	client_ask(vm, "vm-start");
}

void erase_run(struct sim_vm *vm)
{
	client_ask(vm, "vm-stop");
	if (world_random(2)) {
		client_wait(vm);
		life_sleep(1000);
	}
	vm->promise = PROMISED_NOTHING;
	vm->value[0] = '\0';
	if (vm->autostart == SIM_YES)
		vm->wanted = true;
	if (world_random(2))
		erase_halfway(vm);
	else
		erase_wholly(vm);
	if (!has_file(vm)) {
		client_check_wait();
		put_back(vm);
	}
}

/* What a sync that failed left half done is for the next life. */
static void finish_erasure(const struct sim_vm *vm)
{
	if (!erase_is_there(life_path(
		    "%s/deleting/%s.json", sim.paths.state, vm->name)))
		return;
	life_crash();
	calm_await_life();
}

/* It was deleted in the chaos, or that was begun: it is made again. */
void erase_mend(void)
{
	bool any = false;

	for (unsigned i = 0; i < sim.nvms; i++) {
		struct sim_vm *vm = &sim.vms[i];

		if (!vm->deleted)
			continue;
		any = true;
		vm->deleted = false;
		finish_erasure(vm);
		/* of a file that cannot be read no image is known */
		if (!has_file(vm) && !sim.on[SIM_FILES] && !sim.on[SIM_CONFIG])
			check_erased(vm, false);
		if (!has_image(vm))
			life_put_images(vm);
		life_put_config(vm, vm->config, strlen(vm->config));
	}
	if (any)
		life_sleep(SIM_WATCH_S * 1000);
}
