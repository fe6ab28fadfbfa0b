/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How pools look to people: a list, one pool with its images. */
#ifndef CTL_POOL_H
#define CTL_POOL_H

#include <jansson.h>
#include <stdbool.h>

#include "ctl/call.h"

/* A table of all pools. */
int pool_show_list(
	const struct call *call, const char *vm, json_t *value, bool many);
/* One pool: a block of lines, then its images. */
int pool_show_info(
	const struct call *call, const char *vm, json_t *value, bool many);

#endif
