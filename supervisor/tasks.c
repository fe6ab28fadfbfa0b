/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Jobs that belong to no VM; see tasks.h. */
#include "supervisor/tasks.h"

#include <stdio.h>
#include <string.h>

#include "base/loop.h"
#include "base/mem.h"
#include "supervisor/events.h"
#include "supervisor/vm.h"

enum { TELL_MS = 250 };

struct task {
	struct list link;
	struct job *job;
	json_t *request;
	struct job_progress told;
};

static struct list jobs = LIST_INIT(jobs);   /* job.link */
static struct list tasks = LIST_INIT(tasks); /* task.link */
static struct loop_timer timer;

static struct task *task_of(const struct job *job)
{
	list_each(&tasks, it, next) {
		struct task *task = list_entry(it, struct task, link);

		if (task->job == job)
			return task;
	}
	return NULL;
}

static void tell(struct task *task, const char *status)
{
	const struct job *job = task->job;
	char id[16];

	snprintf(id, sizeof(id), "j%u", job->id);
	task->told = job->progress;
	events_emit("JOB_STATUS",
		json_pack("{s:s,s:s,s:s,s:s,s:s?,s:I,s:I,s:O?,s:s?,s:s?}",
			"job", id, "kind", job->kind->name, "image",
			job->target, "status", status, "phase",
			job->progress.phase, "done",
			(json_int_t)job->progress.done, "total",
			(json_int_t)job->progress.total, "request",
			task->request, "error",
			job->err.code ? job->err.text : NULL, "code",
			job->err.code ? err_code_name(job->err.code) : NULL));
}

static void on_timer(struct loop_timer *at)
{
	list_each(&tasks, it, next) {
		struct task *task = list_entry(it, struct task, link);

		if (task->job->progress.done != task->told.done ||
			task->job->progress.phase != task->told.phase)
			tell(task, "running");
	}
	loop_timer_start(at, TELL_MS, on_timer);
}

void tasks_add(struct job *job, const json_t *request)
{
	struct task *task = NEW(struct task);

	job->id = vm_job_number();
	task->job = job;
	task->request = request ? json_deep_copy(request) : NULL;
	list_add(&jobs, &job->link);
	list_add(&tasks, &task->link);
	tell(task, "running");
	if (!loop_timer_is_active(&timer))
		loop_timer_start(&timer, TELL_MS, on_timer);
}

void tasks_end(struct job *job)
{
	struct task *task = task_of(job);

	BUG_ON(!task);
	list_del(&job->link);
	list_del(&task->link);
	tell(task, job->err.code == ERR_CANCELLED ? "cancelled"
		   : job->err.code                ? "failed"
						  : "done");
	json_decref(task->request);
	free(task);
	if (list_is_empty(&tasks))
		loop_timer_stop(&timer);
}

struct job *tasks_find(uint64_t id)
{
	list_each(&jobs, it, next) {
		struct job *job = list_entry(it, struct job, link);

		if (job->id == id)
			return job;
	}
	return NULL;
}

struct list *tasks_list(void)
{
	return &jobs;
}
