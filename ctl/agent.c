/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How what a guest agent says looks to people; see agent.h. */
#include "ctl/agent.h"

#include <stdio.h>

#include "base/base64.h"
#include "base/mem.h"
#include "base/str.h"
#include "ctl/print.h"

#define LABEL 12

static void put_number(const char *label, const json_t *value)
{
	AUTO_FREE char *text =
		json_is_integer(value)
			? xasprintf(
				  "%lld", (long long)json_integer_value(value))
			: NULL;

	print_labelled(LABEL, label, text);
}

static void put_interfaces(const json_t *interfaces)
{
	const json_t *nic, *address;
	size_t i, k;

	json_array_foreach(interfaces, i, nic)
	{
		AUTO_STR struct str line = STR_INIT;

		str_add(&line, str_or(print_member(nic, "name"), "?"));
		json_array_foreach(json_object_get(nic, "ip-addresses"), k,
			address) str_addf(&line, " %s",
			str_or(print_member(address, "ip-address"), "?"));
		print_labelled(LABEL, "nic", str_text(&line));
	}
}

static void put_filesystems(const json_t *filesystems)
{
	const json_t *fs;
	size_t i;

	json_array_foreach(filesystems, i, fs)
	{
		AUTO_FREE char *line = xasprintf("%s %s on %s",
			str_or(print_member(fs, "mountpoint"), "?"),
			str_or(print_member(fs, "type"), "?"),
			str_or(print_member(fs, "name"), "?"));

		print_labelled(LABEL, "file system", line);
	}
}

int agent_show_info(
	const struct call *call, const char *vm, json_t *value, bool many)
{
	const json_t *agent = json_object_get(value, "agent");
	const json_t *os = json_object_get(value, "os");
	const json_t *user;
	size_t i;

	(void)many;
	(void)call;
	print_text(vm ? vm : "?");
	putchar('\n');
	print_labelled(LABEL, "agent", print_member(agent, "version"));
	print_labelled(LABEL, "system", print_member(os, "pretty-name"));
	print_labelled(LABEL, "kernel", print_member(os, "kernel-release"));
	print_labelled(LABEL, "machine", print_member(os, "machine"));
	print_labelled(LABEL, "host name", print_member(value, "host-name"));
	print_labelled(LABEL, "time zone",
		print_member(json_object_get(value, "timezone"), "zone"));
	put_number("UTC offset",
		json_object_get(json_object_get(value, "timezone"), "offset"));
	json_array_foreach(json_object_get(value, "users"), i, user)
		print_labelled(LABEL, "user", print_member(user, "user"));
	put_interfaces(json_object_get(value, "interfaces"));
	put_filesystems(json_object_get(value, "filesystems"));
	return 0;
}

int agent_show_keys(
	const struct call *call, const char *vm, json_t *value, bool many)
{
	const json_t *key;
	size_t i;

	(void)many;
	(void)vm;
	json_array_foreach(json_object_get(value, "keys"), i, key)
	{
		print_text(str_or(json_string_value(key), "?"));
		putchar('\n');
	}
	if (i == 0 && !call->opt.quiet && !call_has(call, "add") &&
		!call_has(call, "remove"))
		puts("no keys");
	return 0;
}

/* ---- exec ---- */

static struct str kept[2]; /* its stdout and stderr, with --json */

void agent_event_exec(
	const struct call *call, const char *name, const json_t *data)
{
	const char *bytes = print_member(data, "bytes");
	bool is_err = json_integer_value(json_object_get(data, "fd")) == 2;
	AUTO_STR struct str text = STR_INIT;

	if (!str_eq(name, "AGENT_OUTPUT") || !bytes ||
		base64_decode(bytes, &text))
		return;
	if (call->opt.json) {
		str_addn(&kept[is_err], text.data, text.len);
		return;
	}
	fwrite(str_text(&text), 1, text.len, is_err ? stderr : stdout);
	fflush(is_err ? stderr : stdout);
}

/* Text as it is; bytes that are none are made visible. */
static json_t *text_of(struct str *bytes)
{
	json_t *text = json_stringn(str_text(bytes), bytes->len);
	AUTO_STR struct str visible = STR_INIT;

	if (!text) {
		str_add_visible(&visible, str_text(bytes), bytes->len);
		text = json_string(str_text(&visible));
	}
	str_fini(bytes);
	return text;
}

int agent_show_exec(
	const struct call *call, const char *vm, json_t *value, bool many)
{
	json_int_t status =
		json_integer_value(json_object_get(value, "status"));
	json_t *object;

	(void)many;
	if (json_object_get(value, "actions")) {
		print_value(&call->opt, value);
		return 0;
	}
	if (!call->opt.json)
		return (int)status;
	object = json_pack("{s:s,s:I,s:o,s:o}", "vm", str_or(vm, ""), "status",
		status, "stdout", text_of(&kept[0]), "stderr",
		text_of(&kept[1]));
	print_value(&call->opt, object);
	json_decref(object);
	return (int)status;
}
