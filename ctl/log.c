/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `vmward log`: the lines about a VM; with -f it asks again from where the
 * last reply ended.
 */
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "ctl/print.h"
#include "ctl/reach.h"
#include "ctl/verbs.h"
#include "ctl/wire.h"

#define FOLLOW_MS 300

static void print_line(const struct call *call, const json_t *line)
{
	const char *time = print_member(line, "time");
	const char *level = print_member(line, "level");
	const char *text = print_member(line, "text");

	if (call->opt.json) {
		json_dumpf(line, stdout, JSON_ENCODE_ANY);
		putchar('\n');
		return;
	}
	if (!text)
		text = json_string_value(line);
	if (time)
		printf("%s  ", time);
	if (level && !str_eq(level, "info"))
		printf("%s: ", level);
	print_text(text ? text : "");
	putchar('\n');
}

static json_t *fetch(const struct call *call, struct wire *w, struct err *err)
{
	json_t *reply = wire_call(w, "vm-log", call->wire,
		call->opt.timeout_ms >= 0 ? call->opt.timeout_ms
					  : WIRE_PATIENCE_MS,
		err);
	json_t *next = json_object_get(reply, "next");

	if (next)
		json_object_set(call->wire, "after", next);
	/* these choose where to begin, not how to go on */
	json_object_del(call->wire, "lines");
	json_object_del(call->wire, "since");
	return reply;
}

static void print_lines(const struct call *call, const json_t *reply)
{
	json_t *lines = json_object_get(reply, "lines");
	size_t i;
	json_t *line;

	if (call->opt.json && !call_has(call, "follow")) {
		print_array(lines);
		return;
	}
	json_array_foreach(lines, i, line) print_line(call, line);
	fflush(stdout);
}

int verb_log(const struct call *call)
{
	AUTO_WIRE struct wire wire = WIRE_INIT;
	struct err err = ERR_INIT;
	bool follow = call_has(call, "follow");
	const char *vm = call->names[0];
	json_t *reply;

	if (reach_open(call, false, &wire, &err) < 0)
		return print_error(&call->opt, NULL, &err);
	json_object_set_new(call->wire, "vm", json_string(vm));
	do {
		reply = fetch(call, &wire, &err);
		if (!reply)
			return print_error(&call->opt, vm, &err);
		print_lines(call, reply);
		json_decref(reply);
		if (follow && ferror(stdout))
			return 1;
		if (follow)
			poll(NULL, 0, FOLLOW_MS);
	} while (follow);
	return 0;
}
