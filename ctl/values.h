/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From typed values to JSON, by the types of the command table. */
#ifndef CTL_VALUES_H
#define CTL_VALUES_H

#include <jansson.h>

#include "base/err.h"
#include "base/verbs.h"
#include "ctl/call.h"

/*
 * Fills call->wire from call->typed and the global options, and checks the
 * values that stay here.  Fails with ERR_USAGE.
 */
MUST_CHECK int values_to_wire(struct call *call, struct err *err);
/* The index of text in "a|b|c", or -1. */
int values_choice(const char *choices, const char *text);

#endif
