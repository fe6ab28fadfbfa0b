/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What was typed, once it is understood: the global options, the verb of
 * the table, names of VMs, arguments.  Filled by ctl/args, read by all.
 */
#ifndef CTL_CALL_H
#define CTL_CALL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/paths.h"
#include "base/verbs.h"

enum progress_mode {
	PROGRESS_AUTO,
	PROGRESS_BAR,
	PROGRESS_PLAIN,
	PROGRESS_NONE,
};

enum color_mode { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

/* The global options. */
struct options {
	bool user;
	const char *root;
	const char *file;  /* of `run FILE` */
	const char *hosts; /* HOST[,HOST...]: over ssh */
	bool json;
	bool quiet;
	bool yes;
	bool dry_run;
	bool no_block;
	bool help;
	bool tty_in;
	bool tty_out;
	bool tty_err;
	int64_t timeout_ms; /* -1: none given */
	enum progress_mode progress;
	enum color_mode color;
};

/* One option or positional argument as typed, in the order typed. */
struct typed {
	const struct arg *arg;
	const char *value; /* "" for a bool */
};

struct call {
	struct options opt;
	const struct verb *verb;
	const char **names; /* names, globs, @tags */
	size_t nnames;
	bool all;     /* --all */
	json_t *wire; /* members for the wire, without "vm" */
	struct typed *typed;
	size_t ntyped;
	char *own_name; /* the VM of -f FILE */
	char **argv;    /* all words, and where those behind the verb start */
	int argc;
	int first;
};

/* Releases what it owns; the words are argv's. */
void call_fini(struct call *call);

/* The last value typed for an argument, or NULL. */
const char *call_value(const struct call *call, const char *name);
bool call_has(const struct call *call, const char *name);
/* The value of a duration in ms, or fallback. */
int64_t call_ms(const struct call *call, const char *name, int64_t fallback);
/* Whether a word is a file and not a name: a slash in it, or .ini. */
bool call_is_file(const char *word);
/* Whether a word stands for several VMs: glob or @tag. */
bool call_is_pattern(const char *word);

#endif
