/* SPDX-License-Identifier: GPL-2.0-or-later */
/* disk list, attach, detach. */
#include <stdio.h>
#include <string.h>

#include "base/atom.h"
#include "base/mem.h"
#include "supervisor/commands.h"
#include "supervisor/config.h"
#include "supervisor/lifecycle.h"
#include "supervisor/op.h"
#include "supervisor/report.h"
#include "supervisor/unplug.h"

#define DETACH_MS 5000

void command_disk_list(struct request *rq)
{
	struct vm *vm = command_vm(rq);

	if (vm)
		request_reply_steal(
			rq, json_pack("{s:o}", "disks", report_disks(vm)));
}

/* A change of a running VM's disks, on its way. */
struct plug {
	struct vm *vm;
	struct request *rq; /* NULL: answered, nobody waits for the rest */
	bool attach;
	bool write; /* into our drop-in, too */
	char *disk;
	json_t *pairs; /* attach: what it is made of */
};

static void free_plug(struct plug *plug)
{
	free(plug->disk);
	json_decref(plug->pairs);
	free(plug);
}

/* ---- the same change in our drop-in ---- */

static void answer(struct plug *plug, const struct err *err)
{
	struct vm *vm = plug->vm;
	struct err why = *err;

	if (!plug->attach && !why.code)
		unplug_forget(vm, plug->disk);
	registry_load(vm->registry, vm);
	vm_changed(vm);
	if (why.code && vm_is_up(vm))
		err_wrap(&why, "done until the VM stops, but not written: ");
	if (why.code && plug->rq)
		request_fail(plug->rq, &why);
	else if (why.code)
		vmlog_line(&vm->log, LOG_WARN, "disk '%s': %s", plug->disk,
			why.text);
	else if (plug->rq)
		request_reply_steal(plug->rq,
			command_result(vm, true,
				!vm_is_up(vm)
					? "written; the next start sees it"
				: plug->attach ? "attached"
					       : "detached"));
	free_plug(plug);
}

static void on_written(struct job *job, void *arg)
{
	struct plug *plug = arg;

	vm_job_over(job, plug->vm);
	if (plug->rq)
		plug->rq->job = NULL;
	answer(plug, &job->err);
}

static struct job *write_attach(struct plug *plug)
{
	AUTO_FREE char *section = xasprintf("disk.%s", plug->disk);
	struct config_edit *edits =
		xcalloc(json_object_size(plug->pairs) + 1, sizeof(edits[0]));
	struct job *job;
	const char *key;
	json_t *value;
	size_t n = 0;

	json_object_foreach(plug->pairs, key, value)
	{
		edits[n].section = section;
		edits[n].key = key;
		edits[n++].value = json_string_value(value);
	}
	job = op_edit_begin(plug->vm, edits, n, on_written, plug);
	free(edits);
	return job;
}

/* The running VM has it; now the file, so that the next start does too. */
static void after_change(struct plug *plug)
{
	struct err err = ERR_INIT;
	struct job *job = !plug->write ? NULL
			  : plug->attach
				  ? write_attach(plug)
				  : unplug_write_begin(plug->vm, plug->disk,
					    on_written, plug);

	if (!job) {
		answer(plug, &err);
		return;
	}
	if (plug->rq)
		plug->rq->job = job;
	vm_job_add(plug->vm, job);
}

static void on_plug_end(struct job *job, void *arg)
{
	struct plug *plug = arg;

	vm_job_over(job, plug->vm);
	if (plug->rq)
		plug->rq->job = NULL;
	if (!job->err.code) {
		after_change(plug);
		return;
	}
	if (!str_starts(job->err.text, "disk"))
		err_wrap(&job->err, "disk '%s': ", plug->disk);
	if (plug->rq)
		request_fail(plug->rq, &job->err);
	else
		registry_load(plug->vm->registry, plug->vm);
	free_plug(plug);
}

/* With "job" the answer is its id, and nobody waits. */
static void watch(struct plug *plug, struct job *job)
{
	struct request *rq = plug->rq;

	vm_job_add(plug->vm, job);
	if (request_bool(rq, "job"))
		plug->rq = NULL;
	if (plug->rq)
		rq->job = job;
	else
		command_job(rq, plug->vm, job);
}

static struct plug *new_plug(struct request *rq, struct vm *vm, bool attach)
{
	struct plug *plug = NEW(struct plug);
	json_t *pairs = json_object_get(rq->args, "pairs");

	rq->vm = vm;
	plug->vm = vm;
	plug->rq = rq;
	plug->attach = attach;
	/* whether the change is to outlast the VM's life */
	plug->write = !request_bool(rq, "runtime") && !vm->env->file;
	plug->disk = xstrdup(request_string(rq, "disk"));
	plug->pairs = pairs ? json_incref(pairs) : json_object();
	return plug;
}

/* ---- attach ---- */

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
	struct err err = ERR_INIT;
	struct spec_disk *disk;
	struct plug *plug;

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
	plug = new_plug(rq, vm, true);
	if (!vm_is_up(vm)) {
		spec_disk_free(disk);
		after_change(plug);
		return;
	}
	watch(plug, op_disk_attach_begin_steal(vm, disk,
			    json_incref(plug->pairs), on_plug_end, plug));
}

/* ---- detach ---- */

static void on_detach_pending(
	struct job *job UNUSED, void *arg, const struct err *err)
{
	struct plug *plug = arg;
	struct request *rq = TAKE(plug->rq);

	if (rq)
		request_fail(rq, err);
}

void command_disk_detach(struct request *rq)
{
	struct vm *vm = command_vm(rq);
	const char *name = request_string(rq, "disk");
	int64_t ms = request_ms(rq, "timeout");
	struct plug *plug;

	if (!vm || !can_plug(rq, vm))
		return;
	if (!spec_disk_of(spec_now(vm), name)) {
		request_failf(rq, ERR_NOT_FOUND, "it has no disk '%s'", name);
		return;
	}
	if (command_dry_run(rq, vm))
		return;
	plug = new_plug(rq, vm, false);
	if (!vm_is_up(vm)) {
		after_change(plug);
		return;
	}
	unplug_mark(vm, name, plug->write);
	watch(plug, op_disk_detach_begin(vm, name, ms ? ms : DETACH_MS,
			    on_detach_pending, on_plug_end, plug));
}
