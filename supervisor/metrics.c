/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One row of a table is one sample name; rows of one family (same name, other
 * fixed labels) stand together.  Values are members of report_stats().  Only
 * gauges and counters, so that it is good Prometheus text as well.
 */
#include "supervisor/metrics.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "supervisor/report.h"
#include "supervisor/vm.h"

#define PAGE_BYTES 40000 /* as JSON it is more, and a line holds 64 KiB */

enum of { OF_HOST, OF_VM, OF_VCPU, OF_DISK, OF_NIC };
enum type { GAUGE, COUNTER };

struct row {
	const char *family; /* without _total */
	enum type type;
	const char *unit; /* the end of the family's name, or NULL */
	const char *help;
	enum of of;
	const char *member;     /* "cpu.user" */
	const char *label;      /* of a member that is text, or NULL */
	const char *more_label; /* written as it is, or NULL */
};

struct naming {
	const struct row *rows;
	const char *vm; /* label of a VM's name */
	const char *device;
};

/* ---- tables: one row is one line ---- */

/* clang-format off */
static const struct row own_rows[] = {
	{ "vmward_build", GAUGE, NULL, "The supervisor's version.", OF_HOST, "one", NULL, "version=\"" VMWARD_VERSION "\"" },
	{ "vmward_vms_running", GAUGE, NULL, "VMs that are up.", OF_HOST, "running", NULL, NULL },
	{ "vmward_host_cpus", GAUGE, NULL, "Processors of the host.", OF_HOST, "cpus", NULL, NULL },
	{ "vmward_host_cpus_promised", GAUGE, NULL, "vCPUs of all VMs that are up.", OF_HOST, "cpus_promised", NULL, NULL },
	{ "vmward_host_memory_bytes", GAUGE, "bytes", "Memory of the host.", OF_HOST, "memory", NULL, NULL },
	{ "vmward_host_memory_available_bytes", GAUGE, "bytes", "Memory to be had without swapping.", OF_HOST, "memory_available", NULL, NULL },
	{ "vmward_host_memory_promised_bytes", GAUGE, "bytes", "Memory of all VMs that are up.", OF_HOST, "memory_promised", NULL, NULL },
	{ "vmward_vm_state", GAUGE, NULL, "1 with the state as a label.", OF_VM, "state", "state", NULL },
	{ "vmward_vm_uptime_seconds", GAUGE, "seconds", "Time since its start.", OF_VM, "uptime", NULL, NULL },
	{ "vmward_vm_restarts", COUNTER, NULL, "Restarts by the supervisor.", OF_VM, "restarts", NULL, NULL },
	{ "vmward_vm_stale", GAUGE, NULL, "1 if QEMU did not answer and its numbers are old.", OF_VM, "stale", NULL, NULL },
	{ "vmward_vm_age_seconds", GAUGE, "seconds", "Age of what QEMU said last.", OF_VM, "age", NULL, NULL },
	{ "vmward_vm_cpus", GAUGE, NULL, "vCPUs.", OF_VM, "cpus", NULL, NULL },
	{ "vmward_vm_cpu_seconds", COUNTER, "seconds", "Processor time of all of QEMU.", OF_VM, "cpu.user", NULL, "mode=\"user\"" },
	{ "vmward_vm_cpu_seconds", COUNTER, "seconds", NULL, OF_VM, "cpu.system", NULL, "mode=\"system\"" },
	{ "vmward_vcpu_seconds", COUNTER, "seconds", "Processor time of a vCPU's thread.", OF_VCPU, "seconds", NULL, NULL },
	{ "vmward_vcpu_wait_seconds", COUNTER, "seconds", "Time it was ready and had no processor.", OF_VCPU, "wait", NULL, NULL },
	{ "vmward_vcpu_exits", COUNTER, NULL, "Exits from the guest under KVM.", OF_VCPU, "exits", NULL, NULL },
	{ "vmward_vm_memory_bytes", GAUGE, "bytes", "Memory as configured.", OF_VM, "memory.configured", NULL, NULL },
	{ "vmward_vm_balloon_bytes", GAUGE, "bytes", "Memory that the balloon leaves.", OF_VM, "memory.balloon", NULL, NULL },
	{ "vmward_vm_rss_bytes", GAUGE, "bytes", "QEMU's memory in RAM.", OF_VM, "memory.rss", NULL, NULL },
	{ "vmward_vm_swap_bytes", GAUGE, "bytes", "QEMU's memory in the host's swap.", OF_VM, "memory.swap", NULL, NULL },
	{ "vmward_guest_memory_bytes", GAUGE, "bytes", "Memory as the guest sees it.", OF_VM, "memory.guest.total", NULL, NULL },
	{ "vmward_guest_free_bytes", GAUGE, "bytes", "Unused in the guest.", OF_VM, "memory.guest.free", NULL, NULL },
	{ "vmward_guest_available_bytes", GAUGE, "bytes", "To be had in the guest without swapping.", OF_VM, "memory.guest.available", NULL, NULL },
	{ "vmward_guest_caches_bytes", GAUGE, "bytes", "Disk caches of the guest.", OF_VM, "memory.guest.caches", NULL, NULL },
	{ "vmward_guest_swap_in_bytes", COUNTER, "bytes", "Swapped in by the guest.", OF_VM, "memory.guest.swap_in", NULL, NULL },
	{ "vmward_guest_swap_out_bytes", COUNTER, "bytes", "Swapped out by the guest.", OF_VM, "memory.guest.swap_out", NULL, NULL },
	{ "vmward_guest_major_faults", COUNTER, NULL, "Page faults with a disk access.", OF_VM, "memory.guest.major_faults", NULL, NULL },
	{ "vmward_guest_minor_faults", COUNTER, NULL, "Page faults without one.", OF_VM, "memory.guest.minor_faults", NULL, NULL },
	{ "vmward_disk_read_bytes", COUNTER, "bytes", "Read by the guest.", OF_DISK, "read_bytes", NULL, NULL },
	{ "vmward_disk_reads", COUNTER, NULL, "Read requests.", OF_DISK, "read_ops", NULL, NULL },
	{ "vmward_disk_read_seconds", COUNTER, "seconds", "Time of all read requests.", OF_DISK, "read_seconds", NULL, NULL },
	{ "vmward_disk_written_bytes", COUNTER, "bytes", "Written by the guest.", OF_DISK, "write_bytes", NULL, NULL },
	{ "vmward_disk_writes", COUNTER, NULL, "Write requests.", OF_DISK, "write_ops", NULL, NULL },
	{ "vmward_disk_write_seconds", COUNTER, "seconds", "Time of all write requests.", OF_DISK, "write_seconds", NULL, NULL },
	{ "vmward_disk_flushes", COUNTER, NULL, "Flush requests.", OF_DISK, "flush_ops", NULL, NULL },
	{ "vmward_disk_flush_seconds", COUNTER, "seconds", "Time of all flush requests.", OF_DISK, "flush_seconds", NULL, NULL },
	{ "vmward_disk_discarded_bytes", COUNTER, "bytes", "Discarded by the guest.", OF_DISK, "discard_bytes", NULL, NULL },
	{ "vmward_disk_errors", COUNTER, NULL, "Requests that failed.", OF_DISK, "errors", NULL, NULL },
	{ "vmward_nic_received_bytes", COUNTER, "bytes", "Received by the guest.", OF_NIC, "rx_bytes", NULL, NULL },
	{ "vmward_nic_sent_bytes", COUNTER, "bytes", "Sent by the guest.", OF_NIC, "tx_bytes", NULL, NULL },
	{ NULL, GAUGE, NULL, NULL, OF_HOST, NULL, NULL, NULL },
};

static const struct row libvirt_rows[] = {
	{ "libvirt_up", GAUGE, NULL, "1: the supervisor answers.", OF_HOST, "one", NULL, NULL },
	{ "libvirt_domain_info_maximum_memory_bytes", GAUGE, "bytes", "Memory as configured.", OF_VM, "memory.configured", NULL, NULL },
	{ "libvirt_domain_info_memory_usage_bytes", GAUGE, "bytes", "Memory that the balloon leaves, or all of it.", OF_VM, "memory.usage", NULL, NULL },
	{ "libvirt_domain_info_virtual_cpus", GAUGE, NULL, "vCPUs.", OF_VM, "cpus", NULL, NULL },
	{ "libvirt_domain_info_cpu_time_seconds", COUNTER, "seconds", "Processor time of all of QEMU.", OF_VM, "cpu.seconds", NULL, NULL },
	{ "libvirt_domain_info_vstate", GAUGE, NULL, "1 running, 3 paused, 4 being shut down, 5 off, 6 failed, 0 not known.", OF_VM, "vstate", NULL, NULL },
	{ "libvirt_domain_vcpu_time_seconds", COUNTER, "seconds", "Processor time of a vCPU.", OF_VCPU, "seconds", NULL, NULL },
	{ "libvirt_domain_vcpu_delay_seconds", COUNTER, "seconds", "Time it had no processor.", OF_VCPU, "wait", NULL, NULL },
	{ "libvirt_domain_block_stats_read_bytes", COUNTER, "bytes", "Bytes read.", OF_DISK, "read_bytes", NULL, NULL },
	{ "libvirt_domain_block_stats_read_requests", COUNTER, NULL, "Read requests.", OF_DISK, "read_ops", NULL, NULL },
	{ "libvirt_domain_block_stats_read_time_seconds", COUNTER, "seconds", "Time of read requests.", OF_DISK, "read_seconds", NULL, NULL },
	{ "libvirt_domain_block_stats_write_bytes", COUNTER, "bytes", "Bytes written.", OF_DISK, "write_bytes", NULL, NULL },
	{ "libvirt_domain_block_stats_write_requests", COUNTER, NULL, "Write requests.", OF_DISK, "write_ops", NULL, NULL },
	{ "libvirt_domain_block_stats_write_time_seconds", COUNTER, "seconds", "Time of write requests.", OF_DISK, "write_seconds", NULL, NULL },
	{ "libvirt_domain_block_stats_flush_requests", COUNTER, NULL, "Flush requests.", OF_DISK, "flush_ops", NULL, NULL },
	{ "libvirt_domain_block_stats_flush_time_seconds", COUNTER, "seconds", "Time of flush requests.", OF_DISK, "flush_seconds", NULL, NULL },
	{ "libvirt_domain_interface_stats_receive_bytes", COUNTER, "bytes", "Bytes received.", OF_NIC, "rx_bytes", NULL, NULL },
	{ "libvirt_domain_interface_stats_receive_packets", COUNTER, NULL, "Packets received.", OF_NIC, "rx_packets", NULL, NULL },
	{ "libvirt_domain_interface_stats_receive_errors", COUNTER, NULL, "Errors of receiving.", OF_NIC, "rx_errors", NULL, NULL },
	{ "libvirt_domain_interface_stats_receive_drops", COUNTER, NULL, "Received packets dropped.", OF_NIC, "rx_drops", NULL, NULL },
	{ "libvirt_domain_interface_stats_transmit_bytes", COUNTER, "bytes", "Bytes sent.", OF_NIC, "tx_bytes", NULL, NULL },
	{ "libvirt_domain_interface_stats_transmit_packets", COUNTER, NULL, "Packets sent.", OF_NIC, "tx_packets", NULL, NULL },
	{ "libvirt_domain_interface_stats_transmit_errors", COUNTER, NULL, "Errors of sending.", OF_NIC, "tx_errors", NULL, NULL },
	{ "libvirt_domain_interface_stats_transmit_drops", COUNTER, NULL, "Packets to send dropped.", OF_NIC, "tx_drops", NULL, NULL },
	{ "libvirt_domain_memory_stats_actual_balloon_bytes", GAUGE, "bytes", "Memory that the balloon leaves.", OF_VM, "memory.balloon", NULL, NULL },
	{ "libvirt_domain_memory_stats_available_bytes", GAUGE, "bytes", "Memory as the guest sees it.", OF_VM, "memory.guest.total", NULL, NULL },
	{ "libvirt_domain_memory_stats_unused_bytes", GAUGE, "bytes", "Unused in the guest.", OF_VM, "memory.guest.free", NULL, NULL },
	{ "libvirt_domain_memory_stats_usable_bytes", GAUGE, "bytes", "To be had in the guest without swapping.", OF_VM, "memory.guest.available", NULL, NULL },
	{ "libvirt_domain_memory_stats_disk_cache_bytes", GAUGE, "bytes", "Disk caches of the guest.", OF_VM, "memory.guest.caches", NULL, NULL },
	{ "libvirt_domain_memory_stats_rss_bytes", GAUGE, "bytes", "QEMU's memory in RAM.", OF_VM, "memory.rss", NULL, NULL },
	{ "libvirt_domain_memory_stats_major_fault", COUNTER, NULL, "Page faults with a disk access.", OF_VM, "memory.guest.major_faults", NULL, NULL },
	{ "libvirt_domain_memory_stats_minor_fault", COUNTER, NULL, "Page faults without one.", OF_VM, "memory.guest.minor_faults", NULL, NULL },
	{ NULL, GAUGE, NULL, NULL, OF_HOST, NULL, NULL, NULL },
};
/* clang-format on */

static const struct naming own = { own_rows, "vm", NULL };
static const struct naming libvirt = { libvirt_rows, "domain",
	"target_device" };

/* ---- values ---- */

/* "memory.guest.total" of an object, borrowed, or NULL. */
static const json_t *member_of(const json_t *object, const char *path)
{
	AUTO_FREE char *copy = xstrdup(path);
	char *rest = copy;

	for (char *name; (name = strsep(&rest, "."));)
		object = json_object_get(object, name);
	return object;
}

/* libvirt's virDomainState. */
static int vstate_of(const struct vm *vm)
{
	switch (vm->state) {
	case VM_STARTING:
	case VM_RUNNING:
	case VM_SAVING:
		return 1;
	case VM_PAUSED:
		return 3;
	case VM_STOPPING:
	case VM_ENDED:
		return 4;
	case VM_STOPPED:
	case VM_WAITING:
	case VM_SAVED:
		return 5;
	case VM_FAILED:
		return 6;
	case VM_ADOPTING:
	case VM_UNREACHABLE:
	case VM_NSTATES:
		break;
	}
	return 0;
}

static json_t *object_of(const struct vm *vm)
{
	json_t *o = report_stats(vm);
	json_t *memory = json_object_get(o, "memory");
	json_t *usage = json_object_get(memory, "balloon");

	if (!json_is_integer(usage))
		usage = json_object_get(memory, "configured");
	json_object_set(memory, "usage", usage);
	json_object_set_new(o, "vstate", json_integer(vstate_of(vm)));
	return o;
}

/* ---- text ---- */

static void add_label(struct str *out, const char *name, const char *value)
{
	str_addf(out, "%s=\"", name);
	for (; *value; value++) {
		if (*value == '\n')
			str_add(out, "\\n");
		else if (*value == '"' || *value == '\\')
			str_addf(out, "\\%c", *value);
		else
			str_addc(out, *value);
	}
	str_addc(out, '"');
}

static void add_family(struct str *out, const struct row *row)
{
	str_addf(out, "# TYPE %s %s\n", row->family,
		row->type == COUNTER ? "counter" : "gauge");
	if (row->unit)
		str_addf(out, "# UNIT %s %s\n", row->family, row->unit);
	str_addf(out, "# HELP %s %s\n", row->family, row->help);
}

/* A sample of what has a value; labels stand between braces. */
static void add_sample(struct str *out, const struct row *row,
	const struct str *labels, const json_t *value)
{
	const char *text = json_string_value(value);

	if (!json_is_number(value) && !json_is_boolean(value) &&
		!(row->label && text))
		return;
	str_addf(
		out, "%s%s", row->family, row->type == COUNTER ? "_total" : "");
	if (labels->len || row->label || row->more_label) {
		const char *comma = labels->len ? "," : "";

		str_addf(out, "{%s", str_text(labels));
		if (row->label) {
			str_add(out, comma);
			add_label(out, row->label, text);
		}
		if (row->more_label)
			str_addf(out, "%s%s", comma, row->more_label);
		str_addc(out, '}');
	}
	if (json_is_real(value))
		str_addf(out, " %.9f\n", json_real_value(value));
	else if (json_is_integer(value))
		str_addf(out, " %lld\n", (long long)json_integer_value(value));
	else
		str_add(out, json_is_false(value) ? " 0\n" : " 1\n");
}

/* Samples of all the devices of a kind: label = its own name or number. */
static void add_devices(struct str *out, const struct row *row,
	const struct naming *naming, const json_t *vm)
{
	static const struct {
		const char *list, *key, *label;
	} kinds[] = {
		[OF_VCPU] = { "vcpus", "index", "vcpu" },
		[OF_DISK] = { "disks", "name", "disk" },
		[OF_NIC] = { "nics", "name", "nic" },
	};
	const char *label = row->of != OF_VCPU && naming->device
				    ? naming->device
				    : kinds[row->of].label;
	size_t i;
	json_t *device;

	json_array_foreach(json_object_get(vm, kinds[row->of].list), i, device)
	{
		const json_t *key = json_object_get(device, kinds[row->of].key);
		AUTO_STR struct str labels = STR_INIT;
		char number[24];

		snprintf(number, sizeof(number), "%lld",
			(long long)json_integer_value(key));
		add_label(&labels, naming->vm,
			json_string_value(json_object_get(vm, "name")));
		str_addc(&labels, ',');
		add_label(&labels, label,
			json_is_string(key) ? json_string_value(key) : number);
		add_sample(out, row, &labels, member_of(device, row->member));
	}
}

static void add_vm(struct str *out, const struct row *row,
	const struct naming *naming, const json_t *vm)
{
	AUTO_STR struct str labels = STR_INIT;

	if (row->of != OF_VM) {
		add_devices(out, row, naming, vm);
		return;
	}
	add_label(&labels, naming->vm,
		json_string_value(json_object_get(vm, "name")));
	add_sample(out, row, &labels, member_of(vm, row->member));
}

static void add_host(struct str *out, const struct row *row, struct list *vms)
{
	AUTO_STR struct str none = STR_INIT;
	json_t *host = report_host(vms);

	json_object_set_new(host, "one", json_integer(1));
	add_sample(out, row, &none, member_of(host, row->member));
	json_decref(host);
}

/* ---- pages: a row, and the VM in it that was the last ---- */

static json_t *objects_of(struct list *vms)
{
	json_t *all = json_array();

	list_each(vms, it, next)
		json_array_append_new(
			all, object_of(list_entry(it, struct vm, link)));
	return all;
}

/* The samples of a row, for VMs behind *last; false: the page is full. */
static bool add_row(struct str *out, const struct row *row,
	const struct naming *naming, json_t *objects, const char **last)
{
	size_t i;
	json_t *vm;

	json_array_foreach(objects, i, vm)
	{
		const char *name =
			json_string_value(json_object_get(vm, "name"));

		if (strcmp(name, *last) <= 0)
			continue;
		if (out->len > PAGE_BYTES)
			return false;
		add_vm(out, row, naming, vm);
		*last = name;
	}
	return true;
}

char *metrics_page(struct list *vms, bool libvirt_names, const char *after,
	struct str *out)
{
	const struct naming *naming = libvirt_names ? &libvirt : &own;
	const struct row *rows = naming->rows;
	size_t row = str_digits(after);
	const char *colon = strchr(after, ':');
	const char *last = colon ? colon + 1 : "";
	json_t *objects = objects_of(vms);
	char *next = NULL;
	size_t n = 0;

	while (rows[n].family)
		n++;
	for (; row < n && !next; row++, last = "") {
		bool first = row == 0 ||
			     !str_eq(rows[row].family, rows[row - 1].family);

		if (!*last && first)
			add_family(out, &rows[row]);
		if (rows[row].of == OF_HOST)
			add_host(out, &rows[row], vms);
		else if (!add_row(out, &rows[row], naming, objects, &last))
			next = xasprintf("%zu:%s", row, last);
	}
	if (!next)
		str_add(out, "# EOF\n");
	json_decref(objects);
	return next;
}
