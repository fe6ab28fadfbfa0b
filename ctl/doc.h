/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Help and the generated sections of the man pages, from the tables. */
#ifndef CTL_DOC_H
#define CTL_DOC_H

#include "base/verbs.h"

/* Help on a verb, or on all of them (NULL), on stdout.  Returns 0. */
int doc_help(const struct verb *verb);
/* The verbs of a noun ("disk"); false if there are none. */
bool doc_help_noun(const char *noun);
/*
 * mdoc of COMMANDS, OPTIONS, EXIT, ERRORS, WIRE or EVENTS on stdout: what
 * replaces the marker @NAME@ in man/NAME.in.  2 for an unknown section.
 */
int doc_print(const char *section);

#endif
