/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any text as a request on the control socket: it passes the scan, parses,
 * and is held against the command table.  What is refused says why; what is
 * taken has a command with members of the right types only.
 */
#include <stdint.h>
#include <string.h>

#include "base/jstream.h"
#include "base/log.h"
#include "base/prescan.h"
#include "base/str.h"
#include "base/verbs.h"
#include "supervisor/arguments.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Each member that was taken is in the table. */
static void check_members(const struct verb *verb, json_t *args)
{
	const char *key;
	json_t *value;

	json_object_foreach(args, key, value)
	{
		const struct arg *arg = verb_arg(verb, key);

		BUG_ON(!arg && !str_eq(key, "vm") && !str_eq(key, "patterns") &&
			!str_eq(key, "dry-run") && !str_eq(key, "no-block"));
		BUG_ON(arg && arg->type == ARG_STRING &&
			!json_is_string(value));
		BUG_ON(arg && arg->type == ARG_INT && !json_is_integer(value));
	}
}

static void check_request(json_t *message)
{
	struct err err = ERR_INIT;
	const char *name = arguments_check_envelope(message, &err);
	const struct verb *verb = name ? verb_by_wire(name) : NULL;
	json_t *args = json_object_get(message, "arguments");

	BUG_ON(!name && (err.code == ERR_NONE || !*err.text));
	if (!verb)
		return;
	if (arguments_check(verb, args, &err))
		BUG_ON(err.code == ERR_NONE || !*err.text);
	else
		check_members(verb, args);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct prescan scan;
	size_t used = 0;

	prescan_reset(&scan);
	if (prescan_feed(&scan, text, size, &prescan_client, &used) !=
		PRESCAN_DONE)
		return 0;
	BUG_ON(used > size);
	AUTO_JSON json_t *message =
		json_loadb(text, used, JSON_DECODE_ANY, NULL);
	if (message)
		check_request(message);
	return 0;
}
