/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a guest can be given while it runs; see room.h. */
#include "supervisor/room.h"

#include "supervisor/ram.h"

uint64_t room_memory(const struct vm_spec *spec)
{
	const struct spec_vm *vm = &spec->vm;

	if (vm->memory_max <= vm->memory ||
		device_machine(spec) == MACHINE_MICROVM)
		return 0;
	return (vm->memory_max - vm->memory) / ROOM_BLOCK * ROOM_BLOCK;
}

json_t *room_backend(const struct vm_spec *spec)
{
	json_t *backend = ram_backend(spec, "vmem", room_memory(spec));

	json_object_set_new(backend, "reserve", json_false());
	return backend;
}

json_t *room_device(const struct vm_spec *spec)
{
	json_t *device = device_virtio_at(
		device_machine(spec), "virtio-mem", "vmem0", ADDR_MEMORY);

	device_put(device, "memdev", "vmem");
	json_object_set_new(
		device, "block-size", json_integer((json_int_t)ROOM_BLOCK));
	json_object_set_new(device, "requested-size", json_integer(0));
	return device;
}
