/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `vmward events`: first those that the supervisor kept, then as they come,
 * one a line.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/str.h"
#include "ctl/print.h"
#include "ctl/reach.h"
#include "ctl/verbs.h"
#include "ctl/wire.h"

#define REPLAY_ID "replay"

struct watch {
	const struct call *call;
	struct wire *wire;
	json_t *names; /* array; NULL: all */
	bool replayed;
};

static bool is_wanted(const struct watch *w, const json_t *data)
{
	const char *vm = print_member(data, "vm");
	size_t i;
	json_t *name;

	if (!w->call->ntyped || !call_has(w->call, "patterns"))
		return true;
	json_array_foreach(w->names, i,
		name) if (vm &&
			  str_glob(json_string_value(name), vm)) return true;
	return false;
}

/* The time of an event, RFC 3339 with the offset. */
static void add_time(struct str *out, const json_t *message)
{
	const json_t *stamp = json_object_get(message, "timestamp");
	time_t at =
		(time_t)json_integer_value(json_object_get(stamp, "seconds"));
	json_int_t us =
		json_integer_value(json_object_get(stamp, "microseconds"));
	char text[40];
	struct tm tm;

	localtime_r(&at, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	str_addf(out, "%s.%03d", text, (int)(us / 1000));
	strftime(text, sizeof(text), "%z", &tm);
	str_addf(out, "%.3s:%s", text, strlen(text) > 3 ? text + 3 : "00");
}

static const json_t *sequence(const json_t *message)
{
	const json_t *seq = json_object_get(message, "seq");

	if (!seq)
		seq = json_object_get(json_object_get(message, "data"), "seq");
	return seq;
}

static void print_json(const json_t *message)
{
	AUTO_STR struct str time = STR_INIT;
	json_t *line;

	add_time(&time, message);
	line = json_pack("{s:O?, s:s, s:O?}", "seq", sequence(message), "time",
		str_text(&time), "event", json_object_get(message, "event"));
	json_object_update_missing(line, json_object_get(message, "data"));
	/* of QEMU's own: "event" says that it is one */
	if (str_eq(print_member(message, "event"), "VM_QMP_EVENT"))
		json_object_set(line, "qmp",
			json_object_get(
				json_object_get(message, "data"), "event"));
	json_dumpf(line, stdout, 0);
	putchar('\n');
	json_decref(line);
}

static void print_people(const json_t *message)
{
	json_t *data = json_object_get(message, "data");
	const char *vm = print_member(data, "vm");
	AUTO_STR struct str line = STR_INIT;
	const char *key;
	json_t *value;

	add_time(&line, message);
	str_addf(&line, " %" PRId64 " %s",
		(int64_t)json_integer_value(sequence(message)),
		print_member(message, "event"));
	if (vm)
		str_addf(&line, " %s", vm);
	json_object_foreach(data, key, value)
	{
		AUTO_FREE char *text = NULL;

		if (str_eq(key, "vm") || str_eq(key, "seq") ||
			json_is_null(value))
			continue;
		if (!json_is_string(value))
			text = json_dumps(
				value, JSON_ENCODE_ANY | JSON_COMPACT);
		str_addf(&line, " %s=%s", key,
			text ? text : json_string_value(value));
	}
	print_text(str_text(&line));
	putchar('\n');
}

/* 0 to go on, 1 at the end, -1 with the error set. */
static int on_message(struct watch *w, const json_t *message, struct err *err)
{
	const json_t *error = json_object_get(message, "error");

	if (error) {
		wire_to_err(error, err);
		return -1;
	}
	if (!json_object_get(message, "event")) {
		w->replayed = true;
		return call_has(w->call, "no-follow");
	}
	if (!is_wanted(w, json_object_get(message, "data")))
		return 0;
	if (w->call->opt.json)
		print_json(message);
	else
		print_people(message);
	fflush(stdout);
	return ferror(stdout) ? 1 : 0;
}

static int watch(struct watch *w, struct err *err)
{
	int64_t until = wire_now_ms() + WIRE_PATIENCE_MS;
	int result = 0;

	while (result == 0) {
		json_t *message = NULL;

		result = wire_next(w->wire, w->replayed ? INT64_MAX : until,
			&message, err);
		if (result > 0)
			result = on_message(w, message, err);
		else if (result == 0 && !w->replayed && wire_now_ms() >= until)
			result = err_set(err, ERR_UNREACHABLE,
				"the supervisor at %s does not answer",
				w->wire->path);
		json_decref(message);
	}
	return result;
}

/* Names and globs are matched here; only tags must be asked for. */
static json_t *wanted_names(
	const struct call *call, struct wire *wire, struct err *err)
{
	json_t *names = json_array();
	json_t *tags = json_array();
	json_t *found = NULL;

	for (size_t i = 0; i < call->ntyped; i++) {
		const struct typed *typed = &call->typed[i];

		if (str_eq(typed->arg->name, "patterns"))
			json_array_append_new(
				*typed->value == '@' ? tags : names,
				json_string(typed->value));
	}
	if (json_array_size(tags) > 0) {
		json_t *arguments = json_pack("{s:O}", "patterns", tags);

		found = wire_call(
			wire, "vm-resolve", arguments, WIRE_PATIENCE_MS, err);
		json_array_extend(names, json_object_get(found, "names"));
		json_decref(arguments);
		json_decref(found);
	}
	json_decref(tags);
	if (!err->code)
		return names;
	json_decref(names);
	return NULL;
}

int verb_events(const struct call *call)
{
	AUTO_WIRE struct wire wire = WIRE_INIT;
	struct watch w = { .call = call, .wire = &wire };
	struct err err = ERR_INIT;
	int result = -1;

	if (reach_open(call, true, &wire, &err) < 0)
		return print_error(&call->opt, NULL, &err);
	w.names = wanted_names(call, &wire, &err);
	if (w.names &&
		wire_queue(&wire, REPLAY_ID, "event-replay",
			json_object_size(call->wire) ? call->wire : NULL,
			&err) == 0 &&
		wire_flush(&wire, &err) == 0)
		result = watch(&w, &err);
	json_decref(w.names);
	return result < 0 ? print_error(&call->opt, NULL, &err) : 0;
}
