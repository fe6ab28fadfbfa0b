/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The running VM follows its file as far as QEMU can: what can be undone
 * comes first, what cannot (a larger disk) last but for what goes.  If a step
 * fails, those before it are undone.  A guest that keeps a device is no
 * failure: it is let go when the guest does.
 */
#include "supervisor/op_apply.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "supervisor/limits.h"
#include "supervisor/nets.h"
#include "supervisor/op.h"
#include "supervisor/op_cdrom.h"
#include "supervisor/op_device.h"
#include "supervisor/op_nic.h"
#include "supervisor/op_nics.h"
#include "supervisor/op_size.h"
#include "supervisor/running.h"
#include "supervisor/throttle.h"
#include "supervisor/unplug.h"

#define DETACH_MS 5000

/* A detach may outlive the job that began it. */
struct detach {
	struct op_apply *op; /* NULL: nobody waits for it */
	struct vm *vm;
	const struct plug *plug;
	char *name;
};

struct op_apply {
	struct job job;
	struct vm *vm;
	struct observed seen;
	struct deltas deltas;
	struct delta **todo; /* in the order of enum delta_act */
	size_t n;
	size_t at;              /* the one at work */
	struct vm_spec *target; /* the file; what is attached is taken out */
	struct vm_spec *before; /* what ran */
	struct detach *detach;
	bool done; /* the step */
	struct err err;
	unsigned kept; /* devices that the guest keeps for now */
};

static const char *device_of(const struct delta *d)
{
	return strchr(d->section, '.') + 1;
}

/* ---- steps ---- */

static void on_step(struct job *job, void *arg)
{
	struct op_apply *op = arg;

	vm_job_over(job, op->vm);
	op->done = true;
	op->err = job->err;
	job_wake(&op->job);
}

static void watch(struct op_apply *op, struct job *job)
{
	job->parent = &op->job;
	vm_job_add(op->vm, job);
}

/* KEY=VALUE as its section says them; new. */
static json_t *pairs_of(const struct vm_spec *spec, const char *section)
{
	json_t *pairs = json_object();

	list_each(&spec->ini.entries, it, next) {
		const struct ini_entry *e =
			list_entry(it, struct ini_entry, link);

		if (e->key && str_eq(e->section, section))
			json_object_set_new(
				pairs, e->key, json_string(e->value));
	}
	return pairs;
}

/* ---- what is plugged in and out ---- */

static struct job *attach_disk(struct op_apply *op, const struct vm_spec *from,
	const char *name, json_t *pairs)
{
	struct spec_disk *disk = spec_disk_of(from, name);

	list_del(&disk->link);
	list_init(&disk->link);
	return op_disk_attach_begin_steal(op->vm, disk, pairs, on_step, op);
}

static struct job *attach_nic(struct op_apply *op, const struct vm_spec *from,
	const char *name, json_t *pairs)
{
	struct spec_nic *nic = spec_nic_of(from, name);

	list_del(&nic->link);
	list_init(&nic->link);
	return op_nic_attach_begin_steal(op->vm, nic, pairs, on_step, op);
}

static bool has_disk(const struct vm_spec *spec, const char *name)
{
	return spec_disk_of(spec, name) != NULL;
}

static bool has_nic(const struct vm_spec *spec, const char *name)
{
	return spec_nic_of(spec, name) != NULL;
}

static const struct plug {
	const char *class; /* of its section */
	bool (*has)(const struct vm_spec *spec, const char *name);
	/* Out of a copy, which has it no longer then; pairs are stolen. */
	struct job *(*attach)(struct op_apply *op, const struct vm_spec *from,
		const char *name, json_t *pairs);
	const struct op_device_class *device;
} plugs[] = {
	{ "disk", has_disk, attach_disk, &op_device_disk },
	{ "net", has_nic, attach_nic, &op_device_nic },
};

static const struct plug *plug_of(const struct delta *d)
{
	return str_starts(d->section, "net.") ? &plugs[1] : &plugs[0];
}

static void attach(
	struct op_apply *op, const struct delta *d, const struct vm_spec *from)
{
	const struct plug *plug = plug_of(d);

	if (plug->has(from, device_of(d)))
		watch(op, plug->attach(op, from, device_of(d),
				  pairs_of(from, d->section)));
	else
		op->done = true;
}

static void on_detached(struct job *job, void *arg)
{
	struct detach *detach = arg;

	if (!job->err.code)
		unplug_forget(detach->vm, detach->plug->class, detach->name);
	if (detach->op) {
		detach->op->detach = NULL;
		on_step(job, detach->op);
	} else {
		vm_job_over(job, detach->vm);
		vm_changed(detach->vm);
	}
	free(detach->name);
	free(detach);
}

static void on_kept(
	struct job *job UNUSED, void *arg, const struct err *err UNUSED)
{
	struct detach *detach = arg;
	struct op_apply *op = TAKE(detach->op);

	if (!op)
		return;
	op->detach = NULL;
	op->kept++;
	op->done = true;
	job_wake(&op->job);
}

/* No child of ours: it stays until the guest lets go. */
static void detach(struct op_apply *op, const struct delta *d)
{
	const struct plug *plug = plug_of(d);
	const char *name = device_of(d);
	struct detach *detach = NEW(struct detach);

	detach->op = op;
	detach->vm = op->vm;
	detach->plug = plug;
	detach->name = xstrdup(name);
	op->detach = detach;
	unplug_mark(op->vm, plug->class, name, false);
	vm_job_add(op->vm, op_device_detach_begin(plug->device, op->vm,
				   &(struct op_detach){ name, DETACH_MS,
					   on_kept, on_detached, detach }));
}

static bool wants_up(const struct vm_spec *spec, const struct delta *d)
{
	const struct spec_nic *nic = spec_nic_of(spec, device_of(d));

	return !nic || nic->up;
}

static void set_link(struct op_apply *op, const struct delta *d, bool up)
{
	AUTO_FREE char *id = xasprintf("net-%s", device_of(d));

	watch(op, op_qmp_begin_steal(op->vm, "set_link",
			  json_pack("{s:s,s:b}", "name", id, "up", up), on_step,
			  op));
}

static void resize(struct op_apply *op, const struct delta *d)
{
	const struct spec_disk *disk = spec_disk_of(op->target, device_of(d));

	watch(op, op_disk_resize_begin(
			  op->vm, disk->name, disk->size, on_step, op));
}

/* The disc of a drive as a spec has it, which has it no longer then. */
static void set_disc(
	struct op_apply *op, const struct delta *d, const struct vm_spec *to)
{
	const char *drive = device_of(d);
	struct spec_disk *disc = spec_disk_of(to, drive);

	if (disc) {
		list_del(&disc->link);
		list_init(&disc->link);
	}
	watch(op, op_cdrom_begin(op->vm,
			  &(struct cdrom_wish){ .drive = drive,
				  .disc = disc,
				  .image = to == op->before ? d->from : d->to },
			  on_step, op));
}

/* The rate of one direction as a spec has it: the host's, done at once. */
static void set_rate(
	struct op_apply *op, const struct delta *d, const struct vm_spec *to)
{
	const char *name = device_of(d);
	const struct spec_nic *then = spec_nic_of(to, name);
	const struct spec_nic *now = spec_nic_of(op->vm->running, name);
	const char *text = str_or(to == op->before ? d->from : d->to, "no");
	bool in = str_eq(d->key, "rate-in");
	struct rate_limits rates;

	op->done = true;
	if (!then || !now)
		return;
	rates = now->rates;
	if (in)
		rates.in = then->rates.in;
	else
		rates.out = then->rates.out;
	if (!nets_rate(op->vm->name, name, &rates, &op->err))
		running_set_rates(op->vm, name, &rates, in ? NULL : text,
			in ? text : NULL);
}

/* All of the port at once, whichever of it differs: the host's. */
static void set_port(
	struct op_apply *op, const struct delta *d, const struct vm_spec *to)
{
	const struct spec_nic *then = spec_nic_of(to, device_of(d));
	const struct spec_nic *now = spec_nic_of(op->vm->running, device_of(d));
	struct spec_nic wish;

	op->done = true;
	if (!then || !now)
		return;
	wish = *now; /* borrows */
	wish.vlan = then->vlan;
	wish.trunk = then->trunk;
	wish.isolate = then->isolate;
	wish.forward = then->forward;
	if (!op_nics_change(op->vm, &wish, &op->err))
		running_set_port(op->vm, d->key, then,
			to == op->before ? d->from : d->to);
}

/* They note themselves what runs. */
static void set_size(
	struct op_apply *op, const struct delta *d, const struct vm_spec *to)
{
	watch(op,
		d->act == DELTA_CPUS
			? op_cpus_begin(op->vm, to->vm.cpus, on_step, op)
			: op_memory_begin(op->vm, to->vm.memory, on_step, op));
}

/* All of them at once, whichever of them differs. */
static void throttle(
	struct op_apply *op, const struct delta *d, const struct vm_spec *spec)
{
	const struct spec_disk *disk = spec_disk_of(spec, device_of(d));

	watch(op,
		op_qmp_begin_steal(op->vm, THROTTLE_COMMAND,
			throttle_arguments(disk, &disk->limits), on_step, op));
}

static void note_limits(
	struct op_apply *op, const struct delta *d, const struct vm_spec *spec)
{
	const struct spec_disk *disk = spec_disk_of(spec, device_of(d));

	running_set_limits(op->vm, disk->name, &disk->limits);
}

/* All of them at once; the host's, done at once. */
static void limit(struct op_apply *op, const struct vm_spec *to)
{
	op->done = true;
	if (!limits_apply(op->vm, to, &op->err))
		running_set_host_limits(op->vm, to);
}

static struct delta *step_of(const struct op_apply *op)
{
	return op->todo[op->at];
}

static void begin_step(struct op_apply *op)
{
	const struct delta *d = step_of(op);

	op->done = false;
	op->err = (struct err)ERR_INIT;
	if (d->act == DELTA_ATTACH)
		attach(op, d, op->target);
	else if (d->act == DELTA_LINK)
		set_link(op, d, wants_up(op->target, d));
	else if (d->act == DELTA_RATE)
		set_rate(op, d, op->target);
	else if (d->act == DELTA_PORT)
		set_port(op, d, op->target);
	else if (d->act == DELTA_MEMORY || d->act == DELTA_CPUS)
		set_size(op, d, op->target);
	else if (d->act == DELTA_THROTTLE)
		throttle(op, d, op->target);
	else if (d->act == DELTA_DISC)
		set_disc(op, d, op->target);
	else if (d->act == DELTA_LIMITS)
		limit(op, op->target);
	else if (d->act == DELTA_RESIZE)
		resize(op, d);
	else
		detach(op, d);
}

/* What the step changed is what runs from now on. */
static void note_step(struct op_apply *op)
{
	const struct delta *d = step_of(op);
	const struct spec_disk *disk;

	if (!op->vm->running)
		return;
	if (d->act == DELTA_LINK)
		running_set_link(op->vm, device_of(d), wants_up(op->target, d));
	if (d->act == DELTA_THROTTLE)
		note_limits(op, d, op->target);
	disk = d->act == DELTA_RESIZE ? spec_disk_of(op->target, device_of(d))
				      : NULL;
	if (disk)
		running_resize_disk(op->vm, disk->name, disk->size, d->to);
}

/* ---- the job ---- */

static void on_seen(struct job *job, void *arg)
{
	struct op_apply *op = arg;

	op->done = true;
	op->err = job->err;
}

static int by_act(const void *a, const void *b)
{
	const struct delta *const *one = a;
	const struct delta *const *other = b;

	return (int)(*one)->act - (int)(*other)->act;
}

static int compare(struct op_apply *op, struct err *err)
{
	struct vm *vm = op->vm;

	if (!vm->spec || !vm->running)
		return err_set(err, ERR_GONE, "its file is gone");
	deltas_make(&op->deltas, vm, &op->seen);
	op->todo =
		xcalloc(list_count(&op->deltas.list) + 1, sizeof(op->todo[0]));
	list_each(&op->deltas.list, it, next) {
		struct delta *d = list_entry(it, struct delta, link);

		if (d->when == DELTA_HOT)
			op->todo[op->n++] = d;
	}
	qsort(op->todo, op->n, sizeof(op->todo[0]), by_act);
	op->target = vm_copy_spec(vm, vm->spec);
	op->before = vm_copy_spec(vm, vm->running);
	if (op->target && op->before)
		return 0;
	return err_set(err, ERR_CONFIG, "its files cannot be put together");
}

static void name_section(struct op_apply *op)
{
	if (!str_starts(op->err.text, "[limits]") &&
		!str_starts(op->err.text, "disk '") &&
		!str_starts(op->err.text, "net '"))
		err_wrap(&op->err, "[%s]: ", step_of(op)->section);
}

static enum job_state apply_run(struct job *job)
{
	struct op_apply *op = container_of(job, struct op_apply, job);

	JOB_BEGIN(job);
	observe_start(op->vm, &op->seen, job, on_seen, op);
	JOB_AWAIT(job, op->done, JOB_FOREVER); /* its own */
	if (op->err.code)
		return job_fail_err(job, &op->err);
	if (compare(op, &job->err))
		return JOB_ENDS;
	for (; op->at < op->n; op->at++) {
		if (!op->vm->machine.ready || !op->vm->running)
			return job_fail(job, ERR_GONE, "QEMU is gone");
		begin_step(op);
		JOB_AWAIT(job, op->done, JOB_FOREVER); /* its own */
		if (op->err.code) {
			name_section(op);
			return job_fail_err(job, &op->err);
		}
		note_step(op);
	}
	JOB_END(job);
}

/* ---- undone ---- */

static void begin_undo(struct op_apply *op)
{
	const struct delta *d = step_of(op);

	op->done = false;
	if (d->act == DELTA_ATTACH)
		detach(op, d);
	else if (d->act == DELTA_LINK)
		set_link(op, d, wants_up(op->before, d));
	else if (d->act == DELTA_RATE)
		set_rate(op, d, op->before);
	else if (d->act == DELTA_PORT)
		set_port(op, d, op->before);
	else if (d->act == DELTA_MEMORY || d->act == DELTA_CPUS)
		set_size(op, d, op->before);
	else if (d->act == DELTA_THROTTLE)
		throttle(op, d, op->before);
	else if (d->act == DELTA_DISC)
		set_disc(op, d, op->before);
	else if (d->act == DELTA_LIMITS)
		limit(op, op->before);
	else if (d->act == DELTA_DETACH &&
		 !plug_of(d)->has(op->vm->running, device_of(d)))
		attach(op, d, op->before);
	else
		op->done = true; /* a disk does not shrink */
}

static void note_undo(struct op_apply *op)
{
	const struct delta *d = step_of(op);

	if (op->err.code)
		vmlog_line(&op->vm->log, LOG_WARN,
			"[%s] stays as apply left it: %s", d->section,
			op->err.text);
	else if (d->act == DELTA_LINK && op->vm->running)
		running_set_link(op->vm, device_of(d), wants_up(op->before, d));
	else if (d->act == DELTA_THROTTLE && op->vm->running)
		note_limits(op, d, op->before);
}

static enum job_state apply_undo(struct job *job)
{
	struct op_apply *op = container_of(job, struct op_apply, job);

	JOB_BEGIN(job);
	if (op->detach) /* it goes on alone */
		op->detach->op = NULL;
	op->detach = NULL;
	while (op->at > 0 && op->vm->machine.ready && op->vm->running) {
		op->at--;
		op->err = (struct err)ERR_INIT;
		begin_undo(op);
		JOB_AWAIT(job, op->done, JOB_FOREVER); /* its own */
		note_undo(op);
	}
	JOB_END(job);
}

static void apply_cleanup(struct job *job)
{
	struct op_apply *op = container_of(job, struct op_apply, job);

	observed_fini(&op->seen);
	deltas_fini(&op->deltas);
	spec_free(op->target);
	spec_free(op->before);
	free(op->todo);
	free(op);
}

static const struct job_kind apply_kind = { "apply", apply_run, apply_undo,
	apply_cleanup };

struct job *op_apply_begin(struct vm *vm, op_end_fn *on_end, void *arg)
{
	struct op_apply *op = NEW(struct op_apply);

	op->vm = vm;
	list_init(&op->deltas.list);
	job_start(&op->job, &apply_kind, vm->name, on_end, arg);
	return &op->job;
}

const struct deltas *op_apply_deltas(const struct job *job)
{
	return &container_of(job, const struct op_apply, job)->deltas;
}

unsigned op_apply_kept(const struct job *job)
{
	return container_of(job, const struct op_apply, job)->kept;
}
