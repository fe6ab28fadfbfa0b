/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sections of a VM's file (REFERENCE 1.3): where each is in the spec, and
 * one sentence for the man page.  Names that a later version will do have a
 * row too, so that they are not "unknown".
 */
#include "supervisor/spec_table.h"

#include "base/mem.h"
#include "supervisor/raw.h"

static const char *const serial_later[] = { "keep", NULL };

/* clang-format off */
#define ONE(member, table)                             \
	.keys = table,                                 \
	.offset = offsetof(struct vm_spec, member),    \
	.size = sizeof(((struct vm_spec *)0)->member), \
	.enabled_offset = KEYS_NO_ENABLED
#define MANY(member, type, table)                             \
	.named = true, .keys = table,                         \
	.offset = offsetof(struct vm_spec, member),           \
	.size = sizeof(struct type),                          \
	.link_offset = offsetof(struct type, link),           \
	.name_offset = offsetof(struct type, name),           \
	.enabled_offset = KEYS_NO_ENABLED
#define LATER(word)                         \
	{                                   \
		.name = word, .later = true \
	}

const struct section spec_sections[] = {
	{ .name = "vm", ONE(vm, spec_vm_keys), .help = "The VM itself." },
	{ .name = "start",
		ONE(start, spec_start_keys),
		.help = "When it starts, and when it is ready." },
	{ .name = "stop", ONE(stop, spec_stop_keys), .help = "How it stops." },
	{ .name = "restart",
		ONE(restart, spec_restart_keys),
		.help = "What follows an end that nobody asked for." },
	{ .name = "disk",
		MANY(disks, spec_disk, spec_disk_keys),
		.help = "A disk, made of image, base or size; a running VM "
			"takes another one by vmward disk attach." },
	{ .name = "cdrom",
		MANY(cdroms, spec_disk, spec_cdrom_keys),
		.help = "A CD-ROM drive; vmward cdrom insert and eject change "
			"the disc while the VM runs." },
	{ .name = "net",
		MANY(nics, spec_nic, spec_nic_keys),
		.help = "A network interface." },
	{ .name = "serial",
		MANY(serials, spec_serial_port, spec_serial_keys),
		.later_keys = serial_later,
		.help = "A serial port with a log; [serial.console] exists "
			"unless it says enabled = no." },
	{ .name = "rng",
		ONE(rng, spec_rng_keys),
		.help = "Random numbers of the host; there by default." },
	{ .name = "balloon",
		ONE(balloon, spec_balloon_keys),
		.help = "Gives memory back to the host; there by default." },
	{ .name = "agent",
		ONE(agent, spec_agent_keys),
		.help = "The channel of the guest agent; there by default." },
	{ .name = "watchdog",
		.keys = spec_watchdog_keys,
		.offset = offsetof(struct vm_spec, watchdog),
		.size = sizeof(struct spec_watchdog),
		.enabled_offset = offsetof(struct spec_watchdog, written),
		.help = "A watchdog; the section makes it." },
	{ .name = "tpm",
		.keys = spec_tpm_keys,
		.offset = offsetof(struct vm_spec, tpm),
		.size = sizeof(struct spec_tpm),
		.enabled_offset = offsetof(struct spec_tpm, written),
		.help = "A TPM 2.0, by swtpm; the section makes it, and what "
			"it holds is kept until the VM is deleted." },
	{ .name = "display",
		.keys = spec_display_keys,
		.offset = offsetof(struct vm_spec, display),
		.size = sizeof(struct spec_display),
		.enabled_offset = offsetof(struct spec_display, written),
		.help = "A screen; the section makes it." },
	{ .name = "seed",
		.keys = spec_seed_keys,
		.offset = offsetof(struct vm_spec, seed),
		.size = sizeof(struct spec_seed),
		.enabled_offset = offsetof(struct spec_seed, written),
		.help = "What cloud-init in the guest is told, on a read-only "
			"disk named seed; the section makes it." },
	{ .name = "hooks",
		ONE(hooks, spec_hooks_keys),
		.help = "Programs that are run when something happened; "
			"VMWARD_VM, VMWARD_EVENT, VMWARD_STATE, "
			"VMWARD_CAUSE, VMWARD_DETAIL, VMWARD_INCIDENT, "
			"VMWARD_RESTARTS, VMWARD_PID and VMWARD_UUID are in "
			"their environment." },
	{ .name = "backup",
		ONE(backup, spec_backup_keys),
		.help = "Where its backups go, and when one is made." },
	{ .name = "limits",
		ONE(limits, spec_limits_keys),
		.help = "What of the host it may use, by control groups; "
			"status says what this host cannot limit." },
	{ .name = "snapshot",
		ONE(snapshot, spec_snapshot_keys),
		.help = "When a snapshot is made, and how long it is kept." },
	{ .name = "raw",
		.enabled_offset = KEYS_NO_ENABLED,
		.other = raw_set,
		.other_names = "arg-1 ... arg-99, qmp-1 ... "
			       "qmp-99",
		.help = "What has no key: an option of QEMU's, a blank, and "
			"its argument; or a line of QMP." },
	LATER("share"),
	LATER("vsock"),
	LATER("usb"),
	LATER("pci"),
};
/* clang-format on */
const size_t spec_nsections = NELEMS(spec_sections);
