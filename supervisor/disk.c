/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A disk for QEMU: where its image is, its format, its block nodes and its
 * device ("disk-root").  Each image of its chain has a node of its format
 * ("disk-root", below it "disk-root.1") over one of its file ("disk-root.f",
 * "disk-root.1.f"); no name of a disk has a dot.  What is below is said with
 * each node, and no format is probed: QEMU follows no header.
 */
#include <stdio.h>
#include <string.h>

#include "base/jstream.h"
#include "base/mem.h"
#include "base/str.h"
#include "storage/format.h"
#include "storage/remote.h"
#include "supervisor/argv.h"
#include "supervisor/device.h"

enum { CACHE_NONE, CACHE_WRITEBACK, CACHE_WRITETHROUGH, CACHE_UNSAFE };
enum { AIO_IO_URING, AIO_NATIVE, AIO_THREADS };
enum { DISCARD_UNMAP, DISCARD_IGNORE };

/* Where its pool is; images: where default's is. */
static const char *dir_of(const struct spec_disk *disk, const char *images)
{
	return disk->pool.dir ? disk->pool.dir : images;
}

static char *volume_path(
	const struct spec_disk *disk, const char *volume, const char *images)
{
	if (strchr(volume, '/'))
		return xstrdup(volume);
	return xasprintf("%s/%s", dir_of(disk, images), volume);
}

char *argv_disk_path(const struct vm_spec *spec, const struct spec_disk *disk,
	const char *images)
{
	int format = FORMAT_QCOW2;

	if (device_is_set(disk->url))
		return xstrdup(disk->url);
	if (device_is_set(disk->image))
		return volume_path(disk, disk->image, images);
	if (!device_is_set(disk->base) && disk->format != FORMAT_NONE)
		format = disk->format;
	return xasprintf("%s/%s-%s%s", dir_of(disk, images), spec->name,
		disk->name, format_suffix(spec_format_names[format]));
}

char *argv_base_path(const struct spec_disk *disk, const char *images)
{
	return device_is_set(disk->base) ? volume_path(disk, disk->base, images)
					 : NULL;
}

static int format_of(
	const struct spec_disk *disk, const char *path, struct err *err)
{
	const char *format = format_by_suffix(path);

	if (disk->format != FORMAT_NONE)
		return disk->format;
	if (device_is_set(disk->url))
		return FORMAT_RAW;
	for (int i = FORMAT_QCOW2; format && spec_format_names[i]; i++)
		if (str_eq(format, spec_format_names[i]))
			return i;
	err_set(err, ERR_CONFIG,
		"disk '%s': the name of '%s' does not tell its format: write "
		"format = raw or format = qcow2",
		disk->name, path);
	return FORMAT_NONE;
}

int argv_disk_format(
	const struct spec_disk *disk, const char *path, struct err *err)
{
	return device_is_set(disk->base) ? FORMAT_QCOW2
					 : format_of(disk, path, err);
}

int argv_base_format(
	const struct spec_disk *disk, const char *path, struct err *err)
{
	return format_of(disk, path, err);
}

static const char *aio_of(
	const struct spec_disk *disk, const struct argv_host *host)
{
	if (disk->aio == AIO_NATIVE)
		return "native";
	return disk->aio == AIO_IO_URING && host->io_uring ? "io_uring"
							   : "threads";
}

/* What the format node and the file node below it must agree on. */
static void put_common(
	json_t *node, const struct spec_disk *disk, bool readonly)
{
	json_object_set_new(node, "read-only", json_boolean(readonly));
	device_put(node, "discard",
		disk->discard == DISCARD_UNMAP && !readonly ? "unmap"
							    : "ignore");
	json_object_set_new(node, "cache",
		json_pack("{s:b, s:b}", "direct", disk->cache == CACHE_NONE,
			"no-flush", disk->cache == CACHE_UNSAFE));
}

/* Overlays put on it since QEMU began come first: "disk-root.s2". */
char *argv_disk_node_name(const char *disk, unsigned layers, size_t depth)
{
	if (depth < layers)
		return xasprintf("disk-%s.s%zu", disk, layers - depth);
	return depth == layers ? xasprintf("disk-%s", disk)
			       : xasprintf("disk-%s.%zu", disk, depth - layers);
}

char *argv_disk_id(const struct spec_disk *disk)
{
	return xasprintf("%s-%s", disk->drive ? "cdrom" : "disk", disk->name);
}

char *argv_disk_top(const struct spec_disk *disk, const char *name)
{
	return argv_disk_node_name(name, disk ? disk->layers : 0, 0);
}

char *argv_disk_fd_name(
	const struct spec_disk *disk, const struct chain *chain, size_t depth)
{
	AUTO_FREE char *node =
		argv_disk_node_name(disk->name, disk->layers, depth);

	return xasprintf("%s:%s", node, chain->at[depth].path);
}

/* An image below this one can be said, and would else be looked for. */
static bool knows_backing(const char *format)
{
	return str_eq(format, "qcow2") || str_eq(format, "vmdk");
}

char *argv_disk_secret_id(const char *disk)
{
	return xasprintf("secret-%s", disk);
}

json_t *argv_disk_secret(const struct spec_disk *disk, int fd)
{
	AUTO_FREE char *id = argv_disk_secret_id(disk->name);
	AUTO_FREE char *file = xasprintf("/dev/fd/%d", fd);

	return json_pack(
		"{s:s,s:s,s:s}", "qom-type", "secret", "id", id, "file", file);
}

/* Its URL was looked at when the file was read. */
static json_t *remote_file(
	const struct spec_disk *disk, const char *name, bool readonly)
{
	AUTO_FREE char *secret =
		disk->secret_file ? argv_disk_secret_id(disk->name) : NULL;
	struct err ignored = ERR_INIT;
	json_t *node = remote_node(&(struct remote_wish){ disk->url, name,
					   secret, disk->reconnect_ms },
		&ignored);

	put_common(node, disk, readonly);
	return node;
}

static json_t *file_node(const struct spec_disk *disk,
	const struct argv_host *host, const struct chain_image *image,
	const char *name)
{
	AUTO_FREE char *id = xasprintf("%s.f", name);
	AUTO_FREE char *set = xasprintf("/dev/fdset/%d", image->set);
	json_t *node;

	if (image->remote)
		return remote_file(disk, id, !image->writes);
	node = json_pack("{s:s, s:s, s:s}", "driver",
		image->device ? "host_device" : "file", "node-name", id,
		"filename", set);
	device_put(node, "aio", aio_of(disk, host));
	put_common(node, disk, !image->writes);
	return node;
}

json_t *argv_disk_node(const struct spec_disk *disk,
	const struct argv_host *host, const struct chain *chain, size_t depth)
{
	const struct chain_image *image = &chain->at[depth];
	AUTO_FREE char *name =
		argv_disk_node_name(disk->name, disk->layers, depth);
	json_t *node = json_pack(
		"{s:s, s:s}", "driver", image->format, "node-name", name);

	put_common(node, disk, !image->writes);
	if (depth + 1 < chain->n) {
		AUTO_FREE char *below = argv_disk_node_name(
			disk->name, disk->layers, depth + 1);

		device_put(node, "backing", below);
	} else if (knows_backing(image->format)) {
		json_object_set_new(node, "backing", json_null());
	}
	if (depth == 0 && chain->encrypted) {
		AUTO_FREE char *secret = argv_disk_secret_id(disk->name);

		json_object_set_new(node, "encrypt",
			json_pack("{s:s,s:s}", "format", "luks", "key-secret",
				secret));
	}
	json_object_set_new(node, "file", file_node(disk, host, image, name));
	return node;
}

int argv_disk_check(const struct spec_disk *disk, const struct chain *chain,
	struct err *err)
{
	for (size_t i = 0; i < chain->n; i++)
		if (!str_is_utf8(chain->at[i].path, strlen(chain->at[i].path)))
			return err_set(err, ERR_CONFIG,
				"disk '%s': the image's path is not UTF-8",
				disk->name);
	if (disk->aio == AIO_NATIVE && disk->cache != CACHE_NONE)
		return err_set(err, ERR_CONFIG,
			"disk '%s': aio = native needs cache = none",
			disk->name);
	return 0;
}

/* q35: one disk on each of ide.0 to ide.5; pc: two on ide.0 and ide.1. */
static int put_sata(json_t *device, enum machine_kind kind,
	const struct spec_disk *disk, int unit, struct err *err)
{
	int most = kind == MACHINE_PC ? 4 : 6;
	char bus[16];

	if (unit >= most)
		return err_set(err, ERR_LIMIT,
			"disk '%s': this machine takes %d sata disks",
			disk->name, most);
	snprintf(bus, sizeof(bus), "ide.%d",
		kind == MACHINE_PC ? unit / 2 : unit);
	device_put(device, "bus", bus);
	if (kind == MACHINE_PC)
		json_object_set_new(device, "unit", json_integer(unit % 2));
	return 0;
}

/* What each bus makes of a disk. */
static const struct bus {
	const char *driver; /* NULL: virtio-blk of the machine's kind */
	const char *disc;   /* the same with a disc in it */
	/* has the only bus of its kind; NULL: there are more, or none */
	const char *controller;
	enum disk_place place;
	bool hot;
} buses[] = {
	[BUS_VIRTIO] = { NULL, NULL, NULL, PLACE_PORT, true },
	[BUS_SCSI] = { "scsi-hd", "scsi-cd", ARGV_SCSI, PLACE_UNIT, true },
	[BUS_NVME] = { "nvme", "nvme", NULL, PLACE_PORT, true },
	[BUS_SATA] = { "ide-hd", "ide-cd", NULL, PLACE_SATA, false },
	[BUS_USB] = { "usb-storage", NULL, ARGV_USB, PLACE_USB, true },
};

enum disk_place argv_disk_place(const struct spec_disk *disk)
{
	return buses[disk->bus].place;
}

const char *argv_disk_controller(const struct spec_disk *disk)
{
	return buses[disk->bus].controller;
}

bool argv_disk_is_hot(const struct spec_disk *disk)
{
	return buses[disk->bus].hot && !disk->disc;
}

static json_t *disk_on_bus(
	enum machine_kind kind, const struct spec_disk *disk, const char *id)
{
	const struct bus *bus = &buses[disk->bus];
	json_t *device;

	if (!bus->driver)
		return device_virtio(kind, "virtio-blk", id);
	device = device_new(disk->disc ? bus->disc : bus->driver, id);
	if (bus->controller) {
		AUTO_FREE char *its = xasprintf("%s.0", bus->controller);

		device_put(device, "bus", its);
	}
	return device;
}

json_t *argv_controller(
	const struct vm_spec *spec, const char *controller, int port)
{
	enum machine_kind kind = device_machine(spec);
	bool usb = str_eq(controller, ARGV_USB);
	json_t *device = usb ? device_new("qemu-xhci", ARGV_USB)
			     : device_virtio(kind, "virtio-scsi", ARGV_SCSI);

	if (port >= 0)
		device_put_place(device, port);
	else if (kind != MACHINE_MICROVM)
		device_put_at(device, kind, usb ? ADDR_USB : ADDR_SCSI);
	return device;
}

/* Each disk is a target of its own. */
static void put_unit(json_t *device, int unit)
{
	if (unit < 0)
		return;
	json_object_set_new(device, "scsi-id", json_integer(unit));
	json_object_set_new(device, "lun", json_integer(0));
}

/* Where its bus has it; unit or port, as its bus counts. */
static int put_place(json_t *device, enum machine_kind kind,
	const struct spec_disk *disk, int place, struct err *err)
{
	switch (argv_disk_place(disk)) {
	case PLACE_PORT:
		device_put_place(device, place);
		break;
	case PLACE_UNIT:
		put_unit(device, place);
		break;
	case PLACE_SATA:
		return put_sata(device, kind, disk, place, err);
	case PLACE_USB:
		break;
	}
	return 0;
}

static int check(
	enum machine_kind kind, const struct spec_disk *disk, struct err *err)
{
	if (kind == MACHINE_MICROVM && disk->bus != BUS_VIRTIO &&
		disk->bus != BUS_SCSI)
		return err_set(err, ERR_CONFIG,
			"disk '%s': microvm has only bus = virtio or scsi",
			disk->name);
	if (disk->iothread &&
		(disk->bus != BUS_VIRTIO || kind == MACHINE_MICROVM))
		return err_set(err, ERR_CONFIG,
			"disk '%s': iothread = yes needs bus = virtio, and "
			"no microvm",
			disk->name);
	if (device_is_set(disk->serial) &&
		!str_is_utf8(disk->serial, strlen(disk->serial)))
		return err_set(err, ERR_CONFIG,
			"disk '%s': the serial is not UTF-8", disk->name);
	return 0;
}

int argv_disk_may_plug(
	const struct spec_disk *disk, const char *machine, struct err *err)
{
	if (disk->drive)
		return err_set(err, ERR_UNSUPPORTED,
			"a CD-ROM drive comes and goes with a start only; its "
			"disc by vmward cdrom insert and eject");
	if (!argv_disk_is_hot(disk))
		return err_set(err, ERR_UNSUPPORTED,
			"a disk with bus = %s comes and goes with a start "
			"only: say bus = virtio, scsi, nvme or usb",
			spec_bus_names[disk->bus]);
	if (disk->url && remote_logs_in(disk->url))
		return err_set(err, ERR_UNSUPPORTED,
			"QEMU logs in by ssh at a start only: write the disk "
			"into the VM's file and start it anew");
	if (str_starts(machine, "microvm"))
		return err_set(
			err, ERR_UNSUPPORTED, "machine microvm cannot hotplug");
	return 0;
}

bool argv_disk_holds(const struct spec_disk *disk)
{
	if (disk->bus == BUS_NVME) /* it has no such property */
		return false;
	return disk->on_eio == EIO_BY_DISK ? device_is_set(disk->url)
					   : disk->on_eio == EIO_PAUSE;
}

/* Nothing said: as QEMU does it, no space pauses and errors are told. */
static void put_policies(json_t *device, const struct spec_disk *disk)
{
	if (argv_disk_holds(disk)) {
		device_put(device, "werror", "stop");
		device_put(device, "rerror", "stop");
	} else if (disk->on_eio == EIO_IGNORE) {
		device_put(device, "werror", "ignore");
		device_put(device, "rerror", "ignore");
	} else if (disk->on_enospc == ENOSPC_REPORT) {
		device_put(device, "werror", "report");
	}
}

static bool has_first(const struct list *disks)
{
	list_each(disks, it, next)
		if (list_entry(it, struct spec_disk, link)->boot == 1)
			return true;
	return false;
}

static bool boots_first(const struct vm_spec *spec)
{
	if (has_first(&spec->disks) || has_first(&spec->cdroms))
		return true;
	list_each(&spec->nics, it, next)
		if (list_entry(it, struct spec_nic, link)->boot == 1)
			return true;
	return false;
}

/* The first disk boots unless something else is to boot first. */
int argv_disk_boot(const struct vm_spec *spec, const struct spec_disk *disk)
{
	bool first = spec->disks.next == &disk->link;

	if (disk->boot != 0)
		return (int)disk->boot;
	return first && !boots_first(spec) ? 1 : 0;
}

json_t *argv_disk_device(const struct vm_spec *spec,
	const struct spec_disk *disk, int place, int bootindex, struct err *err)
{
	enum machine_kind kind = device_machine(spec);
	AUTO_FREE char *id = argv_disk_id(disk);
	AUTO_FREE char *node = argv_disk_node_name(disk->name, 0, 0);
	AUTO_JSON json_t *device = NULL;

	if (check(kind, disk, err) != 0)
		return NULL;
	device = disk_on_bus(kind, disk, id);
	if (put_place(device, kind, disk, place, err) != 0)
		return NULL;
	if (!disk->drive || device_is_set(disk->image))
		device_put(device, "drive", node);
	device_put(device, "serial",
		device_is_set(disk->serial) ? disk->serial : disk->name);
	if (disk->cache == CACHE_WRITETHROUGH)
		device_put(device, "write-cache", "off");
	put_policies(device, disk);
	if (disk->iothread) {
		AUTO_FREE char *thread = xasprintf("io-%s", disk->name);

		device_put(device, "iothread", thread);
	}
	if (disk->disc && !disk->drive) /* before all that a file can name */
		json_object_set_new(device, "bootindex", json_integer(0));
	else
		device_put_boot(device, bootindex);
	return TAKE(device);
}
