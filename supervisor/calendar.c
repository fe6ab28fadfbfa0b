/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Times by the wall clock; see calendar.h. */
#include "supervisor/calendar.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/str.h"

#define SECOND 1000000

static const char *const days[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri",
	"Sat" };
static const char *const units[] = { "last", "hourly", "daily", "weekly",
	"monthly" };

/* ---- what is written ---- */

static bool two_digits(const char *text, unsigned max, unsigned *out)
{
	if (text[0] < '0' || text[0] > '9' || text[1] < '0' || text[1] > '9')
		return false;
	*out = (unsigned)(text[0] - '0') * 10 + (unsigned)(text[1] - '0');
	return *out <= max;
}

static bool parse_clock(const char *text, struct spec_calendar *out)
{
	return strlen(text) == 5 && text[2] == ':' &&
	       two_digits(text, 23, &out->hour) &&
	       two_digits(text + 3, 59, &out->minute);
}

int calendar_parse(const char *text, void *field, struct err *err)
{
	/* weekly: on Monday; at midnight */
	struct spec_calendar c = { CALENDAR_NEVER, 1, 0, 0 };

	if (str_eq(text, "hourly"))
		c.every = CALENDAR_HOURLY;
	else if (str_eq(text, "daily"))
		c.every = CALENDAR_DAILY;
	else if (str_eq(text, "weekly"))
		c.every = CALENDAR_WEEKLY;
	else if (str_eq(text, "monthly"))
		c.every = CALENDAR_MONTHLY;
	else if (parse_clock(text, &c))
		c.every = CALENDAR_DAILY;
	for (unsigned i = 0; i < NELEMS(days); i++) {
		if (!str_starts(text, days[i]) || text[3] != ' ' ||
			!parse_clock(text + 4, &c))
			continue;
		c.every = CALENDAR_WEEKLY;
		c.weekday = i;
	}
	if (c.every == CALENDAR_NEVER && *text)
		return err_set(err, ERR_CONFIG,
			"%s: say hourly, daily, weekly, monthly, 03:00 or "
			"Mon 03:00",
			text);
	*(struct spec_calendar *)field = c;
	return 0;
}

/* "7 daily"; the first word is a number. */
static bool parse_rule(const char *text, struct spec_keep *keep)
{
	size_t digits = strspn(text, "0123456789");
	const char *rest = text + digits;
	uint64_t count = digits > 0 && digits < 6 ? str_digits(text) : 0;

	if (count == 0 || *rest != ' ' || keep->n == SPEC_KEEP_MAX)
		return false;
	while (*rest == ' ')
		rest++;
	for (unsigned i = 0; i < NELEMS(units); i++) {
		if (!str_eq(rest, units[i]))
			continue;
		keep->at[keep->n].count = (unsigned)count;
		keep->at[keep->n++].unit = (enum spec_keep_unit)i;
		return true;
	}
	return false;
}

int calendar_parse_keep(const char *text, void *field, struct err *err)
{
	AUTO_FREE char *copy = xstrdup(text);
	struct spec_keep keep = { 0 };
	char *rest = copy;

	for (char *rule; *copy && (rule = strsep(&rest, ","));) {
		size_t len;

		while (*rule == ' ')
			rule++;
		for (len = strlen(rule); len > 0 && rule[len - 1] == ' ';)
			rule[--len] = '\0';
		if (!parse_rule(rule, &keep))
			return err_set(err, ERR_CONFIG,
				"%s: say as 7 daily, 4 weekly; of last, "
				"hourly, daily, weekly, monthly",
				text);
	}
	*(struct spec_keep *)field = keep;
	return 0;
}

/* ---- when it is ---- */

static void to_begin(const struct spec_calendar *calendar, struct tm *tm)
{
	tm->tm_sec = 0;
	tm->tm_min =
		calendar->every == CALENDAR_HOURLY ? 0 : (int)calendar->minute;
	if (calendar->every != CALENDAR_HOURLY)
		tm->tm_hour = (int)calendar->hour;
	if (calendar->every == CALENDAR_WEEKLY)
		tm->tm_mday -= (tm->tm_wday - (int)calendar->weekday + 7) % 7;
	if (calendar->every == CALENDAR_MONTHLY)
		tm->tm_mday = 1;
}

static void step(const struct spec_calendar *calendar, struct tm *tm)
{
	tm->tm_hour += calendar->every == CALENDAR_HOURLY;
	tm->tm_mday += calendar->every == CALENDAR_DAILY    ? 1
		       : calendar->every == CALENDAR_WEEKLY ? 7
							    : 0;
	tm->tm_mon += calendar->every == CALENDAR_MONTHLY;
}

int64_t calendar_next(const struct spec_calendar *calendar, int64_t after_us)
{
	time_t after = (time_t)(after_us / SECOND);
	struct tm tm;

	if (calendar->every == CALENDAR_NEVER)
		return INT64_MAX;
	localtime_r(&after, &tm);
	to_begin(calendar, &tm);
	for (unsigned i = 0; i < 4; i++) {
		struct tm there = tm;
		time_t at;

		there.tm_isdst = -1;
		at = mktime(&there);
		if (at != (time_t)-1 && at > after)
			return (int64_t)at * SECOND;
		step(calendar, &tm);
	}
	return (int64_t)after * SECOND + (int64_t)86400 * SECOND;
}
