/* SPDX-License-Identifier: GPL-2.0-or-later */
/* disk throttle: limits of a disk by QEMU, then in the file. */
#include "base/mem.h"
#include "base/str.h"
#include "supervisor/change.h"
#include "supervisor/commands.h"
#include "supervisor/edits.h"
#include "supervisor/op.h"
#include "supervisor/running.h"
#include "supervisor/throttle.h"

static const struct spec_disk *disk_of(const struct request *rq)
{
	const struct vm *vm = rq->vm;
	const struct vm_spec *spec = vm_spec_now(vm);

	return spec ? spec_disk_of(spec, request_string(rq, "disk")) : NULL;
}

/* Those it has, with what the request says of them. */
static struct spec_limits limits_of(const struct request *rq)
{
	struct spec_limits limits = { 0 };

	if (!request_bool(rq, "off"))
		limits = disk_of(rq)->limits;
	for (size_t i = 0; i < THROTTLE_KEYS; i++) {
		uint64_t *limit = throttle_limit(&limits, i);

		*limit = (uint64_t)request_int(
			rq, throttle_keys[i], (json_int_t)*limit);
	}
	return limits;
}

/* ---- the file ---- */

/* What limits nothing is taken out. */
static void write_limits(struct request *rq, struct spec_limits limits)
{
	AUTO_FREE char *section =
		xasprintf("disk.%s", request_string(rq, "disk"));
	struct edits edits = EDITS_INIT;

	for (size_t i = 0; i < THROTTLE_KEYS; i++) {
		AUTO_FREE char *text = throttle_text(&limits, i);

		edits_add(&edits, section, throttle_keys[i],
			*throttle_limit(&limits, i) ? text : NULL);
	}
	change_write(rq, edits.at, edits.n, "throttled", NULL);
	edits_fini(&edits);
}

/* ---- running ---- */

static void on_live_end(struct job *job, void *arg)
{
	struct request *rq = arg;

	vm_job_over(job, rq->vm);
	rq->job = NULL;
	if (!job->err.code && !disk_of(rq))
		err_set(&job->err, ERR_GONE, "it is gone");
	if (job->err.code) {
		err_wrap(&job->err, "disk '%s': ", request_string(rq, "disk"));
		request_fail(rq, &job->err);
		return;
	}
	struct spec_limits limits = limits_of(rq);
	running_set_limits(rq->vm, request_string(rq, "disk"), &limits);
	write_limits(rq, limits);
}

/* ---- the request ---- */

static bool is_good(struct request *rq)
{
	struct vm *vm = rq->vm;
	const struct spec_disk *disk = disk_of(rq);
	struct spec_limits limits;
	struct err err = ERR_INIT;

	if (!disk) {
		request_failf(rq, ERR_NOT_FOUND, "it has no disk '%s'",
			request_string(rq, "disk"));
		return false;
	}
	limits = limits_of(rq);
	if (json_object_size(rq->args) < 3)
		request_failf(rq, ERR_USAGE,
			"say a limit: --iops N, --bps SIZE, or --off");
	else if (throttle_check(&limits, &err))
		request_fail(rq, &err);
	else if (disk->bus == BUS_NVME)
		request_failf(rq, ERR_UNSUPPORTED,
			"QEMU limits no nvme disk: say bus = virtio");
	else if (change_may_begin(rq, vm))
		return !command_dry_run(rq, vm);
	return false;
}

void command_disk_throttle(struct request *rq)
{
	struct vm *vm = command_vm(rq);
	struct spec_limits limits;

	rq->vm = vm;
	if (!vm || !is_good(rq))
		return;
	limits = limits_of(rq);
	if (!vm_is_up(vm)) {
		write_limits(rq, limits);
		return;
	}
	rq->job = op_qmp_begin_steal(vm, THROTTLE_COMMAND,
		throttle_arguments(disk_of(rq), &limits), on_live_end, rq);
	vm_job_add(vm, rq->job);
}
