/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Specs as objects: made empty, looked into, freed.  What fills them is in
 * supervisor/spec_table.c.
 */
#include "supervisor/spec.h"

#include "base/atom.h"
#include "base/mem.h"
#include "base/slab.h"

const char *const spec_format_names[] = { "by-suffix", "qcow2", "raw", "vmdk",
	"vdi", "vhdx", NULL };
const char *const spec_bus_names[] = { "virtio", "scsi", "nvme", "sata", "usb",
	NULL };
const char *const spec_step_names[] = { "agent", "acpi", "ctrl-alt-del", "quit",
	"term", "kill", NULL };
const char *const spec_policy_names[] = { "no", "on-failure", "on-crash",
	"always", "unless-stopped", NULL };
const char *const spec_cache_names[] = { "none", "writeback", "writethrough",
	"unsafe", NULL };
const char *const spec_aio_names[] = { "io_uring", "native", "threads", NULL };

struct vm_spec *spec_new(void)
{
	struct vm_spec *spec = SLAB_NEW(struct vm_spec);

	list_init(&spec->disks);
	list_init(&spec->nics);
	list_init(&spec->serials);
	list_init(&spec->raws);
	list_init(&spec->notes);
	ini_init(&spec->ini);
	return spec;
}

static void free_raws(struct list *raws)
{
	list_each(raws, it, next) {
		struct spec_raw *raw = list_entry(it, struct spec_raw, link);
		list_del(it);
		atom_drop(raw->text);
		free(raw);
	}
}

static void free_notes(struct list *notes)
{
	list_each(notes, it, next) {
		struct finding *note = list_entry(it, struct finding, link);
		list_del(it);
		free(note->file);
		free(note->text);
		free(note);
	}
}

void spec_free(struct vm_spec *spec)
{
	if (!spec)
		return;
	keys_release(spec, spec_sections, spec_nsections);
	free_raws(&spec->raws);
	free_notes(&spec->notes);
	ini_fini(&spec->ini);
	slab_put(spec->files);
	atom_drop(spec->shown);
	atom_drop(spec->name);
	atom_drop(spec->prefix);
	atom_drop(spec->instance);
	slab_put(spec);
}

static struct spec_disk *find_disk(const struct list *list, const char *name)
{
	list_each(list, it, next) {
		struct spec_disk *disk = list_entry(it, struct spec_disk, link);
		if (str_eq(disk->name, name))
			return disk;
	}
	return NULL;
}

struct spec_disk *spec_disk_of(const struct vm_spec *spec, const char *name)
{
	return find_disk(&spec->disks, name);
}

struct spec_disk *spec_cdrom_of(const struct vm_spec *spec, const char *name)
{
	return find_disk(&spec->cdroms, name);
}

char *spec_disk_section(const struct spec_disk *disk)
{
	return xasprintf("%s.%s", disk->drive ? "cdrom" : "disk", disk->name);
}

struct spec_nic *spec_nic_of(const struct vm_spec *spec, const char *name)
{
	list_each(&spec->nics, it, next) {
		struct spec_nic *nic = list_entry(it, struct spec_nic, link);
		if (str_eq(nic->name, name))
			return nic;
	}
	return NULL;
}
