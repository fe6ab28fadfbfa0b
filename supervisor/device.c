/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JSON of devices.  What never moves has a written place on its bus, so that
 * a guest sees the same machine whatever else is plugged in.
 */
#include "supervisor/device.h"

#include <stdio.h>

#include "base/mem.h"
#include "base/str.h"

enum { PORTS_PER_SLOT = 8 };

bool device_is_set(const char *text)
{
	return text && text[0] != '\0';
}

enum machine_kind device_machine(const struct vm_spec *spec)
{
	const char *name = spec->vm.machine;

	if (!device_is_set(name) || str_eq(name, "q35") ||
		str_starts(name, "pc-q35-"))
		return MACHINE_Q35;
	return str_eq(name, "microvm") ? MACHINE_MICROVM : MACHINE_PC;
}

json_t *device_new(const char *driver, const char *id)
{
	return json_pack("{s:s, s:s}", "driver", driver, "id", id);
}

json_t *device_virtio(
	enum machine_kind kind, const char *driver, const char *id)
{
	AUTO_FREE char *name = xasprintf(
		"%s-%s", driver, kind == MACHINE_MICROVM ? "device" : "pci");

	return device_new(name, id);
}

json_t *device_virtio_at(enum machine_kind kind, const char *driver,
	const char *id, enum device_addr addr)
{
	json_t *device = device_virtio(kind, driver, id);

	if (kind != MACHINE_MICROVM)
		device_put_at(device, kind, addr);
	return device;
}

void device_put_at(
	json_t *device, enum machine_kind kind, enum device_addr addr)
{
	char slot[16];

	snprintf(slot, sizeof(slot), "0x%x", (unsigned)addr);
	device_put(device, "bus", kind == MACHINE_Q35 ? "pcie.0" : "pci.0");
	device_put(device, "addr", slot);
}

void device_put(json_t *device, const char *key, const char *text)
{
	json_object_set_new(device, key, json_string(text));
}

void device_put_place(json_t *device, int place)
{
	char bus[16];

	if (place < 0)
		return;
	snprintf(bus, sizeof(bus), "rp%d", place);
	device_put(device, "bus", bus);
	/* without it a second device on the port is taken and never seen */
	device_put(device, "addr", "0x0");
}

void device_put_boot(json_t *device, int bootindex)
{
	if (bootindex > 0)
		json_object_set_new(
			device, "bootindex", json_integer(bootindex));
}

json_t *device_root_port(unsigned i)
{
	unsigned function = i % PORTS_PER_SLOT;
	char id[16];
	char addr[16];
	json_t *port;

	snprintf(id, sizeof(id), "rp%u", i);
	snprintf(addr, sizeof(addr), "0x%x.0x%x",
		(unsigned)ADDR_PORTS + i / PORTS_PER_SLOT, function);
	port = device_new("pcie-root-port", id);
	device_put(port, "bus", "pcie.0");
	device_put(port, "addr", addr);
	if (function == 0)
		json_object_set_new(port, "multifunction", json_true());
	json_object_set_new(port, "chassis", json_integer(i + 1));
	json_object_set_new(port, "port", json_integer(i));
	return port;
}

char *device_word(const char *text)
{
	struct str word = STR_INIT;

	for (; *text; text++) {
		str_addc(&word, *text);
		if (*text == ',')
			str_addc(&word, ',');
	}
	return word.len ? str_take(&word) : xstrdup("");
}

json_t *device_video(enum machine_kind kind, const char *model)
{
	json_t *device = device_new(model, "video0");

	if (kind == MACHINE_Q35)
		device_put_at(device, kind, ADDR_DISPLAY);
	return device;
}
