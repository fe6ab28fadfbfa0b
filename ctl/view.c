/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How the replies of the verbs look to people; one function per verb or
 * kind of verb.  What --json prints is the reply itself.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "ctl/agent.h"
#include "ctl/backup.h"
#include "ctl/image.h"
#include "ctl/incident.h"
#include "ctl/net.h"
#include "ctl/pool.h"
#include "ctl/print.h"
#include "ctl/request.h"
#include "ctl/snapshot.h"
#include "ctl/status.h"
#include "ctl/table.h"

static void lead_in(const char *vm, bool many)
{
	if (!many || !vm)
		return;
	print_text(vm);
	fputs(": ", stdout);
}

/* The strings of an array, one a line. */
static void show_lines(const char *vm, const json_t *lines, bool many)
{
	size_t i;
	json_t *line;

	json_array_foreach(lines, i, line)
	{
		lead_in(vm, many);
		if (json_is_string(line))
			print_text(json_string_value(line));
		else
			json_dumpf(line, stdout, JSON_ENCODE_ANY);
		putchar('\n');
	}
}

/* ---- verbs that change ---- */

static int show_actions(const char *vm, const json_t *actions, bool many)
{
	if (json_array_size(actions) > 0) {
		show_lines(vm, actions, many);
		return 0;
	}
	lead_in(vm, many);
	puts("nothing to do");
	return 0;
}

/* pause is virsh's suspend, which some expect to go to disk. */
static const char *remark_of(const struct call *call)
{
	if (!str_eq(call->verb->name, "pause") ||
		!str_eq(call->argv[call->first - 1], "suspend"))
		return NULL;
	return verb_by_name("save") ? "paused in memory; to disk: vmward save"
				    : "paused in memory, not on disk";
}

/* What it was before: enabled and disabled are no states of a VM. */
static const char *already(const struct call *call, const char *state)
{
	if (str_eq(call->verb->name, "enable"))
		return "enabled";
	if (str_eq(call->verb->name, "disable"))
		return "disabled";
	return state ? state : "so";
}

static int show_change(
	const struct call *call, const char *vm, json_t *value, bool many)
{
	const json_t *actions = json_object_get(value, "actions");
	const char *text = print_member(value, "message");
	const char *state = print_member(value, "state");
	const char *job = print_member(value, "job");
	const char *warning = print_member(value, "warning");

	if (json_is_false(json_object_get(value, "recorded")))
		print_note(&call->opt, vm,
			"done, but it could not be recorded on disk: a new "
			"supervisor may undo it");
	if (warning)
		print_once(&call->opt, warning);
	/* wait has its say by returning */
	if (call->opt.quiet || str_eq(call->verb->name, "wait"))
		return 0;
	if (actions)
		return show_actions(vm, actions, many);
	if (!text)
		text = remark_of(call);
	if (!text)
		text = job ? job : many ? state : NULL;
	if (!text && json_is_false(json_object_get(value, "changed"))) {
		printf("%s: already %s\n", vm ? vm : "vmward",
			already(call, state));
		return 0;
	}
	if (!text && !many)
		return 0;
	lead_in(vm, many);
	print_text(text ? text : "done");
	putchar('\n');
	return 0;
}

/* The new file, and what to type next. */
static int show_create(
	const struct call *call, const char *vm, json_t *value, bool many)
{
	const char *text = print_member(value, "text");
	const char *path = print_member(value, "path");
	const char *name = print_member(value, "name");
	const json_t *note;
	size_t i;

	if (json_object_get(value, "actions"))
		return show_actions(
			vm, json_object_get(value, "actions"), many);
	if (print_member(value, "job"))
		puts(print_member(value, "job"));
	if (path && !call->opt.quiet)
		printf("; %s\n", path);
	if (text && !(path && call->opt.quiet))
		fputs(text, stdout);
	json_array_foreach(json_object_get(value, "notes"), i, note)
		print_note(&call->opt, NULL, "%s", json_string_value(note));
	if (name && !call->opt.quiet && !call_has(call, "start") &&
		!call_has(call, "cdrom"))
		printf("\n; next: vmward start %s --wait\n", name);
	return 0;
}

/* ---- findings ---- */

static const char *level_of(const json_t *finding)
{
	const char *level = print_member(finding, "level");

	return level ? level : "error";
}

static int findings_status(const struct call *call, const json_t *value)
{
	const json_t *findings = json_object_get(value, "findings");
	int status = 0;
	size_t i;
	json_t *item;

	json_array_foreach(findings, i, item)
	{
		if (str_eq(level_of(item), "error"))
			return 1;
		if (call_has(call, "exit-code"))
			status = 8;
	}
	return status;
}

static void show_finding(const json_t *finding)
{
	const char *file = print_member(finding, "file");
	const char *text = print_member(finding, "text");
	json_int_t line = json_integer_value(json_object_get(finding, "line"));

	if (file)
		print_text(file);
	if (file && line > 0)
		printf(":%lld", (long long)line);
	if (file)
		fputs(": ", stdout);
	if (!str_eq(level_of(finding), "error"))
		printf("%s: ", level_of(finding));
	print_text(text ? text : "");
	putchar('\n');
}

static void show_findings(const json_t *findings)
{
	size_t i;
	json_t *item;

	json_array_foreach(findings, i, item) show_finding(item);
}

static int show_check(
	const struct call *call, const char *vm, json_t *value, bool many)
{
	const json_t *findings = json_object_get(value, "findings");

	(void)many;
	if (call->opt.quiet)
		return findings_status(call, value);
	if (json_array_size(findings) == 0)
		printf("%s: no mistakes\n", vm ? vm : "all files");
	show_findings(findings);
	return findings_status(call, value);
}

static int show_reload(
	const struct call *call, const char *vm, json_t *value, bool many)
{
	const json_t *changed = json_object_get(value, "changed");
	size_t i;
	json_t *name;

	(void)many;
	if (call->opt.quiet)
		return findings_status(call, value);
	if (json_object_get(value, "actions"))
		return show_actions(
			vm, json_object_get(value, "actions"), many);
	json_array_foreach(changed, i, name)
	{
		print_text(json_string_value(name) ? json_string_value(name)
						   : "?");
		puts(": read again");
	}
	if (i == 0 && json_array_size(json_object_get(value, "findings")) == 0)
		puts("nothing changed");
	show_findings(json_object_get(value, "findings"));
	return findings_status(call, value);
}

/* ---- configuration ---- */

static int show_show(
	const struct call *call, const char *vm, json_t *value, bool many)
{
	const char *text = print_member(value, "text");

	(void)call;
	(void)vm;
	(void)many;
	fputs(text ? text : "", stdout);
	if (text && *text && !str_ends(text, "\n"))
		putchar('\n');
	return 0;
}

/* A word as a shell takes it. */
static void put_quoted(const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_-+=:,./@%";

	if (*word && word[strspn(word, plain)] == '\0') {
		fputs(word, stdout);
		return;
	}
	putchar('\'');
	for (; *word; word++)
		if (*word == '\'')
			fputs("'\\''", stdout);
		else
			putchar(*word);
	putchar('\'');
}

/* One option with its value a line, to be pasted into a shell. */
static void show_argv(const json_t *argv)
{
	size_t i;
	json_t *word;
	bool value = false;

	json_array_foreach(argv, i, word)
	{
		const char *text = json_string_value(word);
		bool option = text && text[0] == '-';

		if (!text)
			continue;
		if (i > 0)
			fputs(value && text[0] != '-' ? " " : " \\\n  ",
				stdout);
		put_quoted(text);
		value = option;
	}
	putchar('\n');
}

static int plan_status(const struct call *call, const json_t *value)
{
	const json_t *actions = json_object_get(value, "actions");

	return call_has(call, "exit-code") && json_array_size(actions) ? 8 : 0;
}

/* Silence and 0 are the proof; a line for each that differs, and 8. */
static int drift_status(const struct call *call, const json_t *value)
{
	(void)call;
	return json_is_true(json_object_get(value, "equal")) ? 0 : 8;
}

static int show_drift(
	const struct call *call, const char *vm, json_t *value, bool many)
{
	if (!call->opt.quiet)
		show_lines(vm, json_object_get(value, "actions"), many);
	return drift_status(call, value);
}

static int show_plan(
	const struct call *call, const char *vm, json_t *value, bool many)
{
	const char *part = call_has(call, "argv")  ? "argv"
			   : call_has(call, "qmp") ? "qmp"
						   : NULL;

	(void)many;
	if (part && json_array_size(json_object_get(value, part)) == 0)
		print_note(&call->opt, vm,
			"it runs: --%s is of what the next start does", part);
	else if (call_has(call, "argv"))
		show_argv(json_object_get(value, "argv"));
	else if (call_has(call, "qmp"))
		show_lines(vm, json_object_get(value, "qmp"), false);
	else
		show_actions(vm, json_object_get(value, "actions"), false);
	if (!part)
		net_print_pending(json_object_get(value, "networks"));
	return plan_status(call, value);
}

/* ---- tables ---- */

static const struct column disk_columns[] = {
	{ .name = "DISK", .key = "name" },
	{ .name = "BUS", .key = "bus" },
	{ .name = "FORMAT", .key = "format" },
	{ .name = "READONLY", .key = "readonly" },
	{ .name = "ATTACHED", .key = "attached" },
	{ .name = "IMAGE", .key = "image" },
	{ .name = "NOTE", .key = "note", .type = COLUMN_NOTE },
	{ .name = NULL },
};

static const struct column device_columns[] = {
	{ .name = "DEVICE", .key = "id" },
	{ .name = "CLASS", .key = "class" },
	{ .name = "MODEL", .key = "model" },
	{ .name = "SLOT", .key = "slot" },
	{ .name = "STATE", .key = "state" },
	{ .name = "SINCE", .key = "since" },
	{ .name = NULL },
};

static void render_link(const struct row *row, struct str *out)
{
	str_add(out, json_is_true(json_object_get(row->values, "link"))
			     ? "up"
			     : "down");
}

static const struct column nic_columns[] = {
	{ .name = "NIC", .key = "name" },
	{ .name = "MODE", .key = "mode" },
	{ .name = "NETWORK", .key = "network" },
	{ .name = "LINK",
		.key = "link",
		.type = COLUMN_CUSTOM,
		.render = render_link },
	{ .name = "MAC", .key = "mac" },
	{ .name = "TAP", .key = "tap" },
	{ .name = "FORWARD", .key = "forward" },
	{ .name = "NOTE", .key = "note", .type = COLUMN_NOTE },
	{ .name = NULL },
};

static const struct column job_columns[] = {
	{ .name = "JOB", .key = "job" },
	{ .name = "VM", .key = "vm" },
	{ .name = "KIND", .key = "kind" },
	{ .name = "PHASE", .key = "phase" },
	{ .name = "DONE", .key = "done", .type = COLUMN_NUMBER },
	{ .name = "TOTAL", .key = "total", .type = COLUMN_NUMBER },
	{ .name = "AGE", .key = "age", .type = COLUMN_SECONDS },
	{ .name = NULL },
};

/* The rows of a reply: the array itself, or its only array. */
static json_t *rows_of(json_t *value)
{
	const char *key;
	json_t *item;

	json_object_foreach(
		value, key, item) if (json_is_array(item)) return item;
	return value;
}

static int show_disks(
	const struct call *call, const char *vm, json_t *value, bool many)
{
	(void)vm;
	(void)many;
	return table_show(call,
		&(struct table){
			.columns = disk_columns, .rows = rows_of(value) },
		"no disks");
}

static int show_devices(
	const struct call *call, const char *vm, json_t *value, bool many)
{
	(void)vm;
	(void)many;
	return table_show(call,
		&(struct table){
			.columns = device_columns, .rows = rows_of(value) },
		"no devices");
}

static int show_nics(
	const struct call *call, const char *vm, json_t *value, bool many)
{
	(void)vm;
	(void)many;
	return table_show(call,
		&(struct table){
			.columns = nic_columns, .rows = rows_of(value) },
		"no nics");
}

static int show_jobs(
	const struct call *call, const char *vm, json_t *value, bool many)
{
	(void)vm;
	(void)many;
	return table_show(call,
		&(struct table){
			.columns = job_columns, .rows = rows_of(value) },
		"no jobs");
}

static int show_qmp(
	const struct call *call, const char *vm, json_t *value, bool many)
{
	(void)vm;
	(void)many;
	print_value(&call->opt, value);
	return 0;
}

/* ---- is-active, is-failed: silent ---- */

static int active_status(const struct call *call, const json_t *value)
{
	(void)call;
	return status_is_active(value) ? 0 : 3;
}

static int show_active(
	const struct call *call, const char *vm, json_t *value, bool many)
{
	(void)vm;
	(void)many;
	return active_status(call, value);
}

static int show_failed(
	const struct call *call, const char *vm, json_t *value, bool many)
{
	const char *state = print_member(value, "state");

	(void)call;
	(void)vm;
	(void)many;
	return state && str_eq(state, "failed") ? 0 : 3;
}

static const struct request_view views[] = {
	{ .verb = "status",
		.show = status_show,
		.status = active_status,
		.raw = true },
	{ .verb = "is-active",
		.wire = "vm-status",
		.show = show_active,
		.single = true },
	{ .verb = "is-failed",
		.wire = "vm-status",
		.show = show_failed,
		.single = true },
	{ .verb = "show", .show = show_show },
	{ .verb = "explain", .show = show_show },
	{ .verb = "create", .show = show_create, .raw = true },
	{ .verb = "install", .show = show_create, .raw = true },
	{ .verb = "clone", .show = show_create, .raw = true },
	{ .verb = "analyze", .show = show_show },
	{ .verb = "host-shutdown", .show = show_show },
	{ .verb = "check", .show = show_check, .status = findings_status },
	{ .verb = "reload", .show = show_reload, .status = findings_status },
	{ .verb = "plan", .show = show_plan, .status = plan_status },
	{ .verb = "drift", .show = show_drift, .status = drift_status },
	{ .verb = "device list", .show = show_devices, .raw = true },
	{ .verb = "disk list", .show = show_disks, .raw = true },
	{ .verb = "nic list", .show = show_nics, .raw = true },
	{ .verb = "jobs list", .show = show_jobs, .raw = true },
	{ .verb = "snapshot list", .show = snapshot_show_list, .raw = true },
	{ .verb = "snapshot show", .show = snapshot_show_one, .raw = true },
	{ .verb = "snapshot mount", .show = snapshot_show_mounts },
	{ .verb = "snapshot unmount", .show = snapshot_show_mounts },
	{ .verb = "image list", .show = image_show_list, .raw = true },
	{ .verb = "image catalogue",
		.show = image_show_catalogue,
		.raw = true },
	{ .verb = "image info", .show = image_show_info, .raw = true },
	{ .verb = "pool list", .show = pool_show_list, .raw = true },
	{ .verb = "pool info", .show = pool_show_info, .raw = true },
	{ .verb = "net list", .show = net_show_list, .raw = true },
	{ .verb = "net show", .show = net_show_one, .raw = true },
	{ .verb = "net apply", .show = net_show_apply, .raw = true },
	{ .verb = "net leases", .show = net_show_leases, .raw = true },
	{ .verb = "net doctor",
		.show = net_show_doctor,
		.status = net_doctor_status,
		.raw = true },
	{ .verb = "ip", .show = net_show_ip, .raw = true },
	{ .verb = "image check",
		.show = image_show_verdict,
		.status = image_verdict_status,
		.raw = true },
	{ .verb = "image compare",
		.show = image_show_same,
		.status = image_same_status,
		.raw = true },
	{ .verb = "image map", .show = image_show_map, .raw = true },
	{ .verb = "agent info", .show = agent_show_info, .raw = true },
	{ .verb = "agent ssh-keys", .show = agent_show_keys, .raw = true },
	{ .verb = "agent exec",
		.show = agent_show_exec,
		.event = agent_event_exec,
		.single = true,
		.failure = 125 },
	{ .verb = "backup list", .show = backup_show_list, .raw = true },
	{ .verb = "incident list", .show = incident_show_list, .raw = true },
	{ .verb = "incident show", .show = incident_show_one, .raw = true },
	{ .verb = "qmp", .show = show_qmp, .single = true },
	{ .show = show_change },
};

const struct request_view *request_view_of(const struct verb *verb)
{
	const struct request_view *view = views;

	while (view->verb && !str_eq(view->verb, verb->name))
		view++;
	return view;
}
