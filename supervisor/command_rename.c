/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rename: what has a VM's name and gets another. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"
#include "supervisor/argv.h"
#include "supervisor/chain_record.h"
#include "supervisor/commands.h"
#include "supervisor/committing.h"
#include "supervisor/config.h"
#include "supervisor/needs.h"
#include "supervisor/op_rename.h"
#include "supervisor/volume.h"

static bool exists(const char *path)
{
	struct stat st;

	return !sys_fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW);
}

/* ---- what moves ---- */

enum how {
	IF_FREE,      /* unless something is there */
	MUST_BE_FREE, /* refused if something is there */
	WILL_EXIST    /* the same of what the rename itself makes */
};

/* Of both names the same. */
static int add_pair(
	json_t *pairs, char *from, char *to, enum how how, struct err *err)
{
	AUTO_FREE char *old = from;
	AUTO_FREE char *new = to;

	if (how != WILL_EXIST && !exists(old))
		return 0;
	if (!exists(new))
		return json_array_append_new(
			pairs, json_pack("[s,s]", old, new));
	return how == IF_FREE
		       ? 0
		       : err_set(err, ERR_EXISTS, "'%s' exists already", new);
}

/* Its image is named after it, and nobody else knows that name. */
static int add_disk(struct request *rq, const struct vm *vm,
	const struct spec_disk *disk, json_t *pairs, struct err *err)
{
	AUTO_FREE char *own = xasprintf("%s (its disk ", vm->name);
	AUTO_FREE char *path =
		argv_disk_path(vm->spec, disk, vm->env->paths.images);
	AUTO_FREE char *dir = str_dir(path);
	const char *suffix = strrchr(path, '.');
	struct needs needs = { 0 };
	json_t *users;
	json_t *user;
	size_t i;

	if (disk->made || (disk->image && *disk->image) || !exists(path))
		return 0;
	if (committing_check_moves(&vm->env->paths, path, err))
		return -1;
	needs_collect(&needs, request_registry(rq), NEED_ANY);
	users = needs_of(&needs, path);
	json_array_foreach(users, i, user)
	{
		if (!err->code && !str_starts(json_string_value(user), own))
			err_set(err, ERR_BUSY, "'%s' is needed by %s", path,
				json_string_value(user));
	}
	json_decref(users);
	needs_fini(&needs);
	return err->code ? -1
			 : add_pair(pairs, xstrdup(path),
				   xasprintf("%s/%s-%s%s", dir,
					   request_string(rq, "new"),
					   disk->name, suffix),
				   MUST_BE_FREE, err);
}

/* The directories whose files are named after VMs, and how. */
static int add_places(
	const struct vm *vm, const char *to, json_t *pairs, struct err *err)
{
	const struct paths *p = &vm->env->paths;
	const struct {
		const char *dir;
		const char *form;
		enum how how;
	} places[] = {
		{ p->state, "%s/records/%s", MUST_BE_FREE },
		{ p->state, "%s/good/%s.ini", IF_FREE },
		{ p->state, "%s/seeds/%s.iso", IF_FREE },
		{ p->state, "%s/nvram/%s.fd", MUST_BE_FREE },
		{ p->state, "%s/tpm/%s", MUST_BE_FREE },
		{ p->state, "%s/snapshots/%s.json", MUST_BE_FREE },
		{ p->state, "%s/snapshots/%s", MUST_BE_FREE },
		{ p->state, "%s/incidents/%s", IF_FREE },
		{ p->log, "%s/%s", IF_FREE },
		{ p->state, "%s/" CHAIN_RECORDS "/%s", IF_FREE },
		{ p->config, "%s/vms/%s.ini.d", WILL_EXIST }, /* the uuid */
		{ p->config, "%s/vms/%s.ini", MUST_BE_FREE },
	};

	for (size_t i = 0; i < NELEMS(places); i++) {
		const char *form = places[i].form;
		const char *tail = form + strlen("%s");
		size_t cut = (size_t)(strstr(tail, "%s") - tail);

		if (add_pair(pairs,
			    xasprintf("%s%.*s%s%s", places[i].dir, (int)cut,
				    tail, vm->name, tail + cut + 2),
			    xasprintf("%s%.*s%s%s", places[i].dir, (int)cut,
				    tail, to, tail + cut + 2),
			    places[i].how, err))
			return -1;
	}
	return 0;
}

static bool has(char **list, const char *name)
{
	for (; list && *list; list++)
		if (str_eq(*list, name))
			return true;
	return false;
}

/* Nobody's order names it. */
static int check_named(struct request *rq, const struct vm *vm, struct err *err)
{
	list_each(registry_vms(request_registry(rq)), it, next) {
		const struct vm *other = list_entry(it, struct vm, link);
		const struct spec_start *s =
			other->spec ? &other->spec->start : NULL;

		if (s && (has(s->after, vm->name) || has(s->before, vm->name) ||
				 has(s->requires, vm->name) ||
				 has(s->wants, vm->name) ||
				 has(s->part_of, vm->name)))
			return err_set(err, ERR_BUSY,
				"[start] of %s names it: change that first",
				other->name);
	}
	return 0;
}

static int check_name(struct request *rq, const char *to, struct err *err)
{
	if (!config_name_is_valid(to) || strchr(to, '@'))
		return err_set(err, ERR_USAGE,
			"'%s' is no name of a VM: a-z, 0-9 and ._- , at most "
			"32 bytes, a letter or digit first",
			to);
	if (registry_find(request_registry(rq), to))
		return err_set(err, ERR_EXISTS, "'%s' exists already", to);
	return 0;
}

static json_t *plan(struct request *rq, struct vm *vm, struct err *err)
{
	const char *to = request_string(rq, "new");
	json_t *pairs = json_array();
	int rc = check_name(rq, to, err) || check_named(rq, vm, err);

	list_each(&vm->spec->disks, it, next) {
		if (!rc)
			rc = add_disk(rq, vm,
				list_entry(it, struct spec_disk, link), pairs,
				err);
	}
	if (!rc && !add_places(vm, to, pairs, err))
		return pairs;
	json_decref(pairs);
	return NULL;
}

/* ---- the request ---- */

/* Down, with a good file of its own; else answered. */
static bool may_be_renamed(struct request *rq, struct vm *vm)
{
	AUTO_FREE char *file =
		xasprintf("%s/vms/%s.ini", vm->env->paths.config, vm->name);
	struct err err = ERR_INIT;

	if (vm->state != VM_STOPPED && vm->state != VM_FAILED)
		request_failf(rq, ERR_STATE, "it is %s: %sstop it first",
			vm_state_word(vm),
			vm->state == VM_SAVED ? "restore and " : "");
	else if (vm_check_free(vm, &err))
		request_fail(rq, &err);
	else if (vm->env->file || !exists(file))
		request_failf(rq, ERR_UNSUPPORTED,
			"it has no file of its own ('%s')", file);
	else if (vm_check_files(vm, &err))
		request_fail(rq, &err);
	else
		return true;
	return false;
}

static void reply_actions(struct request *rq, json_t *pairs)
{
	json_t *actions = json_array();
	json_t *pair;
	size_t i;

	json_array_foreach(pairs, i, pair) json_array_append_new(
		actions, json_sprintf("rename '%s' to '%s'",
				 json_string_value(json_array_get(pair, 0)),
				 json_string_value(json_array_get(pair, 1))));
	json_decref(pairs);
	request_reply_steal(rq, json_pack("{s:o}", "actions", actions));
}

static void on_end(struct job *job, void *arg)
{
	struct request *rq = arg;
	struct registry *registry = request_registry(rq);

	vm_job_over(job, rq->vm);
	rq->job = NULL;
	rq->vm = NULL;
	registry_catch_up(registry);
	if (job->err.code) {
		request_fail(rq, &job->err);
		return;
	}
	request_reply_steal(rq, json_pack("{s:b,s:s,s:o}", "changed", 1, "name",
					request_string(rq, "new"), "message",
					json_sprintf("renamed to %s",
						request_string(rq, "new"))));
}

void command_rename(struct request *rq)
{
	struct vm *vm = command_vm(rq);
	struct err err = ERR_INIT;
	json_t *pairs;

	if (!vm || !may_be_renamed(rq, vm))
		return;
	pairs = plan(rq, vm, &err);
	if (!pairs) {
		request_fail(rq, &err);
	} else if (request_bool(rq, "dry-run")) {
		reply_actions(rq, pairs);
	} else {
		rq->vm = vm;
		rq->job = op_rename_begin_steal(vm, pairs, on_end, rq);
		vm_job_add(vm, rq->job);
	}
}
