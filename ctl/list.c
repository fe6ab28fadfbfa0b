/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `vmward list`: pages of vm-list into one table, or names, or JSON.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "ctl/print.h"
#include "ctl/reach.h"
#include "ctl/table.h"
#include "ctl/verbs.h"
#include "ctl/wire.h"

static void render_ready(const json_t *vm, struct str *out)
{
	const json_t *ready = json_object_get(vm, "ready");

	if (json_is_string(ready))
		str_add(out, json_string_value(ready));
	else if (json_is_boolean(ready))
		str_add(out, json_is_true(ready) ? "yes" : "no");
	else
		str_add(out, "-");
}

/* The first address and how many more; none of a VM that is off is "-". */
static void render_address(const json_t *vm, struct str *out)
{
	const json_t *list = json_object_get(vm, "addresses");
	const json_t *first = json_array_get(list, 0);
	const char *text = json_string_value(first);
	size_t n = json_array_size(list);

	if (!text)
		text = print_member(first, "address");
	if (text)
		str_add(out, text);
	else if (!json_is_number(json_object_get(vm, "uptime")))
		str_add(out, "-");
	if (n > 1)
		str_addf(out, " +%zu", n - 1);
}

static void render_error(const json_t *error, struct str *out)
{
	const char *file = print_member(error, "file");
	const char *text = print_member(error, "text");
	const char *base = file ? strrchr(file, '/') : NULL;
	json_int_t line = json_integer_value(json_object_get(error, "line"));

	if (file)
		str_add(out, base ? base + 1 : file);
	if (file && line > 0)
		str_addf(out, ":%lld", (long long)line);
	str_addf(out, "%s%s", file ? ": " : "", text ? text : "");
}

/* The supervisor's note, else what the other members say. */
static void render_note(const json_t *vm, struct str *out)
{
	const char *note = print_member(vm, "note");
	const char *state = print_member(vm, "state");
	const char *cause = print_member(vm, "cause");
	const char *since = print_member(vm, "since");
	const char *name = print_member(vm, "name");
	const json_t *error = json_object_get(vm, "error");
	json_int_t pending = json_integer_value(json_object_get(vm, "pending"));

	if (note && *note)
		str_add(out, note);
	else if (json_is_object(error))
		render_error(error, out);
	else if (pending > 0)
		str_addf(out, "%lld %s pending: vmward plan %s",
			(long long)pending, pending == 1 ? "change" : "changes",
			name ? name : "");
	else if (state && str_eq(state, "stopped") && cause) {
		str_add(out, cause);
		if (since && strlen(since) >= 16)
			str_addf(out, " %.10s %.5s", since, since + 11);
	}
}

static const struct column columns[] = {
	{ .name = "HOST", .key = "host", .asked = true },
	{ .name = "NAME", .key = "name" },
	{ .name = "STATE", .key = "state", .type = COLUMN_STATE },
	{ .name = "READY", .key = "ready", .render = render_ready },
	{ .name = "CPUS", .key = "cpus", .type = COLUMN_NUMBER },
	{ .name = "MEMORY", .key = "memory", .type = COLUMN_BYTES },
	{ .name = "UPTIME", .key = "uptime", .type = COLUMN_SECONDS },
	{ .name = "RESTARTS", .key = "restarts", .type = COLUMN_NUMBER },
	{ .name = "ADDRESS", .key = "addresses", .render = render_address },
	{ .name = "PID", .key = "pid", .type = COLUMN_NUMBER, .wide = true },
	{ .name = "UUID", .key = "uuid", .wide = true },
	{ .name = "AUTOSTART", .key = "autostart", .wide = true },
	{ .name = "OWNER", .key = "owner", .wide = true },
	{ .name = "TAGS", .key = "tags", .type = COLUMN_LIST, .wide = true },
	{ .name = "CAUSE", .key = "cause", .asked = true },
	{ .name = "SINCE", .key = "since", .asked = true },
	{ .name = "PENDING",
		.key = "pending",
		.type = COLUMN_NUMBER,
		.asked = true },
	{ .name = "ISOLATION", .key = "isolation", .asked = true },
	{ .name = "DESCRIPTION", .key = "description", .asked = true },
	{ .name = "AGE", .key = "age", .type = COLUMN_SECONDS, .asked = true },
	{ .name = "NOTE",
		.key = "note",
		.type = COLUMN_NOTE,
		.render = render_note },
	{ .name = NULL },
};

/* Fetches all pages, and the host; NULL with the error set. */
static json_t *fetch(
	const struct call *call, struct wire *w, json_t **host, struct err *err)
{
	int64_t patience = call->opt.timeout_ms >= 0 ? call->opt.timeout_ms
						     : WIRE_PATIENCE_MS;
	json_t *vms = json_array();
	bool more = true;

	while (more) {
		json_t *page = wire_call(w, "vm-list",
			json_object_size(call->wire) ? call->wire : NULL,
			patience, err);
		const char *next = print_member(page, "next");

		if (!page) {
			json_decref(vms);
			return NULL;
		}
		json_array_extend(vms, json_object_get(page, "vms"));
		json_decref(*host);
		*host = json_incref(json_object_get(page, "host"));
		if (next)
			json_object_set_new(
				call->wire, "after", json_string(next));
		more = next;
		json_decref(page);
	}
	return vms;
}

static void print_names(json_t *vms)
{
	size_t i;
	json_t *vm;

	json_array_foreach(vms, i, vm)
	{
		print_text(print_member(vm, "name"));
		putchar('\n');
	}
}

static int empty(const struct call *call, struct err *err)
{
	bool filtered = call_has(call, "running") || call_has(call, "failed");

	if (json_object_get(call->wire, "patterns") && !filtered) {
		err_set(err, ERR_NOT_FOUND, "no VM matches '%s'",
			call_value(call, "patterns"));
		return print_error(&call->opt, NULL, err);
	}
	if (call->opt.json)
		puts("[]");
	else if (call_has(call, "names") || call->opt.quiet)
		return 0;
	else if (filtered)
		puts("no such VMs");
	else if (verb_by_name("create"))
		puts("no VMs; \"vmward create --help\" makes one");
	else
		puts("no VMs; \"man vmward.ini\" shows how to write one");
	return 0;
}

int list_print(const struct call *call, json_t *vms, bool with_host)
{
	const char *sort = call_value(call, "sort");
	const char *asked = call_value(call, "columns");
	struct err err = ERR_INIT;
	int result = 0;

	if (json_array_size(vms) == 0)
		return empty(call, &err);
	if (call->opt.json) {
		result = table_sort(columns, vms, sort, &err);
		if (result == 0)
			print_array(vms);
	} else if (call_has(call, "names")) {
		print_names(vms);
	} else if (with_host && !asked) {
		result = table_print(&call->opt, columns, vms,
			"host,name,state,ready,cpus,memory,uptime,restarts,"
			"address,note",
			false, sort, &err);
	} else {
		result = table_print(&call->opt, columns, vms, asked,
			call_has(call, "wide"), sort, &err);
	}
	return result < 0 ? print_error(&call->opt, NULL, &err) : 0;
}

/* "2 running: 4 of 8 CPUs, 6G of 16G memory promised" */
static void print_host(const json_t *host)
{
	json_int_t memory = json_integer_value(json_object_get(host, "memory"));
	json_int_t promised =
		json_integer_value(json_object_get(host, "memory_promised"));
	AUTO_STR struct str text = STR_INIT;

	str_addf(&text, "%lld running: %lld of %lld CPUs, ",
		(long long)json_integer_value(json_object_get(host, "running")),
		(long long)json_integer_value(
			json_object_get(host, "cpus_promised")),
		(long long)json_integer_value(json_object_get(host, "cpus")));
	str_add_bytes(&text, (uint64_t)promised);
	str_add(&text, " of ");
	str_add_bytes(&text, (uint64_t)memory);
	str_add(&text, " memory promised");
	if (memory > 0 && promised > memory)
		str_addf(&text, " (over-committed: %lld %%)",
			(long long)(promised / (memory / 100 + 1)));
	puts(str_text(&text));
}

/* The host alone, or below a table for a person. */
static int show(const struct call *call, json_t *vms, const json_t *host)
{
	bool plain = !call->opt.tty_out || call->opt.json || call->opt.quiet ||
		     call_has(call, "names") || call_has(call, "columns");
	int status = 0;

	if (call_has(call, "host") && call->opt.json) {
		AUTO_FREE char *text = json_dumps(host, JSON_ENCODE_ANY);

		printf("[\n %s\n]\n", text ? text : "null");
		return 0;
	}
	if (!call_has(call, "host"))
		status = list_print(call, vms, false);
	if (json_is_object(host) && !status &&
		(call_has(call, "host") || (!plain && json_array_size(vms))))
		print_host(host);
	return status;
}

int verb_list(const struct call *call)
{
	AUTO_WIRE struct wire wire = WIRE_INIT;
	struct err err = ERR_INIT;
	json_t *host = NULL;
	json_t *vms;
	int status;

	if (reach_open(call, false, &wire, &err) < 0)
		return print_error(&call->opt, NULL, &err);
	vms = fetch(call, &wire, &host, &err);
	if (!vms) {
		json_decref(host);
		return print_error(&call->opt, NULL, &err);
	}
	status = show(call, vms, host);
	json_decref(host);
	json_decref(vms);
	return status;
}
