/* SPDX-License-Identifier: GPL-2.0-or-later */
/* create: a new file of a VM, durable before it is answered. */
#include <errno.h>
#include <string.h>

#include "base/durable.h"
#include "base/mem.h"
#include "base/str.h"
#include "supervisor/commands.h"
#include "supervisor/config.h"

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
	{ "forward", "net.lan", "forward" },
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

struct edits {
	struct config_edit at[64];
	size_t n;
};

static void add(struct edits *edits, const char *section, const char *key,
	json_t *value)
{
	struct config_edit *edit;

	if (!value || edits->n == NELEMS(edits->at))
		return;
	edit = &edits->at[edits->n++];
	*edit = (struct config_edit){ xstrdup(section), xstrdup(key), NULL };
	edit->value = json_is_integer(value)
			      ? xasprintf("%" JSON_INTEGER_FORMAT,
					json_integer_value(value))
			      : xstrdup(json_string_value(value));
}

static int add_pair(
	struct edits *edits, const char *name, json_t *value, struct err *err)
{
	const char *dot = strrchr(name, '.');
	AUTO_FREE char *section = NULL;

	if (!dot || dot == name || !dot[1])
		return err_set(err, ERR_USAGE,
			"'%s' is not SECTION.KEY (as in vm.memory)", name);
	if (edits->n == NELEMS(edits->at))
		return err_set(err, ERR_LIMIT, "more than %zu keys",
			NELEMS(edits->at));
	section = xstrndup(name, (size_t)(dot - name));
	for (size_t i = 0; i < edits->n; i++)
		if (str_eq(edits->at[i].section, section) &&
			str_eq(edits->at[i].key, dot + 1))
			return err_set(
				err, ERR_USAGE, "%s is given twice", name);
	add(edits, section, dot + 1, value);
	return 0;
}

static int collect(struct request *rq, struct edits *edits, struct err *err)
{
	const char *key;
	json_t *value;

	for (size_t i = 0; i < NELEMS(options); i++)
		add(edits, options[i].section, options[i].key,
			json_object_get(rq->args, options[i].option));
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
	struct edits edits = { .n = 0 };
	struct err err = ERR_INIT;
	char *text = NULL;

	if (env->file)
		err_set(&err, ERR_UNSUPPORTED,
			"a supervisor of `vmward run` has one VM");
	else if (!collect(rq, &edits, &err))
		text = config_new_text(&env->paths, request_string(rq, "name"),
			edits.at, edits.n, &err);
	for (size_t i = 0; i < edits.n; i++) {
		free(edits.at[i].section);
		free(edits.at[i].key);
		free(edits.at[i].value);
	}
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
