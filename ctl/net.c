/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How networks look to people; see net.h. */
#include "ctl/net.h"

#include <stdio.h>

#include "base/mem.h"
#include "base/str.h"
#include "ctl/print.h"
#include "ctl/table.h"

enum { LABEL = 10 };

static int print(
	const struct call *call, const struct column *columns, json_t *rows)
{
	return table_show(call,
		&(struct table){ .columns = columns, .rows = rows }, NULL);
}

/* ---- networks ---- */

/* "2 changes pending: vmward net apply lab", or nothing. */
static void add_pending(const json_t *network, struct str *out)
{
	const json_t *all = json_object_get(network, "pending");
	size_t n = json_array_size(all);
	bool hot = false;
	const json_t *change;
	size_t i;

	json_array_foreach(all, i, change) hot |=
		str_eq(str_or(print_member(change, "when"), ""), "hot");
	if (n > 0)
		str_addf(out, "%zu change%s pending: vmward net %s %s", n,
			n == 1 ? "" : "s", hot ? "apply" : "show",
			str_or(print_member(network, "name"), "?"));
}

static void render_note(const struct row *row, struct str *out)
{
	const char *dhcp = print_member(row->values, "dhcp");
	const char *error = print_member(row->values, "error");

	if (error)
		str_add(out, error);
	else if (dhcp && str_eq(dhcp, "failed"))
		str_add(out, "dnsmasq does not run");
	else
		add_pending(row->values, out);
}

static const struct column networks[] = {
	{ .name = "NAME", .key = "name" },
	{ .name = "MODE", .key = "mode" },
	{ .name = "STATE", .key = "state", .type = COLUMN_STATE },
	{ .name = "BRIDGE", .key = "bridge" },
	{ .name = "ADDRESSES", .key = "addresses", .type = COLUMN_LIST },
	{ .name = "VMS", .key = "vms", .type = COLUMN_LIST },
	{ .name = "AUTOSTART",
		.key = "autostart",
		.type = COLUMN_YESNO,
		.asked = true },
	{ .name = "NOTE",
		.key = "error",
		.also = "dhcp",
		.type = COLUMN_NOTE,
		.render = render_note },
	{ .name = NULL },
};

int net_show_list(const struct call *call, const char *vm UNUSED, json_t *value,
	bool many UNUSED)
{
	return print(call, networks, json_object_get(value, "networks"));
}

/* ---- one network ---- */

/* "  dhcp 10.0.0.2-10.0.0.9 -> no (now, by vmward net apply lab)" */
static void print_pending(const json_t *network, const char *indent)
{
	const char *name = str_or(print_member(network, "name"), "?");
	const json_t *change;
	size_t i;

	json_array_foreach(json_object_get(network, "pending"), i, change)
	{
		bool hot =
			str_eq(str_or(print_member(change, "when"), ""), "hot");

		printf("%s%s %s -> %s (%s%s)\n", indent,
			str_or(print_member(change, "key"), "?"),
			str_or(print_member(change, "from"), "none"),
			str_or(print_member(change, "to"), "none"),
			hot ? "now, by vmward net apply "
			    : "when it comes up the next time",
			hot ? name : "");
	}
}

static void put_list(const char *label, const json_t *value, const char *key)
{
	AUTO_STR struct str text = STR_INIT;
	const json_t *item;
	size_t i;

	json_array_foreach(json_object_get(value, key), i, item) str_addf(&text,
		"%s%s", i ? ", " : "", str_or(json_string_value(item), ""));
	print_labelled(LABEL, label, str_text(&text));
}

static void put_text(const char *label, const json_t *value, const char *key)
{
	print_labelled(LABEL, label, str_or(print_member(value, key), ""));
}

int net_show_one(const struct call *call UNUSED, const char *vm UNUSED,
	json_t *value, bool many UNUSED)
{
	put_text("Network", value, "name");
	put_text("State", value, "state");
	put_text("Mode", value, "mode");
	put_text("Bridge", value, "bridge");
	put_list("Addresses", value, "addresses");
	put_text("DHCP", value, "dhcp");
	put_list("VMs", value, "vms");
	put_text("Config", value, "file");
	put_text("Error", value, "error");
	if (json_array_size(json_object_get(value, "pending")) > 0)
		puts("Pending:");
	print_pending(value, "  ");
	return 0;
}

bool net_print_pending(const json_t *all)
{
	const json_t *network;
	bool any = false;
	size_t i;

	json_array_foreach(all, i, network)
	{
		AUTO_FREE char *indent = xasprintf("network %s: ",
			str_or(print_member(network, "name"), "?"));

		any |= json_array_size(json_object_get(network, "pending")) > 0;
		print_pending(network, indent);
	}
	return any;
}

int net_show_apply(const struct call *call UNUSED, const char *vm UNUSED,
	json_t *value, bool many UNUSED)
{
	bool changed = json_is_true(json_object_get(value, "changed"));
	bool any = net_print_pending(json_object_get(value, "networks"));

	if (changed && !any)
		puts("done; nothing is pending");
	else if (!any)
		puts("nothing to do");
	return 0;
}

int net_add_question(const struct call *call, struct wire *wire,
	struct str *question, struct err *err)
{
	json_t *arguments = json_deep_copy(call->wire);
	json_t *plan;

	json_object_set_new(arguments, "dry-run", json_true());
	plan = wire_call(
		wire, call->verb->wire, arguments, WIRE_PATIENCE_MS, err);
	json_decref(arguments);
	str_add(question, str_or(print_member(plan, "question"), ""));
	json_decref(plan);
	return plan ? 0 : -1;
}

/* ---- leases ---- */

static const struct column leases[] = {
	{ .name = "NETWORK", .key = "network" },
	{ .name = "ADDRESS", .key = "address" },
	{ .name = "MAC", .key = "mac" },
	{ .name = "HOST", .key = "host" },
	{ .name = "VM", .key = "vm" },
	{ .name = "LEFT", .key = "left", .type = COLUMN_SECONDS },
	{ .name = NULL },
};

int net_show_leases(const struct call *call, const char *vm UNUSED,
	json_t *value, bool many UNUSED)
{
	return print(call, leases, json_object_get(value, "leases"));
}

/* ---- addresses ---- */

static const struct column addresses[] = {
	{ .name = "ADDRESS", .key = "address" },
	{ .name = "SOURCE", .key = "source" },
	{ .name = "AGE", .key = "age", .type = COLUMN_SECONDS },
	{ .name = "NIC", .key = "nic" },
	{ .name = NULL },
};

int net_show_ip(const struct call *call, const char *vm UNUSED, json_t *value,
	bool many UNUSED)
{
	return print(call, addresses, json_object_get(value, "addresses"));
}

/* ---- doctor ---- */

int net_show_doctor(const struct call *call, const char *vm UNUSED,
	json_t *value, bool many UNUSED)
{
	const json_t *found;
	size_t i;

	json_array_foreach(json_object_get(value, "checks"), i, found)
	{
		bool ok = json_is_true(json_object_get(found, "ok"));
		const char *remedy = print_member(found, "remedy");

		printf("%s  %-14s  %s\n", ok ? "ok" : "--",
			str_or(print_member(found, "check"), ""),
			str_or(print_member(found, "found"), ""));
		if (!ok && remedy)
			printf("%20sremedy: %s\n", "", remedy);
	}
	return net_doctor_status(call, value);
}

int net_doctor_status(const struct call *call UNUSED, const json_t *value)
{
	const json_t *found;
	size_t i;

	json_array_foreach(json_object_get(value, "checks"), i,
		found) if (!json_is_true(json_object_get(found,
				   "ok"))) return 1;
	return 0;
}
