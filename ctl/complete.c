/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Completion scripts from the command table.  Names of VMs, tags and disks
 * are asked for at the time of the Tab key.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "ctl/args.h"
#include "ctl/call.h"
#include "ctl/verbs.h"

static bool is_typed(const struct verb *verb)
{
	return !(verb->flags & VERB_WIRE);
}

/* The first words of the verbs, each once. */
static void put_first_words(void)
{
	AUTO_STR struct str seen = STR_INIT;

	str_add(&seen, " ");
	for (size_t i = 0; i < nverbs; i++) {
		AUTO_STR struct str word = STR_INIT;

		if (!is_typed(&verbs[i]))
			continue;
		str_addf(&word, " %.*s ", (int)strcspn(verbs[i].name, " "),
			verbs[i].name);
		if (!strstr(str_text(&seen), str_text(&word)))
			str_add(&seen, str_text(&word) + 1);
	}
	fputs(str_text(&seen) + 1, stdout);
}

static void put_globals(void)
{
	for (const struct global_doc *doc = global_docs; doc->name; doc++)
		printf("--%s ", doc->name);
}

/* "disk) second words ;;" for each noun. */
static void put_nouns(void)
{
	const char *noun = "";
	size_t len = 0;

	for (size_t i = 0; i < nverbs; i++) {
		const char *blank = strchr(verbs[i].name, ' ');

		if (!is_typed(&verbs[i]) || !blank)
			continue;
		if (len != (size_t)(blank - verbs[i].name) ||
			strncmp(noun, verbs[i].name, len)) {
			if (len)
				puts("' ;;");
			noun = verbs[i].name;
			len = (size_t)(blank - noun);
			printf("\t%.*s) subs='", (int)len, noun);
		}
		printf("%s ", blank + 1);
	}
	if (len)
		puts("' ;;");
}

static void put_options(const struct verb *verb)
{
	for (size_t i = 0; i < verb->nargs; i++)
		if (verb->args[i].flags & ARG_OPTION &&
			!(verb->args[i].flags & ARG_WIRE))
			printf("--%s ", verb->args[i].name);
}

/* What stands behind the verb: names, files, choices. */
static const char *what_follows(const struct verb *verb)
{
	if (verb->flags & VERB_FILE)
		return "names files";
	if (verb->flags & (VERB_MANY | VERB_ONE) || verb_arg(verb, "patterns"))
		return "names";
	if (verb->nargs && verb->args[0].type == ARG_VOLUME)
		return "volumes files";
	if (verb->nargs && verb->args[0].type == ARG_FILE)
		return "files";
	if (str_eq(verb->name, "image pull"))
		return "catalogue";
	if (str_eq(verb->name, "help"))
		return "verbs";
	return "";
}

/* Words that take another word: "disk image jobs". */
static void put_noun_names(void)
{
	const char *noun = "";
	size_t len = 0;

	for (size_t i = 0; i < nverbs; i++) {
		size_t at = strcspn(verbs[i].name, " ");

		if (!is_typed(&verbs[i]) || !verbs[i].name[at] ||
			(at == len && !strncmp(noun, verbs[i].name, len)))
			continue;
		noun = verbs[i].name;
		len = at;
		printf("%.*s ", (int)len, noun);
	}
}

static void put_choices(const struct verb *verb)
{
	for (size_t i = 0; i < verb->nargs; i++) {
		const struct arg *arg = &verb->args[i];

		if (arg->flags & (ARG_OPTION | ARG_WIRE) || !arg->choices)
			continue;
		for (const char *c = arg->choices; *c; c++)
			putchar(*c == '|' ? ' ' : *c);
	}
}

static void put_verbs(void)
{
	for (size_t i = 0; i < nverbs; i++) {
		if (!is_typed(&verbs[i]))
			continue;
		printf("\t'%s') what='%s' options='", verbs[i].name,
			what_follows(&verbs[i]));
		put_options(&verbs[i]);
		fputs("' choices='", stdout);
		put_choices(&verbs[i]);
		puts("' ;;");
	}
}

static void bash(void)
{
	fputs("# vmward: completion, by `vmward completion bash`\n"
	      "_vmward()\n{\n"
	      "\tlocal cur=${COMP_WORDS[COMP_CWORD]} verb= name= i word\n"
	      "\tlocal what= options= choices= subs= list=\n"
	      "\tlocal verbs='",
		stdout);
	put_first_words();
	fputs("'\n\tlocal nouns=' ", stdout);
	put_noun_names();
	fputs("'\n\tlocal globals='", stdout);
	put_globals();
	fputs("'\n"
	      "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	      "\t\tword=${COMP_WORDS[i]}\n"
	      "\t\tcase $word in\n"
	      "\t\t-H|-f|--host|--file|--root|--timeout|--progress|--color)\n"
	      "\t\t\t((i++)) ;;\n"
	      "\t\t-*) ;;\n"
	      "\t\t*)\n"
	      "\t\t\tif [ -z \"$verb\" ]; then verb=$word\n"
	      "\t\t\telif [ -z \"${nouns##* $verb *}\" ]; "
	      "then verb=\"$verb $word\"\n"
	      "\t\t\telif [ -z \"$name\" ]; then name=$word; fi ;;\n"
	      "\t\tesac\n"
	      "\tdone\n"
	      "\tcase $verb in\n",
		stdout);
	put_nouns();
	put_verbs();
	fputs("\t'') list=$verbs ;;\n"
	      "\tesac\n"
	      "\tcase $what in *verbs*) list=$verbs ;; esac\n"
	      "\tcase $cur in\n"
	      "\t-*) list=\"$options $globals\" ;;\n"
	      "\t@*) list=$(vmward list -o TAGS 2>/dev/null |\n"
	      "\t\tsed '1d;s/[-,]/ /g;s/[^ ][^ ]*/@&/g') ;;\n"
	      "\t*)\n"
	      "\t\tlist=\"$list $subs\"\n"
	      "\t\tcase \"$verb:$name\" in\n"
	      "\t\t'disk detach':?*) list=$(vmward show \"$name\" "
	      "2>/dev/null |\n"
	      "\t\t\tsed -n 's/^\\[disk\\.\\(.*\\)\\]$/\\1/p') what= ;;\n"
	      "\t\tset:?*|unset:?*) list=$(vmwardd --keys 2>/dev/null) "
	      "what= ;;\n"
	      "\t\t*:?*) list=\"$list $choices\" ;;\n"
	      "\t\t*:) [ \"$what\" ] || list=\"$list $choices\" ;;\n"
	      "\t\tesac\n"
	      "\t\tcase $what in *names*)\n"
	      "\t\t\tlist=\"$list $(vmward list --names 2>/dev/null)\" ;;\n"
	      "\t\tesac ;;\n"
	      "\tesac\n"
	      "\tCOMPREPLY=($(compgen -W \"$list\" -- \"$cur\"))\n"
	      "\tcase $what:$name in catalogue:)\n"
	      "\t\tlist=$(vmward image catalogue -o NAME 2>/dev/null | "
	      "sed 1d)\n"
	      "\t\tCOMPREPLY+=($(compgen -W \"$list\" -- \"$cur\")) ;;\n"
	      "\tesac\n"
	      "\tcase $what in *volumes*)\n"
	      "\t\tlist=$(vmward image list -o NAME 2>/dev/null | sed 1d)\n"
	      "\t\tCOMPREPLY+=($(compgen -W \"$list\" -- \"$cur\")) ;;\n"
	      "\tesac\n"
	      "\tcase $what in *files*)\n"
	      "\t\tCOMPREPLY+=($(compgen -f -- \"$cur\")) ;;\n"
	      "\tesac\n"
	      "}\n"
	      "complete -F _vmward vmward\n",
		stdout);
}

static void zsh(void)
{
	puts("#compdef vmward\n"
	     "autoload -U +X bashcompinit && bashcompinit");
	bash();
}

/* A text in fish's single quotes. */
static void put_fish(const char *text)
{
	putchar('\'');
	for (; *text; text++) {
		if (*text == '\'' || *text == '\\')
			putchar('\\');
		putchar(*text);
	}
	putchar('\'');
}

static void fish_verb(const struct verb *verb)
{
	int len = (int)strcspn(verb->name, " ");
	const char *second = verb->name[len] ? verb->name + len + 1 : NULL;

	printf("complete -c vmward -n __fish_use_subcommand -xa %.*s -d ", len,
		verb->name);
	put_fish(verb->help);
	putchar('\n');
	if (second)
		printf("complete -c vmward -n '__fish_seen_subcommand_from "
		       "%.*s' -xa %s\n",
			len, verb->name, second);
	if (strstr(what_follows(verb), "names"))
		printf("complete -c vmward -n '__fish_seen_subcommand_from "
		       "%.*s' -%sa '(vmward list --names 2>/dev/null)'\n",
			len, verb->name,
			strstr(what_follows(verb), "files") ? "" : "x");
	for (size_t i = 0; i < verb->nargs; i++) {
		const struct arg *arg = &verb->args[i];

		if (!(arg->flags & ARG_OPTION) || arg->flags & ARG_WIRE)
			continue;
		printf("complete -c vmward -n '__fish_seen_subcommand_from "
		       "%.*s' -l %s -d ",
			len, verb->name, arg->name);
		put_fish(arg->help);
		putchar('\n');
	}
}

static void fish(void)
{
	puts("# vmward: completion, by `vmward completion fish`");
	for (const struct global_doc *doc = global_docs; doc->name; doc++) {
		printf("complete -c vmward -l %s%s -d ", doc->name,
			doc->value ? " -x" : "");
		put_fish(doc->help);
		putchar('\n');
	}
	for (size_t i = 0; i < nverbs; i++)
		if (is_typed(&verbs[i]))
			fish_verb(&verbs[i]);
}

int verb_completion(const struct call *call)
{
	const char *shell = call_value(call, "shell");

	if (str_eq(shell, "bash"))
		bash();
	else if (str_eq(shell, "zsh"))
		zsh();
	else
		fish();
	return 0;
}
