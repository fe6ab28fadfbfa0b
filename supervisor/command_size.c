/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cpu set, memory set, balloon: how large a VM is, live and in its file. */
#include <inttypes.h>

#include "base/mem.h"
#include "base/str.h"
#include "supervisor/change.h"
#include "supervisor/commands.h"
#include "supervisor/config.h"
#include "supervisor/edits.h"
#include "supervisor/op_size.h"
#include "supervisor/spec_value.h"

#define BALLOON_MS 5000

/* A size that is on its way into the machine and the file. */
struct sizing {
	struct request *rq;
	const char *key; /* of [vm] */
	uint64_t want;   /* vCPUs or bytes */
	char *value;     /* as the file says it */
	char *message;   /* NULL: "done" */
};

static void free_sizing(struct sizing *sizing)
{
	free(sizing->value);
	free(sizing->message);
	free(sizing);
}

/* "the guest has 192M of 256M so far", unless it has all; new. */
static char *so_far(uint64_t has, uint64_t want)
{
	AUTO_STR struct str text = STR_INIT;

	if (has == want)
		return NULL;
	str_add(&text, "the guest has ");
	str_add_bytes(&text, has);
	str_add(&text, ", not ");
	str_add_bytes(&text, want);
	str_add(&text, ", so far; it goes on");
	return str_take(&text);
}

/* ---- the file ---- */

static void write_size(struct sizing *sizing)
{
	const struct config_edit edit = { "vm", sizing->key, sizing->value };

	change_write(
		sizing->rq, &edit, 1, str_or(sizing->message, "done"), NULL);
	free_sizing(sizing);
}

/* ---- running ---- */

static bool is_memory(const struct sizing *sizing)
{
	return str_eq(sizing->key, "memory");
}

static void on_live_end(struct job *job, void *arg)
{
	struct sizing *sizing = arg;
	struct request *rq = sizing->rq;

	vm_job_over(job, rq->vm);
	rq->job = NULL;
	if (job->err.code) {
		request_fail(rq, &job->err);
		free_sizing(sizing);
		return;
	}
	if (is_memory(sizing))
		sizing->message = so_far(op_memory_has(job), sizing->want);
	write_size(sizing);
}

static bool can_size(struct request *rq, struct vm *vm)
{
	return change_may_begin(rq, vm) && !command_dry_run(rq, vm);
}

/* Takes value over. */
static void size_it(struct request *rq, struct vm *vm, const char *key,
	uint64_t want, char *value)
{
	struct sizing *sizing = NEW(struct sizing);

	*sizing = (struct sizing){ rq, key, want, value, NULL };
	rq->vm = vm;
	if (!vm_is_up(vm)) {
		write_size(sizing);
		return;
	}
	rq->job = is_memory(sizing)
			  ? op_memory_begin(vm, want, on_live_end, sizing)
			  : op_cpus_begin(vm, want, on_live_end, sizing);
	vm_job_add(vm, rq->job);
}

/* ---- the requests ---- */

void command_cpu_set(struct request *rq)
{
	struct vm *vm = command_vm(rq);
	uint64_t cpus = (uint64_t)request_int(rq, "cpus", 0);

	if (vm && can_size(rq, vm))
		size_it(rq, vm, "cpus", cpus, xasprintf("%" PRIu64, cpus));
}

void command_memory_set(struct request *rq)
{
	struct vm *vm = command_vm(rq);
	uint64_t bytes = (uint64_t)request_int(rq, "size", 0);

	if (!vm)
		return;
	if (bytes == 0 || bytes % (1 << 20))
		request_failf(rq, ERR_USAGE,
			"memory is a multiple of 1M, and more than 0");
	else if (can_size(rq, vm))
		size_it(rq, vm, "memory", bytes, value_size_text(bytes));
}

static void on_balloon_end(struct job *job, void *arg)
{
	struct request *rq = arg;
	struct vm *vm = rq->vm;
	AUTO_FREE char *left = NULL;

	if (!command_ends_well(rq, job))
		return;
	left = so_far(op_memory_has(job), (uint64_t)request_int(rq, "size", 0));
	request_reply_steal(rq, command_result(vm, true, left ? left : "done"));
}

void command_balloon(struct request *rq)
{
	struct vm *vm = command_vm(rq);
	int64_t ms = request_ms(rq, "timeout");
	uint64_t bytes = (uint64_t)request_int(rq, "size", 0);

	if (!vm)
		return;
	if (!change_is_live(vm))
		request_failf(rq, ERR_STATE, "it is %s", vm_state_word(vm));
	else if (!vm->running->balloon.enabled)
		request_failf(rq, ERR_UNSUPPORTED,
			"it was started without a balloon ([balloon] enabled = "
			"no)");
	else if (bytes == 0 || bytes > vm->running->vm.memory)
		request_failf(rq, ERR_USAGE,
			"a balloon leaves the guest more than 0, and no more "
			"than its memory");
	else if (!command_dry_run(rq, vm)) {
		rq->vm = vm;
		rq->job = op_balloon_begin(
			vm, bytes, ms ? ms : BALLOON_MS, on_balloon_end, rq);
		vm_job_add(vm, rq->job);
	}
}
