/* SPDX-License-Identifier: GPL-2.0-or-later */
/* backup create, list, verify, restore. */
#include "base/mem.h"
#include "supervisor/backups.h"
#include "supervisor/commands.h"
#include "supervisor/op_backup.h"
#include "supervisor/op_verify.h"

static const struct vm_spec *spec_of(const struct vm *vm)
{
	return vm->spec ? vm->spec : vm->running;
}

/* Where they are; any directory of the host only for who may all; "": none. */
static const char *target_of(const struct request *rq, const struct vm *vm)
{
	const char *asked = request_string(rq, "target");
	const struct vm_spec *spec = spec_of(vm);

	return *asked ? asked : spec ? str_or(spec->backup.target, "") : "";
}

/* The VM, if the request may look where it wants to; NULL: answered. */
static struct vm *find_vm(struct request *rq)
{
	struct vm *vm = command_vm(rq);

	if (!vm)
		return NULL;
	if (*request_string(rq, "target") && rq->role < ROLE_ADMIN)
		request_failf(rq, ERR_DENIED,
			"only the role admin may name a directory");
	else if (!*target_of(rq, vm))
		request_failf(rq, ERR_CONFIG,
			"[backup] has no target: give one, or --target DIR");
	else
		return vm;
	return NULL;
}

static char *dir_of(const struct request *rq, const struct vm *vm)
{
	return xasprintf("%s/%s", target_of(rq, vm), vm->name);
}

/* ---- create ---- */

static enum freeze freeze_of(const struct request *rq, enum freeze fallback)
{
	static const char *const words[] = { "no", "if-agent", "yes" };

	for (int i = 0; i < 3; i++) {
		if (str_eq(request_string(rq, "freeze"), words[i]))
			return (enum freeze)i;
	}
	return fallback;
}

static void on_created(struct job *job, void *arg)
{
	struct request *rq = arg;
	json_t *result;
	const char *why;

	if (!command_ends_well(rq, job))
		return;
	result = op_backup_result(job);
	why = json_string_value(json_object_get(result, "why"));
	json_object_set_new(result, "changed", json_true());
	json_object_set_new(result, "message",
		json_sprintf("backup '%s', %s%s%s",
			json_string_value(json_object_get(result, "id")),
			json_string_value(json_object_get(result, "kind")),
			why ? ": " : "", str_or(why, "")));
	request_reply_steal(rq, result);
}

void command_backup_create(struct request *rq)
{
	struct vm *vm = find_vm(rq);
	struct backup_wish wish;
	struct err err = ERR_INIT;

	if (!vm)
		return;
	wish = backup_wish_of(spec_of(vm));
	wish.target = target_of(rq, vm);
	wish.id = request_string(rq, "name");
	wish.full |= request_bool(rq, "full");
	wish.rate = (uint64_t)request_int(rq, "rate", (json_int_t)wish.rate);
	wish.freeze = freeze_of(rq, wish.freeze);
	if (op_backup_check(vm, &wish, &err))
		request_fail(rq, &err);
	else if (!command_dry_run(rq, vm))
		command_follow(rq, vm,
			command_is_alone(rq)
				? op_backup_begin(vm, &wish, vm_job_over, vm)
				: op_backup_begin(vm, &wish, on_created, rq));
}

/* ---- list ---- */

/* As people read it: without the configuration, with sums over the disks. */
static json_t *row_of(const json_t *manifest)
{
	static const char *const same[] = { "vm", "id", "kind", "parent",
		"nvram", "tpm", "scheduled", "running", "frozen", "disks" };
	json_t *row = json_object();
	json_int_t bytes = 0;
	json_t *disk;
	char when[32];
	size_t i;

	for (i = 0; i < NELEMS(same); i++)
		json_object_set(
			row, same[i], json_object_get(manifest, same[i]));
	json_array_foreach(json_object_get(manifest, "disks"), i, disk) bytes +=
		json_integer_value(json_object_get(disk, "size"));
	vmlog_time(json_integer_value(json_object_get(manifest, "time")), when);
	json_object_set_new(row, "time", json_string(when));
	json_object_set_new(row, "size", json_integer(bytes));
	json_object_set(row, "note",
		json_object_get(manifest, json_object_get(manifest, "broken")
						  ? "broken"
						  : "why"));
	return row;
}

void command_backup_list(struct request *rq)
{
	struct vm *vm = find_vm(rq);
	AUTO_FREE char *dir = vm ? dir_of(rq, vm) : NULL;
	AUTO_JSON json_t *list = NULL;
	json_t *rows;
	json_t *one;
	size_t i;

	if (!vm)
		return;
	list = backups_list(dir);
	rows = json_array();
	json_array_foreach(list, i, one)
		json_array_append_new(rows, row_of(one));
	request_reply_steal(rq, json_pack("{s:o}", "backups", rows));
}

/* ---- verify, restore ---- */

static void on_verified(struct job *job, void *arg)
{
	struct request *rq = arg;

	if (command_ends_well(rq, job))
		request_reply_steal(
			rq, json_pack("{s:b,s:i,s:o}", "changed", 0, "images",
				    (int)op_verify_good(job), "message",
				    json_sprintf("%u images are as they were "
						 "written",
					    op_verify_good(job))));
}

void command_backup_verify(struct request *rq)
{
	struct vm *vm = find_vm(rq);
	AUTO_FREE char *dir = vm ? dir_of(rq, vm) : NULL;
	const char *id = request_string(rq, "id");
	struct err err = ERR_INIT;

	if (!vm)
		return;
	if (vm_check_free(vm, &err))
		request_fail(rq, &err);
	else
		command_follow(rq, vm,
			op_verify_begin(vm, dir, *id ? id : NULL, NULL,
				command_is_alone(rq) ? vm_job_over
						     : on_verified,
				command_is_alone(rq) ? (void *)vm
						     : (void *)rq));
}

static void on_put_back(struct job *job, void *arg)
{
	struct request *rq = arg;
	const struct vm *vm = rq->vm;

	if (command_ends_well(rq, job))
		request_reply_steal(rq,
			command_result(vm, true, "its disks are as they were"));
}

void command_backup_restore(struct request *rq)
{
	struct vm *vm = find_vm(rq);
	AUTO_FREE char *dir = vm ? dir_of(rq, vm) : NULL;
	struct err err = ERR_INIT;

	if (!vm)
		return;
	if (op_putback_check(vm, &err))
		request_fail(rq, &err);
	else if (!command_dry_run(rq, vm))
		command_follow(rq, vm,
			op_putback_begin(vm, dir, request_string(rq, "id"),
				command_is_alone(rq) ? vm_job_over
						     : on_put_back,
				command_is_alone(rq) ? (void *)vm
						     : (void *)rq));
}
