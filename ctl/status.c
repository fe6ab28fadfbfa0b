/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * systemctl's shape: a dot, name and description, then what one asks first:
 * state, files, QEMU, devices, the last lines of the log.  A line whose
 * datum is absent is left out.
 */
#include "ctl/status.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "ctl/print.h"

#define LABEL 9 /* columns in front of the colon */

bool status_is_active(const json_t *vm)
{
	static const char *const active[] = { "running", "paused", "saving",
		"migrating", "unreachable" };
	const char *state = print_member(vm, "state");

	for (size_t i = 0; state && i < NELEMS(active); i++)
		if (str_eq(active[i], state))
			return true;
	return false;
}

/* "    State: text"; an empty label for the lines below it. */
static void put_line(const char *label, const struct str *text)
{
	if (!text->len)
		return;
	printf("%*s%c ", LABEL, label, *label ? ':' : ' ');
	print_text(str_text(text));
	putchar('\n');
}

static void add_ms(struct str *out, double seconds)
{
	str_add_duration(out, (int64_t)(seconds * 1000.0));
}

/* "2025-11-18T22:04:11+01:00" as people read it. */
static void add_time(struct str *out, const char *rfc3339)
{
	str_addn(out, rfc3339, strlen(rfc3339) >= 10 ? 10 : strlen(rfc3339));
	if (strlen(rfc3339) < 19)
		return;
	str_addc(out, ' ');
	str_addn(out, rfc3339 + 11, 8);
}

/* Why it is paused then; it stands beside the state. */
static bool is_disk_full(const json_t *vm)
{
	const char *note = print_member(vm, "note");

	return note && str_starts(note, "disk full: ");
}

static void put_state(const json_t *vm, const char *color)
{
	const char *state = print_member(vm, "state");
	const char *since = print_member(vm, "since");
	const json_t *ready = json_object_get(vm, "ready");
	const json_t *uptime = json_object_get(vm, "uptime");
	AUTO_STR struct str more = STR_INIT;

	printf("%*s: %s%s%s", LABEL, "State", color, state ? state : "?",
		*color ? "\033[0m" : "");
	if (is_disk_full(vm))
		str_addf(&more, " (%s)", print_member(vm, "note"));
	if (json_is_true(ready))
		str_add(&more, " (ready)");
	else if (json_is_false(ready))
		str_add(&more, " (not ready)");
	if (since) {
		str_add(&more, " since ");
		add_time(&more, since);
	}
	if (json_is_number(uptime)) {
		str_add(&more, "; up ");
		add_ms(&more, json_number_value(uptime));
	}
	print_text(str_text(&more));
	putchar('\n');
}

static void put_string(const char *label, const json_t *vm, const char *key)
{
	AUTO_STR struct str text = STR_INIT;
	const char *value = print_member(vm, key);

	if (value)
		str_add(&text, value);
	put_line(label, &text);
}

static void put_number(
	const char *label, const json_t *vm, const char *key, const char *unit)
{
	const json_t *value = json_object_get(vm, key);
	AUTO_STR struct str text = STR_INIT;

	if (json_is_integer(value))
		str_addf(&text, "%lld%s", (long long)json_integer_value(value),
			unit);
	put_line(label, &text);
}

/* How it ended last: cause, when, and what came after. */
static void put_end(const json_t *vm)
{
	const char *cause = print_member(vm, "cause");
	const char *detail = print_member(vm, "detail");
	const char *when = print_member(vm, "last_end");
	json_int_t restarts =
		json_integer_value(json_object_get(vm, "restarts"));
	json_int_t after =
		json_integer_value(json_object_get(vm, "restart_us"));
	const json_t *next = json_object_get(vm, "next_try");
	AUTO_STR struct str text = STR_INIT;

	if (cause)
		str_addf(&text, "%s%s%s", cause, detail && *detail ? " " : "",
			detail ? detail : "");
	if (cause && when) {
		str_add(&text, " at ");
		add_time(&text, when);
	}
	if (restarts > 0 && after > 0) {
		str_add(&text, " (restarted after ");
		str_add_duration(&text, after / 1000);
		str_add(&text, ")");
	}
	if (restarts > 0)
		str_addf(&text, "%srestarts: %lld", text.len ? "; " : "",
			(long long)restarts);
	if (json_is_number(next)) {
		str_addf(&text, "%snext try in ", text.len ? "; " : "");
		add_ms(&text, json_number_value(next));
	}
	put_line("Last end", &text);
}

/* The note, unless the block says the same elsewhere. */
static void put_note(const json_t *vm)
{
	const char *note = print_member(vm, "note");
	const char *cause = print_member(vm, "cause");
	AUTO_STR struct str text = STR_INIT;

	if (!note || is_disk_full(vm) ||
		strstr(note, " pending: vmward plan ") ||
		(cause && str_starts(note, cause)) ||
		json_is_object(json_object_get(vm, "error")))
		return;
	str_add(&text, note);
	put_line("Note", &text);
}

static void put_config(const json_t *vm, const char *name)
{
	const json_t *config = json_object_get(vm, "config");
	const json_t *files = json_object_get(config, "files");
	const json_t *error = json_object_get(vm, "error");
	json_int_t pending = json_integer_value(json_object_get(vm, "pending"));
	size_t i;
	json_t *file;

	json_array_foreach(files, i, file)
	{
		AUTO_STR struct str text = STR_INIT;

		if (json_is_string(file))
			str_add(&text, json_string_value(file));
		put_line(i ? "" : "Config", &text);
	}
	if (json_is_object(error)) {
		AUTO_STR struct str text = STR_INIT;
		const char *where = print_member(error, "file");
		const char *why = print_member(error, "text");

		str_addf(&text, "%s:%lld: %s", where ? where : "?",
			(long long)json_integer_value(
				json_object_get(error, "line")),
			why ? why : "");
		put_line("Mistake", &text);
	}
	if (pending > 0) {
		AUTO_STR struct str text = STR_INIT;

		str_addf(&text, "%lld %s: vmward plan %s", (long long)pending,
			pending == 1 ? "change" : "changes", name);
		put_line("Pending", &text);
	}
}

static void add_part(struct str *out, const char *text)
{
	if (text && *text)
		str_addf(out, "%s%s", out->len ? ", " : "", text);
}

/* Whose rights QEMU has, and what of its confinement the host refused. */
static void put_confinement(const json_t *vm)
{
	const json_t *confinement = json_object_get(vm, "confinement");
	const json_t *user = json_object_get(confinement, "user");
	const json_t *lacks = json_object_get(confinement, "lacks");
	AUTO_STR struct str text = STR_INIT;
	const json_t *name;
	size_t i;

	if (json_is_integer(user))
		str_addf(
			&text, "uid %lld", (long long)json_integer_value(user));
	json_array_foreach(lacks, i, name) str_addf(&text, "%s%s%s",
		text.len && i == 0 ? ", " : "", i == 0 ? "lacks: " : ", ",
		str_or(json_string_value(name), "?"));
	if (text.len)
		put_line("Confined", &text);
}

/* What of the host it may use, and what this host could not limit. */
static void put_limits(const json_t *vm)
{
	json_t *limits = json_object_get(vm, "limits");
	AUTO_STR struct str text = STR_INIT;
	const char *key;
	json_t *value;
	const json_t *lack;
	size_t i;

	if (!json_is_object(limits))
		return;
	json_object_foreach(limits, key, value)
	{
		if (text.len && !json_is_array(value))
			str_add(&text, ", ");
		if (json_is_string(value))
			str_addf(&text, "%s %s", key, json_string_value(value));
		if (json_is_integer(value))
			str_addf(&text, "%s %lld", key,
				(long long)json_integer_value(value));
	}
	json_array_foreach(json_object_get(limits, "lacks"), i, lack)
		str_addf(&text, "%slacks %s (%s)",
			text.len ? ", "
			: i == 0 ? "none, "
				 : "",
			print_member(lack, "key"), print_member(lack, "why"));
	put_line("Limits", &text);
}

static void put_qemu(const json_t *vm)
{
	const json_t *qemu = json_object_get(vm, "qemu");
	const json_t *pid = json_object_get(vm, "pid");
	const json_t *memory = json_object_get(vm, "memory");
	const json_t *cpus = json_object_get(vm, "cpus");
	AUTO_STR struct str text = STR_INIT;
	AUTO_STR struct str size = STR_INIT;

	add_part(&text, print_member(qemu, "version"));
	if (json_is_integer(pid))
		str_addf(&text, "%spid %lld", text.len ? ", " : "",
			(long long)json_integer_value(pid));
	add_part(&text, print_member(qemu, "accel"));
	if (text.len) {
		add_part(&text, print_member(vm, "isolation"));
		put_line("QEMU", &text);
	}
	put_confinement(vm);
	put_limits(vm);
	if (json_is_integer(cpus))
		str_addf(&size, "%lld CPU%s, ",
			(long long)json_integer_value(cpus),
			json_integer_value(cpus) == 1 ? "" : "s");
	if (json_is_integer(memory)) {
		str_add_bytes(&size, (uint64_t)json_integer_value(memory));
		str_add(&size, " memory");
	}
	put_line("Size", &size);
}

static void add_word(struct str *out, const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	if (json_is_string(value))
		str_addf(out, "%s%s", out->len ? "  " : "",
			json_string_value(value));
}

/* One line per device: its name, then the named members. */
static void put_devices(const char *label, const json_t *list,
	const char *const *keys, size_t nkeys)
{
	size_t i;
	json_t *device;

	json_array_foreach(list, i, device)
	{
		AUTO_STR struct str text = STR_INIT;
		const json_t *size = json_object_get(device, "size");

		if (json_is_string(device))
			str_add(&text, json_string_value(device));
		for (size_t k = 0; k < nkeys; k++)
			add_word(&text, device, keys[k]);
		if (json_is_integer(size)) {
			str_add(&text, "  ");
			str_add_bytes(
				&text, (uint64_t)json_integer_value(size));
		}
		put_line(i ? "" : label, &text);
	}
}

static void put_addresses(const json_t *vm)
{
	static const char *const keys[] = { "address", "source" };

	put_devices("Address", json_object_get(vm, "addresses"), keys,
		NELEMS(keys));
}

static void put_log(const json_t *vm)
{
	const json_t *lines = json_object_get(vm, "log");
	size_t i;
	json_t *line;

	if (json_array_size(lines) > 0)
		putchar('\n');
	json_array_foreach(lines, i, line)
	{
		const char *time = print_member(line, "time");
		const char *text = print_member(line, "text");
		AUTO_STR struct str out = STR_INIT;

		if (time)
			add_time(&out, time);
		str_addf(&out, "%s%s", out.len ? "  " : "", text ? text : "");
		print_text(str_text(&out));
		putchar('\n');
	}
}

int status_show(
	const struct call *call, const char *name, json_t *vm, bool many)
{
	static const char *const disks[] = { "name", "bus", "image", "note" };
	static const char *const drives[] = { "name", "bus", "image" };
	static const char *const nics[] = { "name", "mode", "mac", "note" };
	const char *state = print_member(vm, "state");
	const char *text = print_member(vm, "description");
	bool color = print_has_color(&call->opt, call->opt.tty_out);
	const char *escape =
		color ? print_escape(print_state_color(state ? state : ""))
		      : "";

	if (call->opt.quiet)
		return status_is_active(vm) ? 0 : 3;
	printf("%s%s%s ", escape, "\u25cf", *escape ? "\033[0m" : "");
	print_text(name);
	if (text && *text) {
		fputs(" - ", stdout);
		print_text(text);
	}
	putchar('\n');
	put_state(vm, escape);
	put_end(vm);
	put_string("Step", vm, "stop_step");
	put_note(vm);
	put_config(vm, name);
	put_qemu(vm);
	put_devices(
		"Disks", json_object_get(vm, "disks"), disks, NELEMS(disks));
	put_devices("Drives", json_object_get(vm, "cdroms"), drives,
		NELEMS(drives));
	put_devices("Nics", json_object_get(vm, "nics"), nics, NELEMS(nics));
	put_addresses(vm);
	put_devices("Helpers", json_object_get(vm, "helpers"), nics, 1);
	put_number("Ports", vm, "ports_free", " free");
	put_log(vm);
	if (many)
		putchar('\n');
	return status_is_active(vm) ? 0 : 3;
}
