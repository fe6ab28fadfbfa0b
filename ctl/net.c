/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How networks look to people; see net.h. */
#include "ctl/net.h"

#include <stdio.h>

#include "base/mem.h"
#include "base/str.h"
#include "ctl/print.h"
#include "ctl/table.h"

static int print(
	const struct call *call, const struct column *columns, json_t *rows)
{
	return table_show(call,
		&(struct table){ .columns = columns, .rows = rows }, NULL);
}

/* ---- networks ---- */

static void render_note(const struct row *row, struct str *out)
{
	const char *dhcp = print_member(row->values, "dhcp");
	const char *error = print_member(row->values, "error");

	if (error)
		str_add(out, error);
	else if (dhcp && str_eq(dhcp, "failed"))
		str_add(out, "dnsmasq does not run");
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
