/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Times by the wall clock: `schedule` and `keep`, as people write them, and
 * when the next one is.  Local time; an hour that a change of clocks leaves
 * out is the next one there is.
 */
#ifndef SUPERVISOR_CALENDAR_H
#define SUPERVISOR_CALENDAR_H

#include <jansson.h>
#include <stdint.h>

#include "base/err.h"
#include "supervisor/spec.h"

#define CALENDAR_FORM      "hourly, daily, weekly, monthly, HH:MM or Mon HH:MM"
#define CALENDAR_KEEP_FORM "N last|hourly|daily|weekly|monthly, ..."

/* hourly, daily, weekly, monthly, HH:MM, Mon HH:MM: parse of a key. */
MUST_CHECK int calendar_parse(const char *text, void *field, struct err *err);
/* "7 daily, 4 weekly": parse of a key. */
MUST_CHECK int calendar_parse_keep(
	const char *text, void *field, struct err *err);
/* The first time after that one, in us of the wall clock; INT64_MAX: none. */
int64_t calendar_next(const struct spec_calendar *calendar, int64_t after_us);
/*
 * Ids of a list, [{"id", "time", "scheduled", "parent"}], oldest first, that
 * go by `keep`: scheduled ones that no rule keeps and none that is kept needs
 * as its parent.  Newest first; new.
 */
json_t *calendar_expired(const json_t *list, const struct spec_keep *keep);

#endif
