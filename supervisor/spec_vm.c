/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The keys of [vm]. */
#include "supervisor/spec_table.h"

#include "supervisor/spec_value.h"

#define MIB (UINT64_C(1) << 20)

const char *const spec_firmware_names[] = { "bios", "uefi", "uefi-secure",
	NULL };
static const char *const os_names[] = { "linux", "windows", "other", NULL };
static const char *const confinement_names[] = { "host", "full", "best-effort",
	"off", NULL };
static const char *const accel_names[] = { "auto", "kvm", "tcg", NULL };
static const char *const clock_names[] = { "utc", "localtime", NULL };

/* One row of a table is one key. */
/* clang-format off */
#define AT(member) .offset = offsetof(struct spec_vm, member)
const struct key spec_vm_keys[] = {
	{ "description", KEY_STRING, AT(description), .when = KEY_POLICY,
		.help = "What this VM is for, in any language." },
	{ "uuid", KEY_CUSTOM, AT(uuid), .fallback = "", .when = KEY_COLD,
		.parse = value_uuid, .release = value_string_release,
		.form = "UUID",
		.help = "The VM's identity for the guest; derived from this "
			"host and the name unless written." },
	{ "template", KEY_STRING, AT(template_), .when = KEY_POLICY,
		.help = "The file templates/NAME.ini that lies below this one; "
			"none for nothing, not even templates/default.ini." },
	{ "instances", KEY_CUSTOM, AT(instances), .when = KEY_POLICY,
		.parse = value_instances, .list = true, .release = value_string_release,
		.form = "list of names and ranges",
		.help = "In NAME@.ini: the VMs that exist, as 1-20 or 01-20." },
	{ "tags", KEY_LIST, AT(tags), .when = KEY_POLICY,
		.help = "Words to address several VMs by, as @prod." },
	{ "owner", KEY_STRING, AT(owner), .when = KEY_POLICY,
		.help = "A user of this host who may operate this VM." },
	{ "protect", KEY_LIST, AT(protect), .when = KEY_POLICY,
		.help = "Verbs that are refused, even with --yes: any of "
			"delete, stop, start." },
	{ "os", KEY_CHOICE, AT(os), .fallback = "linux", .when = KEY_COLD,
		.choices = os_names,
		.help = "What the guest is; windows gets local time and "
			"Hyper-V enlightenments." },
	{ "memory", KEY_MEMORY, AT(memory), .fallback = "1G", .min = MIB,
		.when = KEY_HOT, .live = "memory set",
		.help = "Memory of the guest, or a share of the host's." },
	{ "memory-max", KEY_MEMORY, AT(memory_max), .min = MIB,
		.when = KEY_COLD,
		.help = "How far memory can grow while the guest runs, whose "
			"kernel needs virtio-mem for it; as memory unless "
			"written." },
	{ "cpus", KEY_INT, AT(cpus), .fallback = "1", .min = 1, .max = 1024,
		.when = KEY_HOT, .live = "cpu set",
		.help = "Number of virtual CPUs." },
	{ "cpus-max", KEY_INT, AT(cpus_max), .min = 1, .max = 1024,
		.when = KEY_COLD,
		.help = "How far cpus can grow while the guest runs; as cpus "
			"unless written." },
	{ "cpu-topology", KEY_CUSTOM, AT(topology), .when = KEY_COLD,
		.parse = value_topology, .form = "SOCKETS:CORES:THREADS",
		.help = "Their product is cpus-max; one socket of single "
			"threads unless written." },
	{ "cpu", KEY_STRING, AT(cpu), .fallback = "", .when = KEY_COLD,
		.help = "QEMU's CPU model; host under KVM and max under TCG "
			"unless written." },
	{ "nested", KEY_BOOL, AT(nested), .fallback = "yes", .when = KEY_COLD,
		.help = "Whether the guest may run VMs itself." },
	{ "machine", KEY_CUSTOM, AT(machine), .fallback = "q35",
		.when = KEY_COLD, .parse = value_machine,
		.release = value_string_release,
		.form = "q35, pc, microvm "
			"or a full type",
		.help = "QEMU's machine type; pinned at the first start." },
	{ "accel", KEY_CHOICE, AT(accel), .fallback = "auto", .when = KEY_COLD,
		.choices = accel_names,
		.help = "auto takes KVM where it works." },
	{ "confinement", KEY_CHOICE, AT(confinement), .fallback = "host",
		.when = KEY_COLD, .choices = confinement_names,
		.help = "What QEMU must be kept from; host: as vmward.ini "
			"says, else full, best-effort or off.  [raw] options "
			"that name files need off." },
	{ "firmware", KEY_CHOICE, AT(firmware), .fallback = "bios",
		.when = KEY_COLD, .choices = spec_firmware_names,
		.help = "What starts the guest: uefi keeps its variables until "
			"the VM is deleted, and uefi-secure starts only what "
			"is signed." },
	{ "kernel", KEY_PATH, AT(kernel), .when = KEY_COLD,
		.help = "A Linux kernel that is started directly." },
	{ "initrd", KEY_PATH, AT(initrd), .when = KEY_COLD,
		.help = "The initial RAM disk of kernel." },
	{ "cmdline", KEY_STRING, AT(cmdline), .when = KEY_COLD,
		.help = "The command line of kernel." },
	{ "clock", KEY_CHOICE, AT(clock), .fallback = "utc", .when = KEY_COLD,
		.choices = clock_names,
		.help = "What the hardware clock shows; localtime for "
			"Windows unless written." },
	{ "hotplug-ports", KEY_INT, AT(hotplug_ports), .fallback = "8",
		.max = 24, .when = KEY_COLD,
		.help = "Ports kept free for devices plugged in later." },
	{ "ephemeral", KEY_BOOL, AT(ephemeral), .fallback = "no",
		.when = KEY_COLD,
		.help = "Disks are overlays that vanish at the end." },
	KEYS_END,
};
#undef AT
/* clang-format on */
