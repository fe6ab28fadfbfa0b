/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mdoc from the tables, for the markers of man/vmward.1.in and
 * man/vmward-protocol.7.in.
 */
#include "ctl/doc.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "ctl/args.h"

/* Text of the tables in mdoc: no macro at a line's start, no escapes. */
static void put_text(const char *text)
{
	if (*text == '.' || *text == '\'')
		fputs("\\&", stdout);
	for (; *text; text++)
		if (*text == '\\')
			fputs("\\e", stdout);
		else if (*text == '"')
			fputs("\\(dq", stdout);
		else if (*text == '^')
			fputs("\\(ha", stdout);
		else if (*text == '-')
			fputs("\\-", stdout);
		else
			putchar(*text);
}

/* Several sentences, each on a line of its own. */
static void put_paragraph(const char *text)
{
	while (*text) {
		const char *end = strstr(text, ". ");
		AUTO_FREE char *one = xstrndup(
			text, end ? (size_t)(end - text) + 1 : strlen(text));

		put_text(one);
		putchar('\n');
		text += strlen(one);
		text += strspn(text, " ");
	}
}

static void put_line(const char *text)
{
	put_text(text);
	putchar('\n');
}

/* A sentence: capital first letter, full stop. */
static void put_sentence(const char *text)
{
	if (*text >= 'a' && *text <= 'z') {
		putchar(*text - 'a' + 'A');
		text++;
	}
	put_text(text);
	fputs(".\n", stdout);
}

static void put_args(const struct verb *verb, bool wire)
{
	unsigned skip = wire ? ARG_LOCAL : ARG_WIRE;
	bool any = false;

	for (size_t i = 0; i < verb->nargs; i++) {
		const struct arg *arg = &verb->args[i];

		if (arg->flags & skip)
			continue;
		if (!any)
			puts(".Bl -tag -width Ds -compact");
		any = true;
		if (wire)
			printf(".It Va %s", arg->name);
		else if (arg->flags & ARG_OPTION && arg->letter)
			printf(".It Fl %c , \\-%s", arg->letter, arg->name);
		else if (arg->flags & ARG_OPTION)
			printf(".It Fl \\-%s", arg->name);
		else
			printf(".It Ar %s", arg->name);
		putchar('\n');
		put_text(arg->help);
		if (arg->choices)
			printf(" (%s)", arg->choices);
		putchar('\n');
	}
	if (any)
		puts(".El");
}

static void put_aliases(const struct verb *verb)
{
	if (verb->aliases)
		printf("Also called\n.Ic %s .\n", verb->aliases);
}

static void commands(void)
{
	const char *group = "";

	for (size_t i = 0; i < nverbs; i++) {
		const struct verb *verb = &verbs[i];

		if (verb->flags & VERB_WIRE)
			continue;
		if (!str_eq(group, verb->group)) {
			if (*group)
				puts(".El");
			group = verb->group;
			printf(".Ss %s\n.Bl -tag -width Ds\n", group);
		}
		printf(".It Ic %s", verb->name);
		if (*verb->usage) {
			fputs(" Ar \"", stdout);
			put_text(verb->usage);
			putchar('"');
		}
		putchar('\n');
		put_sentence(verb->help);
		if (verb->more)
			put_paragraph(verb->more);
		put_aliases(verb);
		put_args(verb, false);
	}
	puts(".El");
}

static void options(void)
{
	puts(".Bl -tag -width Ds");
	for (const struct global_doc *doc = global_docs; doc->name; doc++) {
		if (doc->letter)
			printf(".It Fl %c , \\-%s", doc->letter, doc->name);
		else
			printf(".It Fl \\-%s", doc->name);
		if (doc->value)
			printf(" Ar %s", doc->value);
		putchar('\n');
		put_sentence(doc->help);
	}
	puts(".El");
}

static void exits(void)
{
	static const struct {
		int status;
		const char *text;
	} list[] = {
		{ 0, "Done, or already so." },
		{ 1, "It failed, or a file is bad." },
		{ 2, "Wrong usage, or a question with nobody to ask." },
		{ 3, "The VM is in the wrong state, or not running." },
		{ 4, "No such VM, network, image, device or job." },
		{ 5, "The time limit passed." },
		{ 6, "The supervisor cannot be reached." },
		{ 7, "Not permitted." },
		{ 8, "It differs, where --exit-code asked." },
		{ 125, "The command in the guest never ran." },
		{ 130, "Interrupted." },
	};

	puts(".Bl -tag -width 130 -compact");
	for (size_t i = 0; i < NELEMS(list); i++) {
		printf(".It %d\n", list[i].status);
		put_line(list[i].text);
	}
	puts(".El");
}

static void errors(void)
{
	puts(".Bl -column \"UNSUPPORTED\" \"exit\" -compact\n"
	     ".It Em code Ta Em exit Ta Em meaning");
	for (int code = ERR_NONE + 1; code < ERR_NCODES; code++) {
		printf(".It %s Ta %d Ta ", err_code_name((enum err_code)code),
			err_code_status((enum err_code)code));
		put_line(err_code_text((enum err_code)code));
	}
	puts(".El");
}

static const char *type_name(const struct arg *arg)
{
	switch (arg->type) {
	case ARG_INT:
	case ARG_SIZE:
		return "int";
	case ARG_BOOL:
		return "bool";
	case ARG_DURATION:
	case ARG_AGO:
		return "number";
	case ARG_PAIRS:
	case ARG_OBJECT:
		return "object";
	case ARG_WORDS:
		return "array";
	case ARG_VM:
	case ARG_STRING:
	case ARG_FILE:
	case ARG_VOLUME:
		break;
	}
	return "string";
}

/* One member: its name, "?" if it may be left out, its type. */
static void wire_member(const char *name, bool optional, const char *type,
	const char *unit, bool first)
{
	printf("%s.Va %s%s\n(%s%s)", first ? "" : ",\n", name,
		optional ? "?" : "", type, unit);
}

static void wire_members(const struct verb *verb)
{
	bool first = true;

	fputs("Members:\n", stdout);
	if (verb->flags & (VERB_MANY | VERB_ONE)) {
		wire_member("vm", verb->flags & VERB_MAYBE, "string", "", true);
		first = false;
	}
	for (size_t i = 0; i < verb->nargs; i++) {
		const struct arg *arg = &verb->args[i];
		bool time = arg->type == ARG_DURATION || arg->type == ARG_AGO;

		if (arg->flags & ARG_LOCAL)
			continue;
		wire_member(arg->name, arg->flags & ARG_OPTIONAL,
			type_name(arg), time ? ", seconds" : "", first);
		first = false;
	}
	puts(first ? "none." : ".");
}

static void wire(void)
{
	puts(".Bl -tag -width Ds");
	for (size_t i = 0; i < nverbs; i++) {
		const struct verb *verb = &verbs[i];

		if (!verb->wire)
			continue;
		printf(".It Ic %s\n", verb->wire);
		put_sentence(verb->help);
		if (verb->flags & VERB_WIRE && verb->more)
			put_paragraph(verb->more);
		wire_members(verb);
		printf("Role: %s%s.\n", role_name(verb->role),
			verb->flags & VERB_OWNER ? ", or the VM's owner" : "");
	}
	puts(".El");
}

static void events(void)
{
	puts(".Bl -tag -width Ds");
	for (const struct event_doc *doc = event_docs; doc->name; doc++) {
		printf(".It Dv %s\n", doc->name);
		put_sentence(doc->help);
		printf("Members: %s.\n", doc->members);
	}
	puts(".El");
}

int doc_print(const char *section)
{
	static const struct {
		const char *name;
		void (*print)(void);
	} sections[] = {
		{ "COMMANDS", commands },
		{ "OPTIONS", options },
		{ "EXIT", exits },
		{ "ERRORS", errors },
		{ "WIRE", wire },
		{ "EVENTS", events },
	};

	for (size_t i = 0; i < NELEMS(sections); i++) {
		if (!str_eq(sections[i].name, section))
			continue;
		sections[i].print();
		return 0;
	}
	fprintf(stderr, "vmward: no such section: %s\n", section);
	return 2;
}
