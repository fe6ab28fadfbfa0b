/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which device sits in which root port, and which scsi disk is which unit of
 * its controller.  The guest names its nics and orders its disks by these
 * places, so a device keeps the place that the record has for it, whatever
 * comes and goes around it.  Units follow the ports in the list of names.
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
	char at[ARGV_PLACES_MAX][ARGV_SLOT_NAME];
};

/* A part of the table: root ports, or units of the controller. */
struct range {
	unsigned first, end;
};

static const struct range all_ports = { 0, ARGV_SLOTS_MAX };
static const struct range all_units = { ARGV_SLOTS_MAX, ARGV_PLACES_MAX };

static void unpack(const struct argv_slots *slots, struct ports *out)
{
	const char *at = str_or(slots->names, "");

	memset(out, 0, sizeof(*out));
	for (unsigned i = 0; i < ARGV_PLACES_MAX; i++) {
		size_t len = strcspn(at, ",");

		snprintf(out->at[i], sizeof(out->at[i]), "%.*s", (int)len, at);
		at += len + (at[len] == ',');
	}
}

static void pack(const struct ports *ports, struct argv_slots *slots)
{
	AUTO_STR struct str names = STR_INIT;
	unsigned last = ARGV_PLACES_MAX;

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

static bool wants_port(const struct spec_disk *disk)
{
	return argv_disk_place(disk) == PLACE_PORT;
}

static bool wants_unit(const struct spec_disk *disk)
{
	return argv_disk_place(disk) == PLACE_UNIT;
}

static bool names_device(const struct list *disks, const char *device,
	bool (*wants)(const struct spec_disk *disk))
{
	list_each(disks, it, next) {
		const struct spec_disk *disk =
			list_entry(it, struct spec_disk, link);
		AUTO_FREE char *id = argv_disk_id(disk);

		if (wants(disk) && str_eq(device, id))
			return true;
	}
	return false;
}

static bool has_disk(const struct vm_spec *spec, const char *device,
	bool (*wants)(const struct spec_disk *disk))
{
	return names_device(&spec->disks, device, wants) ||
	       names_device(&spec->cdroms, device, wants);
}

static bool is_controller(const char *device)
{
	return str_eq(device, ARGV_SCSI) || str_eq(device, ARGV_USB);
}

static bool is_on(const struct list *disks, const char *controller)
{
	list_each(disks, it, next) {
		const char *its = argv_disk_controller(
			list_entry(it, struct spec_disk, link));

		if (its && str_eq(its, controller))
			return true;
	}
	return false;
}

/*
 * What is in a port stays there; a controller as long as its QEMU, whose
 * disks may all have gone.
 */
static bool stays_in_port(
	const struct vm_spec *spec, const char *device, bool live)
{
	if (has_disk(spec, device, wants_port))
		return true;
	if (is_controller(device))
		return live || is_on(&spec->disks, device) ||
		       is_on(&spec->cdroms, device);
	list_each(&spec->nics, it, next) {
		const struct spec_nic *nic =
			list_entry(it, struct spec_nic, link);

		if (str_starts(device, "net-") && str_eq(device + 4, nic->name))
			return true;
	}
	return false;
}

/* Its place in that part, counted from the beginning of the part; or -1. */
static int find(
	const struct ports *ports, const struct range *in, const char *device)
{
	for (unsigned i = in->first; i < in->end; i++)
		if (str_eq(ports->at[i], device))
			return (int)(i - in->first);
	return -1;
}

int argv_find_slot(const struct argv_slots *slots, const char *device)
{
	struct ports ports;

	unpack(slots, &ports);
	return find(&ports, &all_ports, device);
}

int argv_find_unit(const struct argv_slots *slots, const char *device)
{
	struct ports ports;

	unpack(slots, &ports);
	return find(&ports, &all_units, device);
}

/* The lowest free place of that part, or -1. */
static int take(struct ports *ports, const struct range *in, const char *device)
{
	for (unsigned i = in->first; i < in->end; i++)
		if (ports->at[i][0] == '\0') {
			snprintf(ports->at[i], sizeof(ports->at[i]), "%s",
				device);
			return (int)(i - in->first);
		}
	return -1;
}

/* A device that finds no place is refused when its vector is built. */
static void place(struct ports *ports, const struct range *in, const char *id)
{
	char device[ARGV_SLOT_NAME];

	snprintf(device, sizeof(device), "%s", id);
	if (find(ports, in, device) < 0)
		(void)take(ports, in, device);
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

/* The disks of that kind that have no place yet. */
static void place_disks(struct ports *ports, const struct list *disks,
	const struct range *in, bool (*wants)(const struct spec_disk *disk))
{
	list_each(disks, it, next) {
		const struct spec_disk *disk =
			list_entry(it, struct spec_disk, link);
		AUTO_FREE char *id = argv_disk_id(disk);

		if (wants(disk))
			place(ports, in, id);
	}
}

static void plan_ports(
	struct ports *ports, const struct vm_spec *spec, bool live)
{
	for (unsigned i = 0; i < ARGV_SLOTS_MAX; i++)
		if (!stays_in_port(spec, ports->at[i], live))
			memset(ports->at[i], 0, sizeof(ports->at[i]));
	place_disks(ports, &spec->disks, &all_ports, wants_port);
	list_each(&spec->nics, it, next) {
		AUTO_FREE char *id = xasprintf(
			"net-%s", list_entry(it, struct spec_nic, link)->name);

		place(ports, &all_ports, id);
	}
}

static void plan_units(struct ports *ports, const struct vm_spec *spec)
{
	for (unsigned i = all_units.first; i < all_units.end; i++)
		if (!has_disk(spec, ports->at[i], wants_unit))
			memset(ports->at[i], 0, sizeof(ports->at[i]));
	place_disks(ports, &spec->disks, &all_units, wants_unit);
	place_disks(ports, &spec->cdroms, &all_units, wants_unit);
}

void argv_plan_slots(const struct vm_spec *spec, struct argv_slots *slots)
{
	bool ported = device_machine(spec) == MACHINE_Q35;
	struct ports ports;

	unpack(slots, &ports);
	if (ported)
		plan_ports(&ports, spec, slots->live);
	else
		memset(ports.at, 0, ARGV_SLOTS_MAX * sizeof(ports.at[0]));
	plan_units(&ports, spec);
	slots->n = ported ? count_ports(&ports, spec->vm.hotplug_ports) : 0;
	pack(&ports, slots);
}

int argv_take_unit(
	struct argv_slots *slots, const char *device, struct err *err)
{
	struct ports ports;
	int unit;

	unpack(slots, &ports);
	unit = take(&ports, &all_units, device);
	if (unit < 0)
		return err_set(err, ERR_LIMIT,
			"no place for '%s': a VM takes %d scsi disks", device,
			ARGV_UNITS_MAX);
	pack(&ports, slots);
	return unit;
}

int argv_take_slot(
	struct argv_slots *slots, const char *device, struct err *err)
{
	const struct range there = { 0, slots->n };
	struct ports ports;
	int port;

	unpack(slots, &ports);
	port = take(&ports, &there, device);
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

	unpack(slots, &ports);
	for (unsigned i = 0; i < ARGV_PLACES_MAX; i++)
		if (str_eq(ports.at[i], device)) {
			ports.at[i][0] = '\0';
			pack(&ports, slots);
			return;
		}
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
