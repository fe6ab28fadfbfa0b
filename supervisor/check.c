/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What no single key can know: keys that need or exclude one another, names
 * and ports that are there twice.  A section in which a value was already
 * wrong is left alone, so that one mistake gives one message.
 */
#include "supervisor/check.h"

#include "base/atom.h"
#include "base/mem.h"
#include "supervisor/cause.h"
#include "supervisor/cdrom.h"
#include "supervisor/device.h"
#include "supervisor/disk_check.h"
#include "supervisor/display.h"
#include "supervisor/firmware.h"
#include "supervisor/forward.h"
#include "supervisor/nic_check.h"
#include "supervisor/tpm.h"
#include "supervisor/watchdog.h"

enum { ISA_SERIALS_MAX = 4 };

struct check {
	struct vm_spec *spec;
	enum paths_scope scope;
	const struct remarks *to;
};

/* ---- [vm] ---- */

static void check_boot_kernel(const struct check *check)
{
	const struct spec_vm *vm = &check->spec->vm;

	if (vm->initrd && !vm->kernel)
		remark_error(check->to, "vm", "initrd", "needs kernel =");
	if (vm->cmdline && !vm->kernel)
		remark_error(check->to, "vm", "cmdline", "needs kernel =");
}

static void check_sizes(const struct check *check)
{
	const struct spec_vm *vm = &check->spec->vm;
	const struct spec_topology *t = &vm->topology;
	uint64_t most = vm->cpus_max ? vm->cpus_max : vm->cpus;
	uint64_t product = (uint64_t)t->sockets * t->cores * t->threads;

	if (vm->memory_max && vm->memory_max < vm->memory)
		remark_error(check->to, "vm", "memory-max",
			"is smaller than memory");
	if (vm->cpus_max && vm->cpus_max < vm->cpus)
		remark_error(
			check->to, "vm", "cpus-max", "is smaller than cpus");
	if (t->sockets && product != most)
		remark_error(check->to, "vm", "cpu-topology",
			"%u:%u:%u are %llu CPUs, %s is %llu", t->sockets,
			t->cores, t->threads, (unsigned long long)product,
			vm->cpus_max ? "cpus-max" : "cpus",
			(unsigned long long)most);
}

/* What QEMU takes besides the guest's memory, as far as we have seen. */
#define OVERHEAD (UINT64_C(128) << 20)

static void check_limits(const struct check *check)
{
	const struct spec_vm *vm = &check->spec->vm;
	uint64_t limit = check->spec->limits.memory;
	uint64_t most =
		vm->memory_max > vm->memory ? vm->memory_max : vm->memory;
	AUTO_STR struct str say = STR_INIT;

	str_add_bytes(&say, most + OVERHEAD);
	if (limit && limit <= most)
		remark_error(check->to, "limits", "memory",
			"the guest alone may have as much, and QEMU needs some "
			"of it: say at least %s",
			str_text(&say));
	else if (limit && limit < most + OVERHEAD)
		remark_note(check->to, "limits", "memory",
			"QEMU itself may take more than that leaves: %s is "
			"safe",
			str_text(&say));
}

static void check_protect(const struct check *check)
{
	static const char *const verbs[] = { "delete", "stop", "start", NULL };

	for (char **verb = check->spec->vm.protect; *verb; verb++) {
		const char *const *known = verbs;
		while (*known && !str_eq(*known, *verb))
			known++;
		if (!*known)
			remark_error(check->to, "vm", "protect",
				"%s: say any of delete, stop, start", *verb);
	}
}

/* Text that goes between commas or on a command line of ours. */
static bool is_plain(const char *text)
{
	for (; *text; text++)
		if (!strchr("abcdefghijklmnopqrstuvwxyz"
			    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-",
			    *text))
			return false;
	return true;
}

static void check_words(const struct check *check)
{
	const struct spec_vm *vm = &check->spec->vm;

	for (char **tag = vm->tags; *tag; tag++)
		if (!is_plain(*tag))
			remark_error(check->to, "vm", "tags",
				"%s: say letters, digits, '.', '_' and '-'",
				*tag);
	if (vm->owner && (!is_plain(vm->owner) || vm->owner[0] == '-'))
		remark_error(check->to, "vm", "owner",
			"%s: that is no name of a user", vm->owner);
	if (vm->cpu && (vm->cpu[0] == '-' || strpbrk(vm->cpu, " \t")))
		remark_error(check->to, "vm", "cpu",
			"%s: say a model, as host or max,-sve", vm->cpu);
	if (vm->instances && !check->spec->instance)
		remark_error(check->to, "vm", "instances",
			"only a file %s@.ini has instances",
			check->spec->prefix);
}

static void check_vm(const struct check *check)
{
	struct spec_vm *vm = &check->spec->vm;
	const struct ini_entry *clock = ini_find(check->to->ini, "vm", "clock");

	if (!remark_is_sound(check->to, "vm"))
		return;
	if (vm->os == OS_WINDOWS && (!clock || !clock->value[0]))
		vm->clock = CLOCK_LOCALTIME;
	check_boot_kernel(check);
	check_sizes(check);
	check_protect(check);
	check_limits(check);
	check_words(check);
}

/* ---- [start] ---- */

/* VMs, or net:NAME where a network can stand. */
static void check_names(
	const struct check *check, const char *key, char **names)
{
	for (; *names; names++) {
		const char *name = *names;
		if (str_starts(name, "net:"))
			name += 4;
		if (!paths_name_is_valid(name))
			remark_error(check->to, "start", key,
				"%s: that is no name of a VM", *names);
		else if (str_eq(*names, check->spec->name))
			remark_error(check->to, "start", key,
				"%s is this VM itself", name);
	}
}

/* True if a forward leads to this TCP port of the guest. */
static bool leads_to(const struct spec_nic *nic, unsigned port)
{
	for (unsigned i = 0; i < nic->forward.n; i++) {
		const struct spec_forward *f = &nic->forward.at[i];
		unsigned last = f->guest_first +
				(unsigned)(f->host_last - f->host_first);
		if (!f->udp && port >= f->guest_first && port <= last)
			return true;
	}
	return false;
}

static bool is_reachable(const struct check *check, unsigned port)
{
	bool broken = false;

	list_each(&check->spec->nics, it, next) {
		struct spec_nic *nic = list_entry(it, struct spec_nic, link);
		AUTO_FREE char *section = xasprintf("net.%s", nic->name);
		if (nic->network || leads_to(nic, port))
			return true;
		broken |= !remark_is_sound(check->to, section);
	}
	return broken;
}

static bool has_network(const struct vm_spec *spec)
{
	list_each(&spec->nics, it, next) {
		if (list_entry(it, struct spec_nic, link)->network)
			return true;
	}
	return false;
}

static void check_ready(const struct check *check)
{
	const struct vm_spec *spec = check->spec;
	const struct spec_ready_probe *ready = &spec->start.ready;

	if (ready->kind == READY_AGENT && !spec->agent.enabled)
		remark_error(check->to, "start", "ready",
			"agent cannot work: [agent] says enabled = no");
	if (ready->kind == READY_LEASE && !has_network(check->spec))
		remark_error(check->to, "start", "ready",
			"lease cannot work: no [net.NAME] says network = "
			"NAME");
	if (ready->kind == READY_SERIAL && list_is_empty(&spec->serials))
		remark_error(check->to, "start", "ready",
			"serial cannot work: there is no [serial.NAME]");
	if (ready->kind == READY_NOTIFY &&
		device_machine(check->spec) == MACHINE_MICROVM)
		remark_error(check->to, "start", "ready",
			"notify cannot work: microvm has no SMBIOS to tell "
			"the guest where to");
	if (ready->kind == READY_TCP && !is_reachable(check, ready->port))
		remark_error(check->to, "start", "ready",
			list_is_empty(&spec->nics)
				? "tcp:%u cannot work: there is no [net.NAME]"
				: "tcp:%u cannot work: in user mode the host "
				  "reaches the guest by forward only, as "
				  "forward = 10022:%u in [net.NAME]",
			ready->port, ready->port);
}

static void check_start(const struct check *check)
{
	const struct spec_start *start = &check->spec->start;
	const struct {
		const char *key;
		char **names;
	} lists[] = {
		{ "after", start->after },
		{ "before", start->before },
		{ "requires", start->requires },
		{ "wants", start->wants },
		{ "part-of", start->part_of },
	};
	bool used = start->autostart != AUTOSTART_NO;

	if (!remark_is_sound(check->to, "start"))
		return;
	for (size_t i = 0; i < NELEMS(lists); i++) {
		check_names(check, lists[i].key, lists[i].names);
		used |= lists[i].names[0] != NULL;
	}
	check_ready(check);
	if (check->scope == PATHS_FILE && used)
		remark_note(check->to, "start", NULL,
			"autostart and the order of VMs mean nothing to run "
			"FILE");
}

/* ---- [restart] ---- */

/* Its QEMU is no more, or is wanted gone: nothing is left to pause. */
static const enum cause gone[] = { CAUSE_ADMIN_STOP, CAUSE_ADMIN_KILL,
	CAUSE_HOST_SHUTDOWN, CAUSE_OUT_OF_MEMORY, CAUSE_QEMU_EXIT,
	CAUSE_QEMU_SIGNAL, CAUSE_SANDBOX, CAUSE_START_FAILED, CAUSE_UNKNOWN };

static void check_restart(const struct check *check)
{
	const struct spec_restart *restart = &check->spec->restart;

	if (!remark_is_sound(check->to, "restart"))
		return;
	for (size_t i = 0; i < NELEMS(gone); i++) {
		int action = restart->on_cause[gone[i]];
		bool order = gone[i] == CAUSE_ADMIN_STOP ||
			     gone[i] == CAUSE_ADMIN_KILL ||
			     gone[i] == CAUSE_HOST_SHUTDOWN;

		if (action == ACTION_PAUSE)
			remark_error(check->to, "restart", cause_name(gone[i]),
				"pause: nothing is left to pause then, say "
				"restart or stop");
		else if (action == ACTION_RESTART && order)
			remark_error(check->to, "restart", cause_name(gone[i]),
				"restart: an order to stop is never undone");
	}
}

/* ---- [net.N] ---- */

/* Who may have no networks of his own has QEMU's. */
static void become_user(
	const struct check *check, struct spec_nic *nic, const char *section)
{
	if (!str_eq(nic->network, "default"))
		remark_error(check->to, section, "network",
			"%s: networks are the system supervisor's, say user = "
			"yes",
			nic->network);
	else
		remark_note(check->to, section, "network",
			"default becomes user = yes here: the VM reaches out, "
			"and is reached by forward only");
	nic->user = USER_SLIRP;
	atom_set(&nic->network, NULL);
}

/* More than one of network, bridge, macvtap and user = yes. */
static bool has_two_ways(const struct check *check, const struct spec_nic *nic,
	const char *section)
{
	const struct {
		const char *key, *said;
		bool is;
	} ways[] = {
		{ "network", "network", nic->network != NULL },
		{ "bridge", "bridge", nic->bridge != NULL },
		{ "macvtap", "macvtap", nic->macvtap != NULL },
		{ "user", "user = yes", nic->user != USER_NO },
	};
	size_t first = NELEMS(ways);

	for (size_t i = 0; i < NELEMS(ways); i++) {
		if (ways[i].is && first < i) {
			remark_error(check->to, section, ways[first].key,
				"%s and %s exclude one another",
				ways[first].said, ways[i].said);
			return true;
		}
		if (ways[i].is)
			first = i;
	}
	return false;
}

/* Exactly one of them; none is one of them. */
static void settle_nic(
	const struct check *check, struct spec_nic *nic, const char *section)
{
	const struct ini_entry *user =
		ini_find(check->to->ini, section, "user");
	bool system = check->scope == PATHS_SYSTEM;

	if (has_two_ways(check, nic, section))
		return;
	if (nic->network && !system)
		become_user(check, nic, section);
	if (nic->network || nic->bridge || nic->macvtap || nic->user)
		return;
	if (user && user->value[0]) {
		remark_error(check->to, section, "user",
			"user = no leaves no network: say user = yes, or "
			"enabled = no");
		return;
	}
	nic->user = system ? USER_NO : USER_SLIRP;
	nic->network = atom_get(system ? "default" : NULL);
}

static void settle_nics(const struct check *check)
{
	list_each(&check->spec->nics, it, next) {
		struct spec_nic *nic = list_entry(it, struct spec_nic, link);
		AUTO_FREE char *section = xasprintf("net.%s", nic->name);
		if (!remark_is_sound(check->to, section))
			continue;
		settle_nic(check, nic, section);
		nic_check(nic, section, check->to);
	}
}

static void check_two_nics(const struct check *check,
	const struct spec_nic *first, const struct spec_nic *second)
{
	AUTO_FREE char *section = xasprintf("net.%s", second->name);

	if (first->mac[0] && str_eq(first->mac, second->mac))
		remark_error(check->to, section, "mac",
			"%s is also the address of [net.%s]", second->mac,
			first->name);
	for (unsigned i = 0; i < second->forward.n; i++)
		for (unsigned j = 0; j < first->forward.n; j++)
			if (forward_overlaps(&second->forward.at[i],
				    &first->forward.at[j]))
				remark_error(check->to, section, "forward",
					"port %u is also forwarded by "
					"[net.%s]",
					second->forward.at[i].host_first,
					first->name);
}

static void check_nics(const struct check *check)
{
	struct list *head = &check->spec->nics;

	for (struct list *b = head->next; b != head; b = b->next)
		for (struct list *a = head->next; a != b; a = a->next)
			check_two_nics(check,
				list_entry(a, struct spec_nic, link),
				list_entry(b, struct spec_nic, link));
}

void check_nics_beside(struct vm_spec *spec, const struct vm_spec *beside,
	enum paths_scope scope, const struct remarks *to)
{
	const struct check check = { .spec = spec, .scope = scope, .to = to };

	settle_nics(&check);
	list_each(&spec->nics, it, next)
		list_each(&beside->nics, at, after)
			check_two_nics(&check,
				list_entry(at, struct spec_nic, link),
				list_entry(it, struct spec_nic, link));
}

/* ---- disks and the order of boot ---- */

static void check_two_disks(const struct check *check,
	const struct spec_disk *first, const struct spec_disk *second)
{
	AUTO_FREE char *section = xasprintf("disk.%s", second->name);

	if (first->url && second->url && str_eq(first->url, second->url) &&
		(!first->readonly || !second->readonly))
		remark_error(check->to, section, "url",
			"is also the url of [disk.%s]", first->name);
	if (first->image && second->image &&
		str_eq(first->image, second->image) &&
		(*first->image == '/' ||
			str_eq(str_or(first->pool.dir, ""),
				str_or(second->pool.dir, ""))) &&
		(!first->readonly || !second->readonly))
		remark_error(check->to, section, "image",
			"is also the image of [disk.%s]", first->name);
}

/* Nothing can be thrown away of what a server has. */
static void check_url(const struct check *check, const struct spec_disk *disk,
	const char *section)
{
	if (disk->url && !disk->readonly && check->spec->vm.ephemeral)
		remark_error(check->to, section, "url",
			"[vm] ephemeral = yes cannot throw that away: say "
			"readonly = yes");
}

static void check_disks(const struct check *check)
{
	struct list *head = &check->spec->disks;

	list_each(head, it, next) {
		struct spec_disk *disk = list_entry(it, struct spec_disk, link);
		AUTO_FREE char *section = xasprintf("disk.%s", disk->name);
		disk_check(disk, check->to);
		check_url(check, disk, section);
		if (str_eq(spec_cache_names[disk->cache], "unsafe") &&
			!check->spec->vm.ephemeral &&
			!ini_find(check->to->ini, section, "x-i-know"))
			remark_note(check->to, section, "cache",
				"unsafe loses the disk when the host crashes; "
				"fit for ephemeral = yes");
	}
	for (struct list *b = head->next; b != head; b = b->next)
		for (struct list *a = head->next; a != b; a = a->next)
			check_two_disks(check,
				list_entry(a, struct spec_disk, link),
				list_entry(b, struct spec_disk, link));
}

/* Who has which place; a place has one owner. */
struct boot_order {
	const char *owners[1001]; /* boot is at most 1000 */
};

static void claim(const struct check *check, struct boot_order *order,
	uint64_t place, const char *section)
{
	if (place == 0)
		return;
	const char **owner = &order->owners[place];
	if (*owner)
		remark_error(check->to, section, "boot",
			"%llu is also the place of [%s]",
			(unsigned long long)place, *owner);
	else
		*owner = ini_find(check->to->ini, section, NULL)->section;
}

static void check_boot_order(const struct check *check)
{
	AUTO_FREE struct boot_order *order = NEW(struct boot_order);

	list_each(&check->spec->disks, it, next) {
		struct spec_disk *disk = list_entry(it, struct spec_disk, link);
		AUTO_FREE char *section = xasprintf("disk.%s", disk->name);
		claim(check, order, disk->boot, section);
	}
	list_each(&check->spec->cdroms, ct, cnext) {
		struct spec_disk *drive =
			list_entry(ct, struct spec_disk, link);
		AUTO_FREE char *section = xasprintf("cdrom.%s", drive->name);
		claim(check, order, drive->boot, section);
	}
	list_each(&check->spec->nics, it, next) {
		struct spec_nic *nic = list_entry(it, struct spec_nic, link);
		AUTO_FREE char *section = xasprintf("net.%s", nic->name);
		claim(check, order, nic->boot, section);
	}
}

/* ---- the rest ---- */

static void check_serials(const struct check *check)
{
	unsigned isa = 0;

	list_each(&check->spec->serials, it, next) {
		struct spec_serial_port *port =
			list_entry(it, struct spec_serial_port, link);
		isa += port->target == SERIAL_ISA;
		if (isa <= ISA_SERIALS_MAX || port->target != SERIAL_ISA)
			continue;
		AUTO_FREE char *section = xasprintf("serial.%s", port->name);
		remark_error(check->to, section, NULL,
			"a machine has %d ISA ports: say target = virtio",
			ISA_SERIALS_MAX);
	}
}

/* A file that is empty or was cut says nothing that could run. */
static void check_boots(const struct check *check)
{
	const struct vm_spec *spec = check->spec;

	if (check->to->f->errors == 0 && list_is_empty(&spec->disks) &&
		!cdrom_has_disc(spec) && list_is_empty(&spec->raws) &&
		!spec->vm.kernel)
		remark_error(check->to, NULL, NULL,
			"nothing to boot: give [disk.NAME] or kernel =");
}

void check_spec(
	struct vm_spec *spec, enum paths_scope scope, const struct remarks *to)
{
	const struct check check = { spec, scope, to };

	check_vm(&check);
	settle_nics(&check);
	check_disks(&check);
	check_nics(&check);
	check_boot_order(&check);
	check_serials(&check);
	watchdog_settle(spec, to);
	firmware_check(spec, to);
	tpm_check(spec, to);
	display_check(spec, to);
	check_start(&check);
	check_restart(&check);
	check_boots(&check);
}
