/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A backup of a VM; see op_backup.h. */
#include "supervisor/op_backup.h"

#include <fcntl.h>
#include <string.h>

#include "base/durable.h"
#include "base/fd.h"
#include "base/jstream.h"
#include "base/mem.h"
#include "base/sys.h"
#include "qmp/call.h"
#include "storage/image.h"
#include "supervisor/backup_disk.h"
#include "supervisor/backups.h"
#include "supervisor/bitmaps.h"
#include "supervisor/calendar.h"
#include "supervisor/committing.h"
#include "supervisor/config.h"
#include "supervisor/live_copy.h"
#include "supervisor/nonvolatile.h"
#include "supervisor/sum.h"

#define END_MS 120000

struct op_backup {
	struct job job;
	struct vm *vm;
	struct qmp_call call;
	struct backup_wish wish;
	char *target, *name; /* what its texts are */
	char *dir;           /* TARGET/NAME */
	char *id;
	char *parent;    /* an id; NULL: it is full */
	const char *why; /* it is full; static; or NULL */
	bool live;       /* QEMU has the disks open */
	bool frozen;
	bool holds; /* the VM cannot start */
	bool made;  /* the directory */
	bool done;  /* it counts */
	int64_t time_us;
	struct list disks; /* backup_disk.link */
	struct list *at;
	struct job *step; /* a child under way */
	struct err step_err;
	json_t *kept; /* of firmware and TPM; or NULL */
	char kept_sum[SUM_SIZE];
	json_t *manifest;
	struct durable durable;
};

#define QMP_OF(op) machine_qmp(&(op)->vm->machine)

struct backup_wish backup_wish_of(const struct vm_spec *spec)
{
	return (struct backup_wish){ .target = spec->backup.target,
		.id = "",
		.full = spec->backup.mode == 1,
		.rate = spec->backup.rate,
		.freeze = (enum freeze)spec->backup.freeze };
}

/* Down, or QEMU can be asked. */
static bool is_at_rest(const struct vm *vm)
{
	return vm->state == VM_STOPPED || vm->state == VM_FAILED ||
	       vm->state == VM_SAVED ||
	       ((vm->state == VM_RUNNING || vm->state == VM_PAUSED) &&
		       vm->machine.ready && vm->running);
}

int op_backup_check(
	const struct vm *vm, const struct backup_wish *wish, struct err *err)
{
	struct list disks;
	int rc;

	if (!wish->target || !*wish->target)
		return err_set(err, ERR_CONFIG,
			"[backup] has no target: give one, or --target DIR");
	if (strstr(wish->target, "://"))
		return err_set(err, ERR_UNSUPPORTED,
			"'%s': only a directory can be a target", wish->target);
	if (!is_at_rest(vm))
		return err_set(err, ERR_STATE, "it is %s", vm_state_word(vm));
	if (vm_check_free(vm, err))
		return -1;
	if (!vm->running && vm_check_files(vm, err))
		return -1;
	if (vm_spec_now(vm)->vm.ephemeral || vm->once_ephemeral)
		return err_set(err, ERR_UNSUPPORTED,
			"[vm] ephemeral = yes: its disks are thrown away");
	if (*wish->id && backups_check_id(wish->id, err))
		return -1;
	if (env_needs_qemu_img(vm->env, err) || committing_check_disks(vm, err))
		return -1;
	list_init(&disks);
	rc = backup_disks_collect(vm, &disks, err);
	backup_disks_free(&disks);
	return rc;
}

/* ---- what it will be ---- */

static const char *why_full(struct op_backup *op, const json_t *list)
{
	struct err err = ERR_INIT;
	const json_t *parent = backups_find(list, "", &err);
	const char *why;

	if (!op->live)
		backup_disks_stat(&op->disks);
	why = op->live ? backup_disks_look(&op->disks, op->call.result, parent)
		       : "it is down";
	if (op->wish.full)
		return "that was asked for";
	if (!parent)
		return "it is the first";
	if (json_object_get(parent, "broken"))
		return "the one before is broken";
	if (backups_depth(list, parent) >= BACKUPS_CHAIN_MAX)
		return "enough are on top of each other";
	if (!why)
		op->parent = xstrdup(backups_id(parent));
	return why;
}

static int check_space(const struct op_backup *op, struct err *err)
{
	uint64_t need = backup_disks_need(&op->disks);
	uint64_t room;

	if (sys_free_space(op->wish.target, &room) || room >= need)
		return 0;
	return err_set(err, ERR_LIMIT,
		"'%s' has %llu MiB left, the backup may need %llu",
		op->wish.target, (unsigned long long)(room >> 20),
		(unsigned long long)(need >> 20) + 1);
}

static int make_dir(struct op_backup *op, struct err *err)
{
	AUTO_FREE char *all = xasprintf("%s/%s", op->dir, op->id);
	AUTO_FREE char *part = backups_path(op->dir, op->id, BACKUPS_PART);
	struct stat st;

	if (!sys_fstatat(AT_FDCWD, all, &st, AT_SYMLINK_NOFOLLOW))
		return err_set(
			err, ERR_EXISTS, "there is a backup '%s'", op->id);
	if (fd_make_dirs(all, 0700, err))
		return -1;
	op->made = true;
	return fd_write_file(AT_FDCWD, part, "", 0, 0600, false, err);
}

/* What is besides the disks. */
static int keep(struct op_backup *op, struct err *err)
{
	AUTO_FREE char *path = backups_path(op->dir, op->id, BACKUPS_STATE);
	AUTO_FREE char *text = NULL;

	if (nonvolatile_read(op->vm, &op->kept, err))
		return -1;
	text = op->kept ? jstream_text(op->kept, JSON_COMPACT) : NULL;
	return text ? fd_write_file(AT_FDCWD, path, text, strlen(text), 0600,
			      false, err)
		    : 0;
}

/* What is there, what it is on top of, and whether there is room. */
static bool plan(struct op_backup *op)
{
	struct err err = ERR_INIT;
	AUTO_JSON json_t *list = NULL;

	backups_sweep(op->dir, NULL);
	list = backups_list(op->dir);
	op->why = why_full(op, list);
	op->id = *op->wish.id ? xstrdup(op->wish.id) : backups_new_id(op->dir);
	op->time_us = sys_realtime_us();
	backup_disks_place(&op->disks, op->dir, op->id, op->parent);
	if (!check_space(op, &err) && !make_dir(op, &err) && !keep(op, &err))
		return true;
	job_fail_err(&op->job, &err);
	return false;
}

static bool prepare(struct op_backup *op)
{
	struct err err = ERR_INIT;

	if (!fd_make_dirs(op->dir, 0700, &err) &&
		!backup_disks_collect(op->vm, &op->disks, &err))
		return true;
	job_fail_err(&op->job, &err);
	return false;
}

/* ---- its steps ---- */

static struct op_backup *op_of(struct job *job)
{
	return container_of(job, struct op_backup, job);
}

static void on_step(struct job *job, void *arg)
{
	struct op_backup *op = arg;

	op->step = NULL;
	op->step_err = job->err;
}

static void start_live(struct op_backup *op)
{
	struct live_copy *copy = live_copy_new(op->vm);
	AUTO_FREE char *since =
		xasprintf(BITMAPS_OURS "%s", str_or(op->parent, ""));
	AUTO_FREE char *from = xasprintf(BITMAPS_OURS "%s", op->id);

	list_each(&op->disks, it, next) {
		const struct backup_disk *disk =
			list_entry(it, struct backup_disk, link);

		live_copy_add(
			copy, &(struct live_copy_wish){ .disk = disk->name,
				      .path = disk->path,
				      .format = "qcow2",
				      .base = disk->base });
	}
	live_copy_limit(copy, op->wish.rate);
	live_copy_track(copy, op->parent ? since : NULL, from);
	live_copy_freeze(copy, op->wish.freeze, &op->frozen);
	op->step = live_copy_start(copy, &op->job, on_step, op);
}

/* The next disk of one that is down; false: that was the last. */
static bool convert_next(struct op_backup *op)
{
	const struct backup_disk *disk =
		list_entry(op->at, struct backup_disk, link);
	const struct image_wish wish = { .path = disk->path,
		.format = "qcow2",
		.from = disk->source,
		.from_format = disk->format };

	if (op->at == &op->disks)
		return false;
	op->at = op->at->next;
	op->step = &image_create_start(op->vm->env->qemu_img, &wish,
		op->vm->name, &op->job, on_step, op)
			    ->job;
	return true;
}

static bool sum_next(struct op_backup *op)
{
	struct backup_disk *disk = list_entry(op->at, struct backup_disk, link);
	struct err err = ERR_INIT;

	if (op->at == &op->disks)
		return false;
	op->at = op->at->next;
	op->step =
		sum_begin(disk->path, disk->sum, &op->job, on_step, op, &err);
	if (!op->step)
		job_fail_err(&op->job, &err);
	return op->step != NULL;
}

static bool sum_kept(struct op_backup *op)
{
	AUTO_FREE char *path = backups_path(op->dir, op->id, BACKUPS_STATE);
	struct err err = ERR_INIT;

	op->step = sum_begin(path, op->kept_sum, &op->job, on_step, op, &err);
	if (!op->step)
		job_fail_err(&op->job, &err);
	return op->step != NULL;
}

static void describe_kept(struct op_backup *op)
{
	AUTO_FREE char *path = backups_path(op->dir, op->id, BACKUPS_STATE);
	struct stat st;

	if (!op->kept)
		return;
	if (sys_fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW))
		st.st_size = 0;
	json_object_set_new(op->manifest, "state",
		json_pack("{s:s,s:I,s:s}", "file", BACKUPS_STATE, "size",
			(json_int_t)st.st_size, "sha256", op->kept_sum));
	nonvolatile_describe(op->vm, op->kept, op->manifest);
}

/* So that the next one of a VM that runs again can be incremental. */
static bool mark_next(struct op_backup *op)
{
	AUTO_FREE char *name = xasprintf(BITMAPS_OURS "%s", op->id);

	for (; op->at != &op->disks; op->at = op->at->next) {
		const struct backup_disk *disk =
			list_entry(op->at, struct backup_disk, link);
		const char *const argv[] = { op->vm->env->qemu_img, "bitmap",
			"--add", "-f", "qcow2", disk->source, name, NULL };
		const struct qemu_img_how how = {
			.what = "cannot note what is written from now on"
		};

		if (!str_eq(disk->format, "qcow2"))
			continue;
		op->at = op->at->next;
		op->step =
			&qemu_img_start(argv, &how, &op->job, on_step, op)->job;
		return true;
	}
	return false;
}

static void rewind_to(struct op_backup *op, const char *phase)
{
	op->at = op->disks.next;
	vm_job_phase(op->vm, &op->job, phase);
}

static bool write_manifest(struct op_backup *op)
{
	const struct vm_spec *spec = vm_spec_now(op->vm);
	AUTO_FREE char *path = backups_path(op->dir, op->id, BACKUPS_MANIFEST);
	AUTO_STR struct str config = STR_INIT;
	AUTO_FREE char *text = NULL;
	struct err err = ERR_INIT;
	json_t *disks = NULL;

	if (backup_disks_manifest(&op->disks, &disks, &err)) {
		job_fail_err(&op->job, &err);
		return false;
	}
	config_show(spec, false, NULL, &config);
	op->manifest = json_pack(
		"{s:i,s:s,s:s,s:s,s:I,s:s,s:s?,s:s?,s:b,s:b,s:b,s:o,s:s}",
		"version", 1, "vm", op->vm->name, "uuid", spec->uuid, "id",
		op->id, "time", (json_int_t)op->time_us, "kind",
		op->parent ? "incremental" : "full", "parent", op->parent,
		"why", op->why, "scheduled", op->wish.scheduled, "running",
		op->live, "frozen", op->frozen, "disks", disks, "config",
		str_text(&config));
	describe_kept(op);
	text = jstream_text(op->manifest, JSON_INDENT(1));
	if (!fd_write_file(
		    AT_FDCWD, path, text, strlen(text), 0600, false, &err))
		return true;
	job_fail_err(&op->job, &err);
	return false;
}

typedef void sync_fn(
	struct durable *durable, struct job *job, const char *path);

static void sync_path(struct op_backup *op, sync_fn *sync, const char *leaf)
{
	AUTO_FREE char *path = backups_path(op->dir, op->id, leaf);

	sync(&op->durable, &op->job, path);
}

static void sync_ids(struct op_backup *op)
{
	AUTO_FREE char *all = xasprintf("%s/%s", op->dir, op->id);

	durable_above(&op->durable, &op->job, all);
}

/* It counts: what was kept for the one before goes. */
static void finish(struct op_backup *op)
{
	AUTO_FREE char *part = backups_path(op->dir, op->id, BACKUPS_PART);

	op->done = true;
	sys_unlinkat(AT_FDCWD, part, 0);
	vmlog_line(&op->vm->log, LOG_INFO, "backup '%s': %s%s%s", op->id,
		op->parent ? "incremental" : "full", op->why ? ": " : "",
		str_or(op->why, ""));
}

static void on_dropped(struct job *job, void *arg)
{
	on_step(job, op_of(arg));
}

static void drop_bitmaps(struct op_backup *op, enum bitmaps which)
{
	AUTO_FREE char *from = xasprintf(BITMAPS_OURS "%s", op->id);

	op->step =
		bitmaps_drop_begin(op->vm, which, from, &op->job, on_dropped);
}

static void expire(struct op_backup *op)
{
	AUTO_JSON json_t *list = NULL;
	AUTO_JSON json_t *gone = NULL;
	struct err err = ERR_INIT;
	json_t *id;
	size_t i;

	if (!op->wish.scheduled || !op->vm->spec)
		return;
	list = backups_list(op->dir);
	gone = calendar_expired(list, &op->vm->spec->backup.keep);
	json_array_foreach(gone, i, id)
	{
		vmlog_line(&op->vm->log, LOG_INFO, "backup '%s' is expired",
			json_string_value(id));
		if (backups_remove(op->dir, json_string_value(id), &err))
			vmlog_line(&op->vm->log, LOG_WARN, "%s", err.text);
	}
}

static enum job_state backup_run(struct job *job)
{
	struct op_backup *op = container_of(job, struct op_backup, job);

	JOB_BEGIN(job);
	if (!prepare(op))
		return JOB_ENDS;
	if (op->live)
		QMP_CALL(job, &op->call, QMP_OF(op), "query-named-block-nodes",
			NULL);
	if (!plan(op))
		return JOB_ENDS;
	rewind_to(op, "copying");
	if (op->live)
		start_live(op);
	while (op->live ? op->step != NULL : convert_next(op)) {
		JOB_AWAIT(job, !op->step, JOB_FOREVER); /* a job of its own */
		if (op->step_err.code)
			return job_fail_err(job, &op->step_err);
	}
	rewind_to(op, "checksums");
	while (sum_next(op)) {
		JOB_AWAIT(job, !op->step, JOB_FOREVER); /* the same */
		if (op->step_err.code)
			return job_fail_err(job, &op->step_err);
	}
	if (op->kept && sum_kept(op)) {
		JOB_AWAIT(job, !op->step, JOB_FOREVER); /* the same */
		if (op->step_err.code)
			return job_fail_err(job, &op->step_err);
	}
	rewind_to(op, "bitmaps");
	while (!job->err.code && !op->live && mark_next(op))
		JOB_AWAIT(
			job, !op->step, JOB_FOREVER); /* or the next is full */
	if (job->err.code || !write_manifest(op))
		return JOB_ENDS;
	if (op->kept)
		JOB_DURABLE(job, &op->durable,
			sync_path(op, durable_path, BACKUPS_STATE));
	JOB_DURABLE(job, &op->durable,
		sync_path(op, durable_path, BACKUPS_MANIFEST));
	JOB_DURABLE(job, &op->durable,
		sync_path(op, durable_above, BACKUPS_MANIFEST));
	JOB_DURABLE(job, &op->durable, sync_ids(op));
	finish(op);
	if (op->live) {
		drop_bitmaps(op, BITMAPS_OTHERS);
		JOB_AWAIT(job, !op->step, JOB_FOREVER); /* the same */
	}
	expire(op);
	JOB_END(job);
}

static enum job_state backup_undo(struct job *job)
{
	struct op_backup *op = container_of(job, struct op_backup, job);

	JOB_BEGIN(job);
	if (op->step) {
		job_cancel(op->step);
		JOB_AWAIT(job, !op->step, END_MS);
	}
	if (op->made && !op->done && op->live && op->vm->machine.ready) {
		drop_bitmaps(op, BITMAPS_THIS);
		JOB_AWAIT(job, !op->step, END_MS);
	}
	if (op->made && !op->done &&
		backups_remove(op->dir, op->id, &job->undo_err))
		vmlog_line(&op->vm->log, LOG_WARN, "%s", job->undo_err.text);
	JOB_END(job);
}

static void backup_cleanup(struct job *job)
{
	struct op_backup *op = container_of(job, struct op_backup, job);

	if (op->holds)
		op->vm->held = NULL;
	durable_stop(&op->durable);
	qmp_call_fini(&op->call);
	backup_disks_free(&op->disks);
	json_decref(op->manifest);
	json_decref(op->kept);
	free(op->target);
	free(op->name);
	free(op->dir);
	free(op->id);
	free(op->parent);
	free(op);
}

struct job *op_backup_begin(struct vm *vm, const struct backup_wish *wish,
	op_end_fn *on_end, void *arg)
{
	static const struct job_kind kind = { "backup", backup_run, backup_undo,
		backup_cleanup };
	struct op_backup *op = NEW(struct op_backup);

	op->vm = vm;
	op->wish = *wish;
	op->wish.target = op->target = xstrdup(wish->target);
	op->wish.id = op->name = xstrdup(wish->id);
	op->dir = xasprintf("%s/%s", wish->target, vm->name);
	op->live = vm_is_up(vm);
	op->holds = !op->live;
	list_init(&op->disks);
	op->at = &op->disks;
	if (op->holds)
		vm->held = "backed up";
	job_start(&op->job, &kind, vm->name, on_end, arg);
	return &op->job;
}

json_t *op_backup_result(const struct job *job)
{
	const struct op_backup *op =
		container_of(job, const struct op_backup, job);
	json_t *result = json_copy(op->manifest);

	json_object_del(result, "config");
	json_object_del(result, "version");
	return result;
}
