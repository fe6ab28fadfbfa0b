/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Questions before something is lost. */
#ifndef CTL_ASK_H
#define CTL_ASK_H

#include <stdbool.h>

#include "base/err.h"
#include "ctl/call.h"

/*
 * Asks "QUESTION [y/N] " on the terminal.  --yes answers at once.  Fails
 * with ERR_USAGE when there is nobody to ask, and on a no.
 */
MUST_CHECK int ask(
	const struct options *opt, const char *question, struct err *err);
/* Asks with yes as the answer of an empty line; false without a terminal. */
bool ask_again(const struct options *opt, const char *question);

#endif
