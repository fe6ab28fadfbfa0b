/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which device sits in which root port.  The guest names its nics and orders
 * its disks by these places, so a device keeps the place that the record has
 * for it, whatever comes and goes around it.
 */
#include <stdio.h>
#include <string.h>

#include "base/atom.h"
#include "base/mem.h"
#include "base/str.h"
#include "supervisor/argv.h"
#include "supervisor/device.h"

/* The names as a table, while they are worked with. */
struct ports {
	char at[ARGV_SLOTS_MAX][ARGV_SLOT_NAME];
};

static void unpack(const struct argv_slots *slots, struct ports *out)
{
	const char *at = str_or(slots->names, "");

	memset(out, 0, sizeof(*out));
	for (unsigned i = 0; i < ARGV_SLOTS_MAX; i++) {
		size_t len = strcspn(at, ",");

		snprintf(out->at[i], sizeof(out->at[i]), "%.*s", (int)len, at);
		at += len + (at[len] == ',');
	}
}

static void pack(const struct ports *ports, struct argv_slots *slots)
{
	AUTO_STR struct str names = STR_INIT;
	unsigned last = ARGV_SLOTS_MAX;

	while (last > 0 && !ports->at[last - 1][0])
		last--;
	for (unsigned i = 0; i < last; i++) {
		str_add(&names, i ? "," : "");
		str_add(&names, ports->at[i]);
	}
	argv_name_slots(slots, last ? str_text(&names) : NULL);
}

void argv_name_slots(struct argv_slots *slots, const char *names)
{
	atom_set(&slots->names, names);
}

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

static int find(const struct ports *ports, const char *device)
{
	for (int i = 0; i < ARGV_SLOTS_MAX; i++)
		if (str_eq(ports->at[i], device))
			return i;
	return -1;
}

int argv_find_slot(const struct argv_slots *slots, const char *device)
{
	struct ports ports;

	unpack(slots, &ports);
	return find(&ports, device);
}

/* A free port below n, or -1. */
static int take(struct ports *ports, unsigned n, const char *device)
{
	for (unsigned i = 0; i < n; i++)
		if (ports->at[i][0] == '\0') {
			snprintf(ports->at[i], sizeof(ports->at[i]), "%s",
				device);
			return (int)i;
		}
	return -1;
}

/* A device that finds no port is refused when its vector is built. */
static void place(struct ports *ports, const char *class, const char *name)
{
	char device[ARGV_SLOT_NAME];

	snprintf(device, sizeof(device), "%s-%s", class, name);
	if (find(ports, device) < 0)
		(void)take(ports, ARGV_SLOTS_MAX, device);
}

static unsigned count_ports(const struct ports *ports, uint64_t spare)
{
	unsigned used = 0;
	unsigned top = 0;
	unsigned n;

	for (unsigned i = 0; i < ARGV_SLOTS_MAX; i++)
		if (ports->at[i][0] != '\0') {
			used++;
			top = i + 1;
		}
	n = spare < ARGV_SLOTS_MAX - used ? used + (unsigned)spare
					  : ARGV_SLOTS_MAX;
	return n < top ? top : n;
}

void argv_plan_slots(const struct vm_spec *spec, struct argv_slots *slots)
{
	struct ports ports;

	if (device_machine(spec) != MACHINE_Q35) {
		argv_name_slots(slots, NULL);
		slots->n = 0;
		return;
	}
	unpack(slots, &ports);
	for (unsigned i = 0; i < ARGV_SLOTS_MAX; i++)
		if (!spec_has(spec, ports.at[i]))
			memset(ports.at[i], 0, sizeof(ports.at[i]));
	list_each(&spec->disks, it, next) {
		const struct spec_disk *disk =
			list_entry(it, struct spec_disk, link);

		if (disk_wants_port(disk))
			place(&ports, "disk", disk->name);
	}
	list_each(&spec->nics, it, next)
		place(&ports, "net",
			list_entry(it, struct spec_nic, link)->name);
	slots->n = count_ports(&ports, spec->vm.hotplug_ports);
	pack(&ports, slots);
}

int argv_take_slot(
	struct argv_slots *slots, const char *device, struct err *err)
{
	struct ports ports;
	int port;

	unpack(slots, &ports);
	port = take(&ports, slots->n, device);
	if (port < 0)
		return err_set(err, ERR_LIMIT,
			"no free root port for '%s': raise [vm] hotplug-ports "
			"and start the VM anew",
			device);
	pack(&ports, slots);
	return port;
}

void argv_drop_slot(struct argv_slots *slots, const char *device)
{
	struct ports ports;
	int port;

	unpack(slots, &ports);
	port = find(&ports, device);
	if (port < 0)
		return;
	ports.at[port][0] = '\0';
	pack(&ports, slots);
}

unsigned argv_free_slots(const struct argv_slots *slots)
{
	struct ports ports;
	unsigned n = 0;

	unpack(slots, &ports);
	for (unsigned i = 0; i < slots->n && i < ARGV_SLOTS_MAX; i++)
		n += ports.at[i][0] == '\0';
	return n;
}
