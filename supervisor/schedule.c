/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Backups and snapshots at their times; see schedule.h. */
#include "supervisor/schedule.h"

#include <fcntl.h>
#include <string.h>

#include "base/fd.h"
#include "base/jstream.h"
#include "base/mem.h"
#include "base/sys.h"
#include "supervisor/calendar.h"
#include "supervisor/op_backup.h"
#include "supervisor/op_snapshot.h"
#include "supervisor/snapshot_disks.h"
#include "supervisor/snapshots.h"

#define STATE_MAX ((size_t)4096)
#define AGAIN_MS  10000   /* it cannot be begun now */
#define LOOK_MS   3600000 /* the wall clock may be set */

static char *path_of(const struct env *env, const char *name)
{
	return xasprintf("%s/schedules/%s.json", env->paths.state, name);
}

/* ---- backups ---- */

static const struct spec_calendar *backup_calendar(const struct vm_spec *spec)
{
	return spec->backup.target && *spec->backup.target
		       ? &spec->backup.schedule
		       : NULL;
}

static struct backup_wish wished_backup(const struct vm *vm)
{
	struct backup_wish wish = backup_wish_of(vm->spec);

	wish.scheduled = true;
	return wish;
}

static int check_backup(const struct vm *vm, struct err *err)
{
	struct backup_wish wish = wished_backup(vm);

	return op_backup_check(vm, &wish, err);
}

static struct job *begin_backup(struct vm *vm, op_end_fn *on_end, void *arg)
{
	struct backup_wish wish = wished_backup(vm);

	return op_backup_begin(vm, &wish, on_end, arg);
}

/* ---- snapshots ---- */

static const struct spec_calendar *snapshot_calendar(const struct vm_spec *spec)
{
	return &spec->snapshot.schedule;
}

static int check_snapshot(const struct vm *vm, struct err *err)
{
	return op_snapshot_check(vm, err) || snapshot_disks_check(vm, err) ? -1
									   : 0;
}

static struct job *begin_snapshot(struct vm *vm, op_end_fn *on_end, void *arg)
{
	const struct spec_snapshot *spec = &vm->spec->snapshot;
	bool memory = spec->memory && snapshot_step_is_live(vm);
	const struct op_snapshot_wish wish = { .memory = memory,
		.freeze = memory || vm->state != VM_RUNNING
				  ? FREEZE_NO
				  : (enum freeze)spec->freeze,
		.scheduled = true };

	return op_snapshot_create(vm, &wish, on_end, arg);
}

/* Those that were scheduled and that `keep` does not keep. */
static void expire_snapshots(struct vm *vm)
{
	struct err err = ERR_INIT;
	AUTO_JSON json_t *tree =
		snapshots_read(&vm->env->paths, vm->name, &err);
	AUTO_JSON json_t *list = snapshots_dated(tree);
	AUTO_JSON json_t *gone =
		vm->spec ? calendar_expired(list, &vm->spec->snapshot.keep)
			 : NULL;
	size_t n = json_array_size(gone);
	AUTO_FREE const char **names = xcalloc(n + 1, sizeof(*names));
	const struct op_snapshot_wish wish = { .names = names };

	for (size_t i = 0; i < n; i++) {
		names[i] = json_string_value(json_array_get(gone, i));
		vmlog_line(&vm->log, LOG_INFO, "snapshot '%s' is expired",
			names[i]);
	}
	if (n && !op_snapshot_check(vm, &err))
		vm_job_add(vm, op_snapshot_delete(vm, &wish, vm_job_over, vm));
}

/* ---- what there is ---- */

static const struct {
	const char *name;
	/* NULL: nothing of the kind is wanted. */
	const struct spec_calendar *(*calendar)(const struct vm_spec *spec);
	int (*check)(const struct vm *vm, struct err *err);
	struct job *(*begin)(struct vm *vm, op_end_fn *on_end, void *arg);
	void (*expire)(struct vm *vm); /* or NULL: the job does that */
} kinds[SCHEDULES] = {
	[SCHEDULE_BACKUP] = { "backup", backup_calendar, check_backup,
		begin_backup, NULL },
	[SCHEDULE_SNAPSHOT] = { "snapshot", snapshot_calendar, check_snapshot,
		begin_snapshot, expire_snapshots },
};

const char *schedule_name(enum schedule which)
{
	return kinds[which].name;
}

/* NULL: none is wanted. */
static const struct spec_calendar *calendar_of(
	const struct vm *vm, enum schedule which)
{
	const struct spec_calendar *calendar =
		vm->spec && !vm->findings.errors
			? kinds[which].calendar(vm->spec)
			: NULL;

	return calendar && calendar->every != CALENDAR_NEVER ? calendar : NULL;
}

/* ---- when it was ---- */

static void write_last(struct vm *vm, enum schedule which, int64_t when_us)
{
	AUTO_FREE char *path = path_of(vm->env, vm->name);
	AUTO_FREE char *dir = str_dir(path);
	AUTO_JSON json_t *json = json_object();
	AUTO_FREE char *text = NULL;
	struct err err = ERR_INIT;

	vm->schedules[which].last_us = when_us;
	for (size_t i = 0; i < SCHEDULES; i++)
		if (vm->schedules[i].last_us)
			json_object_set_new(json, kinds[i].name,
				json_integer(vm->schedules[i].last_us));
	text = jstream_text(json, JSON_COMPACT);
	if (fd_make_dirs(dir, 0700, &err) ||
		fd_write_file(
			AT_FDCWD, path, text, strlen(text), 0600, false, &err))
		vmlog_line(&vm->log, LOG_WARN, "%s", err.text);
}

/* All that the file has: it is written as a whole. */
static void read_all(struct vm *vm)
{
	AUTO_FREE char *path = path_of(vm->env, vm->name);
	AUTO_STR struct str text = STR_INIT;
	struct err err = ERR_INIT;
	AUTO_JSON json_t *json = NULL;

	if (!fd_read_file(AT_FDCWD, path, STATE_MAX, &text, &err))
		json = json_loadb(text.data, text.len, 0, NULL);
	for (size_t i = 0; i < SCHEDULES; i++) {
		int64_t last_us = json_integer_value(
			json_object_get(json, kinds[i].name));

		if (last_us > 0 && last_us <= sys_realtime_us())
			vm->schedules[i].last_us = last_us;
	}
}

/* One that had no schedule so far begins now. */
static void know_last(struct vm *vm, enum schedule which)
{
	read_all(vm);
	if (!vm->schedules[which].last_us)
		write_last(vm, which, sys_realtime_us());
}

int64_t schedule_next(const struct vm *vm, enum schedule which)
{
	const struct spec_calendar *calendar = calendar_of(vm, which);
	int64_t last_us = vm->schedules[which].last_us;

	return calendar && last_us ? calendar_next(calendar, last_us)
				   : INT64_MAX;
}

/* ---- when it is ---- */

static void follow(struct vm_schedule *at);
static void begin(struct vm_schedule *at);

static enum schedule which_of(const struct vm_schedule *at)
{
	return (enum schedule)(at - at->vm->schedules);
}

/* Not sooner than now: files are read before QEMUs are found. */
static void on_timer(struct loop_timer *timer)
{
	struct vm_schedule *at = container_of(timer, struct vm_schedule, timer);

	if (at->runs) { /* all but what is expired */
		at->runs = false;
		kinds[which_of(at)].expire(at->vm);
		follow(at);
	} else if (schedule_next(at->vm, which_of(at)) > sys_realtime_us()) {
		follow(at);
	} else {
		begin(at);
	}
}

static void arm(struct vm_schedule *at, int64_t ms)
{
	loop_timer_start(&at->timer, ms, on_timer);
}

/* Whether well or not: the next one is at the next time. */
static void is_over(struct vm_schedule *at, const struct err *err)
{
	struct vm *vm = at->vm;
	enum schedule which = which_of(at);
	char when[32];

	if (err->code)
		vm_set_note(vm, "the scheduled %s failed: %s",
			kinds[which].name, err->text);
	write_last(vm, which, sys_realtime_us());
	follow(at);
	vmlog_time(schedule_next(vm, which), when);
	vmlog_line(&vm->log, LOG_INFO, "the next %s is due at %s",
		kinds[which].name, when);
}

static void on_end(struct job *job, void *arg)
{
	struct vm_schedule *at = arg;
	enum schedule which = which_of(at);

	vm_job_over(job, at->vm);
	at->runs = false;
	is_over(at, &job->err);
	if (!job->err.code && kinds[which].expire) {
		at->runs = true; /* on, once this job is gone */
		arm(at, 1);
	}
}

/* Its QEMU runs, and we have not taken it over so far. */
static bool is_not_found_yet(struct vm *vm)
{
	return !vm_is_up(vm) && vm_is_locked(vm);
}

/* What somebody else does now passes; what cannot be waits for its time. */
static void begin(struct vm_schedule *at)
{
	enum schedule which = which_of(at);
	struct err err = ERR_INIT;

	if (at->vm->env->stopping || is_not_found_yet(at->vm)) {
		arm(at, AGAIN_MS);
	} else if (!kinds[which].check(at->vm, &err)) {
		at->runs = true;
		vm_job_add(at->vm, kinds[which].begin(at->vm, on_end, at));
	} else if (err.code == ERR_BUSY || err.code == ERR_STATE) {
		arm(at, AGAIN_MS);
	} else {
		is_over(at, &err);
	}
}

static void follow(struct vm_schedule *at)
{
	enum schedule which = which_of(at);
	int64_t left_us;

	if (at->runs)
		return;
	loop_timer_stop(&at->timer);
	if (!calendar_of(at->vm, which))
		return;
	if (!at->last_us)
		know_last(at->vm, which);
	left_us = schedule_next(at->vm, which) - sys_realtime_us();
	if (left_us < 0)
		left_us = 0;
	arm(at, left_us / 1000 < LOOK_MS ? left_us / 1000 + 1 : LOOK_MS);
}

void schedule_follow(struct vm *vm)
{
	for (size_t i = 0; i < SCHEDULES; i++) {
		vm->schedules[i].vm = vm;
		follow(&vm->schedules[i]);
	}
}

void schedule_remove(const struct env *env, const char *name)
{
	AUTO_FREE char *path = path_of(env, name);

	sys_unlinkat(AT_FDCWD, path, 0);
}
