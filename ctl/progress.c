/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * web  convert  43 % [######------]  2.1 of 4.9 GiB  118 MiB/s  0:24 left
 */
#include "ctl/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/mem.h"
#include "ctl/grid.h"
#include "ctl/print.h"
#include "ctl/wire.h"

#define QUIET_MS   1000 /* what is over by then shows nothing */
#define REDRAW_MS  200
#define BAR_CELLS  12
#define NAME_LEAST 10 /* cells of it that are worth more than the bar */

void progress_init(struct progress *p, const struct options *opt)
{
	memset(p, 0, sizeof(*p));
	p->opt = opt;
	p->mode = opt->progress;
	p->tenth = -1;
	p->started_ms = wire_now_ms();
	if (p->mode == PROGRESS_AUTO) {
		p->mode = opt->tty_err ? PROGRESS_BAR : PROGRESS_PLAIN;
		p->ends_only = !opt->tty_err;
	}
	if (opt->quiet || opt->json)
		p->mode = PROGRESS_NONE;
}

static void copy(char *to, size_t size, const json_t *data, const char *key)
{
	const char *text = print_member(data, key);

	if (text)
		snprintf(to, size, "%s", text);
}

static uint64_t count(const json_t *data, const char *key)
{
	json_int_t n = json_integer_value(json_object_get(data, key));

	return n > 0 ? (uint64_t)n : 0;
}

void progress_event(struct progress *p, const json_t *data)
{
	const char *job = print_member(data, "job");

	if (job && !str_eq(job, p->job)) {
		p->first_ms = wire_now_ms();
		p->first_done = count(data, "done");
		p->tenth = -1;
	}
	copy(p->job, sizeof(p->job), data, "job");
	copy(p->vm, sizeof(p->vm), data, "vm");
	copy(p->vm, sizeof(p->vm), data, "image");
	copy(p->kind, sizeof(p->kind), data, "kind");
	copy(p->phase, sizeof(p->phase), data, "phase");
	p->done = count(data, "done");
	p->total = count(data, "total");
	if (p->done > p->total)
		p->done = p->total;
}

/* A unit for both numbers of "2.1 of 4.9 GiB". */
static double unit_of(uint64_t bytes, const char **name)
{
	static const char *const names[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	double unit = 1;
	size_t i = 0;

	while ((double)bytes / unit >= 1000 && i + 1 < NELEMS(names)) {
		unit *= 1024;
		i++;
	}
	*name = names[i];
	return unit;
}

static void add_rate(const struct progress *p, int64_t now_ms, struct str *out)
{
	int64_t ms = now_ms - p->first_ms;
	const char *name;
	double rate;
	double unit;
	uint64_t left;

	if (ms < 500 || p->done <= p->first_done)
		return;
	rate = (double)(p->done - p->first_done) * 1000.0 / (double)ms;
	unit = unit_of((uint64_t)rate, &name);
	left = (uint64_t)((double)(p->total - p->done) / rate);
	str_addf(out, "  %.0f %s/s  %" PRIu64 ":%02u left", rate / unit, name,
		left / 60, (unsigned)(left % 60));
}

static void add_bytes(
	const struct progress *p, int64_t now_ms, bool bar, struct str *out)
{
	unsigned percent =
		(unsigned)((double)p->done * 100.0 / (double)p->total);
	unsigned full = percent * BAR_CELLS / 100;
	const char *name;
	double unit = unit_of(p->total, &name);

	str_addf(out, "  %u %%", percent);
	for (unsigned i = 0; bar && i < BAR_CELLS; i++)
		str_addf(out, "%s%c%s", i ? "" : " [", i < full ? '#' : '-',
			i + 1 < BAR_CELLS ? "" : "]");
	str_addf(out, "  %.1f of %.1f %s", (double)p->done / unit,
		(double)p->total / unit, name);
	add_rate(p, now_ms, out);
}

/* What is behind the name. */
static void add_state(
	const struct progress *p, int64_t now_ms, bool bar, struct str *out)
{
	const char *what = p->phase[0] ? p->phase : p->kind;

	str_cut(out, 0);
	str_add(out, "  ");
	str_add_visible(out, what, strlen(what));
	if (p->total > 0) {
		add_bytes(p, now_ms, bar, out);
	} else {
		str_add(out, "  ");
		str_add_duration(out, now_ms - p->started_ms);
	}
}

/* Of a long name the end tells most. */
static void add_name(const struct str *name, size_t room, struct str *out)
{
	size_t from = 0;

	if (grid_width(str_text(name)) > room)
		from = name->len - (room > 3 ? room - 3 : 0);
	while (from && from < name->len &&
		((unsigned char)name->data[from] & 0xc0) == 0x80)
		from++;
	str_add(out, from ? "..." : "");
	str_addn(out, str_text(name) + from, name->len - from);
}

void progress_line(
	const struct progress *p, int64_t now_ms, size_t width, struct str *out)
{
	AUTO_STR struct str name = STR_INIT;
	AUTO_STR struct str state = STR_INIT;
	size_t cells;

	str_add_visible(&name, p->vm, strlen(p->vm));
	add_state(p, now_ms, true, &state);
	cells = grid_width(str_text(&name));
	if (cells > NAME_LEAST)
		cells = NAME_LEAST;
	if (cells + grid_width(str_text(&state)) > width)
		add_state(p, now_ms, false, &state);
	add_name(&name, width > state.len ? width - state.len : 0, out);
	str_addn(out, state.data, state.len);
}

/* One cell stays free: a full line would be two on some terminals. */
static size_t columns(void)
{
	struct winsize size = { 0 };

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) || !size.ws_col)
		size.ws_col = 80;
	return size.ws_col - 1u;
}

static void draw_bar(struct progress *p, int64_t now_ms)
{
	AUTO_STR struct str line = STR_INIT;

	if (now_ms - p->drawn_ms < REDRAW_MS)
		return;
	str_add(&line, "\r");
	progress_line(p, now_ms, columns(), &line);
	str_add(&line, "\033[K");
	fflush(stdout);
	fwrite(line.data, 1, line.len, stderr);
	p->drawn = true;
	p->drawn_ms = now_ms;
}

/* One line per 10 %, or only the first. */
static void draw_plain(struct progress *p, int64_t now_ms)
{
	AUTO_STR struct str line = STR_INIT;
	int tenth;

	if (p->total == 0)
		return;
	tenth = (int)((double)p->done * 10.0 / (double)p->total);
	if (tenth <= p->tenth || (p->ends_only && p->tenth >= 0))
		return;
	p->tenth = tenth;
	progress_line(p, now_ms, SIZE_MAX, &line);
	fprintf(stderr, "%s\n", str_text(&line));
}

void progress_tick(struct progress *p, int64_t now_ms)
{
	if (p->mode == PROGRESS_NONE || !p->job[0] ||
		now_ms - p->started_ms < QUIET_MS)
		return;
	if (p->mode == PROGRESS_BAR)
		draw_bar(p, now_ms);
	else
		draw_plain(p, now_ms);
}

void progress_clear(struct progress *p)
{
	if (!p->drawn)
		return;
	fputs("\r\033[K", stderr);
	p->drawn = false;
	p->drawn_ms = 0;
}

void progress_end(struct progress *p, bool well)
{
	AUTO_STR struct str time = STR_INIT;

	progress_clear(p);
	if (p->mode != PROGRESS_PLAIN || p->tenth < 0)
		return;
	str_add_duration(&time, wire_now_ms() - p->started_ms);
	fprintf(stderr, "%s  %s  %s after %s\n", p->vm,
		p->phase[0] ? p->phase : p->kind, well ? "done" : "failed",
		str_text(&time));
}
