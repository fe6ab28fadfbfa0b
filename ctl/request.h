/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The verbs that are one request per VM: sent all at once, answered in any
 * order, shown in the order typed.
 */
#ifndef CTL_REQUEST_H
#define CTL_REQUEST_H

#include <jansson.h>

#include "base/err.h"
#include "ctl/call.h"

/* How a verb shows the value of its reply; many: names stand in front. */
typedef int (*request_show)(
	const struct call *call, const char *vm, json_t *value, bool many);

struct request_view {
	const char *verb;
	const char *wire;  /* another command than the table's, or NULL */
	request_show show; /* for people; returns an exit status */
	/* Judges the value where --json prints it; or NULL. */
	int (*status)(const struct call *call, const json_t *value);
	/* What comes while it runs, of its own request; or NULL. */
	void (*event)(
		const struct call *call, const char *name, const json_t *data);
	/* With --json the value itself (spread if an array), not
	 * {"vm": ..., members} */
	bool raw;
	bool single; /* show() prints JSON by itself */
	int failure; /* the exit status of every error; or 0 */
};

/* Runs call->verb over the wire; returns the exit status. */
int request_run(const struct call *call, const struct request_view *view);
/* The view of a verb; the one of changing verbs if it has none. */
const struct request_view *request_view_of(const struct verb *verb);

#endif
