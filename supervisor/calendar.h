/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Times by the wall clock: `schedule` and `keep`, as people write them, and
 * when the next one is.  Local time; an hour that a change of clocks leaves
 * out is the next one there is.
 */
#ifndef SUPERVISOR_CALENDAR_H
#define SUPERVISOR_CALENDAR_H

#include <stdint.h>

#include "base/err.h"
#include "supervisor/spec.h"

/* hourly, daily, weekly, monthly, HH:MM, Mon HH:MM: parse of a key. */
MUST_CHECK int calendar_parse(const char *text, void *field, struct err *err);
/* "7 daily, 4 weekly": parse of a key. */
MUST_CHECK int calendar_parse_keep(
	const char *text, void *field, struct err *err);
/* The first time after that one, in us of the wall clock; INT64_MAX: none. */
int64_t calendar_next(const struct spec_calendar *calendar, int64_t after_us);

#endif
