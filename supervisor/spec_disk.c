/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The keys of [disk.N]. */
#include "supervisor/spec_table.h"

#include "supervisor/spec_value.h"

static const char *const discard_names[] = { "unmap", "ignore", NULL };
static const char *const on_enospc_names[] = { "pause", "report", NULL };
static const char *const on_eio_names[] = { "by-disk", "pause", "report",
	"ignore", NULL };

/* One row of a table is one key. */
/* clang-format off */
#define AT(member) .offset = offsetof(struct spec_disk, member)
const struct key spec_disk_keys[] = {
	{ "image", KEY_FILE, AT(image), .when = KEY_COLD,
		.help = "The image: a path, or a volume of pool." },
	{ "base", KEY_FILE, AT(base), .when = KEY_COLD,
		.help = "An image that stays as it is; the first start makes "
			"VM-DISK.qcow2 on top of it." },
	{ "size", KEY_SIZE, AT(size), .min = 64 * 1024, .when = KEY_HOT, .live = "disk resize",
		.help = "Makes the image if it is missing; a larger one grows "
			"it." },
	{ "format", KEY_CHOICE, AT(format), .fallback = "by-suffix",
		.when = KEY_COLD, .choices = spec_format_names,
		.help = "Format of image or base; needed where the suffix "
			"does not tell." },
	{ "pool", KEY_CUSTOM, AT(pool), .fallback = "default", .when = KEY_COLD,
		.parse = value_pool, .release = value_pool_release,
		.form = "name", .help = "Where volumes are: the N of "
			"pools/N.ini." },
	{ "url", KEY_CUSTOM, AT(url), .when = KEY_COLD, .parse = value_url,
		.release = value_string_release, .expand = true,
		.form = "nbd://, nbd+unix://, iscsi://, ssh:// or rbd:",
		.help = "A disk of a server, by QEMU's own driver, instead of "
			"image; raw unless format says otherwise." },
	{ "reconnect-delay", KEY_DURATION, AT(reconnect_ms), .fallback = "30s",
		.min = 1000, .max = 3600 * 1000, .when = KEY_COLD,
		.help = "With url: how long the guest's requests wait for a "
			"server that went away before they fail." },
	{ "secret-file", KEY_PATH, AT(secret_file), .when = KEY_COLD,
		.help = "A file, readable by its owner only, with the password "
			"of an encrypted image, of an iscsi url's user, or "
			"the key of an rbd url." },
	{ "ssh-key-file", KEY_PATH, AT(ssh_key_file), .when = KEY_COLD,
		.help = "A file, readable by its owner only, with the private "
			"key (without a passphrase) that QEMU logs in by to "
			"an ssh url." },
	{ "bus", KEY_CHOICE, AT(bus), .fallback = "virtio", .when = KEY_COLD,
		.choices = spec_bus_names,
		.help = "What the guest sees the disk on." },
	{ "boot", KEY_INT, AT(boot), .min = 1, .max = 1000, .when = KEY_COLD,
		.help = "Place in the boot order; without any, the first disk "
			"boots." },
	{ "readonly", KEY_BOOL, AT(readonly), .fallback = "no", .when = KEY_COLD,
		.help = "The guest cannot write." },
	{ "serial", KEY_CUSTOM, AT(serial), .fallback = "", .when = KEY_COLD,
		.parse = value_serial, .release = value_string_release,
		.form = "text",
		.help = "Serial number for the guest; the disk's name unless "
			"written." },
	{ "cache", KEY_CHOICE, AT(cache), .fallback = "none", .when = KEY_COLD,
		.choices = spec_cache_names,
		.help = "How the host caches; unsafe ignores the guest's "
			"flushes." },
	{ "aio", KEY_CHOICE, AT(aio), .fallback = "threads", .when = KEY_COLD,
		.choices = spec_aio_names, .help = "How QEMU does the work; with "
			"io_uring QEMU 7.2 was seen to hang in a snapshot." },
	{ "discard", KEY_CHOICE, AT(discard), .fallback = "unmap",
		.when = KEY_COLD, .choices = discard_names,
		.help = "Whether what the guest frees shrinks the image." },
	{ "iothread", KEY_BOOL, AT(iothread), .fallback = "no", .when = KEY_COLD,
		.help = "A thread of its own in QEMU." },
	{ "backup", KEY_BOOL, AT(backup), .fallback = "yes",
		.when = KEY_POLICY, .help = "no: it is left out of backups." },
	{ "on-enospc", KEY_CHOICE, AT(on_enospc), .fallback = "pause",
		.when = KEY_COLD, .choices = on_enospc_names,
		.help = "What a write without space does: pause holds the "
			"guest until there is space; report tells it." },
	{ "on-eio", KEY_CHOICE, AT(on_eio), .fallback = "by-disk",
		.when = KEY_COLD, .choices = on_eio_names,
		.help = "What a failed read or write does: pause holds the "
			"guest and tries again until it works, report tells "
			"it, ignore loses data; by-disk: pause with url, "
			"else report." },
	{ "iops", KEY_INT, AT(limits.iops), .max = UINT32_MAX, .when = KEY_HOT,
		.live = "disk throttle", .help = "Requests a second at most; 0 is any number." },
	{ "bps", KEY_SIZE, AT(limits.bps), .when = KEY_HOT,
		.live = "disk throttle",
		.help = "Bytes a second at most, as 50M." },
	{ "iops-burst", KEY_INT, AT(limits.iops_burst), .max = UINT32_MAX,
		.when = KEY_HOT, .live = "disk throttle",
		.help = "With iops: so many after a rest." },
	{ "bps-burst", KEY_SIZE, AT(limits.bps_burst), .when = KEY_HOT,
		.live = "disk throttle",
		.help = "With bps: so many after a rest." },
	{ "snapshot", KEY_BOOL, AT(snapshot), .fallback = "yes",
		.when = KEY_POLICY,
		.help = "Whether snapshots of the VM are of this disk too; "
			"no: a revert leaves it as it is." },
	KEYS_END,
};

/* A drive; the disc in it is a disk of its own: supervisor/cdrom. */
const struct key spec_cdrom_keys[] = {
	{ "image", KEY_FILE, AT(image), .when = KEY_HOT, .live = "cdrom insert",
		.help = "The disc: a path, or a volume of the pool default; "
			"without it the drive is empty." },
	{ "bus", KEY_CHOICE, AT(bus), .fallback = "sata", .when = KEY_COLD,
		.choices = spec_bus_names,
		.help = "What the guest sees the drive on: sata or scsi." },
	{ "boot", KEY_INT, AT(boot), .min = 1, .max = 1000, .when = KEY_COLD,
		.help = "Place in the boot order, empty or not." },
	KEYS_END,
};
#undef AT
/* clang-format on */
