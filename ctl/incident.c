/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Incidents: what the list and one of them look like, and the export.  The
 * export reads the files over the control socket, part by part: the caller
 * need not be one who may read the state directory, or be on that host.
 */
#include "ctl/incident.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "ctl/print.h"
#include "ctl/reach.h"
#include "ctl/table.h"
#include "ctl/tar.h"
#include "ctl/verbs.h"
#include "ctl/wire.h"

static const struct column columns[] = {
	{ .name = "VM", .key = "vm" },
	{ .name = "TIME", .key = "time" },
	{ .name = "CAUSE", .key = "cause" },
	{ .name = "ID", .key = "id" },
	{ .name = NULL },
};

int incident_show_list(const struct call *call, const char *vm UNUSED,
	json_t *value, bool many UNUSED)
{
	return table_show(call,
		&(struct table){ .columns = columns,
			.rows = json_object_get(value, "incidents") },
		"no incidents");
}

int incident_show_one(const struct call *call UNUSED, const char *vm,
	json_t *value, bool many UNUSED)
{
	const json_t *files = json_object_get(value, "files");
	const char *text = print_member(value, "text");
	size_t i;
	json_t *file;

	printf("%s: %s at %s\n\n%s\n", vm ? vm : "vmward",
		print_member(value, "cause"), print_member(value, "time"),
		text ? text : "");
	json_array_foreach(files, i, file) printf("%8lld  %s\n",
		(long long)json_integer_value(json_object_get(file, "size")),
		print_member(file, "name"));
	return 0;
}

/* ---- export ---- */

struct export
{
	const struct call *call;
	struct wire *wire;
	json_t *args; /* vm, id, file, offset */
	FILE *out;
};

static json_t *ask(const struct export *x, const char *command, struct err *err)
{
	return wire_call(x->wire, command, x->args, WIRE_PATIENCE_MS, err);
}

/* A whole file, part by part. */
static int read_file(
	struct export *x, const char *name, struct str *out, struct err *err)
{
	json_t *next = json_integer(0);

	json_object_set_new(x->args, "file", json_string(name));
	while (next) {
		json_t *part;
		json_t *text;

		json_object_set_new(x->args, "offset", next);
		part = ask(x, "vm-incident-read", err);
		if (!part)
			return -1;
		text = json_object_get(part, "text");
		str_addn(
			out, json_string_value(text), json_string_length(text));
		next = json_incref(json_object_get(part, "next"));
		json_decref(part);
	}
	return 0;
}

static int64_t seconds_of(const char *time)
{
	struct tm tm = { .tm_isdst = 0 };

	return time && strptime(time, "%Y-%m-%dT%H:%M:%S", &tm) ? timegm(&tm)
								: 0;
}

static int add_files(struct export *x, const json_t *found, struct err *err)
{
	const char *id = print_member(found, "id");
	const char *vm = print_member(found, "vm");
	int64_t mtime = seconds_of(print_member(found, "time"));
	size_t i;
	json_t *file;

	json_array_foreach(json_object_get(found, "files"), i, file)
	{
		const char *name = print_member(file, "name");
		AUTO_STR struct str data = STR_INIT;
		AUTO_FREE char *path = xasprintf("%s-%s/%s", vm, id, name);

		if (read_file(x, name, &data, err) ||
			tar_add(x->out, path, str_text(&data), data.len, mtime,
				err))
			return -1;
	}
	return tar_end(x->out, err);
}

/* Where it goes: a new file of the caller's alone, or stdout. */
static FILE *open_output(const struct call *call, struct err *err)
{
	const char *path = call_value(call, "output");
	FILE *out;
	int fd;

	if (!path && call->opt.tty_out) {
		err_set(err, ERR_USAGE,
			"an archive is nothing for a terminal: say -o FILE");
		return NULL;
	}
	if (!path)
		return stdout;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	out = fd < 0 ? NULL : fdopen(fd, "w");
	if (!out)
		err_os(err, "cannot make '%s'", path);
	return out;
}

static int export_to(struct export *x, struct err *err)
{
	json_t *found = ask(x, "vm-incident-show", err);
	int rc = -1;

	if (!found)
		return -1;
	x->out = open_output(x->call, err);
	if (x->out) {
		json_object_set(x->args, "id", json_object_get(found, "id"));
		rc = add_files(x, found, err);
		if (x->out != stdout && fclose(x->out) && !rc)
			rc = err_os(err, "cannot write '%s'",
				call_value(x->call, "output"));
		if (rc && x->out != stdout)
			unlink(call_value(x->call, "output"));
	}
	json_decref(found);
	return rc;
}

int verb_incident_export(const struct call *call)
{
	AUTO_WIRE struct wire wire = WIRE_INIT;
	struct err err = ERR_INIT;
	const char *vm = call->names[0];
	struct export x = { call, &wire, json_deep_copy(call->wire), NULL };
	int rc;

	json_object_set_new(x.args, "vm", json_string(vm));
	rc = reach_open(call, false, &wire, &err);
	if (!rc)
		rc = export_to(&x, &err);
	json_decref(x.args);
	return rc ? print_error(&call->opt, vm, &err) : 0;
}
