/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Times by the wall clock: what is understood, and when the next one is. */
#include "supervisor/calendar.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/unit/tap.h"

#define SECOND 1000000LL

static const struct {
	const char *schedule, *after, *next;
} times[] = {
	{ "hourly", "2026-11-21 12:59:59", "2026-11-21 13:00:00" },
	{ "hourly", "2026-11-21 13:00:00", "2026-11-21 14:00:00" },
	{ "daily", "2026-11-20 23:59:59", "2026-11-21 00:00:00" },
	{ "daily", "2026-11-21 00:00:00", "2026-11-22 00:00:00" },
	{ "daily", "2026-12-31 02:00:00", "2027-01-01 00:00:00" },
	{ "weekly", "2026-11-21 12:00:00", "2026-11-23 00:00:00" },
	{ "weekly", "2026-11-23 00:00:00", "2026-11-30 00:00:00" },
	{ "monthly", "2026-11-21 12:00:00", "2026-12-01 00:00:00" },
	{ "monthly", "2026-12-01 00:00:00", "2027-01-01 00:00:00" },
	{ "03:30", "2026-11-21 03:29:00", "2026-11-21 03:30:00" },
	{ "03:30", "2026-11-21 03:30:00", "2026-11-22 03:30:00" },
	{ "Sat 23:59", "2026-11-21 12:00:00", "2026-11-21 23:59:00" },
	{ "Sun 00:00", "2026-11-21 12:00:00", "2026-11-22 00:00:00" },
	{ "Fri 04:00", "2026-11-21 12:00:00", "2026-11-27 04:00:00" },
	/* Berlin: 02:30 is not there on 29 March, and twice on 25 October */
	{ "02:30", "2026-03-28 12:00:00", "2026-03-29 03:30:00" },
	{ "02:30", "2026-10-24 12:00:00", "2026-10-25 02:30:00" },
	{ "hourly", "2026-03-29 01:30:00", "2026-03-29 03:00:00" },
};

static const char *const bad[] = { "Daily", "24:00", "3:30", "03:60", "Mon",
	"Mon03:00", "mon 03:00", "every day", "03:30 ", "*-*-* 03:00" };

static const char *const bad_keep[] = { "7", "daily", "0 daily", "-1 daily",
	"7daily", "7 days", "7 daily,", ", 7 daily", "999999 daily",
	"1 last, 1 hourly, 1 daily, 1 weekly, 1 monthly, 2 daily" };

static int64_t us_of(const char *text)
{
	struct tm tm;

	memset(&tm, 0, sizeof(tm));
	strptime(text, "%Y-%m-%d %H:%M:%S", &tm);
	tm.tm_isdst = -1;
	return (int64_t)mktime(&tm) * SECOND;
}

static void check_times(void)
{
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		struct spec_calendar c;
		struct err err = ERR_INIT;
		time_t next;
		char text[32];
		struct tm tm;

		is_int(calendar_parse(times[i].schedule, &c, &err), 0,
			"a schedule");
		next = (time_t)(calendar_next(&c, us_of(times[i].after)) /
				SECOND);
		localtime_r(&next, &tm);
		strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm);
		is_str(text, times[i].next, "%s", times[i].schedule);
	}
}

static void check_bad(void)
{
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct spec_calendar c;
		struct err err = ERR_INIT;

		ok(calendar_parse(bad[i], &c, &err) != 0, "'%s' is none",
			bad[i]);
		ok(strstr(err.text, bad[i]) != NULL, "and is named");
	}
	for (size_t i = 0; i < sizeof(bad_keep) / sizeof(bad_keep[0]); i++) {
		struct spec_keep keep;
		struct err err = ERR_INIT;

		ok(calendar_parse_keep(bad_keep[i], &keep, &err) != 0,
			"'%s' is no rule", bad_keep[i]);
	}
}

static void check_keep(void)
{
	struct spec_keep keep;
	struct err err = ERR_INIT;

	is_int(calendar_parse_keep("7 daily , 4  weekly", &keep, &err), 0,
		"two rules");
	is_int((int)keep.n, 2, "are two");
	is_int((int)keep.at[0].count, 7, "seven");
	ok(keep.at[1].unit == KEEP_WEEKLY, "weekly");
	is_int(calendar_parse_keep("", &keep, &err), 0, "none");
	is_int((int)keep.n, 0, "is none");
}

int main(void)
{
	struct spec_calendar never;
	struct err err = ERR_INIT;

	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	tzset();
	check_times();
	check_bad();
	check_keep();
	is_int(calendar_parse("", &never, &err), 0, "none");
	ok(calendar_next(&never, 0) == INT64_MAX, "never comes");
	return done();
}
