/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What became of a clone of a running VM; see live_settle.h. */
#include "supervisor/live_settle.h"

#include <fcntl.h>
#include <string.h>

#include "base/durable.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/member.h"
#include "base/str.h"
#include "base/sys.h"
#include "qmp/call.h"
#include "supervisor/argv.h"
#include "supervisor/chain_open.h"
#include "supervisor/chain_record.h"
#include "supervisor/config.h"
#include "supervisor/journal.h"
#include "supervisor/running.h"

#define MARK "link"

enum { NAME_BYTES = 256 };

#define QMP_OF(op) machine_qmp(&(op)->vm->machine)

char *live_settle_node(const struct vm *vm, const char *name)
{
	const struct spec_disk *disk =
		vm->running ? spec_disk_of(vm->running, name) : NULL;

	return argv_disk_node_name(name, disk ? disk->layers + 1 : 1, 0);
}

/* ---- the mark ---- */

int live_settle_mark(const struct vm *vm, const char *new_vm, struct err *err)
{
	AUTO_FREE char *path = machine_priv_path(&vm->machine, MARK);

	return fd_write_file(
		AT_FDCWD, path, new_vm, strlen(new_vm), 0600, false, err);
}

void live_settle_unmark(const struct vm *vm)
{
	AUTO_FREE char *path = machine_priv_path(&vm->machine, MARK);

	sys_unlinkat(AT_FDCWD, path, 0);
}

bool live_settle_is_marked(const struct vm *vm)
{
	AUTO_FREE char *path = machine_priv_path(&vm->machine, MARK);
	struct stat st;

	return !sys_fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW);
}

/* ---- asking ---- */

struct ask {
	struct job job;
	struct vm *vm;
	char *new_vm;
	struct qmp_call call;
	json_t *blocks;
	enum live_end *out;
};

static bool has_node(const json_t *list, const char *below, const char *node)
{
	json_t *each;
	size_t i;

	json_array_foreach(list, i, each)
	{
		const json_t *of = below ? json_object_get(each, below) : each;

		if (str_eq(member_text(of, "node-name"), node))
			return true;
	}
	return false;
}

/* By the headers, as the next start will read them. */
static void record_chain(struct vm *vm, const struct spec_disk *disk)
{
	const struct chains_from from = {
		.spec = vm->running, .paths = &vm->env->paths, .look = true
	};
	struct chain chain;
	struct err err = ERR_INIT;

	if (chains_open_disk(&chain, &from, disk, &err)) {
		vmlog_line(&vm->log, LOG_WARN, "%s", err.text);
		return;
	}
	chain_record_put_disk(vm, disk->name, &chain);
	chain_fini(&chain);
}

/* The guest's device of that disk is on the overlay. */
static void note_layer(struct vm *vm, const char *name)
{
	const struct spec_disk *disk;

	running_add_layer(vm, name);
	disk = vm->running ? spec_disk_of(vm->running, name) : NULL;
	if (disk)
		record_chain(vm, disk);
}

/*
 * All went over in one transaction, or none.  A QEMU that knows nothing of
 * the overlays is a later one, which opened them as its disks.
 */
static enum live_end end_of(struct ask *op)
{
	AUTO_JSON json_t *entries = journal_read(op->vm->env, op->new_vm);
	enum live_end end = LIVE_DONE;
	json_t *entry;
	size_t i;

	json_array_foreach(entries, i, entry)
	{
		const char *node = member_text(entry, "node");

		if (*node && has_node(op->blocks, "inserted", node))
			note_layer(op->vm, member_text(entry, "disk"));
		else if (*node && has_node(op->call.result, NULL, node))
			end = LIVE_UNDONE;
	}
	return end;
}

static enum live_end unanswered(const struct ask *op)
{
	return vm_is_locked(op->vm) ? LIVE_OPEN : LIVE_DONE;
}

static enum job_state ask_run(struct job *job)
{
	struct ask *op = container_of(job, struct ask, job);

	JOB_BEGIN(job);
	QMP_TRY(job, &op->call, QMP_OF(op), "query-block", NULL);
	op->blocks = json_incref(op->call.result);
	if (!op->call.err.code)
		QMP_TRY(job, &op->call, QMP_OF(op), "query-named-block-nodes",
			json_pack("{s:b}", "flat", 1));
	*op->out = op->call.err.code ? unanswered(op) : end_of(op);
	JOB_END(job);
}

static void ask_cleanup(struct job *job)
{
	struct ask *op = container_of(job, struct ask, job);

	qmp_call_fini(&op->call);
	json_decref(op->blocks);
	free(op->new_vm);
	free(op);
}

void live_settle_ask_start(struct vm *vm, const char *new_vm,
	enum live_end *out, struct job *parent,
	void (*on_end)(struct job *job, void *arg), void *arg)
{
	static const struct job_kind kind = { "clone-ask", ask_run, NULL,
		ask_cleanup };
	struct ask *op = NEW(struct ask);

	op->vm = vm;
	op->new_vm = xstrdup(new_vm);
	op->out = out;
	*out = LIVE_OPEN;
	job_start(&op->job, &kind, vm->name, on_end, arg);
	op->job.parent = parent;
}

/* ---- taking away ---- */

struct closing {
	struct job job;
	struct vm *vm;
	struct qmp_call call;
	json_t *nodes; /* names of what may be there */
	json_t *sets;
	size_t at;
	json_t *arguments;
};

static bool next_node(struct closing *op)
{
	json_t *name = json_array_get(op->nodes, op->at++);

	if (name)
		op->arguments = json_pack("{s:O}", "node-name", name);
	return name != NULL;
}

/* "disk-root.s1:/images/web-root.qcow2" is of one of those nodes. */
static bool is_for(const struct closing *op, const json_t *set)
{
	const char *name = member_text(
		json_array_get(json_object_get(set, "fds"), 0), "opaque");
	json_t *node;
	size_t i;

	json_array_foreach(op->nodes, i, node)
	{
		const char *its = json_string_value(node);

		if (str_starts(name, its) && name[strlen(its)] == ':')
			return true;
	}
	return false;
}

static bool next_set(struct closing *op)
{
	while (op->at < json_array_size(op->sets)) {
		const json_t *set = json_array_get(op->sets, op->at++);

		if (!is_for(op, set))
			continue;
		op->arguments = json_pack(
			"{s:O}", "fdset-id", json_object_get(set, "fdset-id"));
		return true;
	}
	return false;
}

static enum job_state close_run(struct job *job)
{
	struct closing *op = container_of(job, struct closing, job);

	JOB_BEGIN(job);
	while (next_node(op))
		QMP_TRY(job, &op->call, QMP_OF(op), "blockdev-del",
			TAKE(op->arguments));
	QMP_TRY(job, &op->call, QMP_OF(op), "query-fdsets", NULL);
	op->sets = json_incref(op->call.result);
	op->at = 0;
	while (next_set(op))
		QMP_TRY(job, &op->call, QMP_OF(op), "remove-fd",
			TAKE(op->arguments));
	JOB_END(job);
}

static void close_cleanup(struct job *job)
{
	struct closing *op = container_of(job, struct closing, job);

	qmp_call_fini(&op->call);
	json_decref(op->nodes);
	json_decref(op->sets);
	free(op);
}

void live_settle_close_start(struct vm *vm, struct job *parent,
	void (*on_end)(struct job *job, void *arg), void *arg)
{
	static const struct job_kind kind = { "clone-close", close_run, NULL,
		close_cleanup };
	struct closing *op = NEW(struct closing);

	op->vm = vm;
	op->nodes = json_array();
	if (vm->running)
		list_each(&vm->running->disks, it, next) {
			AUTO_FREE char *node = live_settle_node(vm,
				list_entry(it, struct spec_disk, link)->name);

			json_array_append_new(op->nodes, json_string(node));
		}
	job_start(&op->job, &kind, vm->name, on_end, arg);
	op->job.parent = parent;
}

/* ---- after a death of ours ---- */

struct settle {
	struct job job;
	struct vm *vm;
	char *new_vm;
	json_t *entries;
	enum live_end end;
	bool ended; /* the child at work */
	struct config_change change;
	struct durable durable;
};

static void on_child(struct job *job UNUSED, void *arg)
{
	struct settle *op = arg;

	op->ended = true;
}

static void begin_ask(struct settle *op)
{
	op->ended = false;
	live_settle_ask_start(
		op->vm, op->new_vm, &op->end, &op->job, on_child, op);
}

static void begin_close(struct settle *op)
{
	op->ended = false;
	live_settle_close_start(op->vm, &op->job, on_child, op);
}

/* The file of the clone, on its way; false: it cannot be. */
static bool stage(struct settle *op)
{
	const char *text = journal_text(op->entries);
	struct err err = ERR_INIT;

	if (text && !config_new_prepare(&op->vm->env->paths, op->new_vm, text,
			    &op->change, &err))
		return true;
	job_fail_err(&op->job, &err);
	return false;
}

static enum job_state settle_run(struct job *job)
{
	struct settle *op = container_of(job, struct settle, job);

	JOB_BEGIN(job);
	if (op->entries) {
		begin_ask(op);
		JOB_AWAIT(job, op->ended, JOB_FOREVER); /* its own */
	}
	if (op->end == LIVE_OPEN)
		return JOB_ENDS; /* it is marked still */
	if (op->end == LIVE_UNDONE) {
		begin_close(op);
		JOB_AWAIT(job, op->ended, JOB_FOREVER); /* its own */
		if (op->entries)
			journal_roll(op->vm->env, op->new_vm, op->entries);
	} else {
		if (!stage(op))
			return JOB_ENDS;
		JOB_DURABLE(job, &op->durable,
			durable_fd(&op->durable, job, op->change.fd,
				op->change.path));
		if (config_change_commit(&op->change, &job->err))
			return JOB_ENDS;
		JOB_DURABLE(job, &op->durable,
			durable_fd(&op->durable, job, op->change.dir_fd,
				op->change.path));
	}
	journal_forget(op->vm->env, op->new_vm);
	live_settle_unmark(op->vm);
	JOB_END(job);
}

static void settle_cleanup(struct job *job)
{
	struct settle *op = container_of(job, struct settle, job);

	durable_stop(&op->durable);
	config_change_fini(&op->change);
	json_decref(op->entries);
	free(op->new_vm);
	free(op);
}

struct job *live_settle_begin(
	struct vm *vm, void (*on_end)(struct job *job, void *arg), void *arg)
{
	static const struct job_kind kind = { "clone-settle", settle_run, NULL,
		settle_cleanup };
	AUTO_FREE char *path = machine_priv_path(&vm->machine, MARK);
	AUTO_STR struct str name = STR_INIT;
	struct settle *op = NEW(struct settle);
	struct err err = ERR_INIT;

	if (!fd_read_file(AT_FDCWD, path, NAME_BYTES, &name, &err) && name.len)
		op->entries = journal_read(vm->env, str_text(&name));
	op->vm = vm;
	op->new_vm = str_take(&name);
	op->change = (struct config_change){
		.fd = -1, .dir_fd = -1, .above_fd = -1
	};
	job_start(&op->job, &kind, vm->name, on_end, arg);
	return &op->job;
}
