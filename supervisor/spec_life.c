/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The keys of [start], [stop], [restart] and [hooks]. */
#include "supervisor/spec_table.h"

#include "supervisor/cause.h"
#include "supervisor/spec_value.h"

static const char *const autostart_names[] = { "no", "yes", "last", NULL };
static const char *const host_shutdown_names[] = { "shutdown", "save", "stop",
	"leave", NULL };
static const char *const guest_reboot_names[] = { "warm", "cold",
	"cold-if-pending", "stop", NULL };
static const char *const action_names[] = { "by-policy", "restart", "stop",
	"pause", NULL };

/* One row of a table is one key. */
/* clang-format off */
#define AT(member) .offset = offsetof(struct spec_start, member)
const struct key spec_start_keys[] = {
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
	KEYS_END,
};
#undef AT

#define AT(member) .offset = offsetof(struct spec_stop, member)
const struct key spec_stop_keys[] = {
	{ "timeout", KEY_DURATION, AT(timeout_ms), .fallback = "60s",
		.min = 1000, .when = KEY_POLICY,
		.help = "How long a stop may take; the steps are cut to "
			"fit." },
	{ "steps", KEY_CUSTOM, AT(steps),
		.fallback = "agent:20s, acpi:20s, acpi:15s, quit:3s, term:2s, "
			    "kill",
		.when = KEY_POLICY, .parse = value_steps, .list = true,
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
	KEYS_END,
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
const struct key spec_restart_keys[] = {
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
	KEYS_END,
};
#undef CAUSE
#undef AT

#define AT(member) .offset = offsetof(struct spec_hooks, member)
const struct key spec_hooks_keys[] = {
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
	KEYS_END,
};
#undef AT
/* clang-format on */
