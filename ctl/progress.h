/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a job is doing, on stderr, once it takes longer than a second: a bar
 * on a terminal, start and end lines (or one per 10 %) elsewhere.
 */
#ifndef CTL_PROGRESS_H
#define CTL_PROGRESS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "ctl/call.h"

struct progress {
	const struct options *opt;
	enum progress_mode mode; /* never AUTO: BAR, PLAIN or NONE */
	bool ends_only;          /* not asked for: start and end lines */
	bool drawn;              /* a bar is on the line */
	int64_t started_ms;
	int64_t drawn_ms;
	int tenth; /* last tenth printed, -1: none */
	char job[24];
	char vm[80];
	char kind[40];
	char phase[64];
	uint64_t done;
	uint64_t total;      /* 0: not in bytes */
	uint64_t first_done; /* for the rate */
	int64_t first_ms;
};

/* Starts the clock; opt is borrowed. */
void progress_init(struct progress *p, const struct options *opt);
/* The data of a JOB_STATUS event. */
void progress_event(struct progress *p, const json_t *data);
/* Draws if it is time. */
void progress_tick(struct progress *p, int64_t now_ms);
/* Takes the bar away: before other lines are printed, and at the end. */
void progress_clear(struct progress *p);
/* The end: clears, or prints the end line. */
void progress_end(struct progress *p, bool well);
/* The line itself; what does not fit into the width goes: the beginning of a
 * long name, then the bar, then more of the name. */
void progress_line(const struct progress *p, int64_t now_ms, size_t width,
	struct str *out);

#endif
