/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `vmward ssh`: ssh in our place, at the address that the supervisor finds. */
#include <stdio.h>

#include "base/mem.h"
#include "base/str.h"
#include "ctl/print.h"
#include "ctl/reach.h"
#include "ctl/run.h"
#include "ctl/verbs.h"
#include "ctl/wire.h"

#define EXTRA 8 /* words in front of the guest's */

static json_t *ask(const struct call *call, struct err *err)
{
	AUTO_WIRE struct wire wire = WIRE_INIT;
	json_t *arguments = json_pack("{s:s}", "vm", call->names[0]);
	json_t *value = NULL;

	if (!reach_open(call, false, &wire, err))
		value = wire_call(
			&wire, "vm-ip", arguments, WIRE_PATIENCE_MS, err);
	json_decref(arguments);
	return value;
}

static int become_ssh(
	const struct call *call, const json_t *way, struct err *err)
{
	AUTO_FREE const char **argv =
		xcalloc(call->ntyped + EXTRA, sizeof(*argv));
	const char *user =
		str_or(call_value(call, "login"), print_member(way, "user"));
	AUTO_FREE char *port = xasprintf("%lld",
		(long long)json_integer_value(json_object_get(way, "port")));
	size_t n = 0;

	argv[n++] = "ssh";
	argv[n++] = "-p";
	argv[n++] = port;
	if (user && *user) {
		argv[n++] = "-l";
		argv[n++] = user;
	}
	argv[n++] = "--";
	argv[n++] = print_member(way, "host");
	for (size_t i = 0; i < call->ntyped; i++)
		if (str_eq(call->typed[i].arg->name, "command"))
			argv[n++] = call->typed[i].value;
	fflush(stdout);
	run_exec(argv);
	return err_os(err, "cannot start ssh");
}

int verb_ssh(const struct call *call)
{
	struct err err = ERR_INIT;
	json_t *value = ask(call, &err);
	const json_t *way = json_object_get(value, "ssh");

	if (value && !json_is_object(way))
		err_set(&err, ERR_STATE,
			"in user mode ssh needs forward = 2222:22 in [net.N]");
	else if (value)
		become_ssh(call, way, &err);
	json_decref(value);
	return print_error(&call->opt, call->names[0], &err);
}
