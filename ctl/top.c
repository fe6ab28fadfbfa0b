/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `vmward top`: the VMs that are up, busiest first, again and again: on a
 * terminal a screen that obeys keys, else (or with --batch) tables.
 */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/str.h"
#include "ctl/interrupt.h"
#include "ctl/print.h"
#include "ctl/reach.h"
#include "ctl/sample.h"
#include "ctl/screen.h"
#include "ctl/verbs.h"

#define INTERVAL_MS 2000
#define FIRST_MS    500 /* until there are rates for the first time */

/* What a key sorts by; the letter is in its name. */
static const struct order {
	char key;
	const char *column;
	const char *member; /* of a row; --sort takes it */
} orders[] = {
	{ 'c', "[c]pu", "cpu" },
	{ 'm', "[m]emory", "rss" },
	{ 'r', "[r]ead", "read" },
	{ 'w', "[w]rite", "write" },
	{ 'o', "[o]ps", "ops" },
	{ 'u', "[u]ptime", "uptime" },
	{ 'n', "[n]ame", "name" },
};

struct top {
	const struct call *call;
	struct wire *wire;
	struct sample before, now;
	const struct order *order;
	json_t *rows;
	uint64_t left; /* frames */
};

/* ---- the order ---- */

static bool goes_before(const struct top *t, const json_t *a, const json_t *b)
{
	const json_t *x = json_object_get(a, t->order->member);
	const json_t *y = json_object_get(b, t->order->member);

	if (json_is_string(x) && json_is_string(y))
		return strcmp(json_string_value(x), json_string_value(y)) < 0;
	if (json_is_number(x) != json_is_number(y))
		return json_is_number(x);
	return json_number_value(x) > json_number_value(y);
}

/* Stable, so that equal ones do not dance; they come by name. */
static void sort(struct top *t)
{
	size_t n = json_array_size(t->rows);

	for (size_t i = 1; i < n; i++) {
		json_t *row = json_incref(json_array_get(t->rows, i));
		size_t at = i;

		for (; at > 0 &&
			goes_before(t, row, json_array_get(t->rows, at - 1));
			at--)
			json_array_set(
				t->rows, at, json_array_get(t->rows, at - 1));
		json_array_set_new(t->rows, at, row);
	}
}

static int look(struct top *t, struct err *err)
{
	struct sample now = SAMPLE_INIT;

	if (sample_take(t->call, t->wire, NULL, &now, err) < 0) {
		sample_fini(&now);
		return -1;
	}
	sample_fini(&t->before);
	t->before = t->now;
	t->now = now;
	json_decref(t->rows);
	t->rows = sample_rates(&t->before, &t->now);
	sort(t);
	return 0;
}

/* ---- what is shown ---- */

static json_int_t host_of(const struct top *t, const char *key)
{
	return json_integer_value(json_object_get(t->now.host, key));
}

static double sum_of(const struct top *t, const char *key)
{
	double sum = 0;
	size_t i;
	json_t *row;

	json_array_foreach(t->rows, i, row) sum +=
		json_number_value(json_object_get(row, key));
	return sum;
}

/* Two lines about the host. */
static void add_head(const struct top *t, struct str *out)
{
	time_t now = time(NULL);
	char clock[16] = "";
	struct tm tm;

	if (localtime_r(&now, &tm))
		strftime(clock, sizeof(clock), "%H:%M:%S", &tm);
	str_addf(out,
		"vmward top  %s  %lld running  %lld of %lld CPUs promised, "
		"%.0f %% of one busy\n",
		clock, (long long)host_of(t, "running"),
		(long long)host_of(t, "cpus_promised"),
		(long long)host_of(t, "cpus"), sum_of(t, "cpu"));
	str_add(out, "memory: ");
	str_add_bytes(out, (uint64_t)host_of(t, "memory_promised"));
	str_add(out, " of ");
	str_add_bytes(out, (uint64_t)host_of(t, "memory"));
	str_add(out, " promised, ");
	str_add_bytes(out, (uint64_t)sum_of(t, "rss"));
	str_add(out, " used by QEMU, ");
	str_add_bytes(out, (uint64_t)host_of(t, "memory_available"));
	str_add(out, " available\n");
}

/* "  1.5G" or "-", right-aligned. */
static void add_cell(
	struct str *out, const json_t *row, const char *key, char kind)
{
	const json_t *value = json_object_get(row, key);
	AUTO_STR struct str text = STR_INIT;

	if (!json_is_number(value))
		str_addc(&text, '-');
	else if (kind == 'b')
		str_add_bytes(&text, (uint64_t)json_number_value(value));
	else if (kind == 't')
		str_add_duration(
			&text, (int64_t)(json_number_value(value) * 1000));
	else
		str_addf(&text, "%.*f", kind == '%', json_number_value(value));
	str_addf(out, " %7s", str_text(&text));
}

static void add_row(const json_t *row, struct str *out, bool color)
{
	const char *name = print_member(row, "name");
	const char *state = print_member(row, "state");
	const char *escape =
		color ? print_escape(print_state_color(state ? state : ""))
		      : "";
	AUTO_STR struct str shown = STR_INIT;

	str_add_visible(&shown, str_or(name, "?"), strlen(str_or(name, "?")));
	str_addf(out, "%-18.18s %s%-11.11s%s", str_text(&shown), escape,
		str_or(state, "?"), *escape ? "\033[m" : "");
	add_cell(out, row, "cpu", '%');
	add_cell(out, row, "rss", 'b');
	add_cell(out, row, "read", 'b');
	add_cell(out, row, "write", 'b');
	add_cell(out, row, "ops", 'n');
	if (json_is_true(json_object_get(row, "stale")))
		str_add(out, "   stale");
	else
		add_cell(out, row, "uptime", 't');
	str_addc(out, '\n');
}

static void add_rows(
	const struct top *t, struct str *out, size_t room, bool color)
{
	size_t i;
	json_t *row;

	str_addf(out, "%s%-18s %-11s %7s %7s %7s %7s %7s %7s%s\n",
		color ? "\033[7m" : "", "NAME", "STATE", "CPU%", "RSS",
		"READ/S", "WRITE/S", "OPS/S", "UPTIME", color ? "\033[m" : "");
	json_array_foreach(t->rows, i, row)
	{
		if (i + 1 == room && json_array_size(t->rows) > room) {
			str_addf(out, "... and %zu more\n",
				json_array_size(t->rows) - i);
			return;
		}
		add_row(row, out, color);
	}
}

static void print_json(const struct top *t)
{
	json_t *frame =
		json_pack("{s:O?,s:O}", "host", t->now.host, "vms", t->rows);

	json_dumpf(frame, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(frame);
}

static void print_frame(const struct top *t)
{
	AUTO_STR struct str text = STR_INIT;

	if (t->call->opt.json) {
		print_json(t);
	} else {
		add_head(t, &text);
		add_rows(t, &text, SIZE_MAX,
			print_has_color(&t->call->opt, t->call->opt.tty_out));
		printf("%s\n", str_text(&text));
	}
	fflush(stdout);
}

static void show_frame(const struct top *t, struct screen *s)
{
	AUTO_STR struct str text = STR_INIT;
	bool color = print_has_color(&t->call->opt, true);

	screen_measure(s);
	add_head(t, &text);
	str_addc(&text, '\n');
	add_rows(t, &text, s->rows > 6 ? s->rows - 6 : 1, color);
	str_add(&text, "\n[q]uit  sort:");
	for (size_t i = 0; i < NELEMS(orders); i++)
		str_addf(&text, " %s%s%s",
			color && t->order == &orders[i] ? "\033[1m" : "",
			orders[i].column,
			color && t->order == &orders[i] ? "\033[m" : "");
	screen_show(s, &text);
}

/* ---- the loop ---- */

static const struct order *order_by(const char *text)
{
	for (size_t i = 0; i < NELEMS(orders); i++)
		if (str_eq(orders[i].member, text))
			return &orders[i];
	return NULL;
}

static int64_t interval_of(const struct top *t)
{
	return call_ms(t->call, "interval", INTERVAL_MS);
}

static int batch(struct top *t, struct err *err)
{
	poll(NULL, 0,
		(int)(interval_of(t) < FIRST_MS ? interval_of(t) : FIRST_MS));
	while (t->left-- > 0 && !interrupt_count()) {
		if (look(t, err) < 0)
			return -1;
		print_frame(t);
		if (ferror(stdout) || !t->left)
			break;
		poll(NULL, 0, (int)interval_of(t));
	}
	return 0;
}

/* Obeys keys until the next look is due; false: to the end. */
static bool wait_and_obey(struct top *t, struct screen *s, int64_t until)
{
	while (!interrupt_count() && wire_now_ms() < until) {
		int key = screen_key(until - wire_now_ms());

		if (key == 'q' || key < 0)
			return false;
		for (size_t i = 0; i < NELEMS(orders); i++)
			if (orders[i].key == key)
				t->order = &orders[i];
		sort(t);
		show_frame(t, s); /* also when the size has changed */
	}
	return !interrupt_count();
}

static int live(struct top *t, struct err *err)
{
	int64_t ms = FIRST_MS;
	struct screen s;
	int result = 0;

	if (screen_open(&s, err) < 0)
		return -1;
	do {
		show_frame(t, &s);
		if (!wait_and_obey(t, &s, wire_now_ms() + ms))
			break;
		result = look(t, err);
		ms = interval_of(t);
	} while (result == 0 && --t->left > 0);
	screen_close();
	return interrupt_count() ? 0 : result;
}

static int check(struct top *t, struct err *err)
{
	const char *by = str_or(call_value(t->call, "sort"), "cpu");

	t->order = order_by(by);
	if (interval_of(t) < 100 || interval_of(t) > INT32_MAX)
		return err_set(err, ERR_USAGE, "--interval is at least 100ms");
	if (!t->order)
		return err_set(err, ERR_USAGE, "cannot sort by '%s'", by);
	t->left = call_has(t->call, "once") ? 1
		  : call_has(t->call, "count")
			  ? str_digits(call_value(t->call, "count"))
			  : UINT64_MAX;
	return 0;
}

int verb_top(const struct call *call)
{
	AUTO_WIRE struct wire wire = WIRE_INIT;
	struct top t = { .call = call, .wire = &wire };
	struct err err = ERR_INIT;
	bool plain = call->opt.json || call_has(call, "batch") ||
		     call_has(call, "once");
	int result = -1;

	if (check(&t, &err) < 0 || reach_open(call, false, &wire, &err) < 0)
		return print_error(&call->opt, NULL, &err);
	interrupt_catch();
	if (look(&t, &err) == 0)
		result = plain ? batch(&t, &err) : live(&t, &err);
	sample_fini(&t.before);
	sample_fini(&t.now);
	json_decref(t.rows);
	if (result < 0 && !interrupt_count())
		return print_error(&call->opt, NULL, &err);
	return 0;
}
