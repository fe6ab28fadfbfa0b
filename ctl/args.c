/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The grammar of the command line, from the command table: global options
 * (anywhere, but a verb's own option of that name comes first), the verb of
 * one or two words, names, then the verb's arguments in the table's order.
 */
#include "ctl/args.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "ctl/lookup.h"
#include "ctl/values.h"

const struct global_doc global_docs[] = {
	{ "host", 'H', "HOST[,HOST...]", "run it there by ssh" },
	{ "user", 0, NULL, "the caller's own supervisor" },
	{ "file", 'f', "FILE", "the VM that run FILE supervises" },
	{ "root", 0, "DIR", "all files of a supervisor below DIR" },
	{ "json", 0, NULL, "JSON on standard output, errors too" },
	{ "quiet", 'q', NULL, "no results and notes, only errors" },
	{ "yes", 'y', NULL, "answer yes to questions" },
	{ "dry-run", 'n', NULL, "print what would be done" },
	{ "no-block", 0, NULL, "return at once with the id of a job" },
	{ "timeout", 0, "D", "give up after this time: 90s, 2min" },
	{ "progress", 0, "auto|bar|plain|none", "how to show progress" },
	{ "color", 0, "auto|always|never", "colours; NO_COLOR is obeyed" },
	{ "help", 'h', NULL, "help on the verb" },
	{ NULL, 0, NULL, NULL },
};

/* The words still to be read. */
struct words {
	struct call *call;
	char **argv;
	int argc;
	int at;
	bool only_words;     /* after "--" */
	const char *letters; /* rest of "-qy", or NULL */
	char **plain;        /* words that are no options */
	size_t nplain;
};

void args_init(struct options *opt)
{
	const char *scope = getenv("VMWARD_SCOPE");
	const char *no_color = getenv("NO_COLOR");

	memset(opt, 0, sizeof(*opt));
	opt->timeout_ms = -1;
	opt->user = scope && str_eq(scope, "user");
	opt->tty_in = isatty(STDIN_FILENO) == 1;
	opt->tty_out = isatty(STDOUT_FILENO) == 1;
	opt->tty_err = isatty(STDERR_FILENO) == 1;
	if (no_color && *no_color)
		opt->color = COLOR_NEVER;
}

static int set_choice(const char *name, const char *choices, const char *text,
	int *out, struct err *err)
{
	*out = values_choice(choices, text);
	if (*out < 0)
		return err_set(err, ERR_USAGE, "--%s: '%s' is not one of %s",
			name, text, choices);
	return 0;
}

/* Stores a global option. */
static int set_global(struct options *opt, const struct global_doc *doc,
	const char *value, struct err *err)
{
	int choice;

	if (str_eq(doc->name, "host"))
		opt->hosts = value;
	else if (str_eq(doc->name, "user"))
		opt->user = true;
	else if (str_eq(doc->name, "file"))
		opt->file = value;
	else if (str_eq(doc->name, "root"))
		opt->root = value;
	else if (str_eq(doc->name, "json"))
		opt->json = true;
	else if (str_eq(doc->name, "quiet"))
		opt->quiet = true;
	else if (str_eq(doc->name, "yes"))
		opt->yes = true;
	else if (str_eq(doc->name, "dry-run"))
		opt->dry_run = true;
	else if (str_eq(doc->name, "no-block"))
		opt->no_block = true;
	else if (str_eq(doc->name, "help"))
		opt->help = true;
	else if (str_eq(doc->name, "timeout")) {
		if (str_to_ms(value, false, &opt->timeout_ms, err) < 0) {
			err_wrap(err, "--timeout: ");
			err->code = ERR_USAGE;
			return -1;
		}
	} else if (str_eq(doc->name, "progress")) {
		if (set_choice("progress", doc->value, value, &choice, err) < 0)
			return -1;
		opt->progress = (enum progress_mode)choice;
	} else {
		if (set_choice("color", doc->value, value, &choice, err) < 0)
			return -1;
		opt->color = (enum color_mode)choice;
	}
	return 0;
}

static void add_typed(
	struct call *call, const struct arg *arg, const char *value)
{
	call->typed = xreallocarray(
		call->typed, call->ntyped + 1, sizeof(*call->typed));
	call->typed[call->ntyped].arg = arg;
	call->typed[call->ntyped].value = value;
	call->ntyped++;
}

/* Whether an argument is typed as an option. */
static bool is_option(const struct arg *arg)
{
	return arg->flags & ARG_OPTION;
}

static const struct arg *find_option(
	const struct verb *verb, const char *name, size_t len, char letter)
{
	for (size_t i = 0; verb && i < verb->nargs; i++) {
		const struct arg *arg = &verb->args[i];

		if (!is_option(arg))
			continue;
		if (letter ? arg->letter == letter
			   : strlen(arg->name) == len &&
					!strncmp(arg->name, name, len))
			return arg;
	}
	return NULL;
}

static const struct global_doc *find_global(
	const char *name, size_t len, char letter)
{
	for (const struct global_doc *doc = global_docs; doc->name; doc++)
		if (letter ? doc->letter == letter
			   : strlen(doc->name) == len &&
					!strncmp(doc->name, name, len))
			return doc;
	return NULL;
}

static int unknown_option(
	const struct verb *verb, const char *word, struct err *err)
{
	const char *names[64];
	const char *near;
	size_t n = 0;

	for (size_t i = 0; verb && i < verb->nargs && n < 40; i++)
		if (is_option(&verb->args[i]))
			names[n++] = verb->args[i].name;
	for (const struct global_doc *doc = global_docs; doc->name; doc++)
		names[n++] = doc->name;
	names[n] = NULL;
	near = str_starts(word, "--") ? str_nearest(word + 2, names) : NULL;
	if (near)
		return err_set(err, ERR_USAGE,
			"unknown option %s (did you mean --%s?)", word, near);
	return err_set(err, ERR_USAGE, "unknown option %s", word);
}

/* The value of an option: glued to it, or the next word. */
static const char *take_value(
	struct words *w, const char *glued, const char *name, struct err *err)
{
	if (glued)
		return glued;
	if (w->at < w->argc)
		return w->argv[w->at++];
	err_set(err, ERR_USAGE, "--%s needs a value", name);
	return NULL;
}

/* Stores an option of the verb. */
static int set_option(struct words *w, const struct arg *arg, const char *glued,
	struct err *err)
{
	const char *value = "";

	if (arg->type == ARG_BOOL) {
		if (glued)
			return err_set(err, ERR_USAGE, "--%s takes no value",
				arg->name);
	} else if (arg->type == ARG_WORDS) {
		/* CMD and all that follows it: for vmwardd */
		value = take_value(w, glued, arg->name, err);
		w->at = w->argc;
	} else if (!glued && arg->flags & ARG_BARE) {
		value = NULL;
	} else {
		value = take_value(w, glued, arg->name, err);
	}
	if (!value && !(arg->flags & ARG_BARE))
		return -1;
	add_typed(w->call, arg, value);
	return 0;
}

static bool takes_all(const struct verb *verb)
{
	return verb && verb->flags & VERB_MANY;
}

/* "--name", "--name=value" or one letter: the verb's own option first. */
static int read_option(struct words *w, const char *name, char letter,
	const char *glued, struct err *err)
{
	char shown[48];
	int shown_len;
	size_t len = letter ? 0 : strcspn(name, "=");
	const struct global_doc *doc;
	const struct arg *arg;
	const char *value = "";

	shown_len = len < 40 ? (int)len : 40;
	if (!letter && name[len])
		glued = name + len + 1;
	arg = find_option(w->call->verb, name, len, letter);
	if (arg)
		return set_option(w, arg, glued, err);
	if (!letter && str_eq(name, "all") && takes_all(w->call->verb)) {
		w->call->all = true;
		return 0;
	}
	doc = find_global(name, len, letter);
	/* -f behind a verb would hide a slip: only before it */
	if (!doc || (letter == 'f' && w->call->verb)) {
		if (letter)
			snprintf(shown, sizeof(shown), "-%c", letter);
		else
			snprintf(shown, sizeof(shown), "--%.*s", shown_len,
				name);
		return unknown_option(w->call->verb, shown, err);
	}
	if (doc->value)
		value = take_value(w, glued, doc->name, err);
	else if (glued && !letter)
		return err_set(
			err, ERR_USAGE, "--%s takes no value", doc->name);
	return value ? set_global(&w->call->opt, doc, value, err) : -1;
}

/* Whether a letter's option takes a value, so that the rest is glued. */
static bool letter_takes_value(const struct call *call, char letter)
{
	const struct arg *arg = find_option(call->verb, "", 0, letter);
	const struct global_doc *doc = find_global("", 0, letter);

	if (arg)
		return arg->type != ARG_BOOL;
	return doc && doc->value;
}

/* "-qy", "-n5", "-n 5". */
static int read_letters(struct words *w, const char *word, struct err *err)
{
	for (const char *c = word + 1; *c; c++) {
		bool glue = letter_takes_value(w->call, *c);

		if (read_option(w, "", *c, glue && c[1] ? c + 1 : NULL, err) <
			0)
			return -1;
		if (glue)
			break;
	}
	return 0;
}

/* Reads options up to the next plain word, which it leaves. */
static int read_options(struct words *w, struct err *err)
{
	while (w->at < w->argc) {
		const char *word = w->argv[w->at];

		if (w->only_words || word[0] != '-' || !word[1])
			return 0;
		w->at++;
		if (str_eq(word, "--"))
			w->only_words = true;
		else if (word[1] == '-') {
			if (read_option(w, word + 2, 0, NULL, err) < 0)
				return -1;
		} else if (read_letters(w, word, err) < 0) {
			return -1;
		}
	}
	return 0;
}

/* The VM's name, where -f FILE lets one leave it out. */
static int take_names(struct words *w, size_t *used, struct err *err)
{
	struct call *call = w->call;
	const struct verb *verb = call->verb;
	bool many = verb->flags & VERB_MANY;
	bool named = w->nplain > 0;

	*used = 0;
	if (!(verb->flags & (VERB_MANY | VERB_ONE)))
		return 0;
	if (call->own_name &&
		(!named || (!many && !str_eq(w->plain[0], call->own_name))))
		named = false;
	call->names = xcalloc(w->nplain + 1, sizeof(*call->names));
	if (named) {
		*used = many ? w->nplain : 1;
		for (size_t i = 0; i < *used; i++)
			call->names[i] = w->plain[i];
		call->nnames = *used;
	} else if (call->own_name) {
		call->names[0] = call->own_name;
		call->nnames = 1;
	}
	if (call->nnames || call->all || verb->flags & VERB_MAYBE)
		return 0;
	return err_set(err, ERR_USAGE, "which VM? vmward %s %s", verb->name,
		verb->usage);
}

/* Puts the plain words behind the names into the table's arguments. */
static int take_plain(struct words *w, size_t at, struct err *err)
{
	const struct verb *verb = w->call->verb;

	for (size_t i = 0; i < verb->nargs; i++) {
		const struct arg *arg = &verb->args[i];
		bool rest = arg->type == ARG_WORDS || arg->type == ARG_PAIRS ||
			    arg->type == ARG_OBJECT;

		if (arg->flags & (ARG_OPTION | ARG_WIRE))
			continue;
		if (at >= w->nplain && !(arg->flags & ARG_OPTIONAL))
			return err_set(err, ERR_USAGE,
				"%s is missing: vmward %s %s", arg->name,
				verb->name, verb->usage);
		while (at < w->nplain) {
			add_typed(w->call, arg, w->plain[at++]);
			if (!rest)
				break;
		}
	}
	if (at < w->nplain)
		return err_set(err, ERR_USAGE,
			"'%s' is one word too many: vmward %s %s", w->plain[at],
			verb->name, verb->usage);
	return 0;
}

static int find_own_name(struct call *call, struct err *err)
{
	if (!call->opt.file)
		return 0;
	call->own_name = paths_vm_name(call->opt.file);
	if (call->own_name)
		return 0;
	return err_set(
		err, ERR_USAGE, "-f %s: not the file of a VM", call->opt.file);
}

/* Whether the last plain word is the first of a command: all else is its. */
static bool begins_command(const struct words *w)
{
	const struct verb *verb = w->call->verb;
	const char *own = w->call->own_name;
	size_t names = own && !str_eq(w->plain[0], own) ? 0 : 1;

	return verb->nargs > 0 && verb->args[0].flags & ARG_REST &&
	       w->nplain > names;
}

/* Everything behind the verb. */
static int read_rest(struct words *w, struct err *err)
{
	size_t used;

	if (find_own_name(w->call, err) < 0)
		return -1;
	while (w->at < w->argc) {
		if (read_options(w, err) < 0)
			return -1;
		if (w->at < w->argc) {
			w->plain[w->nplain++] = w->argv[w->at++];
			w->only_words |= begins_command(w);
		}
	}
	if (w->call->opt.help)
		return 0;
	if (take_names(w, &used, err) < 0)
		return -1;
	return take_plain(w, used, err);
}

static int read_line(struct words *w, struct err *err)
{
	struct call *call = w->call;
	int used;

	if (read_options(w, err) < 0)
		return -1;
	if (w->at >= w->argc) {
		if (!call->opt.help)
			return err_set(err, ERR_USAGE,
				"which verb? \"vmward help\" lists them");
		return 0;
	}
	call->verb = lookup_verb((const char *const *)w->argv + w->at,
		w->argc - w->at, call->opt.tty_in, &used, err);
	if (!call->verb)
		return -1;
	w->at += used;
	call->first = w->at;
	if (read_rest(w, err) < 0)
		return err_wrap(err, "%s: ", call->verb->name);
	return 0;
}

int args_parse(struct call *call, int argc, char **argv, struct err *err)
{
	struct words w = { .call = call, .argv = argv, .argc = argc, .at = 1 };
	AUTO_FREE char **plain = xcalloc((size_t)argc + 1, sizeof(*plain));

	w.plain = plain;
	call->argc = argc;
	call->argv = argv;
	call->first = argc;
	if (read_line(&w, err) < 0)
		return -1;
	if (!call->verb || call->opt.help)
		return 0;
	if (values_to_wire(call, err) < 0)
		return err_wrap(err, "%s: ", call->verb->name);
	return 0;
}
