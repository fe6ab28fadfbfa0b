/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command table: names, aliases, wire names, help, arguments. */
#include <ctype.h>

#include "base/verbs.h"

#include "base/mem.h"
#include "base/str.h"
#include "tests/unit/tap.h"

static void test_names(void)
{
	int twice = 0;
	int wire_twice = 0;
	int homeless = 0;

	for (size_t i = 0; i < nverbs; i++) {
		const struct verb *verb = &verbs[i];

		for (size_t k = i + 1; k < nverbs; k++) {
			twice += str_eq(verb->name, verbs[k].name);
			wire_twice += verb->wire && verbs[k].wire &&
				      str_eq(verb->wire, verbs[k].wire);
		}
		homeless += !verb->wire && !(verb->flags & VERB_LOCAL);
		if (!(verb->flags & VERB_WIRE))
			ok(verb_by_name(verb->name) == verb, "%s is found",
				verb->name);
		if (verb->wire)
			ok(verb_by_wire(verb->wire) == verb, "%s is found",
				verb->wire);
	}
	is_int(twice, 0, "no name twice");
	is_int(wire_twice, 0, "no wire name twice");
	is_int(homeless, 0, "each is on the wire or done here");
}

/* An alias is no name, and no alias of two. */
static void test_aliases(void)
{
	int bad = 0;
	int n = 0;

	for (size_t i = 0; i < nverbs; i++) {
		const char *list = verbs[i].aliases;

		while (list && *list) {
			size_t len = strcspn(list, " ");
			AUTO_FREE char *word = xstrndup(list, len);

			n++;
			bad += verb_by_name(word) != &verbs[i];
			list += len;
			list += strspn(list, " ");
		}
	}
	is_int(bad, 0, "each alias leads to its verb only");
	ok(n >= 8, "virsh's words are there: %d", n);
	ok(!verb_by_name("destroy"), "destroy is no alias");
	ok(!verb_by_name("vm-resolve"), "wire commands are no words");
	ok(!verb_by_name(""), "nothing is no verb");
	ok(!verb_by_wire("list"), "a word is no wire command");
	is_str(verb_by_name("autostart")->name, "enable", "autostart");
}

static void test_help(void)
{
	int bad = 0;
	int ungrouped = 0;

	for (size_t i = 0; i < nverbs; i++) {
		const struct verb *verb = &verbs[i];
		bool wire = verb->flags & VERB_WIRE;

		bad += !verb->help || !*verb->help;
		bad += str_ends(verb->help, ".");
		bad += !wire && !verb->usage;
		ungrouped += wire == !!verb->group;
	}
	is_int(bad, 0, "each has help without a full stop, and usage");
	is_int(ungrouped, 0, "each that is typed has a group");
}

/* Whether a verb's arguments can be parsed and sent. */
static bool args_are_sane(const struct verb *verb)
{
	bool greedy = false;
	bool optional = false;

	for (size_t i = 0; i < verb->nargs; i++) {
		const struct arg *arg = &verb->args[i];

		if (!arg->name || !arg->help || str_eq(arg->name, "vm"))
			return false;
		for (const char *c = arg->name; *c; c++)
			if (!islower((unsigned char)*c) &&
				!isdigit((unsigned char)*c) && *c != '-')
				return false;
		if (verb_arg(verb, arg->name) != arg)
			return false;
		if (arg->flags & ARG_BARE && !arg->choices)
			return false;
		if (arg->flags & (ARG_OPTION | ARG_WIRE))
			continue;
		/* plain words: nothing after the rest of the line */
		if (greedy || (optional && !(arg->flags & ARG_OPTIONAL)))
			return false;
		greedy = arg->type == ARG_WORDS || arg->type == ARG_PAIRS ||
			 arg->type == ARG_OBJECT;
		optional = arg->flags & ARG_OPTIONAL;
	}
	return true;
}

static void test_args(void)
{
	for (size_t i = 0; i < nverbs; i++) {
		const struct verb *verb = &verbs[i];

		if (verb->nargs)
			ok(args_are_sane(verb), "arguments of %s", verb->name);
		if (verb->flags & VERB_LONG)
			ok(verb_arg(verb, "job"), "%s can be a job",
				verb->name);
	}
	ok(!verb_arg(verb_by_name("start"), "vm"), "vm is no argument");
}

static void test_roles(void)
{
	int weak = 0;

	for (size_t i = 0; i < nverbs; i++)
		if (verbs[i].flags & VERB_CHANGES)
			weak += verbs[i].role < ROLE_OPERATOR;
	is_int(weak, 0, "what changes takes an operator at least");
	is_str(role_name(ROLE_ADMIN), "admin", "name of a role");
	is_int(verb_by_name("set")->role, ROLE_ADMIN,
		"set may name programs: admin");
	is_int(verb_by_name("qmp")->role, ROLE_ADMIN, "qmp: admin");
}

static void test_events(void)
{
	const struct event_doc *doc = event_docs;
	int bad = 0;

	for (; doc->name; doc++)
		bad += !doc->members || !doc->help;
	is_int(bad, 0, "each event has members and help");
	ok(doc - event_docs >= 5, "there are events");
}

int main(void)
{
	test_names();
	test_aliases();
	test_help();
	test_args();
	test_roles();
	test_events();
	return done();
}
