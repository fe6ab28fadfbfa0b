/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command table: what a person types and what goes over the control
 * socket, with arguments, help and the role it takes; no handlers.  Client
 * parser, help, man page, completion, dispatcher, argument checks, roles and
 * query-commands come from it.
 */
#ifndef BASE_VERBS_H
#define BASE_VERBS_H

#include <stdbool.h>
#include <stddef.h>

enum role { ROLE_NONE, ROLE_VIEWER, ROLE_OPERATOR, ROLE_ADMIN };

enum arg_type {
	ARG_VM, /* a VM's name: string on the wire */
	ARG_STRING,
	ARG_INT,
	ARG_BOOL,     /* an option without a value; true on the wire */
	ARG_SIZE,     /* "2G" typed, bytes on the wire */
	ARG_DURATION, /* "90s" typed, seconds (a number) on the wire */
	ARG_PAIRS,    /* KEY=VALUE words: an object of strings */
	ARG_WORDS,    /* the rest of the line: an array of strings */
	ARG_OBJECT,   /* any object; typed as KEY=VALUE words of JSON values */
	ARG_FILE,     /* a file name, made absolute by the client */
	ARG_VOLUME,   /* a volume's name, or (with a slash) a file name, made
			 absolute by the client */
	ARG_AGO,      /* "10min" or "2025-11-18 22:04" typed; seconds back,
			 a number, on the wire */
};

enum arg_flags {
	ARG_OPTIONAL = 1,
	ARG_OPTION = 2,  /* typed as --name VALUE (or --name for a bool) */
	ARG_WIRE = 4,    /* never typed; other clients may send it */
	ARG_LOCAL = 8,   /* typed, used by vmward itself, never sent */
	ARG_BARE = 16,   /* --wait alone stands for the first choice */
	ARG_READ = 32,   /* ARG_FILE: the file's text is sent, not its name */
	ARG_OPENED = 64, /* ARG_FILE: the client opens it and sends the
			    descriptor along; the name is for messages */
	ARG_MADE = 128,  /* ARG_OPENED: the client makes it, for what comes;
			    it goes again if that fails */
	ARG_REST = 256,  /* ARG_WORDS, the verb's first: no options behind
			    its first word */
};

struct arg {
	const char *name; /* "timeout": --timeout, and the wire's member */
	enum arg_type type;
	unsigned flags;
	char letter;         /* -n, or 0 */
	const char *choices; /* "agent|ip", of a number "1-90"; or NULL */
	const char *help;
};

enum verb_flags {
	VERB_MANY = 1, /* takes names, globs, @tags, --all: one request each */
	VERB_ONE = 2,  /* takes exactly one VM */
	VERB_CHANGES = 4,    /* changes something: audit line */
	VERB_LONG = 8,       /* a job: progress, --no-block, Ctrl-C cancels */
	VERB_LOCAL = 16,     /* done by vmward or by exec of vmwardd; no wire */
	VERB_WIRE = 32,      /* no word to type */
	VERB_ASKS_MANY = 64, /* asks when a pattern resolved to several VMs */
	VERB_OWNER = 128,    /* a VM's owner may, whatever his role */
	VERB_MAYBE = 256,    /* with MANY or ONE: no name means all of them */
	VERB_FILE = 512,     /* a FILE in place of a name: exec of vmwardd */
	VERB_SEEN = 1024,    /* anybody may: of VMs that he may look at */
	VERB_TOGETHER = 2048, /* with MANY: one request, the others in `with` */
	VERB_AT_ONCE = 4096,  /* also while its VM is being adopted */
};

struct verb {
	const char *name; /* "disk attach"; of a wire-only verb its wire name */
	const char *wire; /* "vm-disk-attach"; NULL: local */
	const char *aliases; /* "shutdown", blank-separated; or NULL */
	unsigned flags;
	enum role role;
	const struct arg *args; /* without the VM of VERB_MANY/VERB_ONE */
	size_t nargs;
	const char *group; /* heading of `help`; NULL on wire-only verbs */
	const char *usage; /* "NAME... [--timeout D] [--now]" */
	const char *help;  /* one line */
	const char *more;  /* a paragraph for the man page; or NULL */
};

extern const struct verb verbs[]; /* base/verb_table.c */
extern const size_t nverbs;

/* By the word(s) typed, or an alias; NULL if none. */
const struct verb *verb_by_name(const char *name);
/* By the command on the wire; NULL if none. */
const struct verb *verb_by_wire(const char *wire);
/* Its argument that goes along as a descriptor; NULL: none. */
const struct arg *verb_opened(const struct verb *verb);
/* True if a number is within the argument's choices, "LO-HI" or "LO-". */
bool arg_in_range(const struct arg *arg, long long value);
/* The argument of a verb by name, or NULL. */
const struct arg *verb_arg(const struct verb *verb, const char *name);
const char *role_name(enum role role);

/* Our events: name and help; NULL name ends the table. */
struct event_doc {
	const char *name;
	const char *members; /* "vm, state, cause" */
	const char *help;
};
extern const struct event_doc event_docs[];

#endif
