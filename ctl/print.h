/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What people and programs read: one-line errors, JSON arrays, text that is
 * safe on a terminal, colours.
 */
#ifndef CTL_PRINT_H
#define CTL_PRINT_H

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"
#include "ctl/call.h"

/*
 * "vmward: web: text" on stderr, or with --json one line {"error": {...}};
 * vm may be NULL.  Returns the exit status of the error.
 */
int print_error(
	const struct options *opt, const char *vm, const struct err *err);
/* The same for the error object of a reply. */
int print_reply_error(
	const struct options *opt, const char *vm, const json_t *error);
/* A note on stderr, "vmward: web: text"; not with --quiet. */
void print_note(const struct options *opt, const char *vm, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* A warning on stderr, each text once in this process' life. */
void print_once(const struct options *opt, const char *text);
/* Text from outside on stdout, control bytes made visible; no newline. */
void print_text(const char *text);
/* "   label: text" on stdout, if there is a text; label to the right. */
void print_labelled(int width, const char *label, const char *text);
/* A JSON array on stdout, one element a line. */
void print_array(const json_t *array);
/* One JSON value on stdout, on one line; indented for a terminal. */
void print_value(const struct options *opt, const json_t *value);
/* Whether to colour a stream that is (not) a terminal. */
bool print_has_color(const struct options *opt, bool tty);
/* The name of the colour of a VM's state, or NULL. */
const char *print_state_color(const char *state);
/* The escape sequence of a colour's name. */
const char *print_escape(const char *color);
/* Whether bytes outside ASCII are in it: then a locale is needed. */
bool print_needs_locale(const char *text);
/* A member that is a string, or NULL. */
const char *print_member(const json_t *object, const char *key);
/* Ends stdout; exit status 1 with a line if it could not be written. */
int print_end(int status);

#endif
