/* SPDX-License-Identifier: GPL-2.0-or-later */
/* disk resize: live by QEMU, of a stopped VM by qemu-img; then the file. */
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "supervisor/argv.h"
#include "supervisor/change.h"
#include "supervisor/commands.h"
#include "supervisor/config.h"
#include "supervisor/edits.h"
#include "supervisor/image_request.h"
#include "supervisor/op.h"
#include "supervisor/op_image.h"
#include "supervisor/running.h"
#include "supervisor/spec_value.h"
#include "supervisor/tasks.h"

static uint64_t size_of(const struct request *rq)
{
	return (uint64_t)request_int(rq, "size", 0);
}

/* ---- the file ---- */

/* A file that says a size says the new one; others say nothing. */
static void write_size(struct request *rq)
{
	struct vm *vm = rq->vm;
	const char *name = request_string(rq, "disk");
	const struct spec_disk *disk =
		vm->spec ? spec_disk_of(vm->spec, name) : NULL;
	AUTO_FREE char *section = xasprintf("disk.%s", name);
	AUTO_FREE char *value = value_size_text(size_of(rq));
	char key[] = "size";
	const struct config_edit edit = { section, key, value };
	bool says = disk && disk->size && disk->size != size_of(rq);

	change_write(rq, &edit, says ? 1 : 0, "resized", NULL);
}

/* ---- running ---- */

static void on_live_end(struct job *job, void *arg)
{
	struct request *rq = arg;
	AUTO_FREE char *text = NULL;

	vm_job_over(job, rq->vm);
	rq->job = NULL;
	if (job->err.code) {
		err_wrap(&job->err, "disk '%s': ", request_string(rq, "disk"));
		request_fail(rq, &job->err);
		return;
	}
	text = value_size_text(size_of(rq));
	if (rq->vm->running)
		running_resize_disk(
			rq->vm, request_string(rq, "disk"), size_of(rq), text);
	write_size(rq);
}

/* ---- stopped ---- */

static void on_stopped_end(struct job *job, void *arg)
{
	struct request *rq = arg;

	if (command_task_ends_well(rq, job))
		write_size(rq);
}

static void resize_stopped(struct request *rq, const struct spec_disk *disk)
{
	struct vm *vm = rq->vm;
	AUTO_FREE char *path =
		argv_disk_path(vm->spec, disk, vm->env->paths.images);
	struct err err = ERR_INIT;
	int format = argv_disk_format(disk, path, &err);
	struct volume volume;
	struct op_image *op;

	if (format == FORMAT_NONE ||
		volume_name(vm->env, "", path, spec_format_names[format],
			&volume, &err)) {
		request_fail(rq, &err);
		return;
	}
	op = op_image_new_steal(vm->env, &volume);
	op->size = size_of(rq);
	if (disk->secret_file &&
		secret_read(disk->secret_file, &op->secret, &err)) {
		image_request_refuse(rq, op, &err);
		return;
	}
	op->rules = volume_rules(request_registry(rq));
	if (volume_must_be_free(request_registry(rq), &op->volume,
		    NEED_RUNNING | NEED_ABOVE, &err)) {
		op_image_free(op);
		request_fail(rq, &err);
		return;
	}
	op_image_resize(op, on_stopped_end, rq);
	rq->job = &op->job;
	tasks_add(rq->job, rq->id);
}

/* ---- the request ---- */

static bool is_good(
	struct request *rq, struct vm *vm, const struct spec_disk *disk)
{
	json_int_t size = request_int(rq, "size", 0);

	if (!disk)
		request_failf(rq, ERR_NOT_FOUND, "it has no disk '%s'",
			request_string(rq, "disk"));
	else if (disk->readonly)
		request_failf(
			rq, ERR_STATE, "disk '%s' is read-only", disk->name);
	else if (disk->url)
		request_failf(rq, ERR_UNSUPPORTED,
			"disk '%s' has the size that its server says",
			disk->name);
	else if (size <= 0 || size % 1024)
		request_failf(rq, ERR_USAGE,
			"a size is a multiple of 1K, and more than 0");
	else if (!vm_is_up(vm) || change_may_begin(rq, vm))
		return !command_dry_run(rq, vm);
	return false;
}

void command_disk_resize(struct request *rq)
{
	struct vm *vm = command_vm(rq);
	const struct vm_spec *spec = !vm ? NULL : vm_spec_now(vm);
	const char *name = request_string(rq, "disk");
	const struct spec_disk *disk = spec ? spec_disk_of(spec, name) : NULL;

	if (!vm || !is_good(rq, vm, disk))
		return;
	rq->vm = vm;
	if (!vm_is_up(vm)) {
		resize_stopped(rq, disk);
		return;
	}
	rq->job = op_disk_resize_begin(vm, name, size_of(rq), on_live_end, rq);
	vm_job_add(vm, rq->job);
}
