/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Questions go to stderr and answers come from stdin, both terminals: a
 * script is never asked, it says --yes.
 */
#include "ctl/ask.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"

/* The first letter of the answer in lower case, or 0. */
static char read_answer(const char *question, const char *choices)
{
	char line[64];

	fflush(stdout);
	fprintf(stderr, "%s %s ", question, choices);
	if (!fgets(line, sizeof(line), stdin)) {
		fputc('\n', stderr);
		return 'n';
	}
	return (char)(line[0] | 0x20);
}

int ask(const struct options *opt, const char *question, struct err *err)
{
	if (opt->yes)
		return 0;
	if (!opt->tty_in || !opt->tty_err)
		return err_set(err, ERR_USAGE,
			"%s nobody to ask here: say --yes", question);
	if (read_answer(question, "[y/N]") == 'y')
		return 0;
	return err_set(err, ERR_USAGE, "nothing was done");
}

bool ask_again(const struct options *opt, const char *question)
{
	if (!opt->tty_in || !opt->tty_err || opt->yes)
		return false;
	return read_answer(question, "[Y/n]") != 'n';
}
