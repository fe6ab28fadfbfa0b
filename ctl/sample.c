/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All requests of a look go out in one write; replies come in any order. */
#include "ctl/sample.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "ctl/interrupt.h"
#include "ctl/print.h"

/* ---- asking ---- */

/* The names of all VMs that are up; the host's object beside it. */
static json_t *names_up(struct wire *w, struct sample *out, struct err *err)
{
	json_t *arguments = json_pack("{s:b}", "running", 1);
	json_t *names = json_array();
	const char *next = "";

	while (next) {
		json_t *page = wire_call(
			w, "vm-list", arguments, WIRE_PATIENCE_MS, err);
		size_t i;
		json_t *vm;

		if (!page) {
			json_decref(arguments);
			json_decref(names);
			return NULL;
		}
		json_array_foreach(json_object_get(page, "vms"), i, vm)
			json_array_append(names, json_object_get(vm, "name"));
		json_decref(out->host);
		out->host = json_incref(json_object_get(page, "host"));
		next = print_member(page, "next");
		if (next)
			json_object_set_new(
				arguments, "after", json_string(next));
		json_decref(page);
	}
	json_decref(arguments);
	return names;
}

static int queue_all(struct wire *w, const json_t *names, struct err *err)
{
	size_t i;
	json_t *name;

	json_array_foreach(names, i, name)
	{
		json_t *arguments = json_pack("{s:O}", "vm", name);
		char id[24];
		int result;

		snprintf(id, sizeof(id), "s%zu", i);
		result = wire_queue(w, id, "vm-stats", arguments, err);
		json_decref(arguments);
		if (result < 0)
			return -1;
	}
	return wire_flush(w, err);
}

/* Puts a reply where its name stands; false if it is none of ours. */
static bool put_reply(json_t *replies, const json_t *message)
{
	const char *id = print_member(message, "id");
	size_t at = id && *id == 's' ? (size_t)str_digits(id + 1) : SIZE_MAX;

	return at < json_array_size(replies) &&
	       json_array_set(replies, at, (json_t *)(uintptr_t)message) == 0;
}

static int collect(struct wire *w, json_t *replies, struct err *err)
{
	int64_t until = wire_now_ms() + WIRE_PATIENCE_MS;
	size_t left = json_array_size(replies);

	while (left > 0) {
		json_t *message = NULL;
		int got = wire_next(w, until, &message, err);

		if (got > 0)
			left -= put_reply(replies, message);
		json_decref(message);
		if (got < 0)
			return -1;
		if (got == 0 && wire_now_ms() >= until)
			return err_set(err, ERR_TIMEOUT,
				"no answer in time from the supervisor at %s",
				w->path);
		if (interrupt_count())
			return err_set(err, ERR_CANCELLED, "interrupted");
	}
	return 0;
}

int sample_take(const struct call *call, struct wire *w, const json_t *names,
	struct sample *out, struct err *err)
{
	json_t *own = names ? NULL : names_up(w, out, err);
	const json_t *asked = names ? names : own;
	json_t *replies = json_array();
	int result = -1;
	size_t i;
	json_t *reply;

	json_array_foreach(asked, i, reply)
		json_array_append_new(replies, json_null());
	out->vms = json_array();
	if (asked && queue_all(w, asked, err) == 0)
		result = collect(w, replies, err);
	out->at_ms = wire_now_ms();
	json_array_foreach(replies, i, reply)
	{
		json_t *value = json_object_get(reply, "return");

		if (value)
			json_array_append(out->vms, value);
		else if (result == 0 && names) /* else it went meanwhile */
			out->status = print_reply_error(&call->opt,
				json_string_value(json_array_get(names, i)),
				json_object_get(reply, "error"));
	}
	json_decref(replies);
	json_decref(own);
	return result;
}

void sample_fini(struct sample *s)
{
	json_decref(s->vms);
	json_decref(s->host);
	*s = (struct sample)SAMPLE_INIT;
}

/* ---- rates ---- */

static const json_t *find(const struct sample *s, const char *name)
{
	size_t i;
	json_t *vm;

	json_array_foreach(s->vms, i, vm)
	{
		const char *it = print_member(vm, "name");

		if (it && name && str_eq(it, name))
			return vm;
	}
	return NULL;
}

/* A number somewhere in a VM's object; -1: there is none. */
typedef double value_of(const json_t *vm);

static double member_of(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	return json_is_number(value) ? json_number_value(value) : -1;
}

static double cpu_seconds(const json_t *vm)
{
	return member_of(json_object_get(vm, "cpu"), "seconds");
}

static double exits(const json_t *vm)
{
	return member_of(vm, "exits");
}

/* The sum over all disks; -1 before QEMU has said anything. */
static double disks(const json_t *vm, const char *key)
{
	double sum = 0;
	size_t i;
	json_t *disk;

	if (json_is_null(json_object_get(vm, "age")))
		return -1;
	json_array_foreach(json_object_get(vm, "disks"), i, disk)
	{
		double value = member_of(disk, key);

		sum += value > 0 ? value : 0;
	}
	return sum;
}

static double read_bytes(const json_t *vm)
{
	return disks(vm, "read_bytes");
}

static double write_bytes(const json_t *vm)
{
	return disks(vm, "write_bytes");
}

static double operations(const json_t *vm)
{
	double flushes = disks(vm, "flush_ops");

	return flushes < 0 ? -1
			   : disks(vm, "read_ops") + disks(vm, "write_ops") +
				     flushes;
}

static const struct {
	const char *key;
	value_of *value;
	double scale;
} rates[] = {
	{ "cpu", cpu_seconds, 100 }, /* percent of one processor */
	{ "read", read_bytes, 1 },
	{ "write", write_bytes, 1 },
	{ "ops", operations, 1 },
	{ "exits", exits, 1 },
};

static bool is_same_qemu(const json_t *before, const json_t *now)
{
	const json_t *pid = json_object_get(now, "pid");

	return before && json_is_integer(pid) &&
	       json_equal(json_object_get(before, "pid"), pid);
}

static json_t *rate(size_t i, const json_t *before, const json_t *now, double s)
{
	double from = before ? rates[i].value(before) : -1;
	double to = rates[i].value(now);

	if (from < 0 || to < from || s <= 0)
		return json_null();
	return json_real((to - from) / s * rates[i].scale);
}

json_t *sample_rates(const struct sample *before, const struct sample *now)
{
	static const char *const kept[] = { "name", "state", "uptime",
		"restarts", "age", "stale", "cpus" };
	double s = (double)(now->at_ms - before->at_ms) / 1000;
	json_t *rows = json_array();
	size_t i;
	json_t *vm;

	json_array_foreach(now->vms, i, vm)
	{
		const json_t *then = find(before, print_member(vm, "name"));
		const json_t *memory = json_object_get(vm, "memory");
		json_t *row = json_object();

		if (!is_same_qemu(then, vm))
			then = NULL;
		for (size_t k = 0; k < NELEMS(kept); k++)
			json_object_set(
				row, kept[k], json_object_get(vm, kept[k]));
		for (size_t k = 0; k < NELEMS(rates); k++)
			json_object_set_new(
				row, rates[k].key, rate(k, then, vm, s));
		json_object_set(
			row, "memory", json_object_get(memory, "configured"));
		json_object_set(
			row, "balloon", json_object_get(memory, "balloon"));
		json_object_set(row, "rss", json_object_get(memory, "rss"));
		json_array_append_new(rows, row);
	}
	return rows;
}

/* ---- columns ---- */

static void render_cpu(const struct row *row, struct str *out)
{
	double value = member_of(row->values, "cpu");

	if (value < 0)
		str_add(out, "-");
	else
		str_addf(out, "%.1f", value);
}

static void render_bytes(
	const struct row *row, struct str *out, const char *key)
{
	double value = member_of(row->values, key);

	if (value < 0)
		str_add(out, "-");
	else
		str_add_bytes(out, (uint64_t)value);
}

static void render_read(const struct row *row, struct str *out)
{
	render_bytes(row, out, "read");
}

static void render_write(const struct row *row, struct str *out)
{
	render_bytes(row, out, "write");
}

static void render_count(
	const struct row *row, struct str *out, const char *key)
{
	double value = member_of(row->values, key);

	if (value < 0)
		str_add(out, "-");
	else
		str_addf(out, "%.0f", value);
}

static void render_ops(const struct row *row, struct str *out)
{
	render_count(row, out, "ops");
}

static void render_exits(const struct row *row, struct str *out)
{
	render_count(row, out, "exits");
}

/* What is old, or not known at all. */
static void render_age(const struct row *row, struct str *out)
{
	double age = member_of(row->values, "age");

	if (!json_is_true(json_object_get(row->values, "stale")))
		return;
	if (age < 0) {
		str_add(out, "QEMU does not answer");
		return;
	}
	str_add(out, "disks as of ");
	str_add_duration(out, (int64_t)(age * 1000));
	str_add(out, " ago");
}

#define RIGHT COLUMN_NUMBER

const struct column sample_columns[] = {
	{ .name = "NAME", .key = "name" },
	{ .name = "STATE", .key = "state", .type = COLUMN_STATE },
	{ .name = "CPU%", .key = "cpu", .type = RIGHT, .render = render_cpu },
	{ .name = "MEMORY", .key = "memory", .type = COLUMN_BYTES },
	{ .name = "RSS", .key = "rss", .type = COLUMN_BYTES },
	{ .name = "READ/S",
		.key = "read",
		.type = RIGHT,
		.render = render_read },
	{ .name = "WRITE/S",
		.key = "write",
		.type = RIGHT,
		.render = render_write },
	{ .name = "OPS/S", .key = "ops", .type = RIGHT, .render = render_ops },
	{ .name = "EXITS/S",
		.key = "exits",
		.type = RIGHT,
		.render = render_exits,
		.wide = true },
	{ .name = "UPTIME", .key = "uptime", .type = COLUMN_SECONDS },
	{ .name = "RESTARTS",
		.key = "restarts",
		.type = COLUMN_NUMBER,
		.wide = true },
	{ .name = "NOTE",
		.key = "age",
		.type = COLUMN_NOTE,
		.render = render_age },
	{ .name = NULL },
};
