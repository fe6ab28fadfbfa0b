/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmward clone in the simulated world: of a VM that is down its twin comes
 * wholly or not at all, whoever dies meanwhile, and the VM itself loses
 * nothing.  Its disk is copied, or becomes the base of both.
 */
#include <fcntl.h>
#include <stdio.h>

#include "storage/image.h"
#include "supervisor/vm.h"
#include "tests/sim/sim.h"
#include "tests/sim/world_impl.h"

/* The twin is unknown to the oracle: it must neither start nor run hooks. */
bool twin_may_be(const struct sim_vm *vm)
{
	return vm->autostart != SIM_YES && !vm->hooked;
}

char *twin_name(const struct sim_vm *vm)
{
	return life_path("%s-two", vm->name);
}

static char *file_of(const struct sim_vm *vm)
{
	return life_path("%s/vms/%s-two.ini", sim.paths.config, vm->name);
}

static char *image_of(const struct sim_vm *vm)
{
	return life_path(
		"%s/%s-two-root.%s", sim.paths.images, vm->name, vm->format);
}

static char *journal_of(const struct sim_vm *vm)
{
	return life_path("%s/deleting/%s-two.json", sim.paths.state, vm->name);
}

/* On disk, whatever fails next. */
void twin_check_promise(const struct sim_vm *vm)
{
	AUTO_FREE char *file = vm->twin_promised ? file_of(vm) : NULL;
	AUTO_FREE char *image = vm->twin_promised ? image_of(vm) : NULL;

	if (!vm->twin_promised)
		return;
	if (!world_bytes_of(file, true))
		sim_breach("I2", "%s: its clone was answered, no file is there",
			vm->name);
	if (!world_bytes_of(image, true))
		sim_breach("I2",
			"%s: its clone was answered, no image is there",
			vm->name);
}

/* An image is whole, and so is what it is on top of. */
static void check_image(const struct sim_vm *vm, const char *path)
{
	const struct bytes *bytes = world_bytes_of(path, false);
	bool qcow2 = bytes && bytes->len > 4 && !memcmp(bytes->data, "QFI", 3);
	bool raw = bytes && bytes->len == 3 && !memcmp(bytes->data, "raw", 3);
	size_t name_len;

	if (!str_eq(vm->format, "qcow2") ? !raw : !qcow2)
		sim_breach("I6", "%s: '%s' is %s", vm->name, path,
			bytes ? "not whole" : "gone");
	if (raw || bytes->len <= 128)
		return;
	name_len = bytes->len - 128;
	AUTO_FREE char *base = xstrndup(bytes->data + 128, name_len);
	if (str_eq(base, path))
		sim_breach("I6", "%s: '%s' is its own base", vm->name, path);
	check_image(vm, base);
}

static bool is_known(const struct sim_vm *vm)
{
	AUTO_FREE char *name = twin_name(vm);

	return registry_find(sim.service.registry, name);
}

/* All of the twin is there or nothing, and the VM has what it had. */
static bool check(const struct sim_vm *vm)
{
	AUTO_FREE char *image = image_of(vm);
	AUTO_FREE char *own =
		life_path("%s/%s.%s", vm->images, vm->name, vm->format);
	bool file = erase_is_there(file_of(vm));

	if (file != erase_is_there(image_of(vm)))
		sim_breach("I6", "%s: the file of its clone is %s", vm->name,
			file ? "there, its image is not"
			     : "not there, its image is");
	if (file != is_known(vm))
		sim_breach("I5", "%s: the file of its clone is %s", vm->name,
			file ? "there, and not known" : "gone, and known");
	if (erase_is_there(journal_of(vm)))
		sim_breach(
			"I5", "%s: the journal of its clone stays", vm->name);
	check_image(vm, own);
	if (file)
		check_image(vm, image);
	return file;
}

static void remove_twin(struct sim_vm *vm)
{
	struct sim_vm twin = { .autostart = SIM_NO };

	snprintf(twin.name, sizeof(twin.name), "%.8s-two", vm->name);
	vm->twin_promised = false;
	client_ask(&twin, "vm-delete");
	life_sleep(SIM_WATCH_S * 1000);
	if (check(vm))
		sim_breach("I2", "%s: deleted, its clone is there", vm->name);
}

/* What a sync that failed left half done is for the next life. */
static void finish(const struct sim_vm *vm)
{
	if (!erase_is_there(journal_of(vm)))
		return;
	life_crash();
	calm_await_life();
	life_sleep(SIM_WATCH_S * 1000);
}

void twin_mend(void)
{
	for (unsigned i = 0; i < sim.nvms; i++) {
		struct sim_vm *vm = &sim.vms[i];

		if (!vm->cloned)
			continue;
		finish(vm);
		if (check(vm))
			remove_twin(vm);
	}
}

/* It dies in the midst of it, or with the host. */
static void make_halfway(struct sim_vm *vm)
{
	client_say(vm, "vm-clone");
	life_sleep(world_random(3000));
	sim.crash_in = 1 + world_random(40);
	sim.power_in = world_random(2);
	life_sleep(5000);
	sim.crash_in = 0;
	sim.power_in = false;
	calm_await_life();
}

static void make_wholly(struct sim_vm *vm)
{
	client_ask(vm, "vm-clone");
	if (world_random(2)) {
		life_power_loss();
		calm_await_life();
	}
}

void twin_run(struct sim_vm *vm)
{
	bool halfway = world_random(2);

	if (!twin_may_be(vm))
		return;
	client_ask(vm, "vm-stop");
	if (halfway)
		make_halfway(vm);
	else
		make_wholly(vm);
	life_sleep(SIM_WATCH_S * 1000);
	twin_check_promise(vm);
	bool made = check(vm);
	if (!made && !halfway)
		sim_breach("I2", "%s: cloned, and no clone is there", vm->name);
	client_ask(vm, "vm-start");
	if (made)
		remove_twin(vm);
}
