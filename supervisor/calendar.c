/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Times by the wall clock; see calendar.h. */
#include "supervisor/calendar.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/jstream.h"
#include "base/mem.h"
#include "base/member.h"

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

/* ---- what stays ---- */

/* The period of a rule that a time is in; the same for all of one period. */
static long long period_of(enum spec_keep_unit unit, json_int_t time_us)
{
	time_t seconds = (time_t)(time_us / 1000000);
	struct tm tm;

	localtime_r(&seconds, &tm);
	switch (unit) {
	case KEEP_LAST:
		return time_us;
	case KEEP_HOURLY:
		return ((long long)tm.tm_year * 366 + tm.tm_yday) * 24 +
		       tm.tm_hour;
	case KEEP_DAILY:
		return (long long)tm.tm_year * 366 + tm.tm_yday;
	case KEEP_WEEKLY: /* from Monday on; the epoch was a Thursday */
		return ((long long)seconds + tm.tm_gmtoff + 3 * 86400) /
		       (7 * 86400);
	case KEEP_MONTHLY:
		return (long long)tm.tm_year * 12 + tm.tm_mon;
	}
	return 0;
}

static bool is_scheduled(const json_t *one)
{
	return json_is_true(json_object_get(one, "scheduled"));
}

/* The newest of each of the last `count` periods that have one. */
static void keep_by(const json_t *list, enum spec_keep_unit unit,
	unsigned count, json_t *kept)
{
	long long last = -1;

	for (size_t i = json_array_size(list); i-- > 0 && count > 0;) {
		const json_t *one = json_array_get(list, i);
		long long period = period_of(
			unit, json_integer_value(json_object_get(one, "time")));

		if (!is_scheduled(one) || period == last)
			continue;
		last = period;
		count--;
		json_object_set_new(kept, member_text(one, "id"), json_true());
	}
}

json_t *calendar_expired(const json_t *list, const struct spec_keep *keep)
{
	AUTO_JSON json_t *kept = json_object();
	json_t *gone = json_array();

	if (keep->n == 0)
		return gone;
	for (unsigned i = 0; i < keep->n; i++)
		keep_by(list, keep->at[i].unit, keep->at[i].count, kept);
	for (size_t i = json_array_size(list); i-- > 0;) {
		const json_t *one = json_array_get(list, i);

		if (is_scheduled(one) &&
			!json_object_get(kept, member_text(one, "id")))
			json_array_append_new(
				gone, json_string(member_text(one, "id")));
		else if (*member_text(one, "parent"))
			json_object_set_new(
				kept, member_text(one, "parent"), json_true());
	}
	return gone;
}
