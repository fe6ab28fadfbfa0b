/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a VM uses as JSON, and what all of them were promised. */
#include "base/mem.h"
#include "supervisor/proc.h"
#include "supervisor/report.h"
#include "supervisor/stats.h"

static json_t *number(uint64_t value)
{
	return value == STATS_UNKNOWN ? json_null()
				      : json_integer((json_int_t)value);
}

static json_t *seconds(uint64_t us)
{
	return json_real((double)us / 1e6);
}

/* ---- processors ---- */

static json_t *cpu_of(const struct proc_usage *usage, bool known)
{
	if (!known)
		return json_null();
	return json_pack("{s:o,s:o,s:o,s:I}", "seconds",
		seconds(usage->user_us + usage->system_us), "user",
		seconds(usage->user_us), "system", seconds(usage->system_us),
		"threads", (json_int_t)usage->threads);
}

static json_t *vcpus_of(const struct vm *vm, const struct stats *s)
{
	json_t *all = json_array();

	for (size_t i = 0; s && i < s->ncpus; i++) {
		struct proc_thread t;
		bool known =
			proc_thread(vm->machine.pid, s->cpus[i].thread, &t);

		json_array_append_new(all,
			json_pack("{s:i,s:i,s:o,s:o,s:o}", "index",
				(int)s->cpus[i].index, "thread",
				(int)s->cpus[i].thread, "seconds",
				known ? seconds(t.run_us) : json_null(), "wait",
				known ? seconds(t.wait_us) : json_null(),
				"exits", number(s->cpus[i].exits)));
	}
	return all;
}

static json_t *exits_of(const struct stats *s)
{
	uint64_t sum = 0;
	bool known = false;

	for (size_t i = 0; s && i < s->ncpus; i++) {
		if (s->cpus[i].exits == STATS_UNKNOWN)
			continue;
		sum += s->cpus[i].exits;
		known = true;
	}
	return known ? number(sum) : json_null();
}

/* ---- memory ---- */

/* null: the guest has no balloon driver, or has not reported yet. */
static json_t *guest_of(const struct stats *s)
{
	bool known = false;
	json_t *guest = json_object();

	for (size_t i = 0; s && i < STATS_NGUEST; i++) {
		known |= s->guest[i] != STATS_UNKNOWN;
		json_object_set_new(
			guest, stats_guest_names[i], number(s->guest[i]));
	}
	if (known)
		return guest;
	json_decref(guest);
	return json_null();
}

/* pss is the client's to fill in: the kernel counts it page by page. */
static json_t *memory_of(const struct vm *vm, const struct stats *s,
	const struct proc_usage *usage)
{
	const struct vm_spec *spec = vm_spec_now(vm);

	return json_pack("{s:o,s:o,s:o,s:o,s:n,s:o}", "configured",
		number(spec ? spec->vm.memory : STATS_UNKNOWN), "balloon",
		number(s ? s->balloon : STATS_UNKNOWN), "rss",
		number(usage ? usage->rss : STATS_UNKNOWN), "swap",
		number(usage ? usage->swap : STATS_UNKNOWN), "pss", "guest",
		guest_of(s));
}

/* ---- devices ---- */

static json_t *disks_of(const struct stats *s)
{
	json_t *all = json_array();

	for (size_t i = 0; s && i < s->ndisks; i++) {
		json_t *disk = json_pack("{s:s}", "name", s->disks[i].name);

		for (size_t k = 0; k < STATS_NCOUNTERS; k++) {
			uint64_t value = s->disks[i].at[k];

			json_object_set_new(disk, stats_members[k].name,
				stats_members[k].is_ns
					? json_real((double)value / 1e9)
					: number(value));
		}
		json_array_append_new(all, disk);
	}
	return all;
}

/* The counters of a nic, as QEMU's user sees them: rx is to the guest. */
static const char *const nic_members[] = { "rx_bytes", "rx_packets",
	"rx_errors", "rx_drops", "tx_bytes", "tx_packets", "tx_errors",
	"tx_drops" };

/* Fills in what is counted; false: nobody counts. */
typedef bool nic_read(const struct vm *vm, const struct spec_nic *nic,
	uint64_t at[NELEMS(nic_members)]);

/*
 * Who counts, by the mode of report's nics.  QEMU itself does not, and its
 * user mode network (slirp) has nothing to ask for.
 */
static const struct {
	const char *mode;
	nic_read *read; /* NULL: nobody */
} nic_modes[] = {
	{ "user", NULL },
	{ "tap", NULL },
};

static json_t *nic_of(const struct vm *vm, const struct spec_nic *nic)
{
	size_t mode = nic->user ? 0 : 1;
	uint64_t at[NELEMS(nic_members)];
	bool known = nic_modes[mode].read && nic_modes[mode].read(vm, nic, at);
	json_t *o = json_pack(
		"{s:s,s:s}", "name", nic->name, "mode", nic_modes[mode].mode);

	for (size_t i = 0; i < NELEMS(nic_members); i++)
		json_object_set_new(
			o, nic_members[i], known ? number(at[i]) : json_null());
	return o;
}

static json_t *nics_of(const struct vm *vm)
{
	const struct vm_spec *spec = vm_spec_now(vm);
	json_t *all = json_array();

	if (!spec)
		return all;
	list_each(&spec->nics, it, next)
		json_array_append_new(
			all, nic_of(vm, list_entry(it, struct spec_nic, link)));
	return all;
}

/* ---- all of it ---- */

static json_t *age_of(const struct stats *s)
{
	int64_t ms = s ? stats_age_ms(s) : -1;

	return ms < 0 ? json_null() : json_real((double)ms / 1000);
}

json_t *report_stats(const struct vm *vm)
{
	const struct stats *s = vm_is_up(vm) ? vm->stats : NULL;
	const struct vm_spec *spec = vm_spec_now(vm);
	struct proc_usage usage;
	bool known = vm_is_up(vm) && vm->machine.pid > 0 &&
		     proc_usage(vm->machine.pid, &usage);
	int64_t uptime = vm_uptime_ms(vm);
	json_t *o = json_pack("{s:s,s:s,s:o,s:I,s:o,s:b}", "name", vm->name,
		"state", vm_state_word(vm), "uptime",
		uptime < 0 ? json_null() : json_real((double)uptime / 1000),
		"restarts", (json_int_t)vm->record.tally.restarts, "age",
		age_of(s), "stale", vm_is_up(vm) && (!s || stats_is_stale(s)));

	json_object_set_new(
		o, "pid", known ? json_integer(vm->machine.pid) : json_null());
	json_object_set_new(
		o, "cpus", number(spec ? spec->vm.cpus : STATS_UNKNOWN));
	json_object_set_new(o, "cpu", cpu_of(&usage, known));
	json_object_set_new(o, "vcpus", vcpus_of(vm, s));
	json_object_set_new(o, "exits", exits_of(s));
	json_object_set_new(
		o, "memory", memory_of(vm, s, known ? &usage : NULL));
	json_object_set_new(o, "disks", disks_of(s));
	json_object_set_new(o, "nics", nics_of(vm));
	return o;
}

json_t *report_host(struct list *vms)
{
	uint64_t memory = 0, cpus = 0;
	json_int_t running = 0;

	list_each(vms, it, next) {
		const struct vm *vm = list_entry(it, struct vm, link);
		const struct vm_spec *spec = vm_spec_now(vm);

		if (!vm_is_up(vm) || !spec)
			continue;
		memory += spec->vm.memory;
		cpus += spec->vm.cpus;
		running++;
	}
	return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I}", "running", running,
		"memory", (json_int_t)proc_host_memory(), "memory_available",
		(json_int_t)proc_host_available(), "memory_promised",
		(json_int_t)memory, "cpus", (json_int_t)proc_host_cpus(),
		"cpus_promised", (json_int_t)cpus);
}
