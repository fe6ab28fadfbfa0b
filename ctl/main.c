/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmward: reads the command line and hands it to the verb.  A cold command
 * costs little more than /bin/true: no locale, no look-up of users, one
 * connect, one write.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "ctl/args.h"
#include "ctl/call.h"
#include "ctl/doc.h"
#include "ctl/print.h"
#include "ctl/reach.h"
#include "ctl/remote.h"
#include "ctl/request.h"
#include "ctl/run.h"
#include "ctl/verbs.h"
#include "ctl/wire.h"

/* "0.1.0" of "vmward 0.1.0". */
static const char *number_of(const char *package)
{
	const char *blank = strrchr(package, ' ');

	return blank ? blank + 1 : package;
}

/* The client's version, and the supervisor's where there is one. */
int verb_version(const struct call *call)
{
	AUTO_WIRE struct wire wire = WIRE_INIT;
	struct err err = ERR_INIT;
	json_t *reply = NULL;
	const char *package = NULL;

	if (reach_open(call, false, &wire, &err) == 0)
		reply = wire_call(
			&wire, "query-version", NULL, WIRE_PATIENCE_MS, &err);
	package = print_member(reply, "package");
	if (!package || !*package)
		package = print_member(reply, "version");
	if (call->opt.json) {
		printf("[{\"client\": \"%s\", \"supervisor\": ",
			VMWARD_VERSION);
		json_dumpf(reply, stdout, JSON_ENCODE_ANY);
		fputs(reply ? "}]\n" : "null}]\n", stdout);
	} else {
		printf("vmward %s\n", VMWARD_VERSION);
		if (reply)
			printf("vmwardd %s\n",
				package ? number_of(package) : "?");
		else
			print_note(&call->opt, NULL, "%s", err.text);
	}
	json_decref(reply);
	return 0;
}

static const struct {
	const char *verb;
	int (*run)(const struct call *call);
} own[] = {
	{ "list", verb_list },
	{ "stats", verb_stats },
	{ "metrics", verb_metrics },
	{ "top", verb_top },
	{ "log", verb_log },
	{ "events", verb_events },
	{ "console", verb_console },
	{ "incident export", verb_incident_export },
	{ "ssh", verb_ssh },
	{ "run", run_daemon },
	{ "doctor", run_daemon },
	{ "edit", verb_edit },
	{ "version", verb_version },
	{ "help", verb_help },
	{ "completion", verb_completion },
};

/* `autostart --disable` is disable. */
static void respell(struct call *call)
{
	if (str_eq(call->verb->name, "enable") && call_has(call, "disable"))
		call->verb = verb_by_name("disable");
}

static bool wants_file(const struct call *call)
{
	return call->verb->flags & VERB_FILE && call->nnames > 0 &&
	       call_is_file(call->names[0]);
}

/* start --console: the console of what was started. */
static int then_console(const struct call *call, int status)
{
	if (status || !str_eq(call->verb->name, "start") ||
		!call_has(call, "console"))
		return status;
	return verb_console(call);
}

/* create --start, install: what was made is started. */
static int then_start(const struct call *call, int status)
{
	struct call next = { .opt = call->opt, .verb = verb_by_name("start") };
	bool installs = str_eq(call->verb->name, "install");
	const char *name;
	int result;

	if (status || call->opt.dry_run ||
		(!installs && !(str_eq(call->verb->name, "create") &&
				      call_has(call, "start") &&
				      !call_has(call, "print"))))
		return status;
	name = json_string_value(json_object_get(call->wire, "name"));
	next.names = &name;
	next.nnames = 1;
	next.wire = json_object();
	if (installs)
		json_object_set(next.wire, "cdrom",
			json_object_get(call->wire, "cdrom"));
	result = request_run(&next, request_view_of(next.verb));
	json_decref(next.wire);
	return result;
}

static int dispatch(struct call *call)
{
	if (call->opt.hosts)
		return remote_run(call);
	respell(call);
	if (wants_file(call))
		return run_daemon(call);
	for (size_t i = 0; i < NELEMS(own); i++)
		if (str_eq(own[i].verb, call->verb->name))
			return own[i].run(call);
	return then_start(
		call, then_console(call,
			      request_run(call, request_view_of(call->verb))));
}

static int run(struct call *call, int argc, char **argv)
{
	struct err err = ERR_INIT;

	if (argc == 3 && str_eq(argv[1], "--mdoc"))
		return doc_print(argv[2]);
	if (argc == 2 && str_eq(argv[1], "--version"))
		return printf("vmward %s\n", VMWARD_VERSION) < 0;
	/* a seed of its own spares jansson opening /dev/urandom: what is
	   hashed here comes from the user and the supervisor */
	json_object_seed((size_t)wire_now_ms() | 1);
	args_init(&call->opt);
	if (args_parse(call, argc, argv, &err) < 0)
		return print_error(&call->opt, NULL, &err);
	if (call->opt.help)
		return doc_help(call->verb);
	return dispatch(call);
}

int main(int argc, char **argv)
{
	struct call call = { 0 };
	int status = run(&call, argc, argv);

	call_fini(&call);
	return print_end(status);
}
