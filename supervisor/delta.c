/* SPDX-License-Identifier: GPL-2.0-or-later */
/* File against machine, and when what is done; see delta.h. */
#include "supervisor/delta.h"

#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "supervisor/argv.h"
#include "supervisor/device.h"
#include "supervisor/limits.h"
#include "supervisor/nets.h"
#include "supervisor/room.h"
#include "supervisor/size_check.h"

struct make {
	struct deltas *out;
	const struct vm *vm;
	const struct observed *seen; /* or NULL */
	unsigned ports;              /* that are free */
	bool scsi, usb;              /* a controller comes, or is there */
};

static struct delta *add(struct make *m, const char *section, const char *key)
{
	struct delta *d = NEW(struct delta);

	d->when = DELTA_COLD;
	d->section = xstrdup(section);
	d->key = key ? xstrdup(key) : NULL;
	list_add(&m->out->list, &d->link);
	return d;
}

static char *copy(const struct ini_entry *e)
{
	return e && e->key ? xstrdup(e->value) : NULL;
}

static void waits(struct delta *d, const char *why)
{
	d->act = DELTA_WAITS;
	d->when = DELTA_COLD;
	d->why = xstrdup(why);
}

static void refuse(struct delta *d, const char *why)
{
	waits(d, why);
	d->when = DELTA_REFUSED;
}

static void is_hot(struct delta *d, enum delta_act act)
{
	d->when = DELTA_HOT;
	d->act = act;
}

/* "data" of "disk.data". */
static const char *name_of(const struct delta *d)
{
	const char *dot = strchr(d->section, '.');

	return dot ? dot + 1 : "";
}

static struct spec_disk *disk_of(
	const struct vm_spec *spec, const struct delta *d)
{
	return spec_disk_of(spec, name_of(d));
}

/* ---- what a change of each key takes ---- */

/* A device comes or goes; with_port: by a root port of its own. */
static void plug(struct make *m, struct delta *d, bool comes, bool with_port)
{
	enum machine_kind kind = device_machine(m->vm->running);

	with_port &= kind == MACHINE_Q35;
	if (kind == MACHINE_MICROVM)
		waits(d, "machine microvm cannot hotplug");
	else if (comes && with_port && m->ports == 0)
		waits(d, "no port is free: hotplug-ports says how many there "
			 "are");
	else
		is_hot(d, comes ? DELTA_ATTACH : DELTA_DETACH);
	m->ports -= d->act == DELTA_ATTACH && with_port;
}

/*
 * The first disk on scsi or usb brings the controller, which takes a port;
 * comes: it is there, or on its way.
 */
static bool needs_port(
	const struct make *m, const struct spec_disk *disk, bool *comes)
{
	const char *controller = argv_disk_controller(disk);
	bool there = *comes;

	if (!controller)
		return true;
	*comes = true;
	if (there || argv_find_slot(&m->vm->slots, controller) >= 0)
		return false;
	if (m->seen)
		return !observed_has_device(m->seen, controller);
	list_each(&m->vm->running->disks, it, next)
		if (argv_disk_place(list_entry(it, struct spec_disk, link)) ==
			argv_disk_place(disk))
			return false;
	return true;
}

static void plug_disk(struct make *m, struct delta *d)
{
	const struct spec_disk *added = disk_of(m->vm->spec, d);
	const struct spec_disk *gone = disk_of(m->vm->running, d);

	const struct spec_disk *disk = added ? added : gone;
	bool *comes = disk->bus == BUS_USB ? &m->usb : &m->scsi;
	struct err err = ERR_INIT;

	if (argv_disk_may_plug(disk, m->vm->running->vm.machine, &err))
		waits(d, err.text);
	else
		plug(m, d, added != NULL, needs_port(m, disk, comes));
}

static void plug_drive(struct make *m UNUSED, struct delta *d)
{
	waits(d, "a CD-ROM drive comes and goes with a start only");
}

/* A drive that is there gets another disc, or none. */
static void change_disc(struct make *m UNUSED, struct delta *d)
{
	is_hot(d, DELTA_DISC);
}

static void plug_nic(struct make *m, struct delta *d)
{
	plug(m, d, spec_nic_of(m->vm->spec, name_of(d)) != NULL, true);
}

static void resize_disk(struct make *m, struct delta *d)
{
	const struct spec_disk *now = disk_of(m->vm->running, d);
	const struct spec_disk *then = disk_of(m->vm->spec, d);
	AUTO_FREE char *node = argv_disk_top(now, name_of(d));
	uint64_t size = m->seen ? observed_size(m->seen, node) : 0;

	if (!size)
		size = now->size;
	if (then->size && then->size < size)
		refuse(d, "a disk shrinks only while its VM is stopped (image "
			  "resize --shrink)");
	else if (then->size && now->readonly)
		waits(d, "it is read-only");
	else if (then->size)
		is_hot(d, DELTA_RESIZE);
}

static void set_link(struct make *m UNUSED, struct delta *d)
{
	is_hot(d, DELTA_LINK);
}

static void set_rate(struct make *m, struct delta *d)
{
	const struct spec_nic *nic = spec_nic_of(m->vm->running, name_of(d));

	if (nic && nic->user)
		waits(d, "a nic in user mode has no rate");
	else
		is_hot(d, DELTA_RATE);
}

/* Who may talk to it, as what: all of that is the host's. */
static void set_port(struct make *m, struct delta *d)
{
	const struct spec_nic *nic = spec_nic_of(m->vm->running, name_of(d));

	if (nic && nic->user)
		waits(d, "in user mode QEMU or passt has it from its start");
	else if (nic && nic->macvtap)
		waits(d, "a macvtap is no port of a bridge");
	else
		is_hot(d, DELTA_PORT);
}

static void set_cpus(struct make *m, struct delta *d)
{
	uint64_t want = m->vm->spec->vm.cpus;
	struct err err = ERR_INIT;

	if (size_check_cpus(m->vm, want, &err))
		waits(d, err.text);
	else if (m->seen && want < observed_base_cpus(m->seen))
		waits(d, "it was started with more");
	else
		is_hot(d, DELTA_CPUS);
}

static void set_memory(struct make *m, struct delta *d)
{
	uint64_t want = m->vm->spec->vm.memory;
	uint64_t base = m->seen ? observed_base_memory(m->seen) : 0;
	struct err err = ERR_INIT;

	if (size_check_memory(m->vm, want, &err))
		waits(d, err.text);
	else if (want < base)
		waits(d, "it was started with more");
	else if (m->seen && !observed_has_device(m->seen, "vmem0"))
		waits(d, "it was started without room for more (memory-max)");
	else
		is_hot(d, DELTA_MEMORY);
}

static void set_limit(struct make *m UNUSED, struct delta *d)
{
	is_hot(d, DELTA_THROTTLE);
}

static void set_host_limit(struct make *m UNUSED, struct delta *d)
{
	is_hot(d, DELTA_LIMITS);
}

/* The keys of the table that are hot, and what decides that each is. */
static const struct rule {
	const char *class; /* "disk" of [disk.N] */
	const char *key;   /* NULL: the device itself */
	void (*decide)(struct make *m, struct delta *d);
} rules[] = {
	{ "cdrom", NULL, plug_drive },
	{ "cdrom", "image", change_disc },
	{ "disk", NULL, plug_disk },
	{ "disk", "size", resize_disk },
	{ "disk", "iops", set_limit },
	{ "disk", "bps", set_limit },
	{ "disk", "iops-burst", set_limit },
	{ "disk", "bps-burst", set_limit },
	{ "limits", "cpu", set_host_limit },
	{ "limits", "cpu-weight", set_host_limit },
	{ "limits", "memory", set_host_limit },
	{ "limits", "io-weight", set_host_limit },
	{ "limits", "pids", set_host_limit },
	{ "limits", "cpuset", set_host_limit },
	{ "limits", "oom-score", set_host_limit },
	{ "net", NULL, plug_nic },
	{ "net", "link", set_link },
	{ "net", "rate", set_rate },
	{ "net", "rate-in", set_rate },
	{ "net", "vlan", set_port },
	{ "net", "trunk", set_port },
	{ "net", "forward", set_port },
	{ "net", "isolate", set_port },
	{ "vm", "cpus", set_cpus },
	{ "vm", "memory", set_memory },
};

static bool is_of(const char *section, const char *class)
{
	size_t len = strlen(class);

	return str_starts(section, class) &&
	       (section[len] == '.' || section[len] == '\0');
}

static const struct rule *rule_of(const char *section, const char *key)
{
	for (size_t i = 0; i < NELEMS(rules); i++) {
		const struct rule *r = &rules[i];

		if (is_of(section, r->class) &&
			(key ? r->key && str_eq(key, r->key) : !r->key))
			return r;
	}
	return NULL;
}

static void decide(struct make *m, struct delta *d)
{
	const struct rule *rule = rule_of(d->section, d->key);
	const struct section *found;
	const struct key *key =
		d->key ? keys_lookup(spec_sections, spec_nsections, d->section,
				 d->key, &found)
		       : NULL;

	if (rule)
		rule->decide(m, d);
	else if (key && key->when == KEY_RESET)
		d->when = DELTA_RESET;
}

static void on_difference(void *arg, const struct difference *diff)
{
	struct make *m = arg;
	struct delta *d = add(m, diff->section, diff->key);

	d->from = copy(diff->old);
	d->to = copy(diff->new);
	if (!diff->key)
		*(diff->new ? &d->to : &d->from) = xstrdup("there");
	if (diff->new) {
		d->file = xstrdup(diff->new->file);
		d->line = diff->new->line;
	}
	decide(m, d);
}

/* ---- what QEMU says against what it is to have ---- */

static bool has_delta(
	const struct make *m, const char *section, const char *key)
{
	list_each(&m->out->list, it, next) {
		const struct delta *d = list_entry(it, struct delta, link);

		if (str_eq(d->section, section) &&
			(!d->key || (key && str_eq(d->key, key))))
			return true;
	}
	return false;
}

/* A device of a section that QEMU has no longer. */
static void look_for(struct make *m, const char *class, const char *name)
{
	AUTO_FREE char *section = xasprintf("%s.%s", class, name);
	AUTO_FREE char *id = xasprintf("%s-%s", class, name);
	struct delta *d;

	if (observed_has_device(m->seen, id) || has_delta(m, section, NULL))
		return;
	d = add(m, section, NULL);
	d->to = xstrdup("there");
	waits(d, "QEMU has it no longer");
}

static char *bytes_text(uint64_t bytes)
{
	struct str text = STR_INIT;

	str_add_bytes(&text, bytes);
	return str_take(&text);
}

/* A disk that is smaller than its file says. */
static void look_at_size(struct make *m, const struct spec_disk *disk)
{
	AUTO_FREE char *section = xasprintf("disk.%s", disk->name);
	AUTO_FREE char *node = argv_disk_top(disk, disk->name);
	uint64_t size = observed_size(m->seen, node);
	const struct spec_disk *wish = spec_disk_of(m->vm->spec, disk->name);
	struct delta *d;

	if (!wish || !size || wish->size <= size ||
		has_delta(m, section, "size"))
		return;
	d = add(m, section, "size");
	d->from = bytes_text(size);
	d->to = bytes_text(wish->size);
	resize_disk(m, d);
}

/* The port of a nic that others spoilt. */
static void look_at_port(struct make *m, const char *nic)
{
	AUTO_FREE char *section = xasprintf("net.%s", nic);
	const struct net_state *state = nets_state();
	const struct net_port *port =
		state ? net_port_find(state, m->vm->name, nic) : NULL;
	struct delta *d;

	if (!port || !port->broken)
		return;
	d = add(m, section, "port");
	d->from = xstrdup("broken");
	d->to = xstrdup("whole");
	waits(d, port->broken);
}

static void look_at_devices(struct make *m)
{
	const struct vm_spec *running = m->vm->running;

	list_each(&running->disks, it, next) {
		const struct spec_disk *disk =
			list_entry(it, struct spec_disk, link);

		if (disk->drive)
			continue;
		look_for(m, "disk", disk->name);
		look_at_size(m, disk);
	}
	list_each(&running->cdroms, ct, cnext)
		look_for(m, "cdrom",
			list_entry(ct, struct spec_disk, link)->name);
	list_each(&running->nics, nt, nnext) {
		const struct spec_nic *nic =
			list_entry(nt, struct spec_nic, link);

		look_for(m, "net", nic->name);
		look_at_port(m, nic->name);
	}
}

/* "disk-data": what runs has a section [disk.data]. */
static bool is_known(const struct make *m, const char *id)
{
	const struct vm_spec *running = m->vm->running;
	AUTO_FREE char *section = xstrdup(id);
	char *dash = strchr(section, '-');

	if (dash)
		*dash = '.';
	list_each(&running->ini.entries, it, next)
		if (str_eq(list_entry(it, struct ini_entry, link)->section,
			    section))
			return true;
	return str_starts(id, ROOM_CPU) || str_eq(id, ARGV_SCSI) ||
	       str_eq(id, ARGV_USB);
}

/* What was plugged in behind our back. */
static void look_for_strangers(struct make *m)
{
	json_t *item;
	size_t i;

	json_array_foreach(m->seen->devices, i, item)
	{
		const char *type =
			json_string_value(json_object_get(item, "type"));
		const char *id =
			json_string_value(json_object_get(item, "name"));
		struct delta *d;

		if (!id || !type || !str_starts(type, "child<") ||
			is_known(m, id) || observed_began_with(m->seen, id))
			continue;
		d = add(m, id, NULL);
		d->from = xstrdup("there");
		waits(d, "no file names it: it was plugged in by hand");
	}
}

/* What others wrote into its control groups. */
static void look_at_limits(struct make *m)
{
	for (enum cgroup_knob k = 0; k < CGROUP_NKNOBS; k++) {
		AUTO_FREE char *is = limits_text(m->vm, k);
		AUTO_FREE char *should = limits_wish(m->vm, k);
		struct delta *d;

		if (!is || str_eq(is, should) ||
			has_delta(m, "limits", cgroup_key(k)))
			continue;
		d = add(m, "limits", cgroup_key(k));
		d->from = *is ? xstrdup(is) : NULL;
		d->to = *should ? xstrdup(should) : NULL;
		is_hot(d, DELTA_LIMITS);
		d->why = xstrdup("its control group was changed by hand");
	}
}

/* is: 0: not known. */
static void look_at_number(struct make *m, const char *key, uint64_t is,
	uint64_t should, char *(*text)(uint64_t))
{
	struct delta *d;

	if (!is || is == should || has_delta(m, "vm", key))
		return;
	d = add(m, "vm", key);
	d->from = text(is);
	d->to = text(should);
	waits(d, "that is what QEMU has");
}

static char *number_text(uint64_t n)
{
	return xasprintf("%" PRIu64, n);
}

static void look_at_machine(struct make *m)
{
	const struct spec_vm *vm = &m->vm->running->vm;
	struct delta *d;

	look_at_number(
		m, "cpus", observed_cpus(m->seen), vm->cpus, number_text);
	look_at_number(
		m, "memory", observed_memory(m->seen), vm->memory, bytes_text);
	if (!m->seen->replaced)
		return;
	d = add(m, "qemu", NULL);
	d->from = xstrdup("old");
	d->to = xstrdup("new");
	waits(d, "its program was replaced since it was started");
}

void deltas_make(
	struct deltas *out, const struct vm *vm, const struct observed *seen)
{
	struct make m = { .out = out,
		.vm = vm,
		.seen = seen,
		.ports = argv_free_slots(&vm->slots) };

	list_init(&out->list);
	diff_specs(vm->spec, vm->running, on_difference, &m);
	if (!seen)
		return;
	look_at_devices(&m);
	look_for_strangers(&m);
	look_at_machine(&m);
	look_at_limits(&m);
}

void deltas_fini(struct deltas *deltas)
{
	list_each(&deltas->list, it, next) {
		struct delta *d = list_entry(it, struct delta, link);

		list_del(&d->link);
		free(d->section);
		free(d->key);
		free(d->from);
		free(d->to);
		free(d->file);
		free(d->why);
		free(d);
	}
}
