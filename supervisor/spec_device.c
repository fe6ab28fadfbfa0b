/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The keys of the devices that are neither disks nor nics. */
#include "supervisor/spec_table.h"

#define MIB (UINT64_C(1) << 20)

static const char *const watchdog_model_names[] = { "i6300esb", "ib700", "itco",
	NULL };
static const char *const watchdog_action_names[] = { "restart", "reset",
	"pause", "poweroff", NULL };
static const char *const tpm_model_names[] = { "crb", "tis", NULL };
static const char *const video_names[] = { "virtio", "std", "none", NULL };
static const char *const vnc_names[] = { "no", "unix", NULL };
static const char *const target_names[] = { "isa", "virtio", NULL };

/* One row of a table is one key. */
/* clang-format off */
#define AT(member) .offset = offsetof(struct spec_serial_port, member)
const struct key spec_serial_keys[] = {
	{ "log", KEY_SIZE, AT(log_max), .fallback = "1M", .min = 4096,
		.max = 1024 * MIB, .when = KEY_COLD,
		.help = "How much of what the guest says is kept." },
	{ "target", KEY_CHOICE, AT(target), .fallback = "isa", .when = KEY_COLD,
		.choices = target_names,
		.help = "What the guest sees: ttyS0 or hvc0." },
	KEYS_END,
};
#undef AT

#define TOGGLE(text)                                                         \
	{                                                                    \
		{ "enabled", KEY_BOOL, offsetof(struct spec_toggle, enabled),\
			.fallback = "yes", .when = KEY_COLD, .help = text }, \
		KEYS_END,                                                    \
	}
const struct key spec_rng_keys[] = TOGGLE("no takes it out.");
const struct key spec_balloon_keys[] = TOGGLE("no takes it out.");
const struct key spec_agent_keys[] = TOGGLE("no takes the channel out.");

#define AT(member) .offset = offsetof(struct spec_watchdog, member)
const struct key spec_watchdog_keys[] = {
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
	KEYS_END,
};
#undef AT

#define AT(member) .offset = offsetof(struct spec_tpm, member)
const struct key spec_tpm_keys[] = {
	{ "enabled", KEY_BOOL, AT(enabled), .fallback = "yes",
		.when = KEY_COLD, .help = "no takes it out." },
	{ "model", KEY_CHOICE, AT(model), .fallback = "crb",
		.when = KEY_COLD, .choices = tpm_model_names,
		.help = "What the guest sees; tis is for old ones." },
	KEYS_END,
};
#undef AT

#define AT(member) .offset = offsetof(struct spec_display, member)
const struct key spec_display_keys[] = {
	{ "video", KEY_CHOICE, AT(video), .fallback = "virtio",
		.when = KEY_COLD, .choices = video_names,
		.help = "The video card: virtio is a VGA that a driver makes "
			"fast; std is the plain VGA." },
	{ "vnc", KEY_CHOICE, AT(vnc), .fallback = "unix",
		.when = KEY_COLD, .choices = vnc_names,
		.help = "unix: shown by VNC on the socket priv/vnc of the "
			"VM's runtime directory, which root may open." },
	KEYS_END,
};
#undef AT
/* clang-format on */
