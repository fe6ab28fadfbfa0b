/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `vmward edit`: the user's editor on the VM's file, then a check; with
 * mistakes on a terminal once more.  Nothing that runs changes by it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "ctl/ask.h"
#include "ctl/print.h"
#include "ctl/reach.h"
#include "ctl/request.h"
#include "ctl/run.h"
#include "ctl/verbs.h"
#include "ctl/wire.h"

#define MAX_WORDS 16

/* One question to the supervisor; NULL with the error set. */
static json_t *ask_supervisor(
	const struct call *call, const char *execute, struct err *err)
{
	AUTO_WIRE struct wire wire = WIRE_INIT;
	json_t *arguments;
	json_t *value;

	if (reach_open(call, false, &wire, err) < 0)
		return NULL;
	arguments = json_pack("{s:s}", "vm", call->names[0]);
	value = wire_call(&wire, execute, arguments, WIRE_PATIENCE_MS, err);
	json_decref(arguments);
	return value;
}

/* The file of the VM: as the supervisor knows it, or where it would be. */
static char *file_of(const struct call *call, bool *reachable, struct err *err)
{
	json_t *vm = ask_supervisor(call, "vm-status", err);
	const json_t *files =
		json_object_get(json_object_get(vm, "config"), "files");
	const char *first = json_string_value(json_array_get(files, 0));
	char *file = first ? xstrdup(first) : NULL;
	struct paths paths;

	*reachable = vm;
	json_decref(vm);
	if (file || (!*reachable && err->code != ERR_UNREACHABLE))
		return file;
	if (call->opt.file)
		return xstrdup(call->opt.file);
	if (reach_paths(call, &paths, err) < 0)
		return NULL;
	file = xasprintf("%s/vms/%s.ini", paths.config, call->names[0]);
	paths_fini(&paths);
	if (access(file, F_OK) == 0)
		return file;
	err_os(err, "cannot open %s", file);
	free(file);
	return NULL;
}

/* $VISUAL or $EDITOR may hold options: "emacs -nw". */
static int run_editor(char *file, struct err *err)
{
	const char *editor = getenv("VISUAL");
	AUTO_FREE char *words = NULL;
	const char *argv[MAX_WORDS + 2];
	size_t n = 0;
	int status;

	if (!editor || !*editor)
		editor = getenv("EDITOR");
	if (!editor || !*editor)
		editor = "vi";
	words = xstrdup(editor);
	for (char *at = words; *at && n < MAX_WORDS;) {
		size_t len = strcspn(at, " ");

		if (len)
			argv[n++] = at;
		at += len;
		if (*at)
			*at++ = '\0';
	}
	argv[n++] = file;
	argv[n] = NULL;
	status = run_program(argv);
	if (status == 127)
		return err_set(err, ERR_OS,
			"cannot start the editor '%s'; set $EDITOR", editor);
	if (status)
		return err_set(err, ERR_OS,
			"the editor ended with status %d; nothing was checked",
			status);
	return 0;
}

/* Checks by the supervisor, or by vmwardd in that role; exit status. */
static int check(const struct call *call, char *file, bool reachable)
{
	AUTO_FREE char *daemon = NULL;
	struct err err = ERR_INIT;
	json_t *value;
	int status;

	if (!reachable) {
		const char *argv[] = { NULL, "check", file, NULL };

		daemon = run_find_daemon();
		argv[0] = daemon;
		return run_program(argv);
	}
	value = ask_supervisor(call, "vm-check", &err);
	if (!value)
		return print_error(&call->opt, call->names[0], &err);
	status = request_view_of(verb_by_name("check"))
			 ->show(call, call->names[0], value, false);
	json_decref(value);
	return status;
}

int verb_edit(const struct call *call)
{
	struct err err = ERR_INIT;
	bool reachable;
	AUTO_FREE char *file = file_of(call, &reachable, &err);
	int status;

	if (!file)
		return print_error(&call->opt, call->names[0], &err);
	do {
		err_clear(&err);
		if (run_editor(file, &err) < 0)
			return print_error(&call->opt, call->names[0], &err);
		status = check(call, file, reachable);
	} while (status && ask_again(&call->opt, "Edit again?"));
	return status;
}
