/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Changes to what a QEMU runs; see running.h. */
#include "supervisor/running.h"

#include <inttypes.h>

#include "base/atom.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"
#include "supervisor/edits.h"
#include "supervisor/forward.h"
#include "supervisor/lowspace.h"
#include "supervisor/spec_table.h"
#include "supervisor/spec_value.h"
#include "supervisor/throttle.h"

/* In [vm] of what runs: it was started with another size. */
#define RESIZED "x-resized"
/* In a section that was plugged in: when. */
#define SINCE "x-since"

/* ---- what the sections of a VM say while it runs ---- */

/* What a section that was plugged in says; the pairs are stolen. */
static void add_entries(struct vm *vm, const char *section, json_t *pairs)
{
	AUTO_FREE char *now = xasprintf("%" PRId64, sys_realtime_us());
	const char *key;
	json_t *value;

	ini_add(&vm->running->ini, section, NULL, NULL, "hotplug", "/");
	ini_add(&vm->running->ini, section, SINCE, now, "hotplug", "/");
	json_object_foreach(pairs, key, value) ini_add(&vm->running->ini,
		section, key, json_string_value(value), "hotplug", "/");
	json_decref(pairs);
	vm_save_running(vm);
}

int64_t running_since(const struct vm *vm, const char *section)
{
	const struct ini_entry *e =
		vm->running ? ini_find(&vm->running->ini, section, SINCE)
			    : NULL;

	return e ? (int64_t)str_digits(e->value) : 0;
}

/* Those of one key, or (NULL) of the section. */
static void drop_entries(struct ini *ini, const char *section, const char *key)
{
	list_each(&ini->entries, it, next) {
		struct ini_entry *e = list_entry(it, struct ini_entry, link);

		if (str_eq(e->section, section) &&
			(!key || (e->key && str_eq(e->key, key))))
			entry_free(e);
	}
}

static void drop_section(struct vm *vm, const char *class, const char *name)
{
	AUTO_FREE char *section = xasprintf("%s.%s", class, name);

	drop_entries(&vm->running->ini, section, NULL);
	vm_save_running(vm);
}

/* The entry of a key says this; what no file says is no difference. */
static void say(struct vm *vm, const char *section, const char *key,
	const char *value, bool always)
{
	struct ini *ini = &vm->running->ini;

	drop_entries(ini, section, key);
	if (always || (vm->spec && ini_find(&vm->spec->ini, section, key)))
		ini_add(ini, section, key, value, "hotplug", "/");
}

/* ---- disks ---- */

/* That disk in a copy of what runs that is the VM's own, or NULL. */
static struct spec_disk *own_disk(struct vm *vm, const char *name)
{
	return vm_own_running(vm) ? spec_disk_of(vm->running, name) : NULL;
}

void running_add_disk_steal(
	struct vm *vm, struct spec_disk *disk, json_t *pairs)
{
	AUTO_FREE char *section = xasprintf("disk.%s", disk->name);

	if (!vm_own_running(vm)) {
		spec_disk_free(disk);
		json_decref(pairs);
		return;
	}
	list_add(&vm->running->disks, &disk->link);
	add_entries(vm, section, pairs);
	lowspace_begin(vm);
}

void running_drop_disk(struct vm *vm, const char *name)
{
	struct spec_disk *disk = own_disk(vm, name);

	if (!disk)
		return;
	list_del(&disk->link);
	spec_disk_free(disk);
	drop_section(vm, "disk", name);
}

/* As its file has them, in which order a successor reads them. */
static void order_discs(struct vm_spec *running)
{
	list_each(&running->cdroms, it, next) {
		struct spec_disk *drive =
			list_entry(it, struct spec_disk, link);
		struct spec_disk *disc = spec_disk_of(running, drive->name);

		if (!disc)
			continue;
		list_del(&disc->link);
		list_add(&running->disks, &disc->link);
	}
}

void running_set_disc_steal(struct vm *vm, const char *drive,
	struct spec_disk *disc, const char *image)
{
	AUTO_FREE char *section = xasprintf("cdrom.%s", drive);
	struct spec_disk *old = own_disk(vm, drive);
	struct spec_disk *its =
		vm->running ? spec_cdrom_of(vm->running, drive) : NULL;

	if (!its) {
		spec_disk_free(disc);
		return;
	}
	if (old) {
		list_del(&old->link);
		spec_disk_free(old);
	}
	if (disc)
		list_add(&vm->running->disks, &disc->link);
	order_discs(vm->running);
	atom_set(&its->image, disc ? disc->image : NULL);
	drop_entries(&vm->running->ini, section, "image");
	if (image)
		ini_add(&vm->running->ini, section, "image", image, "hotplug",
			"/");
	vm_save_running(vm);
}

void running_resize_disk(
	struct vm *vm, const char *name, uint64_t size, const char *text)
{
	AUTO_FREE char *section = xasprintf("disk.%s", name);
	struct spec_disk *disk = own_disk(vm, name);

	if (!disk)
		return;
	say(vm, section, "size", text, disk->size != 0);
	disk->size = size;
	vm_save_running(vm);
	lowspace_begin(vm);
}

void running_set_limits(
	struct vm *vm, const char *name, const struct spec_limits *limits)
{
	AUTO_FREE char *section = xasprintf("disk.%s", name);
	struct spec_disk *disk = own_disk(vm, name);

	if (!disk)
		return;
	disk->limits = *limits;
	for (size_t i = 0; i < THROTTLE_KEYS; i++) {
		AUTO_FREE char *text = throttle_text(limits, i);

		say(vm, section, throttle_keys[i], text,
			*throttle_limit(&disk->limits, i) != 0);
	}
	vm_save_running(vm);
}

void running_add_layer(struct vm *vm, const char *name)
{
	AUTO_FREE char *section = xasprintf("disk.%s", name);
	AUTO_FREE char *layers = NULL;
	struct spec_disk *disk = own_disk(vm, name);

	if (!disk)
		return;
	layers = xasprintf("%u", ++disk->layers);
	say(vm, section, SPEC_LAYERS, layers, true);
	vm_save_running(vm);
	lowspace_begin(vm);
}

/* ---- nics ---- */

static struct spec_nic *own_nic(struct vm *vm, const char *name)
{
	return vm_own_running(vm) ? spec_nic_of(vm->running, name) : NULL;
}

void running_add_nic_steal(struct vm *vm, struct spec_nic *nic, json_t *pairs)
{
	AUTO_FREE char *section = xasprintf("net.%s", nic->name);

	if (!vm_own_running(vm)) {
		spec_nic_free(nic);
		json_decref(pairs);
		return;
	}
	list_add(&vm->running->nics, &nic->link);
	add_entries(vm, section, pairs);
}

void running_drop_nic(struct vm *vm, const char *name)
{
	struct spec_nic *nic = own_nic(vm, name);

	if (!nic)
		return;
	list_del(&nic->link);
	spec_nic_free(nic);
	drop_section(vm, "net", name);
}

void running_set_link(struct vm *vm, const char *name, bool up)
{
	AUTO_FREE char *section = xasprintf("net.%s", name);
	struct spec_nic *nic = own_nic(vm, name);

	if (!nic)
		return;
	nic->up = up;
	say(vm, section, "link", up ? "up" : "down", !up);
	vm_save_running(vm);
}

void running_set_rates(struct vm *vm, const char *name,
	const struct rate_limits *rates, const char *out, const char *in)
{
	AUTO_FREE char *section = xasprintf("net.%s", name);
	struct spec_nic *nic = own_nic(vm, name);

	if (!nic)
		return;
	nic->rates = *rates;
	if (out)
		say(vm, section, "rate", out, rates->out > 0);
	if (in)
		say(vm, section, "rate-in", in, rates->in > 0);
	vm_save_running(vm);
}

/* ---- limits ---- */

void running_set_host_limits(struct vm *vm, const struct vm_spec *from)
{
	const struct spec_host_limits *limits = &from->limits;
	struct spec_host_limits *own;

	if (!vm_own_running(vm))
		return;
	own = &vm->running->limits;
	own->cpu = limits->cpu;
	own->cpu_weight = limits->cpu_weight;
	own->memory = limits->memory;
	own->io_weight = limits->io_weight;
	own->pids = limits->pids;
	own->oom_score = limits->oom_score;
	atom_set(&own->cpuset, limits->cpuset);
	for (const struct key *key = spec_limits_keys; key->name; key++) {
		const struct ini_entry *e =
			ini_find(&from->ini, "limits", key->name);

		if (key->when == KEY_HOT && e)
			say(vm, "limits", key->name, e->value, true);
		else if (key->when == KEY_HOT)
			drop_entries(&vm->running->ini, "limits", key->name);
	}
	vm_save_running(vm);
}

/* ---- ports ---- */

static void copy_forward(struct spec_nic *nic, const struct spec_nic *as)
{
	AUTO_STR struct str text = STR_INIT;
	struct spec_forwards list = { 0 };
	struct err err = ERR_INIT;

	forward_add_text(&text, &as->forward);
	if (text.len && forward_parse(str_text(&text), &list, &err))
		return; /* it was read from such a text */
	forward_release(&nic->forward);
	nic->forward = list;
}

void running_set_port(struct vm *vm, const char *key, const struct spec_nic *as,
	const char *text)
{
	AUTO_FREE char *section = xasprintf("net.%s", as->name);
	struct spec_nic *nic = own_nic(vm, as->name);

	if (!nic)
		return;
	nic->vlan = as->vlan;
	nic->isolate = as->isolate;
	atom_set(&nic->trunk, as->trunk);
	copy_forward(nic, as);
	say(vm, section, key, str_or(text, ""), text != NULL);
	vm_save_running(vm);
}

/* ---- the machine ---- */

/* A file of its state could not be read by a QEMU that is started anew. */
static void mark_resized(struct vm *vm)
{
	if (!running_is_resized(vm))
		ini_add(&vm->running->ini, "vm", RESIZED, "yes", "hotplug",
			"/");
}

bool running_is_resized(const struct vm *vm)
{
	return vm->running && ini_find(&vm->running->ini, "vm", RESIZED);
}

void running_set_cpus(struct vm *vm, uint64_t cpus)
{
	AUTO_FREE char *text = xasprintf("%" PRIu64, cpus);

	if (vm->running->vm.cpus == cpus || !vm_own_running(vm))
		return;
	vm->running->vm.cpus = cpus;
	mark_resized(vm);
	say(vm, "vm", "cpus", text, !vm->spec || vm->spec->vm.cpus != cpus);
	vm_save_running(vm);
}

void running_set_memory(struct vm *vm, uint64_t bytes)
{
	AUTO_FREE char *text = value_size_text(bytes);

	if (vm->running->vm.memory == bytes || !vm_own_running(vm))
		return;
	vm->running->vm.memory = bytes;
	mark_resized(vm);
	say(vm, "vm", "memory", text,
		!vm->spec || vm->spec->vm.memory != bytes);
	vm_save_running(vm);
}
