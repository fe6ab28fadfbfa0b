/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The disks on the command line: passwords, images, devices. */
#include "supervisor/argv_build.h"

#include "base/mem.h"
#include "supervisor/chains.h"

static int unit_of(struct argv_build *b, const struct spec_disk *disk, int *out)
{
	AUTO_FREE char *device = argv_disk_id(disk);

	*out = argv_find_unit(b->slots, device);
	if (*out < 0)
		return err_set(b->err, ERR_LIMIT,
			"disk '%s': a VM takes %d scsi disks", disk->name,
			ARGV_UNITS_MAX);
	return 0;
}

static int place_of(
	struct argv_build *b, const struct spec_disk *disk, int *out)
{
	*out = -1;
	switch (argv_disk_place(disk)) {
	case PLACE_PORT:
		return argv_port_of(b, "disk", disk->name, out);
	case PLACE_UNIT:
		return unit_of(b, disk, out);
	case PLACE_SATA:
		*out = b->sata++;
		break;
	case PLACE_USB:
		break;
	}
	return 0;
}

static void add_image_fd(struct argv_build *b, const struct chain_image *image,
	int fd, const char *name)
{
	AUTO_FREE char *opaque = device_word(name);

	if (fd >= 0)
		argv_addf(b, "-add-fd", "fd=%d,set=%d,opaque=%s", fd,
			image->set, opaque);
}

/* The images of a disk, from the lowest up. */
static int add_images(struct argv_build *b, const struct spec_disk *disk)
{
	const struct chain *chain = chains_find(b->host->chains, disk->name);

	if (!chain)
		return err_set(
			b->err, ERR_BUG, "disk '%s' has no images", disk->name);
	if (argv_disk_check(disk, chain, b->err) != 0)
		return -1;
	if (disk->secret_file &&
		argv_add_json(b, "-object",
			argv_disk_secret(disk, chain->secret_as)) != 0)
		return -1;
	for (size_t i = chain->n; i-- > 0;) {
		const struct chain_image *image = &chain->at[i];
		AUTO_FREE char *name = argv_disk_fd_name(disk, chain, i);

		add_image_fd(b, image, image->write_as, name);
		add_image_fd(b, image, image->as, name);
		if (argv_add_json(b, "-blockdev",
			    argv_disk_node(disk, b->host, chain, i)) != 0)
			return -1;
	}
	return 0;
}

static int add_disk(struct argv_build *b, const struct spec_disk *disk)
{
	int place;

	if (place_of(b, disk, &place) != 0)
		return -1;
	if ((!disk->drive || device_is_set(disk->image)) &&
		add_images(b, disk) != 0)
		return -1;
	if (disk->iothread) {
		AUTO_FREE char *id = xasprintf("io-%s", disk->name);

		if (argv_add_json(b, "-object",
			    json_pack("{s:s, s:s}", "qom-type", "iothread",
				    "id", id)) != 0)
			return -1;
	}
	return argv_add_device(
		b, argv_disk_device(b->spec, disk, place,
			   argv_disk_boot(b->spec, disk), b->err));
}

/* A drive comes once, by its section: what is in it changes no place. */
static int add_all(struct argv_build *b, const struct list *disks, bool discs)
{
	bool drives = disks == &b->spec->cdroms;

	list_each(disks, it, next) {
		const struct spec_disk *disk =
			list_entry(it, struct spec_disk, link);

		if (disk->disc == discs && disk->drive == drives &&
			add_disk(b, disk) != 0)
			return -1;
	}
	return 0;
}

int argv_add_disks(struct argv_build *b)
{
	return add_all(b, &b->spec->disks, false) ||
			       add_all(b, &b->spec->cdroms, true) ||
			       add_all(b, &b->spec->disks, true)
		       ? -1
		       : 0;
}
