/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The jobs on a VM: their numbers, their list, what is told of them. */
#include "supervisor/vm.h"

#include <stdio.h>

#include "base/mem.h"
#include "supervisor/events.h"

static void emit_job(
	const struct vm *vm, const struct job *job, const char *status)
{
	bool known = job->progress.total > 0;
	char id[16];

	snprintf(id, sizeof(id), "j%u", job->id);
	events_emit("JOB_STATUS",
		json_pack("{s:s,s:s,s:s,s:s,s:s?,s:s?,s:s*,s:o*,s:o*}", "job",
			id, "kind", job->kind->name, "vm", vm->name, "status",
			status, "error", job->err.code ? job->err.text : NULL,
			"code",
			job->err.code ? err_code_name(job->err.code) : NULL,
			"phase", job->progress.phase, "done",
			known ? json_integer((json_int_t)job->progress.done)
			      : NULL,
			"total",
			known ? json_integer((json_int_t)job->progress.total)
			      : NULL));
}

void vm_job_phase(struct vm *vm, struct job *job, const char *phase)
{
	if (str_eq(str_or(job->progress.phase, ""), phase))
		return;
	job->progress.phase = phase;
	emit_job(vm, job, "running");
}

void vm_job_bytes(struct vm *vm, struct job *job, uint64_t done, uint64_t total)
{
	uint64_t percent = total / 100;
	bool tells =
		percent == 0 || done / percent != job->progress.done / percent;

	job->progress.done = done;
	job->progress.total = total;
	if (tells)
		emit_job(vm, job, "running");
}

static unsigned last_job; /* the number of the last one */

unsigned vm_job_last(unsigned at_least)
{
	if (last_job < at_least)
		last_job = at_least;
	return last_job;
}

unsigned vm_job_number(void)
{
	return ++last_job;
}

void vm_job_add(struct vm *vm, struct job *job)
{
	job->id = vm_job_number();
	list_add(&vm->jobs, &job->link);
	emit_job(vm, job, "running");
}

void vm_job_end(struct vm *vm, struct job *job)
{
	list_del(&job->link);
	emit_job(vm, job,
		job->err.code == ERR_CANCELLED ? "cancelled"
		: job->err.code                ? "failed"
					       : "done");
	if (vm->on_idle)
		vm->on_idle(vm);
}

void vm_wake_jobs(struct vm *vm)
{
	list_each(&vm->jobs, it, next)
		job_wake(list_entry(it, struct job, link));
}

void vm_job_over(struct job *job, void *arg)
{
	struct vm *vm = arg;

	if (job->err.code)
		vmlog_line(&vm->log, LOG_WARN, "%s: %s", job->kind->name,
			job->err.text);
	vm_job_end(vm, job);
}

/* Those that only ask QEMU or the guest. */
static bool is_harmless(const struct job *job)
{
	static const char *const kinds[] = { "qmp", "observe", "exec", "clock",
		"screenshot", "fdset-sweep" };

	for (size_t i = 0; i < NELEMS(kinds); i++) {
		if (str_eq(job->kind->name, kinds[i]))
			return true;
	}
	return str_starts(job->kind->name, "agent");
}

struct job *vm_busy(const struct vm *vm)
{
	list_each(&vm->jobs, it, next) {
		struct job *job = list_entry(it, struct job, link);

		if (!is_harmless(job))
			return job;
	}
	return NULL;
}

int vm_check_free(const struct vm *vm, struct err *err)
{
	const struct job *busy = vm->op ? vm->op : vm_busy(vm);

	if (busy)
		return err_set(err, ERR_BUSY, "job j%u (%s) is under way",
			busy->id, busy->kind->name);
	if (vm->held)
		return err_set(err, ERR_BUSY, "it is being %s", vm->held);
	return 0;
}

struct job *vm_busy_edit(const struct vm *vm)
{
	list_each(&vm->jobs, it, next) {
		struct job *job = list_entry(it, struct job, link);

		if (str_eq(job->kind->name, "edit"))
			return job;
	}
	return NULL;
}
