/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Backups at their times; see schedule.h. */
#include "supervisor/schedule.h"

#include <fcntl.h>
#include <string.h>

#include "base/fd.h"
#include "base/jstream.h"
#include "base/mem.h"
#include "base/sys.h"
#include "supervisor/calendar.h"
#include "supervisor/op_backup.h"

#define STATE_MAX ((size_t)4096)
#define AGAIN_MS  10000   /* it cannot be begun now */
#define LOOK_MS   3600000 /* the wall clock may be set */

static char *path_of(const struct env *env, const char *name)
{
	return xasprintf("%s/schedules/%s.json", env->paths.state, name);
}

static bool is_wanted(const struct vm *vm)
{
	return vm->spec && vm->spec->backup.schedule.every != CALENDAR_NEVER &&
	       vm->spec->backup.target && *vm->spec->backup.target &&
	       !vm->findings.errors;
}

/* ---- when it was ---- */

static void write_last(struct vm *vm, int64_t when_us)
{
	AUTO_FREE char *path = path_of(vm->env, vm->name);
	AUTO_FREE char *dir = str_dir(path);
	AUTO_JSON json_t *json =
		json_pack("{s:I}", "backup", (json_int_t)when_us);
	AUTO_FREE char *text = jstream_text(json, JSON_COMPACT);
	struct err err = ERR_INIT;

	vm->schedule.last_us = when_us;
	if (fd_make_dirs(dir, 0700, &err) ||
		fd_write_file(
			AT_FDCWD, path, text, strlen(text), 0600, false, &err))
		vmlog_line(&vm->log, LOG_WARN, "%s", err.text);
}

/* One that had no schedule so far begins now. */
static void read_last(struct vm *vm)
{
	AUTO_FREE char *path = path_of(vm->env, vm->name);
	AUTO_STR struct str text = STR_INIT;
	struct err err = ERR_INIT;
	AUTO_JSON json_t *json = NULL;

	if (!fd_read_file(AT_FDCWD, path, STATE_MAX, &text, &err))
		json = json_loadb(text.data, text.len, 0, NULL);
	vm->schedule.last_us =
		json_integer_value(json_object_get(json, "backup"));
	if (vm->schedule.last_us <= 0 ||
		vm->schedule.last_us > sys_realtime_us())
		write_last(vm, sys_realtime_us());
}

int64_t schedule_next(const struct vm *vm)
{
	if (!is_wanted(vm) || !vm->schedule.last_us)
		return INT64_MAX;
	return calendar_next(&vm->spec->backup.schedule, vm->schedule.last_us);
}

/* ---- when it is ---- */

static void on_timer(struct loop_timer *timer)
{
	schedule_follow(container_of(timer, struct vm, schedule.timer));
}

static void arm(struct vm *vm, int64_t ms)
{
	loop_timer_start(&vm->schedule.timer, ms, on_timer);
}

/* Whether well or not: the next one is at the next time. */
static void on_end(struct job *job, void *arg)
{
	struct vm *vm = arg;
	char when[32];

	vm_job_over(job, vm);
	vm->schedule.runs = false;
	if (job->err.code)
		vm_set_note(
			vm, "the scheduled backup failed: %s", job->err.text);
	write_last(vm, sys_realtime_us());
	schedule_follow(vm);
	vmlog_time(schedule_next(vm), when);
	vmlog_line(&vm->log, LOG_INFO, "the next backup is due at %s", when);
}

static void begin(struct vm *vm)
{
	struct backup_wish wish = backup_wish_of(vm->spec);
	struct err err = ERR_INIT;

	wish.scheduled = true;
	if (vm->env->stopping || op_backup_check(vm, &wish, &err)) {
		arm(vm, AGAIN_MS);
		return;
	}
	vm->schedule.runs = true;
	vm_job_add(vm, op_backup_begin(vm, &wish, on_end, vm));
}

void schedule_follow(struct vm *vm)
{
	int64_t left_us;

	loop_timer_stop(&vm->schedule.timer);
	if (!is_wanted(vm) || vm->schedule.runs)
		return;
	if (!vm->schedule.last_us)
		read_last(vm);
	left_us = schedule_next(vm) - sys_realtime_us();
	if (left_us <= 0)
		begin(vm);
	else
		arm(vm, left_us / 1000 < LOOK_MS ? left_us / 1000 + 1
						 : LOOK_MS);
}

void schedule_remove(const struct env *env, const char *name)
{
	AUTO_FREE char *path = path_of(env, name);

	sys_unlinkat(AT_FDCWD, path, 0);
}
