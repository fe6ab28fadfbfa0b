/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which device sits in which root port.  The guest names its nics and orders
 * its disks by these places, so a device keeps the place that the record has
 * for it, whatever comes and goes around it.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "supervisor/argv.h"
#include "supervisor/device.h"

enum { PORTS_MAX = NELEMS(((struct argv_slots *)0)->names) };

static bool disk_wants_port(const struct spec_disk *disk)
{
	return disk->bus == BUS_VIRTIO || disk->bus == BUS_NVME;
}

static bool spec_has(const struct vm_spec *spec, const char *device)
{
	list_each(&spec->disks, it, next) {
		const struct spec_disk *disk =
			list_entry(it, struct spec_disk, link);

		if (disk_wants_port(disk) && str_starts(device, "disk-") &&
			str_eq(device + 5, disk->name))
			return true;
	}
	list_each(&spec->nics, it, next) {
		const struct spec_nic *nic =
			list_entry(it, struct spec_nic, link);

		if (str_starts(device, "net-") && str_eq(device + 4, nic->name))
			return true;
	}
	return false;
}

int argv_find_slot(const struct argv_slots *slots, const char *device)
{
	for (unsigned i = 0; i < PORTS_MAX; i++)
		if (str_eq(slots->names[i], device))
			return (int)i;
	return -1;
}

/* A free port below n, or -1. */
static int take(struct argv_slots *slots, unsigned n, const char *device)
{
	for (unsigned i = 0; i < n; i++)
		if (slots->names[i][0] == '\0') {
			snprintf(slots->names[i], sizeof(slots->names[i]), "%s",
				device);
			return (int)i;
		}
	return -1;
}

/* A device that finds no port is refused when its vector is built. */
static void place(struct argv_slots *slots, const char *class, const char *name)
{
	char device[sizeof(slots->names[0])];

	snprintf(device, sizeof(device), "%s-%s", class, name);
	if (argv_find_slot(slots, device) < 0)
		(void)take(slots, PORTS_MAX, device);
}

static void count_ports(struct argv_slots *slots, uint64_t spare)
{
	unsigned used = 0;
	unsigned top = 0;

	for (unsigned i = 0; i < PORTS_MAX; i++)
		if (slots->names[i][0] != '\0') {
			used++;
			top = i + 1;
		}
	slots->n =
		spare < PORTS_MAX - used ? used + (unsigned)spare : PORTS_MAX;
	if (slots->n < top)
		slots->n = top;
}

void argv_plan_slots(const struct vm_spec *spec, struct argv_slots *slots)
{
	if (device_machine(spec) != MACHINE_Q35) {
		memset(slots, 0, sizeof(*slots));
		return;
	}
	for (unsigned i = 0; i < PORTS_MAX; i++)
		if (!spec_has(spec, slots->names[i]))
			memset(slots->names[i], 0, sizeof(slots->names[i]));
	list_each(&spec->disks, it, next) {
		const struct spec_disk *disk =
			list_entry(it, struct spec_disk, link);

		if (disk_wants_port(disk))
			place(slots, "disk", disk->name);
	}
	list_each(&spec->nics, it, next)
		place(slots, "net",
			list_entry(it, struct spec_nic, link)->name);
	count_ports(slots, spec->vm.hotplug_ports);
}

int argv_take_slot(
	struct argv_slots *slots, const char *device, struct err *err)
{
	int port = take(slots, slots->n, device);

	if (port < 0)
		return err_set(err, ERR_LIMIT,
			"no free root port for '%s': raise [vm] hotplug-ports "
			"and start the VM anew",
			device);
	return port;
}
