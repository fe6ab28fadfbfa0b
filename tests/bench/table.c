/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Samples and the table of `make bench`; see bench.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/bench.h"

enum { WIDE = 1024 };

enum { MOST_MISSED = 32 };

static unsigned missed;
static char *missed_rows[MOST_MISSED];

void sample(struct samples *s, double value)
{
	if (s->n == sizeof(s->v) / sizeof(s->v[0]))
		die("too many samples");
	s->v[s->n++] = value;
}

static int by_size(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* A sorted copy. */
static struct samples sorted(const struct samples *s)
{
	struct samples copy = *s;

	qsort(copy.v, copy.n, sizeof(copy.v[0]), by_size);
	return copy;
}

double median(const struct samples *s)
{
	struct samples in = sorted(s);

	if (in.n == 0)
		return 0;
	return in.n % 2 ? in.v[in.n / 2]
			: (in.v[in.n / 2 - 1] + in.v[in.n / 2]) / 2;
}

/* "35.1 (33.9-37.0)" */
static void spell(const struct samples *s, char *out, size_t size)
{
	struct samples in = sorted(s);
	double mid = median(s);
	int digits = mid >= 1000 ? 0 : mid >= 10 ? 1 : mid >= 0.1 ? 2 : 3;

	if (in.n == 0)
		snprintf(out, size, "-");
	else if (in.v[0] >= in.v[in.n - 1])
		snprintf(out, size, "%.*f",
			mid == (double)(long)mid ? 0 : digits, mid);
	else
		snprintf(out, size, "%.*f (%.*f-%.*f)", digits, mid, digits,
			in.v[0], digits, in.v[in.n - 1]);
}

/* Ours against the floor, pair by pair. */
static struct samples pairs(const struct row *row)
{
	struct samples out = { .n = 0 };
	unsigned n = row->floor ? row->floor->n : 0;

	for (unsigned i = 0; i < n && i < row->ours->n; i++)
		sample(&out, row->kind == BAR_MARGIN
				     ? row->ours->v[i] - row->floor->v[i]
				     : row->ours->v[i] / row->floor->v[i]);
	return out;
}

static bool meets(const struct row *row, const struct samples *compared)
{
	switch (row->kind) {
	case BAR_RATIO:
	case BAR_MARGIN:
		return median(compared) <= row->bar;
	case BAR_RATIO_LEAST:
		return median(compared) >= row->bar;
	case BAR_MOST:
		return median(row->ours) <= row->bar;
	case BAR_LEAST:
		return median(row->ours) >= row->bar;
	case BAR_NONE:
		break;
	}
	return true;
}

static void spell_bar(const struct row *row, char *out, size_t size)
{
	static const char *const before[] = { [BAR_NONE] = "",
		[BAR_RATIO] = "<= ",
		[BAR_RATIO_LEAST] = ">= ",
		[BAR_MARGIN] = "floor + ",
		[BAR_MOST] = "<= ",
		[BAR_LEAST] = ">= " };
	bool times = row->kind == BAR_RATIO || row->kind == BAR_RATIO_LEAST;

	*out = '\0';
	if (row->kind != BAR_NONE)
		snprintf(out, size, "%s%g%s", before[row->kind], row->bar,
			times ? "x" : "");
}

void table_head(void)
{
	printf("%-42s %-5s %-20s %-20s %-19s %-11s\n", "what", "unit",
		"floor (range)", "ours (range)", "pair by pair", "bar");
	fflush(stdout);
}

void table_row(const struct row *row)
{
	struct samples compared = pairs(row);
	bool fine = meets(row, &compared);
	char floor[WIDE] = "-", ours[WIDE], ratio[WIDE] = "", bar[WIDE];

	if (row->floor)
		spell(row->floor, floor, sizeof(floor));
	spell(row->ours, ours, sizeof(ours));
	if (compared.n)
		spell(&compared, ratio, sizeof(ratio));
	spell_bar(row, bar, sizeof(bar));
	printf("%-42s %-5s %-20s %-20s %-19s %-11s %s\n", row->what, row->unit,
		floor, ours, ratio, bar,
		row->kind == BAR_NONE ? ""
		: fine                ? "ok"
				      : "MISSED");
	fflush(stdout);
	if (fine)
		return;
	if (missed < MOST_MISSED &&
		asprintf(&missed_rows[missed], "%s: %s, bar %s", row->what,
			compared.n ? ratio : ours, bar) < 0)
		missed_rows[missed] = NULL;
	missed++;
}

void table_note(const char *text)
{
	printf("%s\n", text);
	fflush(stdout);
}

unsigned table_missed(void)
{
	return missed;
}

void table_end(void)
{
	if (missed)
		puts("missed:");
	for (unsigned i = 0; i < missed && i < MOST_MISSED; i++) {
		printf("  %s\n", missed_rows[i] ? missed_rows[i] : "?");
		free(missed_rows[i]);
		missed_rows[i] = NULL;
	}
	printf("%u bars missed\n", missed);
}
