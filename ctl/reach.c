/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The way to a supervisor.  The scope rule is systemctl's: the system's,
 * whoever types it; --user, VMWARD_SCOPE and -f choose another.  Nothing is
 * guessed from the uid.
 */
#include "ctl/reach.h"

#include <stdio.h>

#include "base/mem.h"

int reach_paths(const struct call *call, struct paths *paths, struct err *err)
{
	const struct options *opt = &call->opt;
	enum paths_scope scope = opt->user ? PATHS_USER : PATHS_SYSTEM;

	if (opt->file)
		return paths_init_file(
			paths, opt->file, call->own_name, NULL, opt->root, err);
	return paths_init(paths, scope, opt->root, err);
}

int reach_open(
	const struct call *call, bool events, struct wire *w, struct err *err)
{
	struct paths paths;
	AUTO_FREE char *remedy = NULL;
	int result;

	if (reach_paths(call, &paths, err) < 0)
		return -1;
	if (call->opt.file)
		remedy = xasprintf(
			"is \"vmward run %s\" running?", call->opt.file);
	else
		remedy = xasprintf("is %s running?",
			call->opt.user ? "\"vmwardd --user\"" : "vmwardd");
	result = wire_open(w, paths.control, events, remedy, err);
	paths_fini(&paths);
	return result;
}

bool reach_has_patterns(const struct call *call)
{
	for (size_t i = 0; i < call->nnames; i++)
		if (call_is_pattern(call->names[i]))
			return true;
	return call->all;
}

static json_t *plain_names(const struct call *call, struct err *err)
{
	json_t *names = json_array();

	for (size_t i = 0; i < call->nnames; i++)
		if (json_array_append_new(names, json_string(call->names[i]))) {
			err_set(err, ERR_USAGE, "a name is not UTF-8");
			json_decref(names);
			return NULL;
		}
	return names;
}

json_t *reach_names(const struct call *call, struct wire *w, struct err *err)
{
	json_t *names = plain_names(call, err);
	json_t *arguments;
	json_t *reply;
	json_t *found;

	if (!names || !reach_has_patterns(call))
		return names;
	if (call->all)
		json_array_append_new(names, json_string("*"));
	arguments = json_pack("{s:o}", "patterns", names);
	reply = wire_call(w, "vm-resolve", arguments, WIRE_PATIENCE_MS, err);
	json_decref(arguments);
	if (!reply)
		return NULL;
	found = json_incref(json_object_get(reply, "names"));
	json_decref(reply);
	if (json_is_array(found))
		return found;
	json_decref(found);
	err_set(err, ERR_BUG, "vm-resolve: the supervisor sent no names");
	return NULL;
}
