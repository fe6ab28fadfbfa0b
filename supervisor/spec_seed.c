/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The keys of [seed]. */
#include "supervisor/spec_table.h"

#include "supervisor/seed.h"
#include "supervisor/spec_value.h"

/* One row of a table is one key. */
/* clang-format off */
#define AT(member) .offset = offsetof(struct spec_seed, member)
const struct key spec_seed_keys[] = {
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
	KEYS_END,
};
#undef AT
/* clang-format on */
