/* SPDX-License-Identifier: GPL-2.0-or-later */
/* plan, apply, drift: the file of a VM against what it runs. */
#include <stdio.h>

#include "base/mem.h"
#include "base/str.h"
#include "supervisor/chain_record.h"
#include "supervisor/change.h"
#include "supervisor/commands.h"
#include "supervisor/config.h"
#include "supervisor/op_apply.h"
#include "supervisor/plan.h"

/* ---- looking ---- */

struct look {
	struct request *rq;
	struct vm *vm;
	struct observed seen;
	void (*then)(struct look *look, const struct deltas *deltas);
	/* drift of all: */
	char **names;
	size_t at;
	json_t *changes;
	json_t *actions;
};

static void free_look(struct look *look)
{
	observed_fini(&look->seen);
	config_names_free(look->names);
	json_decref(look->changes);
	json_decref(look->actions);
	free(look);
}

static void fail_look(struct look *look, const struct err *err)
{
	request_fail(look->rq, err);
	free_look(look);
}

static void on_seen(struct job *job, void *arg)
{
	struct look *look = arg;
	struct vm *vm = look->vm;
	struct deltas deltas;

	vm_job_over(job, vm);
	look->rq->job = NULL;
	if (!job->err.code && (!vm->spec || !vm->running))
		err_set(&job->err, ERR_STATE, "it is %s", vm_state_word(vm));
	if (job->err.code) {
		fail_look(look, &job->err);
		return;
	}
	deltas_make(&deltas, vm, &look->seen);
	look->then(look, &deltas);
	deltas_fini(&deltas);
}

static bool runs(const struct vm *vm)
{
	return vm->running && vm_is_up(vm);
}

/* Asks the VM's QEMU; the answer comes by look->then, or an error. */
static void begin(struct look *look, struct vm *vm)
{
	struct err err = ERR_INIT;

	look->vm = vm;
	if (!vm->machine.ready) {
		err_set(&err, ERR_STATE, "%s%sit is %s",
			look->names ? vm->name : "", look->names ? ": " : "",
			vm_state_word(vm));
		fail_look(look, &err);
		return;
	}
	observed_fini(&look->seen);
	look->rq->vm = vm;
	look->rq->job = observe_start(vm, &look->seen, NULL, on_seen, look);
	vm_job_add(vm, look->rq->job);
}

static struct look *new_look(struct request *rq,
	void (*then)(struct look *look, const struct deltas *deltas))
{
	struct look *look = NEW(struct look);

	look->rq = rq;
	look->then = then;
	look->changes = json_array();
	look->actions = json_array();
	return look;
}

/* The VM of the request with its files read anew; NULL: it was answered. */
static struct vm *vm_of(struct request *rq)
{
	struct vm *vm = command_vm(rq);
	struct err err = ERR_INIT;

	if (!vm)
		return NULL;
	registry_load(request_registry(rq), vm);
	if (!vm_check_files(vm, &err))
		return vm;
	request_fail(rq, &err);
	return NULL;
}

/* ---- plan ---- */

static void reply_plan(struct look *look, const struct deltas *deltas)
{
	request_reply_steal(look->rq,
		json_pack("{s:o,s:[],s:[],s:o,s:o}", "actions",
			deltas_text(deltas), "argv", "qmp", "changes",
			deltas_json(deltas), "networks",
			command_networks_pending(look->rq, look->vm->running)));
	free_look(look);
}

static void plan_start_of(struct request *rq, struct vm *vm)
{
	struct err err = ERR_INIT;
	json_t *plan = plan_start(
		vm->spec, vm->env, &vm->record, chain_record(vm), &err);

	if (!plan) {
		request_fail(rq, &err);
		return;
	}
	json_object_set_new(
		plan, "networks", command_networks_pending(rq, vm->spec));
	request_reply_steal(rq, plan);
}

void command_plan(struct request *rq)
{
	struct vm *vm;

	registry_catch_up(request_registry(rq));
	vm = vm_of(rq);
	if (!vm)
		return;
	if (runs(vm))
		begin(new_look(rq, reply_plan), vm);
	else
		plan_start_of(rq, vm);
}

/* ---- apply ---- */

static void add_count(struct str *out, unsigned n, const char *what)
{
	if (n > 0)
		str_addf(out, "%s%u change%s %s", out->len ? "; " : "", n,
			n == 1 ? "" : "s", what);
}

static void reply_apply(struct request *rq, const struct job *job)
{
	const struct deltas *deltas = op_apply_deltas(job);
	struct vm *vm = rq->vm;
	unsigned kept = op_apply_kept(job);
	unsigned done = deltas_count(deltas, DELTA_HOT) - kept;
	unsigned pending = vm_pending(vm);
	AUTO_STR struct str text = STR_INIT;
	json_t *result;

	add_count(&text, done, "done");
	add_count(&text, kept, "done when the guest lets go");
	add_count(&text, pending > kept ? pending - kept : 0, "pending");
	if (pending > kept)
		str_addf(&text, ": vmward plan %s", vm->name);
	result =
		command_result(vm, done > 0, text.len ? str_text(&text) : NULL);
	json_object_set_new(result, "done", json_integer((json_int_t)done));
	json_object_set_new(
		result, "pending", json_integer((json_int_t)pending));
	json_object_set_new(result, "changes", deltas_json(deltas));
	request_reply_steal(rq, result);
}

static void on_apply_end(struct job *job, void *arg)
{
	struct request *rq = arg;
	struct vm *vm = rq->vm;

	vm_job_over(job, vm);
	rq->job = NULL;
	registry_load(request_registry(rq), vm);
	vm_changed(vm);
	if (job->err.code)
		request_fail(rq, &job->err);
	else
		reply_apply(rq, job);
}

/* Nobody waits for it. */
static void on_apply_over(struct job *job, void *arg)
{
	struct vm *vm = arg;

	vm_job_over(job, vm);
	registry_load(vm->registry, vm);
	vm_changed(vm);
}

static bool can_apply(struct request *rq, struct vm *vm)
{
	if (!runs(vm)) {
		request_reply_steal(
			rq, command_result(vm, false,
				    "the next start does all of it"));
		return false;
	}
	return change_may_begin(rq, vm);
}

void command_apply(struct request *rq)
{
	struct vm *vm = vm_of(rq);
	struct job *job;

	if (!vm || !can_apply(rq, vm))
		return;
	if (request_bool(rq, "dry-run")) {
		begin(new_look(rq, reply_plan), vm);
		return;
	}
	rq->vm = vm;
	if (request_bool(rq, "job")) {
		job = op_apply_begin(vm, on_apply_over, vm);
		vm_job_add(vm, job);
		command_job(rq, vm, job);
		return;
	}
	rq->job = op_apply_begin(vm, on_apply_end, rq);
	vm_job_add(vm, rq->job);
}

/* ---- drift ---- */

static void reply_drift(struct look *look)
{
	bool equal = json_array_size(look->changes) == 0;

	request_reply_steal(
		look->rq, json_pack("{s:b,s:O,s:O}", "equal", equal, "actions",
				  look->actions, "changes", look->changes));
	free_look(look);
}

static void look_at_next(struct look *look);

static void add_lines(struct look *look, const json_t *lines)
{
	json_t *line;
	size_t i;

	json_array_foreach(lines, i, line)
	{
		if (look->names)
			json_array_append_new(look->actions,
				json_sprintf("%s: %s", look->vm->name,
					json_string_value(line)));
		else
			json_array_append(look->actions, line);
	}
}

static void add_changes(struct look *look, const json_t *changes)
{
	json_t *change;
	size_t i;

	json_array_foreach(changes, i, change)
	{
		json_object_set_new(change, "vm", json_string(look->vm->name));
		json_array_append(look->changes, change);
	}
}

static void note_drift(struct look *look, const struct deltas *deltas)
{
	AUTO_JSON json_t *lines = deltas_text(deltas);
	AUTO_JSON json_t *changes = deltas_json(deltas);

	add_lines(look, lines);
	add_changes(look, changes);
	look_at_next(look);
}

/* One after the other: each that runs is asked. */
static void look_at_next(struct look *look)
{
	while (look->names && look->names[look->at]) {
		struct vm *vm = registry_find(
			request_registry(look->rq), look->names[look->at++]);

		if (vm && runs(vm)) {
			begin(look, vm);
			return;
		}
	}
	reply_drift(look);
}

static char **names_of(struct registry *registry)
{
	char **names = xcalloc(
		list_count(registry_vms(registry)) + 1, sizeof(names[0]));
	size_t n = 0;

	list_each(registry_vms(registry), it, next)
		names[n++] = xstrdup(list_entry(it, struct vm, link)->name);
	return names;
}

void command_drift(struct request *rq)
{
	struct look *look;
	struct vm *vm;

	if (!*request_string(rq, "vm")) {
		registry_catch_up(request_registry(rq));
		look = new_look(rq, note_drift);
		look->names = names_of(request_registry(rq));
		look_at_next(look);
		return;
	}
	vm = vm_of(rq);
	if (!vm)
		return;
	look = new_look(rq, note_drift);
	if (runs(vm))
		begin(look, vm);
	else
		reply_drift(look);
}
