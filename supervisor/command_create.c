/* SPDX-License-Identifier: GPL-2.0-or-later */
/* create: a new file of a VM, durable before it is answered. */
#include <errno.h>
#include <string.h>

#include "base/durable.h"
#include "base/mem.h"
#include "base/str.h"
#include "supervisor/commands.h"
#include "supervisor/config.h"
#include "supervisor/edits.h"
#include "supervisor/install.h"
#include "supervisor/seed.h"

enum { KEYS_MAX = 64 };

/* Options that stand for keys, in the order of the file. */
static const struct {
	const char *option;
	const char *section;
	const char *key;
} options[] = {
	{ "memory", "vm", "memory" },
	{ "cpus", "vm", "cpus" },
	{ "kernel", "vm", "kernel" },
	{ "initrd", "vm", "initrd" },
	{ "cmdline", "vm", "cmdline" },
	{ "image", "disk.root", "image" },
	{ "base", "disk.root", "base" },
	{ "size", "disk.root", "size" },
	{ "network", "net.lan", "network" },
	{ "forward", "net.lan", "forward" },
	{ "hostname", "seed", "hostname" },
	{ "user", "seed", "user" },
	{ "ssh-key", "seed", "ssh-key" },
	{ "packages", "seed", "packages" },
	{ "ready", "start", "ready" },
};

struct op_create {
	struct job job;
	struct request *rq;
	struct config_change change;
	char *text;
	struct durable durable;
};

/* ---- the job ---- */

static enum job_state create_run(struct job *job)
{
	struct op_create *op = container_of(job, struct op_create, job);

	JOB_BEGIN(job);
	JOB_DURABLE(job, &op->durable,
		durable_fd(&op->durable, job, op->change.fd, op->change.path));
	if (config_change_commit(&op->change, &job->err))
		return JOB_ENDS;
	JOB_DURABLE(job, &op->durable,
		durable_fd(
			&op->durable, job, op->change.dir_fd, op->change.path));
	JOB_END(job);
}

static void create_cleanup(struct job *job)
{
	struct op_create *op = container_of(job, struct op_create, job);

	durable_stop(&op->durable);
	config_change_fini(&op->change);
	free(op->text);
	free(op);
}

static const struct job_kind create_kind = { "create", create_run, NULL,
	create_cleanup };

/* ---- the answer ---- */

static void on_end(struct job *job, void *arg)
{
	struct op_create *op = container_of(job, struct op_create, job);
	struct request *rq = arg;
	struct registry *registry = request_registry(rq);
	struct vm *vm;

	rq->job = NULL;
	if (job->err.code) {
		request_fail(rq, &job->err);
		return;
	}
	registry_catch_up(registry);
	vm = registry_need(registry, request_string(rq, "name"), &job->err);
	if (!vm) {
		request_fail(rq, &job->err);
		return;
	}
	request_reply_steal(
		rq, json_pack("{s:b,s:s,s:s,s:s,s:s}", "changed", 1, "state",
			    vm_state_word(vm), "name", vm->name, "path",
			    op->change.path, "text", op->text));
}

/* ---- the request ---- */

/* The one key of a .pub file that the client read; new. */
static char *key_text(const char *text, struct err *err)
{
	AUTO_STR struct str out = STR_INIT;
	size_t len = strlen(text);

	while (len > 0 && strchr(" \t\r\n", text[len - 1]))
		len--;
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '%')
			str_addc(&out, '%'); /* no specifier */
		str_addc(&out, text[i]);
	}
	if (!seed_is_key(str_text(&out)))
		err_set(err, ERR_USAGE,
			"--ssh-key: that is no public key: say the file that "
			"ends in .pub");
	else if (strchr(str_text(&out), '\n'))
		err_set(err, ERR_USAGE,
			"--ssh-key: the file has several lines, a value has "
			"one: say seed.ssh-key=PATH");
	else
		return str_take(&out);
	return NULL;
}

/* An option as its key's value; new. */
static char *option_text(const char *option, json_t *value, struct err *err)
{
	const char *text = json_string_value(value);

	return str_eq(option, "ssh-key") ? key_text(text, err) : xstrdup(text);
}

static int add_pair(
	struct edits *edits, const char *name, json_t *value, struct err *err)
{
	const struct config_edit *last;

	if (edits->n == KEYS_MAX)
		return err_set(err, ERR_LIMIT, "more than %d keys", KEYS_MAX);
	if (edits_add_named(edits, name, json_string_value(value), err))
		return -1;
	last = &edits->at[edits->n - 1];
	if (edits_find(edits, last->section, last->key) == last)
		return 0;
	return err_set(err, ERR_USAGE, "%s is given twice", name);
}

static int collect(struct request *rq, struct edits *edits, struct err *err)
{
	const char *key;
	json_t *value;

	for (size_t i = 0; i < NELEMS(options); i++) {
		AUTO_FREE char *text = NULL;

		value = json_object_get(rq->args, options[i].option);
		if (!value)
			continue;
		text = option_text(options[i].option, value, err);
		if (!text)
			return -1;
		edits_add(edits, options[i].section, options[i].key, text);
	}
	json_object_foreach(json_object_get(rq->args, "pairs"), key,
		value) if (add_pair(edits, key, value, err)) return -1;
	return 0;
}

static void begin(struct request *rq, char *text, struct err *err)
{
	const struct paths *paths = &registry_env(request_registry(rq))->paths;
	struct op_create *op = NEW(struct op_create);

	op->text = text;
	op->rq = rq;
	if (config_new_prepare(paths, request_string(rq, "name"), text,
		    &op->change, err)) {
		create_cleanup(&op->job);
		request_fail(rq, err);
		return;
	}
	rq->job = &op->job;
	job_start(
		&op->job, &create_kind, request_string(rq, "name"), on_end, rq);
}

void command_create(struct request *rq)
{
	const struct env *env = registry_env(request_registry(rq));
	struct edits edits = EDITS_INIT;
	struct err err = ERR_INIT;
	char *text = NULL;

	if (env->file)
		err_set(&err, ERR_UNSUPPORTED,
			"a supervisor of `vmward run` has one VM");
	else if (!collect(rq, &edits, &err))
		text = config_new_text(&env->paths, request_string(rq, "name"),
			edits.at, edits.n, &err);
	edits_fini(&edits);
	if (!text) {
		request_fail(rq, &err);
	} else if (request_bool(rq, "print") || request_bool(rq, "dry-run")) {
		request_reply_steal(
			rq, json_pack("{s:b,s:s}", "changed", 0, "text", text));
		free(text);
	} else {
		begin(rq, text, &err);
	}
}

/* Nothing is said of it but its name and the disc. */
static bool is_named_only(const struct request *rq)
{
	static const char *const known[] = { "name", "cdrom", "dry-run" };
	size_t n = 0;

	for (size_t i = 0; i < NELEMS(known); i++)
		n += json_object_get(rq->args, known[i]) != NULL;
	return n == json_object_size(rq->args);
}

/* The client starts it then; what that would refuse is refused before. */
void command_install(struct request *rq)
{
	const char *name = request_string(rq, "name");
	const char *disc = request_string(rq, "cdrom");
	struct vm *vm = registry_find(request_registry(rq), name);
	struct err err = ERR_INIT;
	struct stat st;

	if (!*disc)
		request_failf(rq, ERR_USAGE, "say --cdrom ISO, a file");
	else if (request_look_at_file(rq, "cdrom", &st, &err) ||
		 install_check(vm ? vm->spec : NULL, disc, &st, &err))
		request_fail(rq, &err);
	else if (!vm || !is_named_only(rq))
		command_create(rq);
	else
		request_reply_steal(
			rq, json_pack("{s:b,s:s}", "changed", 0, "name", name));
}
