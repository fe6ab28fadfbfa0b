/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A backup is put back; see op_verify.h. */
#include "supervisor/op_verify.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/durable.h"
#include "base/fd.h"
#include "base/jstream.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/member.h"
#include "base/sys.h"
#include "storage/image.h"
#include "supervisor/backups.h"
#include "supervisor/chain_record.h"
#include "supervisor/nonvolatile.h"

#define JOURNAL_MAX ((size_t)1024 * 1024)
#define END_MS      60000
#define MARGIN      ((uint64_t)4 << 20)

struct op_putback {
	struct job job;
	struct vm *vm;
	char *dir, *id;
	json_t *steps; /* [{"from", "beside", "to", "format"}] */
	size_t disks;  /* so many of them are; the rest is of firmware, TPM */
	char *kept;    /* where that is; or NULL */
	size_t at;
	bool placed; /* the journal says that they go to their places */
	struct job *step;
	struct err step_err;
	struct durable durable;
};

static char *journal_of(const struct env *env, const char *vm)
{
	return xasprintf("%s/restoring/%s.json", env->paths.state, vm);
}

int op_putback_check(const struct vm *vm, struct err *err)
{
	if (vm->state != VM_STOPPED && vm->state != VM_FAILED)
		return err_set(err, ERR_STATE, "it is %s: stop it first",
			vm_state_word(vm));
	if (vm_check_free(vm, err))
		return -1;
	if (vm_check_files(vm, err))
		return -1;
	return env_needs_qemu_img(vm->env, err);
}

/* ---- what goes where ---- */

static int add_step(struct op_putback *op, const json_t *disk, struct err *err)
{
	const char *name = member_text(disk, "name");
	const struct spec_disk *spec = spec_disk_of(op->vm->spec, name);
	AUTO_FREE char *from =
		backups_path(op->dir, op->id, member_text(disk, "file"));
	AUTO_FREE char *to = NULL;
	AUTO_FREE char *beside = NULL;
	int format;

	if (!spec || spec->url || spec->secret_file)
		return err_set(err, ERR_CONFIG,
			spec ? "disk '%s' is not a plain image now"
			     : "it has no disk '%s' now",
			name);
	to = argv_disk_path(op->vm->spec, spec, op->vm->env->paths.images);
	format = argv_disk_format(spec, to, err);
	if (format == FORMAT_NONE)
		return -1;
	beside = xasprintf("%s.restore", to);
	if (sys_unlinkat(AT_FDCWD, beside, 0) && errno != ENOENT)
		return err_os(err, "cannot remove '%s'", beside);
	json_array_append_new(op->steps,
		json_pack("{s:s,s:s,s:s,s:s}", "from", from, "beside", beside,
			"to", to, "format", spec_format_names[format]));
	return 0;
}

/* Bytes that the images of a backup take, with what they are on top of. */
static uint64_t size_of(const json_t *list, const json_t *manifest)
{
	uint64_t size = MARGIN;
	json_t *disk;
	size_t i;

	for (; manifest; manifest = backups_parent(list, manifest))
		json_array_foreach(json_object_get(manifest, "disks"), i, disk)
			size += (uint64_t)json_integer_value(
				json_object_get(disk, "size"));
	return size;
}

static int check_space(
	const struct op_putback *op, uint64_t need, struct err *err)
{
	const char *to = member_text(json_array_get(op->steps, 0), "to");
	AUTO_FREE char *dir = str_dir(to);
	uint64_t room;

	if (sys_free_space(dir, &room) || room >= need)
		return 0;
	return err_set(err, ERR_LIMIT,
		"'%s' has %llu MiB left, the copies may need %llu", dir,
		(unsigned long long)(room >> 20),
		(unsigned long long)(need >> 20) + 1);
}

static int read_plan(struct op_putback *op, struct err *err)
{
	AUTO_JSON json_t *list = backups_list(op->dir);
	const json_t *one = backups_find(list, op->id, err);
	const char *why = json_string_value(json_object_get(one, "broken"));
	json_t *disk;
	size_t i;

	if (!one)
		return -1;
	if (why)
		return err_set(err, ERR_STATE, "it is broken: %s", why);
	free(op->id);
	op->id = xstrdup(backups_id(one));
	if (json_object_get(one, "state"))
		op->kept = backups_path(op->dir, op->id, BACKUPS_STATE);
	if (nonvolatile_fit(op->vm, one, str_or(op->kept, ""), err))
		return -1;
	json_array_foreach(json_object_get(one, "disks"), i, disk)
	{
		if (add_step(op, disk, err))
			return -1;
	}
	op->disks = json_array_size(op->steps);
	return check_space(op, size_of(list, one), err);
}

static bool plan(struct op_putback *op)
{
	struct err err = ERR_INIT;

	if (!read_plan(op, &err))
		return true;
	job_fail_err(&op->job, &err);
	return false;
}

/* ---- the steps ---- */

static void on_step(struct job *job, void *arg)
{
	struct op_putback *op = arg;

	op->step = NULL;
	op->step_err = job->err;
}

static void start_verify(struct op_putback *op)
{
	vm_job_phase(op->vm, &op->job, "checksums");
	op->step =
		op_verify_begin(op->vm, op->dir, op->id, &op->job, on_step, op);
}

static bool copy_next(struct op_putback *op)
{
	const json_t *it = json_array_get(op->steps, op->at);
	const struct image_wish wish = { .path = member_text(it, "beside"),
		.format = member_text(it, "format"),
		.from = member_text(it, "from"),
		.from_format = "qcow2" };

	if (op->at == op->disks)
		return false;
	op->at++;
	vm_job_phase(op->vm, &op->job, "copying");
	op->step = &image_create_start(op->vm->env->qemu_img, &wish,
		op->vm->name, &op->job, on_step, op)
			    ->job;
	return true;
}

static bool compare_next(struct op_putback *op)
{
	const json_t *it = json_array_get(op->steps, op->at);
	const char *const argv[] = { op->vm->env->qemu_img, "compare", "-f",
		"qcow2", "-F", member_text(it, "format"),
		member_text(it, "from"), member_text(it, "beside"), NULL };
	const struct qemu_img_how how = {
		.what = "the copy is not what was copied"
	};

	if (op->at == op->disks)
		return false;
	op->at++;
	vm_job_phase(op->vm, &op->job, "comparing");
	op->step = &qemu_img_start(argv, &how, &op->job, on_step, op)->job;
	return true;
}

/* What the firmware and the TPM had, beside what they have. */
static bool lay(struct op_putback *op)
{
	struct err err = ERR_INIT;
	AUTO_JSON json_t *kept =
		op->kept ? nonvolatile_load(op->kept, &err) : NULL;

	if (!err.code)
		(void)!nonvolatile_lay(op->vm, kept, op->steps, &err);
	if (err.code)
		job_fail_err(&op->job, &err);
	return !err.code;
}

static void sync_beside(struct op_putback *op)
{
	const json_t *it = json_array_get(op->steps, op->at++);

	durable_path(&op->durable, &op->job, member_text(it, "beside"));
}

/* From here on they get there, whoever dies. */
static bool write_journal(struct op_putback *op)
{
	AUTO_FREE char *path = journal_of(op->vm->env, op->vm->name);
	AUTO_FREE char *dir = str_dir(path);
	AUTO_FREE char *text = jstream_text(op->steps, JSON_COMPACT);
	struct err err = ERR_INIT;

	op->placed = !fd_make_dirs(dir, 0700, &err) &&
		     !fd_write_file(AT_FDCWD, path, text, strlen(text), 0600,
			     false, &err);
	if (!op->placed)
		job_fail_err(&op->job, &err);
	return op->placed;
}

static void place(const json_t *steps)
{
	json_t *it;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)steps, i, it)
	{
		if (sys_renameat(AT_FDCWD, member_text(it, "beside"), AT_FDCWD,
			    member_text(it, "to")) &&
			errno != ENOENT)
			log_warn(NULL, "cannot rename '%s': %s",
				member_text(it, "beside"), strerror(errno));
	}
}

static void remove_copies(const json_t *steps)
{
	json_t *it;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)steps, i, it)
		sys_unlinkat(AT_FDCWD, member_text(it, "beside"), 0);
}

static void forget_chains(struct op_putback *op)
{
	json_t *it;
	size_t i;

	json_array_foreach(op->steps, i, it)
		chain_record_forget(op->vm, member_text(it, "to"));
}

typedef void sync_fn(
	struct durable *durable, struct job *job, const char *path);

static void sync_journal(struct op_putback *op, sync_fn *sync)
{
	AUTO_FREE char *path = journal_of(op->vm->env, op->vm->name);

	sync(&op->durable, &op->job, path);
}

static void sync_next(struct op_putback *op)
{
	const json_t *it = json_array_get(op->steps, op->at++);

	durable_above(&op->durable, &op->job, member_text(it, "to"));
}

static void drop_journal(const struct op_putback *op)
{
	AUTO_FREE char *path = journal_of(op->vm->env, op->vm->name);

	sys_unlinkat(AT_FDCWD, path, 0);
}

static enum job_state putback_run(struct job *job)
{
	struct op_putback *op = container_of(job, struct op_putback, job);

	JOB_BEGIN(job);
	if (!plan(op))
		return JOB_ENDS;
	start_verify(op);
	do {
		JOB_AWAIT(job, !op->step, JOB_FOREVER); /* a job of its own */
		if (op->step_err.code)
			return job_fail_err(job, &op->step_err);
	} while (copy_next(op));
	for (op->at = 0; compare_next(op);) {
		JOB_AWAIT(job, !op->step, JOB_FOREVER); /* the same */
		if (op->step_err.code)
			return job_fail_err(job, &op->step_err);
	}
	if (!lay(op))
		return JOB_ENDS;
	while (op->at < json_array_size(op->steps))
		JOB_DURABLE(job, &op->durable, sync_beside(op));
	if (!write_journal(op))
		return JOB_ENDS;
	JOB_DURABLE(job, &op->durable, sync_journal(op, durable_path));
	JOB_DURABLE(job, &op->durable, sync_journal(op, durable_above));
	forget_chains(op);
	place(op->steps);
	for (op->at = 0; op->at < json_array_size(op->steps);)
		JOB_DURABLE(job, &op->durable, sync_next(op));
	drop_journal(op);
	JOB_END(job);
}

/* Before the journal nothing has happened; after it all of it will. */
static enum job_state putback_undo(struct job *job)
{
	struct op_putback *op = container_of(job, struct op_putback, job);

	JOB_BEGIN(job);
	if (op->step) {
		job_cancel(op->step);
		JOB_AWAIT(job, !op->step, END_MS);
	}
	if (op->placed) {
		place(op->steps);
		drop_journal(op);
		return JOB_ENDS;
	}
	remove_copies(op->steps);
	JOB_END(job);
}

static void putback_cleanup(struct job *job)
{
	struct op_putback *op = container_of(job, struct op_putback, job);

	op->vm->held = NULL;
	durable_stop(&op->durable);
	json_decref(op->steps);
	free(op->kept);
	free(op->dir);
	free(op->id);
	free(op);
}

struct job *op_putback_begin(struct vm *vm, const char *dir, const char *id,
	op_end_fn *on_end, void *arg)
{
	static const struct job_kind kind = { "backup-restore", putback_run,
		putback_undo, putback_cleanup };
	struct op_putback *op = NEW(struct op_putback);

	op->vm = vm;
	op->dir = xstrdup(dir);
	op->id = xstrdup(id);
	op->steps = json_array();
	vm->held = "restored";
	job_start(&op->job, &kind, vm->name, on_end, arg);
	return &op->job;
}

/* ---- after a crash ---- */

static void recover_one(void *arg, const char *entry)
{
	const char *dir = arg;
	AUTO_FREE char *path = xasprintf("%s/%s", dir, entry);
	AUTO_STR struct str text = STR_INIT;
	struct err err = ERR_INIT;
	AUTO_JSON json_t *steps = NULL;

	if (str_ends(entry, ".json") &&
		!fd_read_file(AT_FDCWD, path, JOURNAL_MAX, &text, &err)) {
		steps = json_loadb(text.data, text.len, 0, NULL);
		log_info(NULL, "goes on with a restore: %s", entry);
		place(steps);
	}
	sys_unlinkat(AT_FDCWD, path, 0);
}

void op_putback_recover(const struct env *env)
{
	AUTO_FREE char *dir = xasprintf("%s/restoring", env->paths.state);

	sys_listdir(AT_FDCWD, dir, recover_one, dir);
}
