/* SPDX-License-Identifier: GPL-2.0-or-later */
/* disk list, attach, detach. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "supervisor/commands.h"
#include "supervisor/config.h"
#include "supervisor/lifecycle.h"
#include "supervisor/op.h"
#include "supervisor/report.h"

#define DETACH_MS 5000
#define DROPIN    "50-vmward.ini"

void command_disk_list(struct request *rq)
{
	struct vm *vm = command_vm(rq);

	if (vm)
		request_reply_steal(
			rq, json_pack("{s:o}", "disks", report_disks(vm)));
}

/* ---- the same change in our drop-in ---- */

static void answer(struct request *rq, const struct err *err)
{
	struct vm *vm = rq->vm;
	bool attach = str_eq(rq->verb->wire, "vm-disk-attach");
	struct err why = *err;

	registry_load(request_registry(rq), vm);
	vm_changed(vm);
	if (why.code) {
		if (vm_is_up(vm))
			err_wrap(&why,
				"done until the VM stops, but not written: ");
		request_fail(rq, &why);
		return;
	}
	request_reply_steal(
		rq, command_result(vm, true,
			    !vm_is_up(vm) ? "written; the next start sees it"
			    : attach      ? "attached"
					  : "detached"));
}

static void on_written(struct job *job, void *arg)
{
	struct request *rq = arg;

	vm_job_over(job, rq->vm);
	rq->job = NULL;
	answer(rq, &job->err);
}

static struct job *write_attach(struct request *rq)
{
	AUTO_FREE char *section =
		xasprintf("disk.%s", request_string(rq, "disk"));
	json_t *pairs = json_object_get(rq->args, "pairs");
	struct config_edit *edits =
		xcalloc(json_object_size(pairs) + 1, sizeof(edits[0]));
	struct job *job;
	const char *key;
	json_t *value;
	size_t n = 0;

	json_object_foreach(pairs, key, value)
	{
		edits[n].section = section;
		edits[n].key = (char *)(uintptr_t)key;
		edits[n++].value = (char *)(uintptr_t)json_string_value(value);
	}
	job = op_edit_begin(rq->vm, edits, n, on_written, rq);
	free(edits);
	return job;
}

/* Our own keys of the section go; what others wrote is switched off. */
static size_t plan_detach(
	const struct vm_spec *spec, char *section, struct config_edit **edits)
{
	static char enabled[] = "enabled", no[] = "no";
	bool others = false;
	size_t n = 0;

	*edits = xcalloc(1, sizeof(**edits));
	list_each(&spec->ini.entries, it, next) {
		const struct ini_entry *e =
			list_entry(it, struct ini_entry, link);

		if (!str_eq(e->section, section))
			continue;
		if (!str_ends(e->file, DROPIN)) {
			others = true;
			continue;
		}
		if (!e->key)
			continue;
		*edits = xreallocarray(*edits, n + 2, sizeof(**edits));
		(*edits)[n++] = (struct config_edit){ section, e->key, NULL };
	}
	if (others)
		(*edits)[n++] = (struct config_edit){ section, enabled, no };
	return n;
}

/* NULL: nothing is written about the disk. */
static struct job *write_detach(
	struct vm *vm, const char *disk, op_end_fn *on_end, void *arg)
{
	AUTO_FREE char *section = xasprintf("disk.%s", disk);
	struct config_edit *edits = NULL;
	struct job *job = NULL;
	size_t n;

	if (!vm->spec)
		return NULL;
	n = plan_detach(vm->spec, section, &edits);
	if (n)
		job = op_edit_begin(vm, edits, n, on_end, arg);
	free(edits);
	return job;
}

/* Whether the change is to outlast the VM's life. */
static bool is_to_stay(const struct request *rq, const struct vm *vm)
{
	return !request_bool(rq, "runtime") && !vm->env->file;
}

/* The running VM has it; now the file, so that the next start does too. */
static void after_change(struct request *rq, bool attach)
{
	struct err err = ERR_INIT;
	bool write = is_to_stay(rq, rq->vm);

	rq->job = !write   ? NULL
		  : attach ? write_attach(rq)
			   : write_detach(rq->vm, request_string(rq, "disk"),
				     on_written, rq);
	if (rq->job)
		vm_job_add(rq->vm, rq->job);
	else
		answer(rq, &err);
}

/* ---- attach ---- */

static void on_attach_end(struct job *job, void *arg)
{
	struct request *rq = arg;

	vm_job_over(job, rq->vm);
	rq->job = NULL;
	if (job->err.code && !str_starts(job->err.text, "disk"))
		err_wrap(&job->err, "disk '%s': ", request_string(rq, "disk"));
	if (job->err.code)
		request_fail(rq, &job->err);
	else
		after_change(rq, true);
}

/* What runs, else what is written. */
static const struct vm_spec *spec_now(const struct vm *vm)
{
	return vm->running ? vm->running : vm->spec;
}

/* Of a VM that is down only the file changes. */
static bool is_for_file(const struct request *rq, const struct vm *vm)
{
	return !vm_is_up(vm) && vm->spec && !vm->env->file &&
	       !request_bool(rq, "runtime");
}

/* Running, reachable, nothing else under way; else answered. */
static bool can_plug(struct request *rq, struct vm *vm)
{
	struct job *busy = vm_busy(vm);

	if (is_for_file(rq, vm))
		return true;
	if ((vm->state != VM_RUNNING && vm->state != VM_PAUSED) ||
		!vm->machine.ready || !vm->running) {
		request_failf(rq, ERR_STATE, "it is %s", vm_state_word(vm));
		return false;
	}
	if (busy && !busy->progress.phase) {
		request_failf(rq, ERR_BUSY, "job j%u (%s) is under way",
			busy->id, busy->kind->name);
		return false;
	}
	return true;
}

/* The client's directory is not ours, and the drop-in's is a third one. */
static int check_path(const char *key, const char *value, struct err *err)
{
	if ((!str_eq(key, "image") && !str_eq(key, "base")) || *value == '/' ||
		!strchr(value, '/'))
		return 0;
	return err_set(err, ERR_USAGE,
		"%s=%s: say the whole path, from / on, or a volume's name", key,
		value);
}

static struct spec_disk *disk_of_pairs(
	struct request *rq, struct vm *vm, struct err *err)
{
	json_t *pairs = json_object_get(rq->args, "pairs");
	char **words = xcalloc(json_object_size(pairs) + 1, sizeof(char *));
	struct spec_disk *disk;
	const char *key;
	json_t *value;
	size_t n = 0;

	json_object_foreach(pairs, key, value)
	{
		const char *text = json_string_value(value);

		if (check_path(key, text, err)) {
			config_names_free(words);
			return NULL;
		}
		words[n++] = xasprintf("%s=%s", key, text);
	}
	disk = spec_disk_from_pairs(spec_now(vm), request_string(rq, "disk"),
		(const char *const *)words, "/", &vm->env->paths, err);
	config_names_free(words);
	return disk;
}

void command_disk_attach(struct request *rq)
{
	struct vm *vm = command_vm(rq);
	const char *name = request_string(rq, "disk");
	json_t *pairs = json_object_get(rq->args, "pairs");
	struct err err = ERR_INIT;
	struct spec_disk *disk;

	if (!vm || !can_plug(rq, vm))
		return;
	if (spec_disk_of(spec_now(vm), name)) {
		request_failf(
			rq, ERR_EXISTS, "it has a disk '%s' already", name);
		return;
	}
	disk = disk_of_pairs(rq, vm, &err);
	if (!disk) {
		request_fail(rq, &err);
		return;
	}
	if (command_dry_run(rq, vm)) {
		spec_disk_free(disk);
		return;
	}
	rq->vm = vm;
	if (!vm_is_up(vm)) {
		spec_disk_free(disk);
		after_change(rq, true);
		return;
	}
	rq->job = op_disk_attach_begin_steal(vm, disk,
		pairs ? json_incref(pairs) : json_object(), on_attach_end, rq);
	vm_job_add(vm, rq->job);
}

/* ---- detach ---- */

struct detach {
	struct vm *vm;
	struct request *rq; /* NULL: answered, the unplug is pending */
	char *disk;
	bool write; /* into the file, too */
};

static void free_detach(struct detach *detach)
{
	free(detach->disk);
	free(detach);
}

static void on_late_written(struct job *job, void *arg)
{
	struct vm *vm = arg;

	vm_job_over(job, vm);
	registry_load(vm->registry, vm);
	vm_changed(vm);
}

/* The guest let go of it after its time: nobody waits for the file. */
static void finish_late(const struct detach *detach, const struct err *err)
{
	struct vm *vm = detach->vm;
	struct job *job =
		err->code || !detach->write
			? NULL
			: write_detach(vm, detach->disk, on_late_written, vm);

	if (job)
		vm_job_add(vm, job);
	else
		registry_load(vm->registry, vm);
}

static void on_detach_pending(
	struct job *job UNUSED, void *arg, const struct err *err)
{
	struct detach *detach = arg;
	struct request *rq = TAKE(detach->rq);

	if (rq)
		request_fail(rq, err);
}

static void on_detach_end(struct job *job, void *arg)
{
	struct detach *detach = arg;
	struct request *rq = detach->rq;
	struct vm *vm = detach->vm;

	vm_job_over(job, vm);
	if (!rq)
		finish_late(detach, &job->err);
	else if (job->err.code)
		request_fail(rq, &job->err);
	else
		after_change(rq, false);
	free_detach(detach);
}

void command_disk_detach(struct request *rq)
{
	struct vm *vm = command_vm(rq);
	const char *name = request_string(rq, "disk");
	int64_t ms = request_ms(rq, "timeout");
	struct detach *detach;
	struct job *job;

	if (!vm || !can_plug(rq, vm))
		return;
	if (!spec_disk_of(spec_now(vm), name)) {
		request_failf(rq, ERR_NOT_FOUND, "it has no disk '%s'", name);
		return;
	}
	if (command_dry_run(rq, vm))
		return;
	rq->vm = vm;
	if (!vm_is_up(vm)) {
		after_change(rq, false);
		return;
	}
	detach = NEW(struct detach);
	detach->vm = vm;
	detach->rq = rq;
	detach->disk = xstrdup(name);
	detach->write = is_to_stay(rq, vm);
	job = op_disk_detach_begin(vm, name, ms ? ms : DETACH_MS,
		on_detach_pending, on_detach_end, detach);
	rq->job = job;
	vm_job_add(vm, job);
}
