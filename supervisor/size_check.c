/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sizes that are refused before QEMU is asked; see size_check.h. */
#include "supervisor/size_check.h"

#include <inttypes.h>

#include "base/str.h"
#include "supervisor/room.h"

static int cannot(const struct vm *vm, struct err *err)
{
	if (device_machine(vm->running) != MACHINE_MICROVM)
		return 0;
	return err_set(err, ERR_UNSUPPORTED, "machine microvm cannot hotplug");
}

int size_check_cpus(const struct vm *vm, uint64_t cpus, struct err *err)
{
	const struct spec_vm *now = &vm->running->vm;
	uint64_t most = now->cpus_max > now->cpus ? now->cpus_max : now->cpus;

	if (cannot(vm, err))
		return -1;
	if (cpus == 0)
		return err_set(err, ERR_USAGE, "a VM has one vCPU at least");
	if (cpus > most)
		return err_set(err, ERR_LIMIT,
			"it was started with room for %" PRIu64
			" vCPUs: write cpus-max and start it anew",
			most);
	/* QEMU 7.2 dies of it at its next reset */
	if (cpus < now->cpus && !vm->accel.kvm)
		return err_set(err, ERR_UNSUPPORTED,
			"vCPUs are not unplugged under TCG: QEMU would die of "
			"it");
	return 0;
}

int size_check_memory(const struct vm *vm, uint64_t bytes, struct err *err)
{
	const struct spec_vm *now = &vm->running->vm;
	uint64_t most =
		now->memory_max > now->memory ? now->memory_max : now->memory;
	AUTO_STR struct str text = STR_INIT;

	if (cannot(vm, err))
		return -1;
	if (bytes > most) {
		str_add_bytes(&text, most);
		return err_set(err, ERR_LIMIT,
			"it was started with room for %s: write memory-max and "
			"start it anew",
			str_text(&text));
	}
	if (bytes % ROOM_BLOCK == now->memory % ROOM_BLOCK)
		return 0;
	return err_set(err, ERR_USAGE, "memory changes by multiples of 2M");
}
