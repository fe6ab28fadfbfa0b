/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The grammar of the command line: words into a call. */
#ifndef CTL_ARGS_H
#define CTL_ARGS_H

#include "base/err.h"
#include "ctl/call.h"

/* Defaults from the environment and the three terminals. */
void args_init(struct options *opt);
/*
 * Reads the whole command line.  Fails with ERR_USAGE.  With --help, or
 * without any word, call->verb may stay NULL and opt.help is set.
 */
MUST_CHECK int args_parse(
	struct call *call, int argc, char **argv, struct err *err);
/* One global option, for help and completion; NULL name ends the table. */
struct global_doc {
	const char *name;  /* "timeout" */
	char letter;       /* or 0 */
	const char *value; /* "D", or NULL for a flag */
	const char *help;
};
extern const struct global_doc global_docs[];

#endif
