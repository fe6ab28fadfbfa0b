/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tables of a VM's file (REFERENCE 1.3): every section and key with its
 * type, default, limits and one sentence for the man page.  Names that a
 * later version will do have a row too, so that they are not "unknown".
 */
#include "base/mem.h"
#include "net/vlan.h"
#include "supervisor/cause.h"
#include "supervisor/forward.h"
#include "supervisor/network_value.h"
#include "supervisor/raw.h"
#include "supervisor/seed.h"
#include "supervisor/spec.h"
#include "supervisor/spec_value.h"

#define MIB (UINT64_C(1) << 20)

static const char *const discard_names[] = { "unmap", "ignore", NULL };
static const char *const on_enospc_names[] = { "pause", "report", NULL };
static const char *const on_eio_names[] = { "by-disk", "pause", "report",
	"ignore", NULL };
static const char *const os_names[] = { "linux", "windows", "other", NULL };
static const char *const confinement_names[] = { "host", "full", "best-effort",
	"off", NULL };
static const char *const accel_names[] = { "auto", "kvm", "tcg", NULL };
static const char *const clock_names[] = { "utc", "localtime", NULL };
static const char *const autostart_names[] = { "no", "yes", "last", NULL };
static const char *const host_shutdown_names[] = { "shutdown", "save", "stop",
	"leave", NULL };
static const char *const guest_reboot_names[] = { "warm", "cold",
	"cold-if-pending", "stop", NULL };
static const char *const action_names[] = { "by-policy", "restart", "stop",
	"pause", NULL };
static const char *const watchdog_model_names[] = { "i6300esb", "ib700", "itco",
	NULL };
static const char *const watchdog_action_names[] = { "restart", "reset",
	"pause", "poweroff", NULL };
static const char *const target_names[] = { "isa", "virtio", NULL };

/* One row of a table is one key. */
/* clang-format off */

/* Fields that rows of one table share the beginning of. */
#define AT(member) .offset = offsetof(struct spec_vm, member)
static const struct key vm_keys[] = {
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
		.parse = value_instances, .release = value_string_release,
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
	{ "firmware", KEY_CUSTOM, AT(firmware), .fallback = "bios",
		.when = KEY_COLD, .parse = value_firmware, .form = "bios",
		.help = "What starts the guest." },
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
};
#undef AT

#define AT(member) .offset = offsetof(struct spec_start, member)
static const struct key start_keys[] = {
	{ "autostart", KEY_CHOICE, AT(autostart), .fallback = "no",
		.when = KEY_POLICY, .choices = autostart_names,
		.help = "Whether the supervisor starts this VM; last: if it "
			"ran when the host went down." },
	{ "after", KEY_LIST, AT(after), .when = KEY_POLICY,
		.help = "VMs and net:NAME that start before this one." },
	{ "before", KEY_LIST, AT(before), .when = KEY_POLICY,
		.help = "VMs that start after this one." },
	{ "requires", KEY_LIST, AT(requires), .when = KEY_POLICY,
		.help = "VMs without which this one does not start." },
	{ "wants", KEY_LIST, AT(wants), .when = KEY_POLICY,
		.help = "VMs that are started together with this one." },
	{ "part-of", KEY_LIST, AT(part_of), .when = KEY_POLICY,
		.help = "VMs whose stop and restart this one follows." },
	{ "ready", KEY_CUSTOM, AT(ready), .fallback = "running",
		.when = KEY_POLICY, .parse = value_ready,
		.release = value_ready_release, .expand = true,
		.form = "running, agent, notify, tcp:PORT, "
			"serial:REGEX or exec:PATH ARGS",
		.help = "When the VM counts as ready." },
	{ "ready-timeout", KEY_DURATION, AT(ready_timeout_ms),
		.fallback = "2min", .min = 1, .max = UINT64_MAX,
		.when = KEY_POLICY, .help = "How long ready may take." },
};
#undef AT

#define AT(member) .offset = offsetof(struct spec_stop, member)
static const struct key stop_keys[] = {
	{ "timeout", KEY_DURATION, AT(timeout_ms), .fallback = "60s",
		.min = 1000, .when = KEY_POLICY,
		.help = "How long a stop may take; the steps are cut to "
			"fit." },
	{ "steps", KEY_CUSTOM, AT(steps),
		.fallback = "agent:20s, acpi:20s, acpi:15s, quit:3s, term:2s, "
			    "kill",
		.when = KEY_POLICY, .parse = value_steps,
		.form = "list of STEP:TIME",
		.help = "What is tried in turn: agent, acpi, ctrl-alt-del, "
			"quit, term, kill." },
	{ "on-host-shutdown", KEY_CHOICE, AT(on_host_shutdown),
		.fallback = "shutdown", .when = KEY_POLICY,
		.choices = host_shutdown_names,
		.help = "What becomes of the VM when the host goes down." },
	{ "runtime-max", KEY_DURATION, AT(runtime_max_ms),
		.fallback = "infinity", .min = 1000, .max = UINT64_MAX,
		.when = KEY_POLICY,
		.help = "The VM is stopped after so long." },
};
#undef AT

#define AT(member) .offset = offsetof(struct spec_restart, member)
#define CAUSE(id, text)                                              \
	{                                                            \
		text, KEY_CHOICE, AT(on_cause[CAUSE_##id]),          \
			.fallback = "by-policy", .when = KEY_POLICY, \
			.choices = action_names,                     \
			.help = "What follows an end by " text "."   \
	}
static const struct key restart_keys[] = {
	{ "policy", KEY_CHOICE, AT(policy), .fallback = "on-failure",
		.when = KEY_POLICY, .choices = spec_policy_names,
		.help = "After which ends the VM is started again." },
	{ "backoff", KEY_CUSTOM, AT(backoff), .fallback = "1s-1min",
		.when = KEY_POLICY, .parse = value_backoff,
		.form = "FIRST-LONGEST",
		.help = "Delays after the first restart, which is at once." },
	{ "burst", KEY_CUSTOM, AT(burst), .fallback = "5/10min",
		.when = KEY_POLICY, .parse = value_burst, .form = "N/TIME",
		.help = "More failures than that in that time, and the VM is "
			"failed." },
	{ "hang-after", KEY_DURATION, AT(hang_after_ms),
		.fallback = "infinity", .min = 1000, .max = UINT64_MAX,
		.when = KEY_POLICY,
		.help = "A VM hangs whose QEMU has not answered for so long, "
			"or whose virtual CPUs have not run at all; that is "
			"told, and ends it only where hang is restart or "
			"stop." },
	{ "on-crash-loop", KEY_CUSTOM, AT(on_crash_loop), .fallback = "stop",
		.when = KEY_POLICY, .parse = value_crash_loop,
		.release = value_crash_loop_release, .expand = true,
		.form = "stop, last-good-config, revert:SNAPSHOT or "
			"exec:PATH ARGS",
		.help = "What follows more failures than burst allows: stay "
			"down; start once more as it was when it last "
			"became ready or outlived burst's time; or stay "
			"down and run a program." },
	{ "on-guest-reboot", KEY_CHOICE, AT(on_guest_reboot),
		.fallback = "cold-if-pending", .when = KEY_POLICY,
		.choices = guest_reboot_names,
		.help = "What a reboot by the guest does; cold brings pending "
			"changes in." },
	CAUSE(GUEST_POWEROFF, "guest-poweroff"),
	CAUSE(GUEST_REBOOT, "guest-reboot"),
	CAUSE(ADMIN_STOP, "admin-stop"),
	CAUSE(ADMIN_KILL, "admin-kill"),
	CAUSE(HOST_SHUTDOWN, "host-shutdown"),
	CAUSE(PANIC, "panic"),
	CAUSE(WATCHDOG, "watchdog"),
	CAUSE(IO_ERROR, "io-error"),
	CAUSE(OUT_OF_MEMORY, "out-of-memory"),
	CAUSE(QEMU_EXIT, "qemu-exit"),
	CAUSE(QEMU_SIGNAL, "qemu-signal"),
	CAUSE(SANDBOX, "sandbox"),
	CAUSE(HANG, "hang"),
	CAUSE(START_FAILED, "start-failed"),
	CAUSE(UNKNOWN, "unknown"),
};
#undef CAUSE
#undef AT

#define AT(member) .offset = offsetof(struct spec_disk, member)
static const struct key disk_keys[] = {
	{ "image", KEY_FILE, AT(image), .when = KEY_COLD,
		.help = "The image: a path, or a volume of pool." },
	{ "base", KEY_FILE, AT(base), .when = KEY_COLD,
		.help = "An image that stays as it is; the first start makes "
			"VM-DISK.qcow2 on top of it." },
	{ "size", KEY_SIZE, AT(size), .min = 64 * 1024, .when = KEY_HOT, .live = "disk resize",
		.help = "Makes the image if it is missing; a larger one grows "
			"it." },
	{ "format", KEY_CHOICE, AT(format), .fallback = "by-suffix",
		.when = KEY_COLD, .choices = spec_format_names,
		.help = "Format of image or base; needed where the suffix "
			"does not tell." },
	{ "pool", KEY_CUSTOM, AT(pool), .fallback = "default", .when = KEY_COLD,
		.parse = value_pool, .release = value_pool_release,
		.form = "name", .help = "Where volumes are: the N of "
			"pools/N.ini." },
	{ "url", KEY_CUSTOM, AT(url), .when = KEY_COLD, .parse = value_url,
		.release = value_string_release, .expand = true,
		.form = "nbd://, nbd+unix://, iscsi://, ssh:// or rbd:",
		.help = "A disk of a server, by QEMU's own driver, instead of "
			"image; raw unless format says otherwise." },
	{ "reconnect-delay", KEY_DURATION, AT(reconnect_ms), .fallback = "30s",
		.min = 1000, .max = 3600 * 1000, .when = KEY_COLD,
		.help = "With url: how long the guest's requests wait for a "
			"server that went away before they fail." },
	{ "secret-file", KEY_PATH, AT(secret_file), .when = KEY_COLD,
		.help = "A file, readable by its owner only, with the password "
			"of an encrypted image, of an iscsi url's user, or "
			"the key of an rbd url." },
	{ "bus", KEY_CHOICE, AT(bus), .fallback = "virtio", .when = KEY_COLD,
		.choices = spec_bus_names,
		.help = "What the guest sees the disk on." },
	{ "boot", KEY_INT, AT(boot), .min = 1, .max = 1000, .when = KEY_COLD,
		.help = "Place in the boot order; without any, the first disk "
			"boots." },
	{ "readonly", KEY_BOOL, AT(readonly), .fallback = "no", .when = KEY_COLD,
		.help = "The guest cannot write." },
	{ "serial", KEY_CUSTOM, AT(serial), .fallback = "", .when = KEY_COLD,
		.parse = value_serial, .release = value_string_release,
		.form = "text",
		.help = "Serial number for the guest; the disk's name unless "
			"written." },
	{ "cache", KEY_CHOICE, AT(cache), .fallback = "none", .when = KEY_COLD,
		.choices = spec_cache_names,
		.help = "How the host caches; unsafe ignores the guest's "
			"flushes." },
	{ "aio", KEY_CHOICE, AT(aio), .fallback = "io_uring", .when = KEY_COLD,
		.choices = spec_aio_names, .help = "How QEMU does the work." },
	{ "discard", KEY_CHOICE, AT(discard), .fallback = "unmap",
		.when = KEY_COLD, .choices = discard_names,
		.help = "Whether what the guest frees shrinks the image." },
	{ "iothread", KEY_BOOL, AT(iothread), .fallback = "no", .when = KEY_COLD,
		.help = "A thread of its own in QEMU." },
	{ "backup", KEY_BOOL, AT(backup), .fallback = "yes",
		.when = KEY_POLICY, .help = "no: it is left out of backups." },
	{ "on-enospc", KEY_CHOICE, AT(on_enospc), .fallback = "pause",
		.when = KEY_COLD, .choices = on_enospc_names,
		.help = "What a write without space does: pause holds the "
			"guest until there is space; report tells it." },
	{ "on-eio", KEY_CHOICE, AT(on_eio), .fallback = "by-disk",
		.when = KEY_COLD, .choices = on_eio_names,
		.help = "What a failed read or write does: pause holds the "
			"guest and tries again until it works, report tells "
			"it, ignore loses data; by-disk: pause with url, "
			"else report." },
	{ "iops", KEY_INT, AT(limits.iops), .max = UINT32_MAX, .when = KEY_HOT,
		.live = "disk throttle", .help = "Requests a second at most; 0 is any number." },
	{ "bps", KEY_SIZE, AT(limits.bps), .when = KEY_HOT,
		.live = "disk throttle",
		.help = "Bytes a second at most, as 50M." },
	{ "iops-burst", KEY_INT, AT(limits.iops_burst), .max = UINT32_MAX,
		.when = KEY_HOT, .live = "disk throttle",
		.help = "With iops: so many after a rest." },
	{ "bps-burst", KEY_SIZE, AT(limits.bps_burst), .when = KEY_HOT,
		.live = "disk throttle",
		.help = "With bps: so many after a rest." },
	{ "snapshot", KEY_BOOL, AT(snapshot), .fallback = "yes",
		.when = KEY_POLICY,
		.help = "Whether snapshots of the VM are of this disk too; "
			"no: a revert leaves it as it is." },
};
#undef AT

static const char *const spoof_names[] = { "by-network", "no", "mac", "ip",
	NULL };

#define AT(member) .offset = offsetof(struct spec_nic, member)
static const struct key net_keys[] = {
	{ "network", KEY_STRING, AT(network), .when = KEY_COLD,
		.help = "A network: the N of networks/N.ini, or default; in "
			"run FILE and --user default means user = yes." },
	{ "bridge", KEY_CUSTOM, AT(bridge), .when = KEY_COLD,
		.parse = network_value_device,
		.release = value_string_release, .form = "device",
		.help = "A bridge of this host's that is there, and is joined "
			"and never changed." },
	{ "macvtap", KEY_CUSTOM, AT(macvtap), .when = KEY_COLD,
		.parse = network_value_device,
		.release = value_string_release, .form = "device",
		.help = "A device of this host's that the guest is on the wire "
			"by, beside the host, which it does not reach." },
	{ "user", KEY_CUSTOM, AT(user), .when = KEY_COLD,
		.parse = value_user, .form = "yes, no or passt",
		.help = "QEMU's own network: needs no right, reaches out, is "
			"reached by forward only; passt is a program that does "
			"the same faster, and knows IPv6." },
	{ "model", KEY_CUSTOM, AT(model), .fallback = "virtio", .when = KEY_COLD,
		.parse = value_model, .release = value_string_release,
		.form = "virtio or a model "
			"of QEMU's",
		.help = "What the guest sees." },
	{ "mac", KEY_CUSTOM, AT(mac), .fallback = "", .when = KEY_COLD,
		.parse = value_mac, .release = value_string_release,
		.form = "address",
		.help = "The address; from uuid and name unless written." },
	{ "ip", KEY_CUSTOM, AT(ip), .fallback = "", .when = KEY_COLD,
		.parse = value_ip, .release = value_string_release,
		.form = "address",
		.help = "The IPv4 address that the network gives it; the same "
			"one each time unless written." },
	{ "queues", KEY_INT, AT(queues), .fallback = "1", .min = 1, .max = 8,
		.when = KEY_COLD,
		.help = "Of a nic on a network or bridge: as many as vCPUs "
			"may work at once." },
	{ "isolate", KEY_BOOL, AT(isolate), .fallback = "no",
		.when = KEY_COLD,
		.help = "It reaches the host and the world, but no other "
			"isolated nic of its bridge." },
	{ "spoof-check", KEY_CHOICE, AT(spoof), .fallback = "by-network",
		.choices = spoof_names, .when = KEY_COLD,
		.help = "What the guest may not lie about: ip is its MAC and "
			"its addresses, and it is no DHCP server and no "
			"router; by-network is ip on networks of ours that "
			"give addresses, else mac." },
	{ "mtu", KEY_INT, AT(mtu), .min = 576, .max = 65535,
		.when = KEY_COLD,
		.help = "What the guest is told that its frames may have, at "
			"most what its bridge has." },
	{ "vlan", KEY_INT, AT(vlan), .min = VLAN_FIRST, .max = VLAN_LAST,
		.when = KEY_COLD,
		.help = "The VLAN that the guest is in without knowing it, on a "
			"bridge that keeps VLANs apart (vlan-filtering)." },
	{ "trunk", KEY_CUSTOM, AT(trunk), .fallback = "", .when = KEY_COLD,
		.parse = value_trunk, .release = value_string_release,
		.form = "list of VLANs and ranges",
		.help = "VLANs that the guest has with their tags; without vlan "
			"it has nothing untagged." },
	{ "forward", KEY_CUSTOM, AT(forward), .when = KEY_COLD,
		.parse = forward_parse, .release = forward_release,
		.expand = true,
		.form = "list of [PROTO:][ADDR:]HOSTPORT[-END]:GUESTPORT",
		.help = "Ports of the host that lead to the guest; without "
			"ADDR on 127.0.0.1 only." },
	{ "boot", KEY_INT, AT(boot), .min = 1, .max = 1000, .when = KEY_COLD,
		.help = "Place in the boot order." },
	{ "rate", KEY_CUSTOM, AT(rates.out), .fallback = "", .when = KEY_HOT,
		.live = "nic rate", .parse = value_rate,
		.form = "rate as 100Mbit or 10MiB, or no",
		.help = "The most that it sends in a second; what is more is "
			"dropped, but a second's worth may go at once." },
	{ "rate-in", KEY_CUSTOM, AT(rates.in), .fallback = "", .when = KEY_HOT,
		.live = "nic rate", .parse = value_rate,
		.form = "rate as 100Mbit or 10MiB, or no",
		.help = "The most that it receives in a second; what is more "
			"waits, for 1/20 s at most." },
	{ "burst", KEY_SIZE, AT(rates.burst), .min = RATE_BURST_MIN,
		.max = UINT32_MAX, .when = KEY_COLD,
		.help = "What may go at once besides; unless written, that of "
			"a tenth of a second." },
	{ "link", KEY_CUSTOM, AT(up), .fallback = "up", .when = KEY_HOT,
		.live = "nic link", .parse = value_link, .form = "up or down",
		.help = "Whether the cable is plugged in." },
};
#undef AT

#define AT(member) .offset = offsetof(struct spec_serial_port, member)
static const struct key serial_keys[] = {
	{ "log", KEY_SIZE, AT(log_max), .fallback = "1M", .min = 4096,
		.max = 1024 * MIB, .when = KEY_COLD,
		.help = "How much of what the guest says is kept." },
	{ "target", KEY_CHOICE, AT(target), .fallback = "isa", .when = KEY_COLD,
		.choices = target_names,
		.help = "What the guest sees: ttyS0 or hvc0." },
};
#undef AT
static const char *const serial_later[] = { "keep", NULL };

#define AT(member) .offset = offsetof(struct spec_hooks, member)
static const struct key hooks_keys[] = {
	{ "started", KEY_PATH, AT(started), .when = KEY_POLICY,
		.help = "When its guest was started, again as well." },
	{ "stopped", KEY_PATH, AT(stopped), .when = KEY_POLICY,
		.help = "When it ended, for whatever cause." },
	{ "incident", KEY_PATH, AT(incident), .when = KEY_POLICY,
		.help = "When an incident was written, in the directory "
			"VMWARD_INCIDENT." },
	{ "timeout", KEY_DURATION, AT(timeout_ms), .fallback = "10s",
		.min = 100, .max = 3600000, .when = KEY_POLICY,
		.help = "A hook that takes longer is killed, with all it "
			"started." },
};
#undef AT

#define TOGGLE(text)                                                   \
	{                                                              \
		{                                                      \
			"enabled", KEY_BOOL,                           \
				offsetof(struct spec_toggle, enabled), \
				.fallback = "yes", .when = KEY_COLD,   \
				.help = text                           \
		}                                                      \
	}
static const struct key rng_keys[] = TOGGLE("no takes it out.");
static const struct key balloon_keys[] = TOGGLE("no takes it out.");
static const struct key agent_keys[] = TOGGLE("no takes the channel out.");

#define AT(member) .offset = offsetof(struct spec_watchdog, member)
static const struct key watchdog_keys[] = {
	{ "enabled", KEY_BOOL, AT(enabled), .fallback = "yes",
		.when = KEY_COLD, .help = "no takes it out." },
	{ "model", KEY_CHOICE, AT(model), .fallback = "i6300esb",
		.when = KEY_COLD, .choices = watchdog_model_names,
		.help = "What the guest sees; itco is part of q35." },
	{ "action", KEY_CHOICE, AT(action), .fallback = "restart",
		.when = KEY_COLD, .choices = watchdog_action_names,
		.help = "What follows when the guest does not pet it any more: "
			"the cause watchdog, after which restart goes by "
			"policy, poweroff stays down and pause keeps the guest "
			"for a look; or a reset in the same QEMU." },
};
#undef AT

#define AT(member) .offset = offsetof(struct spec_seed, member)
static const struct key seed_keys[] = {
	{ "enabled", KEY_BOOL, AT(enabled), .fallback = "yes",
		.when = KEY_COLD, .help = "no takes it out." },
	{ "hostname", KEY_CUSTOM, AT(hostname), .fallback = "",
		.when = KEY_COLD, .parse = seed_value_hostname,
		.release = value_string_release, .expand = true,
		.form = "host name",
		.help = "Unless written the VM's name, in which every _ . @ "
			"becomes a -." },
	{ "user", KEY_CUSTOM, AT(user), .fallback = "", .when = KEY_COLD,
		.parse = seed_value_user, .release = value_string_release,
		.form = "name",
		.help = "Who may log in; the image's own user unless "
			"written." },
	{ "ssh-key", KEY_PATH, AT(ssh_key), .when = KEY_COLD,
		.literal = seed_is_key,
		.help = "One public key, or the path of a file of them." },
	{ "password-file", KEY_PATH, AT(password_file), .when = KEY_COLD,
		.help = "A file with the hash of the user's password." },
	{ "packages", KEY_LIST, AT(packages), .when = KEY_COLD,
		.help = "What the guest installs at its first boot." },
	{ "user-data", KEY_PATH, AT(user_data), .when = KEY_COLD,
		.help = "A file that is user-data as it stands, in place of "
			"user, ssh-key, password-file and packages." },
	{ "meta-data", KEY_PATH, AT(meta_data), .when = KEY_COLD,
		.help = "A file that is meta-data as it stands, in place of "
			"hostname." },
	{ "network-config", KEY_PATH, AT(network_config), .when = KEY_COLD,
		.help = "A file that says the guest's network; DHCP on all "
			"interfaces unless written." },
};
#undef AT

#define ONE(member, table)                             \
	.keys = table, .nkeys = NELEMS(table),         \
	.offset = offsetof(struct vm_spec, member),    \
	.size = sizeof(((struct vm_spec *)0)->member), \
	.enabled_offset = KEYS_NO_ENABLED
#define MANY(member, type, table)                             \
	.named = true, .keys = table, .nkeys = NELEMS(table), \
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
	{ .name = "vm", ONE(vm, vm_keys), .help = "The VM itself." },
	{ .name = "start",
		ONE(start, start_keys),
		.help = "When it starts, and when it is ready." },
	{ .name = "stop", ONE(stop, stop_keys), .help = "How it stops." },
	{ .name = "restart",
		ONE(restart, restart_keys),
		.help = "What follows an end that nobody asked for." },
	{ .name = "disk",
		MANY(disks, spec_disk, disk_keys),
		.help = "A disk, made of image, base or size; a running VM "
			"takes another one by vmward disk attach." },
	{ .name = "net",
		MANY(nics, spec_nic, net_keys),
		.help = "A network interface." },
	{ .name = "serial",
		MANY(serials, spec_serial_port, serial_keys),
		.later_keys = serial_later,
		.help = "A serial port with a log; [serial.console] exists "
			"unless it says enabled = no." },
	{ .name = "rng",
		ONE(rng, rng_keys),
		.help = "Random numbers of the host; there by default." },
	{ .name = "balloon",
		ONE(balloon, balloon_keys),
		.help = "Gives memory back to the host; there by default." },
	{ .name = "agent",
		ONE(agent, agent_keys),
		.help = "The channel of the guest agent; there by default." },
	{ .name = "watchdog",
		.keys = watchdog_keys, .nkeys = NELEMS(watchdog_keys),
		.offset = offsetof(struct vm_spec, watchdog),
		.size = sizeof(struct spec_watchdog),
		.enabled_offset = offsetof(struct spec_watchdog, written),
		.help = "A watchdog; the section makes it." },
	{ .name = "seed",
		.keys = seed_keys, .nkeys = NELEMS(seed_keys),
		.offset = offsetof(struct vm_spec, seed),
		.size = sizeof(struct spec_seed),
		.enabled_offset = offsetof(struct spec_seed, written),
		.help = "What cloud-init in the guest is told, on a read-only "
			"disk named seed; the section makes it." },
	{ .name = "hooks",
		ONE(hooks, hooks_keys),
		.help = "Programs that are run when something happened; "
			"VMWARD_VM, VMWARD_EVENT, VMWARD_STATE, "
			"VMWARD_CAUSE, VMWARD_DETAIL, VMWARD_INCIDENT, "
			"VMWARD_RESTARTS, VMWARD_PID and VMWARD_UUID are in "
			"their environment." },
	{ .name = "backup",
		ONE(backup, spec_backup_keys),
		.help = "Where its backups go, and when one is made." },
	{ .name = "raw",
		.enabled_offset = KEYS_NO_ENABLED,
		.other = raw_set,
		.other_names = "arg-1 ... arg-99, qmp-1 ... "
			       "qmp-99",
		.help = "What has no key: an option of QEMU's, a blank, and "
			"its argument; or a line of QMP." },
	LATER("cdrom"),
	LATER("display"),
	LATER("share"),
	LATER("vsock"),
	LATER("tpm"),
	LATER("usb"),
	LATER("pci"),
	LATER("limits"),
	LATER("snapshot"),
};
/* clang-format on */
const size_t spec_nsections = NELEMS(spec_sections);
