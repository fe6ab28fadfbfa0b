/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A disk is made of one of four forms (REFERENCE 1.4), and its format is
 * told, never guessed.  The same checks serve a file and `disk attach`.
 */
#include "supervisor/disk_check.h"

#include "base/mem.h"
#include "storage/remote.h"
#include "supervisor/argv.h"
#include "supervisor/pool.h"
#include "supervisor/throttle.h"

static void check_form(const struct spec_disk *disk, const char *section,
	const struct remarks *to)
{
	if (disk->url && (disk->image || disk->base || disk->size))
		remark_error(to, section, "url",
			"url excludes image, base and size");
	if (disk->image && disk->base)
		remark_error(to, section, "base",
			"image and base exclude one another");
	if (!disk->url && !disk->image && !disk->base && !disk->size)
		remark_error(
			to, section, NULL, "needs image, base, size or url");
}

/* A password is for what QEMU can open with it. */
static void check_secret(const struct spec_disk *disk, const char *section,
	const struct remarks *to)
{
	struct err ignored = ERR_INIT;
	const char *name = disk->url ? disk->url : disk->image;
	int format = disk->base || !name
			     ? FORMAT_QCOW2
			     : argv_base_format(disk, name, &ignored);

	if (!disk->secret_file || format == FORMAT_NONE)
		return;
	if (disk->url ? !remote_takes_secret(disk->url) &&
				format != FORMAT_QCOW2
		      : format != FORMAT_QCOW2)
		remark_error(to, section, "secret-file",
			disk->url ? "is for iscsi://USER@..., rbd: and qcow2"
				  : "only a qcow2 image can be encrypted");
}

static void check_key(const struct spec_disk *disk, const char *section,
	const struct remarks *to)
{
	if (disk->ssh_key_file && !(disk->url && remote_logs_in(disk->url)))
		remark_error(to, section, "ssh-key-file", "is for ssh://...");
}

static void check_limits(const struct spec_disk *disk, const char *section,
	const struct remarks *to)
{
	struct err err = ERR_INIT;

	if (throttle_check(&disk->limits, &err))
		remark_error(to, section, NULL, "%s", err.text);
	else if (disk->bus == BUS_NVME && throttle_limits(&disk->limits))
		remark_error(to, section, NULL,
			"QEMU limits no nvme disk: say bus = virtio");
}

/* QEMU has one word for both, and not for all of them. */
static void check_policies(const struct spec_disk *disk, const char *section,
	const struct remarks *to)
{
	bool nvme = disk->bus == BUS_NVME;

	if (nvme && disk->on_eio != EIO_BY_DISK)
		remark_error(to, section, "on-eio",
			"nvme always tells the guest: say bus = virtio");
	else if (nvme && disk->on_enospc == ENOSPC_REPORT)
		remark_error(to, section, "on-enospc",
			"nvme always pauses: say bus = virtio");
	else if (nvme && disk->url)
		remark_note(to, section, "url",
			"on bus = nvme the guest is told of a server that "
			"went away: say bus = virtio to hold it");
	else if (disk->on_enospc == ENOSPC_REPORT && argv_disk_holds(disk))
		remark_error(to, section, "on-enospc",
			"report needs on-eio = report");
	else if (disk->on_enospc == ENOSPC_PAUSE && disk->on_eio == EIO_IGNORE)
		remark_note(to, section, "on-eio",
			"ignore loses what is written without space as well");
}

/* A name that does not tell needs the key. */
static void check_format(const struct spec_disk *disk, const char *section,
	const struct remarks *to)
{
	const char *key = disk->image ? "image" : "base";
	const char *name = disk->image ? disk->image : disk->base;
	struct err ignored = ERR_INIT;

	if (!name || argv_base_format(disk, name, &ignored) != FORMAT_NONE)
		return;
	const char *slash = strrchr(name, '/');
	remark_error(to, section, key,
		"'%s' does not tell the format: say format = raw or format = "
		"qcow2",
		slash ? slash + 1 : name);
}

void disk_check(const struct spec_disk *disk, const struct remarks *to)
{
	AUTO_FREE char *section = spec_disk_section(disk);

	if (!remark_is_sound(to, section))
		return;
	check_form(disk, section, to);
	check_format(disk, section, to);
	check_secret(disk, section, to);
	check_key(disk, section, to);
	check_limits(disk, section, to);
	check_policies(disk, section, to);
	if (str_eq(spec_aio_names[disk->aio], "native") &&
		!str_eq(spec_cache_names[disk->cache], "none"))
		remark_error(to, section, "aio", "native needs cache = none");
}
