/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Devices that never move, cold and one of each: root ports, controllers,
 * rng, balloon, watchdog.
 */
#include "supervisor/argv_build.h"

#include "base/mem.h"
#include "base/str.h"
#include "supervisor/room.h"
#include "supervisor/tpm.h"
#include "supervisor/vsock.h"
#include "supervisor/watchdog.h"

static int add_root_ports(struct argv_build *b)
{
	for (unsigned i = 0; i < b->slots->n; i++)
		if (argv_add_device(b, device_root_port(i)) != 0)
			return -1;
	return 0;
}

static bool has_disk_on(const struct argv_build *b, int bus)
{
	list_each(&b->spec->disks, it, next)
		if (list_entry(it, struct spec_disk, link)->bus == bus)
			return true;
	list_each(&b->spec->cdroms, ct, cnext)
		if (list_entry(ct, struct spec_disk, link)->bus == bus)
			return true;
	return false;
}

static bool has_virtio_serial(const struct argv_build *b)
{
	list_each(&b->spec->serials, it, next)
		if (list_entry(it, struct spec_serial_port, link)->target ==
			SERIAL_VIRTIO)
			return true;
	return false;
}

/* The tablet is the only pointer that a Windows desktop follows exactly. */
static int add_usb(struct argv_build *b)
{
	bool tablet = b->spec->vm.os == OS_WINDOWS;
	int port = argv_find_slot(b->slots, ARGV_USB);
	json_t *usb;

	if (b->kind == MACHINE_MICROVM || (!tablet && !has_disk_on(b, BUS_USB)))
		return 0;
	if (argv_add_device(b, argv_controller(b->spec, ARGV_USB, port)) != 0)
		return -1;
	if (!tablet)
		return 0;
	usb = device_new("usb-tablet", "tablet0");
	device_put(usb, "bus", ARGV_USB ".0");
	return argv_add_device(b, usb);
}

static int add_rng(struct argv_build *b)
{
	if (!b->spec->rng.enabled)
		return 0;
	return argv_add_device(
		b, device_virtio_at(b->kind, "virtio-rng", "rng0", ADDR_RNG));
}

static int add_balloon(struct argv_build *b)
{
	json_t *balloon;

	if (!b->spec->balloon.enabled)
		return 0;
	balloon = device_virtio_at(
		b->kind, "virtio-balloon", "balloon0", ADDR_BALLOON);
	json_object_set_new(balloon, "deflate-on-oom", json_true());
	json_object_set_new(balloon, "free-page-reporting", json_true());
	return argv_add_device(b, balloon);
}

/* What memory can grow into. */
static int add_room(struct argv_build *b)
{
	if (room_memory(b->spec) == 0)
		return 0;
	if (argv_add_json(b, "-object", room_backend(b->spec)) != 0)
		return -1;
	return argv_add_device(b, room_device(b->spec));
}

static int add_watchdog(struct argv_build *b)
{
	const char *global = watchdog_global(b->spec);
	json_t *device;

	if (!watchdog_is_there(b->spec))
		return 0;
	if (global)
		argv_add_option(b, "-global", global);
	device = watchdog_device(b->spec);
	return device ? argv_add_device(b, device) : 0;
}

/* The program behind it is at the other end of the descriptor. */
static int add_tpm(struct argv_build *b)
{
	if (!tpm_is_there(b->spec))
		return 0;
	argv_addf(b, "-chardev", "socket,id=tpm,fd=%d", ARGV_FD_TPM);
	argv_add_option(b, "-tpmdev", "emulator,id=tpm,chardev=tpm");
	return argv_add_device(b, tpm_device(b->spec));
}

/* For systemd in the guest, which says when it is up. */
static int add_vsock(struct argv_build *b)
{
	AUTO_STR struct str where = STR_INIT;

	if (b->spec->start.ready.kind != READY_NOTIFY)
		return 0;
	vsock_tell_systemd(b->spec->uuid, &where);
	argv_add_option(b, "-smbios", str_text(&where));
	return argv_add_device(b, vsock_device(b->kind, b->spec->uuid));
}

static int add_vserial(struct argv_build *b)
{
	if (!b->spec->agent.enabled && !has_virtio_serial(b))
		return 0;
	return argv_add_device(b, device_virtio_at(b->kind, "virtio-serial",
					  "vserial", ADDR_VSERIAL));
}

static int add_scsi(struct argv_build *b)
{
	int port = argv_find_slot(b->slots, ARGV_SCSI);

	if (!has_disk_on(b, BUS_SCSI))
		return 0;
	return argv_add_device(b, argv_controller(b->spec, ARGV_SCSI, port));
}

static int add_pvpanic(struct argv_build *b)
{
	if (b->kind == MACHINE_MICROVM)
		return 0;
	return argv_add_device(b, device_new("pvpanic", "pvpanic0"));
}

/*
 * One row is one class of device, which adds what the spec has of it.  The
 * order never changes.
 */
static int (*const classes[])(struct argv_build *b) = {
	add_root_ports,
	add_vserial,
	add_rng,
	add_balloon,
	add_scsi,
	add_pvpanic,
	add_room,
	add_watchdog,
	add_tpm,
	add_vsock,
	add_usb,
};

int argv_add_fixed(struct argv_build *b)
{
	for (size_t i = 0; i < NELEMS(classes); i++)
		if (classes[i](b) != 0)
			return -1;
	return 0;
}
