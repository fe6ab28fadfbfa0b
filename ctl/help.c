/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `vmward help`: the command table as text. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "ctl/args.h"
#include "ctl/call.h"
#include "ctl/doc.h"
#include "ctl/lookup.h"
#include "ctl/print.h"
#include "ctl/verbs.h"

#define TERM_WIDTH 26

/* "  --timeout D   text", the text indented below a long term. */
static void put_term(const char *term, const char *text)
{
	if (strlen(term) + 4 > TERM_WIDTH)
		printf("  %s\n%*s%s\n", term, TERM_WIDTH, "", text);
	else
		printf("  %-*s%s\n", TERM_WIDTH - 2, term, text);
}

static void put_globals(void)
{
	puts("\nGlobal options");
	for (const struct global_doc *doc = global_docs; doc->name; doc++) {
		AUTO_STR struct str term = STR_INIT;

		if (doc->letter)
			str_addf(&term, "-%c, ", doc->letter);
		str_addf(&term, "--%s", doc->name);
		if (doc->value)
			str_addf(&term, " %s", doc->value);
		put_term(str_text(&term), doc->help);
	}
}

static void help_all(void)
{
	const char *group = "";

	puts("vmward [GLOBAL OPTIONS] VERB [NAME...] [OPTIONS]");
	for (size_t i = 0; i < nverbs; i++) {
		if (verbs[i].flags & VERB_WIRE)
			continue;
		if (!str_eq(group, verbs[i].group)) {
			group = verbs[i].group;
			printf("\n%s\n", group);
		}
		put_term(verbs[i].name, verbs[i].help);
	}
	put_globals();
	puts("\nNAME may be a name, a glob ('web*'), a tag (@prod) or --all.\n"
	     "\"vmward help VERB\" says more; so does vmward(1).");
}

/* What an argument's value is called. */
static const char *value_name(const struct arg *arg)
{
	switch (arg->type) {
	case ARG_INT:
		return "N";
	case ARG_SIZE:
		return "SIZE";
	case ARG_DURATION:
		return "D";
	case ARG_AGO:
		return "T";
	case ARG_FILE:
		return "FILE";
	case ARG_VOLUME:
		return "IMAGE";
	case ARG_WORDS:
		return "WORD...";
	case ARG_VM:
	case ARG_STRING:
		return arg->choices ? arg->choices : "TEXT";
	case ARG_BOOL:
	case ARG_PAIRS:
	case ARG_OBJECT:
		break;
	}
	return NULL;
}

static void put_option(const struct arg *arg)
{
	const char *value = value_name(arg);
	AUTO_STR struct str term = STR_INIT;

	if (arg->letter)
		str_addf(&term, "-%c, ", arg->letter);
	str_addf(&term, "--%s", arg->name);
	if (value && arg->flags & ARG_BARE)
		str_addf(&term, "[=%s]", value);
	else if (value)
		str_addf(&term, " %s", value);
	put_term(str_text(&term), arg->help);
}

static void put_arguments(const struct verb *verb)
{
	bool any = false;

	for (size_t i = 0; i < verb->nargs; i++) {
		const struct arg *arg = &verb->args[i];

		if (arg->flags & ARG_WIRE)
			continue;
		if (!any)
			putchar('\n');
		any = true;
		if (arg->flags & ARG_OPTION)
			put_option(arg);
		else
			put_term(arg->name, arg->help);
	}
}

int doc_help(const struct verb *verb)
{
	if (!verb) {
		help_all();
		return 0;
	}
	printf("vmward %s%s%s\n\n%s.\n", verb->name, *verb->usage ? " " : "",
		verb->usage, verb->help);
	if (verb->more)
		printf("\n%s\n", verb->more);
	put_arguments(verb);
	if (verb->aliases)
		printf("\nAlso called: %s\n", verb->aliases);
	return 0;
}

bool doc_help_noun(const char *noun)
{
	size_t len = strlen(noun);
	bool found = false;

	for (size_t i = 0; i < nverbs; i++) {
		AUTO_STR struct str term = STR_INIT;

		if (!str_starts(verbs[i].name, noun) ||
			verbs[i].name[len] != ' ')
			continue;
		found = true;
		str_addf(&term, "%s %s", verbs[i].name, verbs[i].usage);
		put_term(str_text(&term), verbs[i].help);
	}
	return found;
}

int verb_help(const struct call *call)
{
	const char *words[2];
	struct err err = ERR_INIT;
	const struct verb *verb;
	size_t n = call->ntyped < 2 ? call->ntyped : 2;
	int used;

	if (n == 0)
		return doc_help(NULL);
	words[0] = call->typed[0].value;
	words[1] = n > 1 ? call->typed[1].value : NULL;
	if (n == 1 && doc_help_noun(words[0]))
		return 0;
	verb = lookup_verb(words, (int)n, call->opt.tty_in, &used, &err);
	if (!verb)
		return print_error(&call->opt, NULL, &err);
	return doc_help(verb);
}
