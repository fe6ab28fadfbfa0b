/* SPDX-License-Identifier: GPL-2.0-or-later */
/* snapshot create, revert, delete of several VMs as one. */
#include "base/mem.h"
#include "base/member.h"
#include "supervisor/commands.h"
#include "supervisor/op_group.h"
#include "supervisor/snapshot_disks.h"
#include "supervisor/snapshots.h"

/* Those that it is about, and the name of its snapshot in each. */
struct chosen {
	struct vm **vms;
	const char **names;
	json_t **trees; /* that the names are in; or NULL */
	size_t n;
};

static struct chosen chosen_new(size_t max)
{
	return (struct chosen){ .vms = xcalloc(max, sizeof(struct vm *)),
		.names = xcalloc(max, sizeof(const char *)),
		.trees = xcalloc(max, sizeof(json_t *)) };
}

static void chosen_free(struct chosen *c)
{
	for (size_t i = 0; i < c->n; i++)
		json_decref(c->trees[i]);
	free(c->vms);
	free(c->names);
	free(c->trees);
}

static void chosen_add_steal(
	struct chosen *c, struct vm *vm, const char *name, json_t *tree)
{
	c->vms[c->n] = vm;
	c->names[c->n] = name;
	c->trees[c->n++] = tree;
}

/* ---- the job ---- */

static void add_names(struct str *text, const json_t *names)
{
	const json_t *name;
	size_t i;

	json_array_foreach(names, i, name)
		str_addf(text, "%s%s", i ? ", " : "", json_string_value(name));
}

static json_t *result_of(const struct job *job, const json_t *vms)
{
	int64_t skew_us = op_group_skew_us(job);
	AUTO_STR struct str text = STR_INIT;

	str_addf(&text, "snapshot '%s' of ", op_group_name(job));
	add_names(&text, vms);
	str_addf(&text, " %s", op_group_action(job));
	if (skew_us)
		str_addf(&text, "; they stopped within %lld.%03lld ms",
			(long long)(skew_us / 1000),
			(long long)(skew_us % 1000));
	return json_pack("{s:b,s:s,s:O,s:I,s:s}", "changed", 1, "name",
		op_group_name(job), "vms", vms, "skew-us", (json_int_t)skew_us,
		"message", str_text(&text));
}

static void on_end(struct job *job, void *arg)
{
	struct request *rq = arg;
	AUTO_JSON json_t *vms = op_group_vms(job);

	vm_job_over(job, rq->vm);
	rq->job = NULL;
	rq->vm = NULL;
	if (job->err.code)
		request_fail(rq, &job->err);
	else
		request_reply_steal(rq, result_of(job, vms));
}

static void reply_actions(struct request *rq, const struct chosen *c)
{
	json_t *actions = json_array();

	for (size_t i = 0; i < c->n; i++)
		json_array_append_new(actions,
			json_sprintf("%s %s%s%s", rq->verb->name,
				c->vms[i]->name, c->names[i] ? " " : "",
				str_or(c->names[i], "")));
	request_reply_steal(rq, json_pack("{s:o}", "actions", actions));
}

static void begin(
	struct request *rq, const struct chosen *c, enum group_act act)
{
	const struct group_wish wish = { .act = act,
		.vms = c->vms,
		.nvms = c->n,
		.names = c->names,
		.description = request_string(rq, "description"),
		.memory = request_bool(rq, "memory"),
		.freeze = request_bool(rq, "freeze") ? FREEZE_YES : FREEZE_NO };
	bool later = request_bool(rq, "job");
	struct vm *first = c->vms[0];
	struct job *job;

	if (request_bool(rq, "dry-run")) {
		reply_actions(rq, c);
		return;
	}
	job = op_group_begin(&wish, later ? vm_job_over : on_end,
		later ? (void *)first : rq);
	vm_job_add(first, job);
	if (later) {
		request_reply_steal(rq, json_pack("{s:o}", "job",
						json_sprintf("j%u", job->id)));
		return;
	}
	rq->vm = first;
	rq->job = job;
}

/* ---- create ---- */

/* Not twice the same one. */
static struct vm *pick(const struct request *rq, const struct chosen *c,
	const char *name, struct err *err)
{
	struct vm *vm = registry_need(request_registry(rq), name, err);

	for (size_t i = 0; vm && i < c->n; i++) {
		if (c->vms[i] != vm)
			continue;
		err_set(err, ERR_USAGE, "vm '%s' is named twice", name);
		return NULL;
	}
	return vm;
}

/* Whoever may work on the first of them may not on others by that. */
static int check_roles(
	const struct request *rq, const json_t *vms, struct err *err)
{
	const json_t *vm;
	size_t i;

	json_array_foreach(vms, i, vm)
	{
		const char *name = json_string_value(vm);

		if (!request_may(rq, name, rq->verb->role))
			return err_set(err, ERR_DENIED,
				"vm '%s': %s takes role %s on each of them",
				name, rq->verb->wire,
				role_name(rq->verb->role));
	}
	return 0;
}

static int check_member(struct vm *vm, struct err *err)
{
	if (!op_snapshot_check(vm, err) && !snapshot_disks_check(vm, err))
		return 0;
	return err_wrap(err, "vm '%s': ", vm->name);
}

static int pick_all(const struct request *rq, struct chosen *c, struct err *err)
{
	const json_t *with = json_object_get(rq->args, "with");
	const char *name = request_string(rq, "name");
	bool live = false;

	for (size_t i = 0; i <= json_array_size(with); i++) {
		const char *vm_name =
			i ? json_string_value(json_array_get(with, i - 1))
			  : request_string(rq, "vm");
		struct vm *vm = pick(rq, c, vm_name, err);

		if (!vm || check_member(vm, err))
			return -1;
		live |= snapshot_step_is_live(vm);
		chosen_add_steal(c, vm, *name ? name : NULL, NULL);
	}
	if (!live && (request_bool(rq, "memory") || request_bool(rq, "freeze")))
		return err_set(err, ERR_STATE, "none of them runs");
	return 0;
}

bool command_group_create(struct request *rq)
{
	size_t n = json_array_size(json_object_get(rq->args, "with"));
	struct chosen c = chosen_new(n + 1);
	struct err err = ERR_INIT;

	if (n == 0)
		; /* of one VM */
	else if (check_roles(rq, json_object_get(rq->args, "with"), &err) ||
		 command_snapshot_check(rq, &err) || pick_all(rq, &c, &err))
		request_fail(rq, &err);
	else
		begin(rq, &c, GROUP_CREATE);
	chosen_free(&c);
	return n > 0;
}

/* ---- revert, delete ---- */

/* The part that a VM has of it; to delete it may have none any more. */
static int add_part(const struct request *rq, struct chosen *c,
	const char *name, const char *tag, struct err *err)
{
	bool delete = str_eq(rq->verb->name, "snapshot delete");
	struct vm *vm = registry_find(request_registry(rq), name);
	AUTO_JSON json_t *tree =
		vm ? snapshots_read(&vm->env->paths, name, err) : NULL;
	json_t *found = snapshots_tagged(tree, tag);

	if (err->code)
		return err_wrap(err, "vm '%s': ", name);
	if (!found && delete)
		return 0;
	if (!found)
		return err_set(err, ERR_NOT_FOUND,
			"vm '%s' has nothing of that snapshot any more; "
			"without --group it is reverted alone",
			name);
	if (check_member(vm, err))
		return -1;
	chosen_add_steal(c, vm, member_text(found, "name"), TAKE(tree));
	return 0;
}

bool command_group_work(struct request *rq, const json_t *found)
{
	const json_t *vms =
		json_object_get(json_object_get(found, "group"), "vms");
	bool delete = str_eq(rq->verb->name, "snapshot delete");
	struct chosen c = chosen_new(json_array_size(vms) + 1);
	struct err err = ERR_INIT;
	const json_t *name;
	size_t i;

	if (!request_bool(rq, "group")) {
		chosen_free(&c);
		return false;
	}
	if (!vms)
		err_set(&err, ERR_STATE, "snapshot '%s' is of this VM alone",
			member_text(found, "name"));
	else
		(void)!check_roles(rq, vms, &err);
	json_array_foreach(vms, i, name)
	{
		if (err.code || add_part(rq, &c, json_string_value(name),
					member_text(found, "tag"), &err))
			break;
	}
	if (err.code)
		request_fail(rq, &err);
	else
		begin(rq, &c, delete ? GROUP_DELETE : GROUP_REVERT);
	chosen_free(&c);
	return true;
}
