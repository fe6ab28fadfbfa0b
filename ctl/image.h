/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How images look to people: a list or a tree, one image, a verdict. */
#ifndef CTL_IMAGE_H
#define CTL_IMAGE_H

#include <jansson.h>
#include <stdbool.h>

#include "base/str.h"
#include "ctl/call.h"

/* The images of the pool: a table, or with --tree overlays below bases. */
int image_show_list(
	const struct call *call, const char *vm, json_t *value, bool many);
/* What can be pulled by a name. */
int image_show_catalogue(
	const struct call *call, const char *vm, json_t *value, bool many);
/* One image, a line per fact. */
int image_show_info(
	const struct call *call, const char *vm, json_t *value, bool many);
/* What the check found; returns image_verdict_status(). */
int image_show_verdict(
	const struct call *call, const char *vm, json_t *value, bool many);
/* 1 if the check found errors and left them. */
int image_verdict_status(const struct call *call, const json_t *value);
/* Whether two are the same; returns image_same_status(). */
int image_show_same(
	const struct call *call, const char *vm, json_t *value, bool many);
/* 8 if the two differ. */
int image_same_status(const struct call *call, const json_t *value);
/* Totals, and the first parts. */
int image_show_map(
	const struct call *call, const char *vm, json_t *value, bool many);
/* Appends the question before a verb that loses something; or nothing. */
void image_add_question(const struct call *call, struct str *question);

#endif
