/* SPDX-License-Identifier: GPL-2.0-or-later */
/* disk list; attach and detach of disks and nics. */
#include <stdio.h>
#include <string.h>

#include "base/atom.h"
#include "base/mem.h"
#include "supervisor/change.h"
#include "supervisor/commands.h"
#include "supervisor/config.h"
#include "supervisor/lifecycle.h"
#include "supervisor/op.h"
#include "supervisor/op_device.h"
#include "supervisor/op_nic.h"
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

/* What can be plugged in and out; a device is the struct of its table. */
struct plug_kind {
	const char *word;    /* as people say, and the argument's name */
	const char *section; /* "disk" of [disk.N] */
	bool (*has)(const struct vm_spec *spec, const char *name);
	void *(*make)(struct vm *vm, const struct vm_spec *spec,
		const char *name, const char *const *pairs, struct err *err);
	void (*free)(void *device);
	struct job *(*attach)(struct vm *vm, void *device, json_t *pairs,
		op_end_fn *on_end, void *arg);
	const struct op_device_class *device;
};

/* A change of a running VM's devices, on its way. */
struct plug {
	const struct plug_kind *kind;
	struct vm *vm;
	struct request *rq; /* NULL: answered, nobody waits for the rest */
	bool attach;
	bool write; /* into our drop-in, too */
	char *name;
	json_t *pairs; /* attach: what it is made of */
};

static void free_plug(struct plug *plug)
{
	free(plug->name);
	json_decref(plug->pairs);
	free(plug);
}

/* ---- the same change in our drop-in ---- */

static void answer(struct plug *plug, const struct err *err)
{
	struct vm *vm = plug->vm;
	struct err why = *err;

	if (!plug->attach && !why.code)
		unplug_forget(vm, plug->kind->section, plug->name);
	registry_load(vm->registry, vm);
	vm_changed(vm);
	if (why.code && vm_is_up(vm))
		err_wrap(&why, "done until the VM stops, but not written: ");
	if (why.code && plug->rq)
		request_fail(plug->rq, &why);
	else if (why.code)
		vmlog_line(&vm->log, LOG_WARN, "%s '%s': %s", plug->kind->word,
			plug->name, why.text);
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
	AUTO_FREE char *section =
		xasprintf("%s.%s", plug->kind->section, plug->name);
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
	struct job *job =
		!plug->write ? NULL
		: plug->attach
			? write_attach(plug)
			: unplug_write_begin(plug->vm, plug->kind->section,
				  plug->name, on_written, plug);

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
	if (!str_starts(job->err.text, plug->kind->word))
		err_wrap(&job->err, "%s '%s': ", plug->kind->word, plug->name);
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

static struct plug *new_plug(struct request *rq, struct vm *vm,
	const struct plug_kind *kind, bool attach)
{
	struct plug *plug = NEW(struct plug);
	json_t *pairs = json_object_get(rq->args, "pairs");

	rq->vm = vm;
	plug->vm = vm;
	plug->rq = rq;
	plug->attach = attach;
	/* whether the change is to outlast the VM's life */
	plug->write = !request_bool(rq, "runtime") && !vm->env->file;
	plug->kind = kind;
	plug->name = xstrdup(request_string(rq, kind->word));
	plug->pairs = pairs ? json_incref(pairs) : json_object();
	return plug;
}

/* ---- attach ---- */

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

/* The device of the request's words; NULL with err. */
static void *device_of(struct request *rq, struct vm *vm,
	const struct plug_kind *kind, struct err *err)
{
	json_t *pairs = json_object_get(rq->args, "pairs");
	char **words = xcalloc(json_object_size(pairs) + 1, sizeof(char *));
	void *device;
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
	device = kind->make(vm, vm_spec_now(vm), request_string(rq, kind->word),
		(const char *const *)words, err);
	config_names_free(words);
	return device;
}

static void attach(struct request *rq, const struct plug_kind *kind)
{
	struct vm *vm = command_vm(rq);
	const char *name = request_string(rq, kind->word);
	struct err err = ERR_INIT;
	struct plug *plug;
	void *device;

	if (!vm || !change_may_begin(rq, vm))
		return;
	if (kind->has(vm_spec_now(vm), name)) {
		request_failf(rq, ERR_EXISTS, "it has a %s '%s' already",
			kind->word, name);
		return;
	}
	device = device_of(rq, vm, kind, &err);
	if (!device) {
		request_fail(rq, &err);
		return;
	}
	if (command_dry_run(rq, vm)) {
		kind->free(device);
		return;
	}
	plug = new_plug(rq, vm, kind, true);
	if (!vm_is_up(vm)) {
		kind->free(device);
		after_change(plug);
		return;
	}
	watch(plug, kind->attach(vm, device, json_incref(plug->pairs),
			    on_plug_end, plug));
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

static void detach(struct request *rq, const struct plug_kind *kind)
{
	struct vm *vm = command_vm(rq);
	const char *name = request_string(rq, kind->word);
	int64_t ms = request_ms(rq, "timeout");
	struct plug *plug;

	if (!vm || !change_may_begin(rq, vm))
		return;
	if (!kind->has(vm_spec_now(vm), name)) {
		request_failf(rq, ERR_NOT_FOUND, "it has no %s '%s'",
			kind->word, name);
		return;
	}
	if (command_dry_run(rq, vm))
		return;
	plug = new_plug(rq, vm, kind, false);
	if (!vm_is_up(vm)) {
		after_change(plug);
		return;
	}
	unplug_mark(vm, kind->section, name, plug->write);
	watch(plug, op_device_detach_begin(kind->device, vm,
			    &(struct op_detach){ name, ms ? ms : DETACH_MS,
				    on_detach_pending, on_plug_end, plug }));
}

/* ---- disks ---- */

static bool has_disk(const struct vm_spec *spec, const char *name)
{
	return spec_disk_of(spec, name) != NULL;
}

static void *make_disk(struct vm *vm, const struct vm_spec *spec,
	const char *name, const char *const *pairs, struct err *err)
{
	if (spec_cdrom_of(spec, name)) {
		err_set(err, ERR_EXISTS, "it has a CD-ROM drive '%s' already",
			name);
		return NULL;
	}
	return spec_disk_from_pairs(
		spec, name, pairs, "/", &vm->env->paths, err);
}

static void free_disk(void *device)
{
	spec_disk_free(device);
}

static struct job *attach_disk(struct vm *vm, void *device, json_t *pairs,
	op_end_fn *on_end, void *arg)
{
	return op_disk_attach_begin_steal(vm, device, pairs, on_end, arg);
}

static const struct plug_kind disks = { "disk", "disk", has_disk, make_disk,
	free_disk, attach_disk, &op_device_disk };

void command_disk_attach(struct request *rq)
{
	attach(rq, &disks);
}

void command_disk_detach(struct request *rq)
{
	detach(rq, &disks);
}

/* ---- nics ---- */

static bool has_nic(const struct vm_spec *spec, const char *name)
{
	return spec_nic_of(spec, name) != NULL;
}

static void *make_nic(struct vm *vm, const struct vm_spec *spec,
	const char *name, const char *const *pairs, struct err *err)
{
	return spec_nic_from_pairs(spec, name, pairs, &vm->env->paths, err);
}

static void free_nic(void *device)
{
	spec_nic_free(device);
}

static struct job *attach_nic(struct vm *vm, void *device, json_t *pairs,
	op_end_fn *on_end, void *arg)
{
	return op_nic_attach_begin_steal(vm, device, pairs, on_end, arg);
}

static const struct plug_kind nics = { "nic", "net", has_nic, make_nic,
	free_nic, attach_nic, &op_device_nic };

void command_nic_attach(struct request *rq)
{
	attach(rq, &nics);
}

void command_nic_detach(struct request *rq)
{
	detach(rq, &nics);
}
