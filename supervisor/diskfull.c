/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The autopilot of full and failing disks; see diskfull.h. */
#include "supervisor/diskfull.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/sys.h"
#include "supervisor/op.h"
#include "supervisor/pool.h"

#define FIRST_MS  500
#define MOST_MS   30000
#define ENOUGH    (8ull << 20) /* below it a try would only fail again */
#define SETTLE_MS 10000        /* a block so soon after a try is a failed try */

static void on_look(struct loop_timer *timer);

/* The disk of a node: "disk-root", or one of its others: "disk-root.f". */
static const struct spec_disk *disk_of(const struct vm *vm, const char *node)
{
	list_each(&vm->running->disks, it, next) {
		const struct spec_disk *disk =
			list_entry(it, struct spec_disk, link);
		AUTO_FREE char *id = xasprintf("disk-%s", disk->name);

		if (str_starts(node, id) &&
			(node[strlen(id)] == '\0' || node[strlen(id)] == '.'))
			return disk;
	}
	return NULL;
}

static void look_later(struct vm *vm)
{
	int64_t ms = FIRST_MS;

	for (unsigned i = 0; i < vm->full.tries && ms < MOST_MS; i++)
		ms *= 2;
	loop_timer_start(&vm->full.timer, ms < MOST_MS ? ms : MOST_MS, on_look);
}

static void on_look(struct loop_timer *timer)
{
	struct vm *vm = container_of(timer, struct vm, full.timer);
	uint64_t space = 0;

	if (!vm->machine.ready ||
		(!vm->full.timed && (sys_free_space(vm->full.path, &space) ||
					    space < ENOUGH))) {
		loop_timer_start(timer, FIRST_MS, on_look);
		return;
	}
	vm->full.tries++;
	vm->full.tried_ms = loop_now_ms();
	if (vm->full.timed)
		vmlog_line(&vm->log, vm->full.tries > 1 ? LOG_DEBUG : LOG_INFO,
			"trying again");
	else
		vmlog_line(
			&vm->log, LOG_INFO, "there is space again: going on");
	vm_job_add(vm, op_ask_begin(vm, ASK_RESUME, vm_job_over, vm));
}

bool diskfull_heals(const struct vm *vm, const char *node)
{
	const struct spec_disk *disk = vm->running ? disk_of(vm, node) : NULL;
	int action = vm->running ? vm->running->restart.on_cause[CAUSE_IO_ERROR]
				 : ACTION_BY_POLICY;

	return disk && argv_disk_holds(disk) && action != ACTION_RESTART &&
	       action != ACTION_STOP;
}

/* Why it stands still, where there is nothing to look at but the clock. */
static void hold(struct vm *vm, const struct spec_disk *disk)
{
	vm_set_note(vm, "disk %s fails: %s", disk->name, vm->full.path);
	if (vm->full.tries == 0)
		vmlog_line(&vm->log, LOG_WARN,
			"%s; the guest is held until it works", vm->note);
	look_later(vm);
}

void diskfull_begin(struct vm *vm, const char *node, bool nospace)
{
	const struct spec_disk *disk = vm->running ? disk_of(vm, node) : NULL;
	const struct pool *pool;
	const char *slash;

	vm->full.blocked = true;
	free(vm->full.path);
	/* of one that is not known: it is where most are */
	vm->full.path =
		disk ? argv_disk_path(vm->running, disk, vm->env->paths.images)
		     : xasprintf("%s/", vm->env->paths.images);
	vm->full.timed = disk && (disk->url || !nospace);
	if (loop_now_ms() - vm->full.tried_ms > SETTLE_MS)
		vm->full.tries = 0;
	if (vm->full.timed) {
		hold(vm, disk);
		return;
	}
	slash = strrchr(vm->full.path, '/');
	pool = disk ? pool_of_file(&vm->env->paths, vm->full.path) : NULL;
	if (pool)
		vm_set_note(vm, "disk full: pool %s", pool->name);
	else if (disk)
		vm_set_note(vm, "disk full: %.*s",
			slash ? (int)(slash - vm->full.path) : 0,
			vm->full.path);
	else
		vm_set_note(vm, "disk full: %s", node);
	vmlog_line(&vm->log, LOG_WARN, "%s; it goes on when there is space",
		vm->note);
	look_later(vm);
}

/* What blocked the guest while nobody watched. */
static void on_blocks(struct job *job, void *arg)
{
	struct vm *vm = arg;
	json_t *block;
	size_t i;

	json_array_foreach(op_qmp_result(job), i, block)
	{
		const char *status =
			json_string_value(json_object_get(block, "io-status"));
		const char *node = json_string_value(json_object_get(
			json_object_get(block, "inserted"), "node-name"));

		bool nospace = status && str_eq(status, "nospace");

		if (status && node && !vm->full.path &&
			(nospace || (str_eq(status, "failed") &&
					    diskfull_heals(vm, node))))
			diskfull_begin(vm, node, nospace);
	}
	bool again = job->err.code == ERR_TIMEOUT && vm->state == VM_PAUSED;
	vm_job_over(job, vm);
	if (again)
		diskfull_look(vm);
}

void diskfull_look(struct vm *vm)
{
	vm_job_add(
		vm, op_qmp_begin_steal(vm, "query-block", NULL, on_blocks, vm));
}

void diskfull_go_on(struct vm *vm)
{
	if (vm->full.path)
		look_later(vm);
}

void diskfull_end(struct vm *vm)
{
	loop_timer_stop(&vm->full.timer);
	vm->full.blocked = false;
	free(TAKE(vm->full.path));
}
