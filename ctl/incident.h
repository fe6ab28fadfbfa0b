/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How incidents look to people: a list, or one with its sentences. */
#ifndef CTL_INCIDENT_H
#define CTL_INCIDENT_H

#include <jansson.h>
#include <stdbool.h>

#include "ctl/call.h"

/* [incident list] A table. */
int incident_show_list(
	const struct call *call, const char *vm, json_t *value, bool many);
/* [incident show] Its sentences, and its files with their sizes. */
int incident_show_one(
	const struct call *call, const char *vm, json_t *value, bool many);

#endif
