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

/* What -H merged; the supervisor does not know its own name. */
static void render_host(const struct row *vm, struct str *out)
{
	str_add(out, str_or(json_string_value(row_get(vm, "host")), "-"));
}

static void render_ready(const struct row *vm, struct str *out)
{
	const json_t *ready = row_get(vm, "ready");

	if (json_is_string(ready))
		str_add(out, json_string_value(ready));
	else if (json_is_boolean(ready))
		str_add(out, json_is_true(ready) ? "yes" : "no");
	else
		str_add(out, "-");
}

/* The first address and how many more; none of a VM that is off is "-". */
static void render_address(const struct row *vm, struct str *out)
{
	const json_t *list = row_get(vm, "addresses");
	const json_t *first = json_array_get(list, 0);
	const char *text = json_string_value(first);
	size_t n = json_array_size(list);

	if (!text)
		text = print_member(first, "address");
	if (text)
		str_add(out, text);
	else if (!json_is_number(row_get(vm, "uptime")))
		str_add(out, "-");
	if (n > 1)
		str_addf(out, " +%zu", n - 1);
}

static const struct column columns[] = {
	{ .name = "HOST", .render = render_host, .asked = true },
	{ .name = "NAME", .key = "name" },
	{ .name = "STATE", .key = "state", .type = COLUMN_STATE },
	{ .name = "READY", .key = "ready", .render = render_ready },
	{ .name = "CPUS", .key = "cpus", .type = COLUMN_NUMBER },
	{ .name = "MEMORY", .key = "memory", .type = COLUMN_BYTES },
	{ .name = "UPTIME", .key = "uptime", .type = COLUMN_SECONDS },
	{ .name = "RESTARTS", .key = "restarts", .type = COLUMN_NUMBER },
	{ .name = "ADDRESS",
		.key = "addresses",
		.render = render_address,
		.also = "uptime" },
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
	{ .name = "NOTE", .key = "note", .type = COLUMN_NOTE },
	{ .name = NULL },
};

/* ---- asking ---- */

struct listing {
	const struct call *call;
	json_t *vms;
	json_t *keys; /* of the rows in vms; NULL: they are objects */
	json_t *host;
};

static struct table table_of(const struct listing *l)
{
	return (struct table){ .columns = columns,
		.rows = l->vms,
		.keys = l->keys,
		.choice = call_value(l->call, "columns"),
		.wide = call_has(l->call, "wide"),
		.sort = call_value(l->call, "sort") };
}

/* Whether the host's line comes below the table. */
static bool has_last_line(const struct call *call)
{
	return call->opt.tty_out && !call->opt.json && !call->opt.quiet &&
	       !call_has(call, "names") && !call_has(call, "columns");
}

/* Only what is printed is asked for; NULL keys are all there is. */
static int choose_keys(struct listing *l, struct err *err)
{
	const struct table table = table_of(l);
	json_t *wire = l->call->wire;

	if (call_has(l->call, "host"))
		l->keys = json_array();
	else if (l->call->opt.json)
		return 0;
	else if (call_has(l->call, "names"))
		l->keys = json_pack("[s]", "name");
	else if (!(l->keys = table_keys(&table, err)))
		return -1;
	json_object_set(wire, "fields", l->keys);
	json_object_set_new(wire, "rows", json_true());
	if (has_last_line(l->call))
		json_object_set_new(wire, "host", json_true());
	return 0;
}

/* A supervisor older than this client knows of no fields: all, then. */
static bool do_without_keys(struct listing *l, struct err *err)
{
	if (!l->keys || err->code != ERR_USAGE)
		return false;
	*err = (struct err)ERR_INIT;
	json_decref(TAKE(l->keys));
	json_object_del(l->call->wire, "fields");
	json_object_del(l->call->wire, "rows");
	json_object_del(l->call->wire, "host");
	return true;
}

static json_t *fetch_page(struct listing *l, struct wire *w, struct err *err)
{
	int64_t patience = l->call->opt.timeout_ms >= 0
				   ? l->call->opt.timeout_ms
				   : WIRE_PATIENCE_MS;
	json_t *wire = l->call->wire;

	return wire_call(w, "vm-list", json_object_size(wire) ? wire : NULL,
		patience, err);
}

/* Fetches all pages, and the host. */
static int fetch(struct listing *l, struct wire *w, struct err *err)
{
	bool more = true;

	if (choose_keys(l, err) < 0)
		return -1;
	l->vms = json_array();
	while (more) {
		json_t *page = fetch_page(l, w, err);
		const char *next;

		if (!page && do_without_keys(l, err))
			page = fetch_page(l, w, err);
		if (!page)
			return -1;
		next = print_member(page, "next");
		json_array_extend(l->vms, json_object_get(page, "vms"));
		json_decref(l->host);
		l->host = json_incref(json_object_get(page, "host"));
		if (next)
			json_object_set_new(
				l->call->wire, "after", json_string(next));
		more = next;
		json_decref(page);
	}
	return 0;
}

static void listing_fini(struct listing *l)
{
	json_decref(l->vms);
	json_decref(l->keys);
	json_decref(l->host);
}

/* ---- showing ---- */

static void print_names(const struct listing *l)
{
	size_t i;
	json_t *vm;

	json_array_foreach(l->vms, i, vm)
	{
		const struct row row = table_row(vm, l->keys);
		const char *name = json_string_value(row_get(&row, "name"));

		print_text(str_or(name, ""));
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

static int print(const struct listing *l, const char *choice)
{
	const struct call *call = l->call;
	struct table table = table_of(l);
	struct err err = ERR_INIT;
	int result = 0;

	if (json_array_size(l->vms) == 0)
		return empty(call, &err);
	if (!table.choice)
		table.choice = choice;
	if (call->opt.json) {
		result = table_sort(&table, &err);
		if (result == 0)
			print_array(l->vms);
	} else if (call_has(call, "names")) {
		print_names(l);
	} else {
		result = table_print(&call->opt, &table, &err);
	}
	return result < 0 ? print_error(&call->opt, NULL, &err) : 0;
}

int list_print_hosts(const struct call *call, json_t *vms)
{
	const struct listing l = { .call = call, .vms = vms };

	return print(&l,
		"host,name,state,ready,cpus,memory,uptime,restarts,address,"
		"note");
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
static int show(const struct listing *l)
{
	const struct call *call = l->call;
	bool alone = call_has(call, "host");
	int status = 0;

	if (alone && call->opt.json) {
		AUTO_FREE char *text = json_dumps(l->host, JSON_ENCODE_ANY);

		printf("[\n %s\n]\n", text ? text : "null");
		return 0;
	}
	if (!alone)
		status = print(l, NULL);
	if (json_is_object(l->host) && !status &&
		(alone || (has_last_line(call) && json_array_size(l->vms))))
		print_host(l->host);
	return status;
}

int verb_list(const struct call *call)
{
	AUTO_WIRE struct wire wire = WIRE_INIT;
	struct listing l = { .call = call };
	struct err err = ERR_INIT;
	int status;

	if (reach_open(call, false, &wire, &err) < 0)
		return print_error(&call->opt, NULL, &err);
	if (fetch(&l, &wire, &err) < 0)
		status = print_error(&call->opt, NULL, &err);
	else
		status = show(&l);
	listing_fini(&l);
	return status;
}
