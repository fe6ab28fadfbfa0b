/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What vmwardd does without being a supervisor: check, plan and show of a
 * FILE, doctor, and text for the manual.
 */
#ifndef SUPERVISOR_ONCE_H
#define SUPERVISOR_ONCE_H

#include <stdbool.h>

struct once_options {
	const char *root;
	const char *name; /* --name of the VM, or NULL */
	bool user;
	bool json;
	bool origin;    /* show --origin */
	bool defaults;  /* show --defaults */
	bool argv;      /* plan --argv: the command line only */
	bool qmp;       /* plan --qmp: the commands only */
	bool exit_code; /* check: 8 for notes */
	const char *section;
};

/* Each gives the exit status. */
int once_check(const struct once_options *o, char *const *files);
int once_plan(const struct once_options *o, const char *file);
int once_show(const struct once_options *o, const char *file);
int once_doctor(const struct once_options *o);
enum once_keys {
	ONCE_VM_KEYS,
	ONCE_HOST_KEYS,
	ONCE_POOL_KEYS,
	ONCE_NETWORK_KEYS
};
/* The keys of which files, for a man page. */
int once_mdoc_keys(enum once_keys of);

#endif
