/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Asking a QEMU what it has; see observe.h. */
#include "supervisor/observe.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "qmp/call.h"

struct observe {
	struct job job;
	struct vm *vm;
	struct qmp_call call;
	struct observed *out;
	size_t at; /* of the questions */
};

/* One row is one question. */
static const struct question {
	const char *command;
	const char *argument; /* "path", "/machine/peripheral"; or NULL */
	const char *value;    /* NULL: true */
	size_t offset;        /* of the answer */
} questions[] = {
	{ "qom-list", "path", "/machine/peripheral",
		offsetof(struct observed, devices) },
	{ "query-named-block-nodes", "flat", NULL,
		offsetof(struct observed, nodes) },
	{ "query-memory-size-summary", NULL, NULL,
		offsetof(struct observed, memory) },
	{ "query-hotpluggable-cpus", NULL, NULL,
		offsetof(struct observed, cpus) },
};

static json_t *arguments_of(const struct question *q)
{
	if (!q->argument)
		return NULL;
	return q->value ? json_pack("{s:s}", q->argument, q->value)
			: json_pack("{s:b}", q->argument, 1);
}

static void keep_answer(struct observe *op)
{
	char *base = (char *)op->out;
	json_t **to = (void *)(base + questions[op->at].offset);

	if (!op->call.err.code)
		*to = json_incref(op->call.result);
}

static void look_at_process(struct observe *op)
{
	pid_t pid = op->vm->machine.pid;

	op->out->words = machine_pid_words(pid, &op->out->nwords);
	op->out->replaced = machine_pid_is_replaced(pid);
}

static enum job_state observe_run(struct job *job)
{
	struct observe *op = container_of(job, struct observe, job);

	JOB_BEGIN(job);
	for (op->at = 0; op->at < NELEMS(questions); op->at++) {
		if (!op->vm->machine.ready)
			return job_fail(job, ERR_GONE, "QEMU is gone");
		QMP_TRY(job, &op->call, machine_qmp(&op->vm->machine),
			questions[op->at].command,
			arguments_of(&questions[op->at]));
		keep_answer(op);
	}
	look_at_process(op);
	JOB_END(job);
}

static void observe_cleanup(struct job *job)
{
	struct observe *op = container_of(job, struct observe, job);

	qmp_call_fini(&op->call);
	free(op);
}

static const struct job_kind observe_kind = { "observe", observe_run, NULL,
	observe_cleanup };

struct job *observe_start(struct vm *vm, struct observed *out,
	struct job *parent, void (*on_end)(struct job *job, void *arg),
	void *arg)
{
	struct observe *op = NEW(struct observe);

	op->vm = vm;
	op->out = out;
	job_start(&op->job, &observe_kind, vm->name, on_end, arg);
	op->job.parent = parent;
	return &op->job;
}

void observed_fini(struct observed *seen)
{
	json_decref(seen->devices);
	json_decref(seen->nodes);
	json_decref(seen->memory);
	json_decref(seen->cpus);
	free(seen->words);
	*seen = (struct observed){ 0 };
}

/* ---- what it says ---- */

/* The object of a list whose member is this text, or NULL. */
static const json_t *find(
	const json_t *list, const char *member, const char *text)
{
	json_t *item;
	size_t i;

	json_array_foreach(list, i, item)
	{
		const char *is =
			json_string_value(json_object_get(item, member));

		if (is && str_eq(is, text))
			return item;
	}
	return NULL;
}

bool observed_has_device(const struct observed *seen, const char *id)
{
	return !seen->devices || find(seen->devices, "name", id);
}

/* "id":"disk-root" of JSON, or id=disk-root among commas. */
static bool names(const char *word, const char *id)
{
	AUTO_FREE char *json = xasprintf("\"id\":\"%s\"", id);
	AUTO_FREE char *pair = xasprintf("id=%s", id);
	const char *at = strstr(word, pair);
	char end = at ? at[strlen(pair)] : 'x';

	return strstr(word, json) || end == '\0' || end == ',';
}

bool observed_began_with(const struct observed *seen, const char *id)
{
	const char *end = seen->words + seen->nwords;

	for (const char *at = seen->words; at && at < end; at += strlen(at) + 1)
		if (names(at, id))
			return true;
	return !seen->words;
}

uint64_t observed_size(const struct observed *seen, const char *node)
{
	const json_t *found = find(seen->nodes, "node-name", node);
	const json_t *image = json_object_get(found, "image");

	return (uint64_t)json_integer_value(
		json_object_get(image, "virtual-size"));
}

static uint64_t memory(const struct observed *seen, const char *member)
{
	return (uint64_t)json_integer_value(
		json_object_get(seen->memory, member));
}

uint64_t observed_base_memory(const struct observed *seen)
{
	return memory(seen, "base-memory");
}

uint64_t observed_memory(const struct observed *seen)
{
	return memory(seen, "base-memory") + memory(seen, "plugged-memory");
}

/* Those whose path begins so. */
static unsigned count_cpus(const struct observed *seen, const char *above)
{
	json_t *item;
	unsigned n = 0;
	size_t i;

	json_array_foreach(seen->cpus, i, item)
	{
		const char *path =
			json_string_value(json_object_get(item, "qom-path"));

		n += path && str_starts(path, above);
	}
	return n;
}

unsigned observed_cpus(const struct observed *seen)
{
	return count_cpus(seen, "/machine/");
}

unsigned observed_base_cpus(const struct observed *seen)
{
	return count_cpus(seen, "/machine/unattached/");
}
