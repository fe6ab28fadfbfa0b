/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Early warning of a full disk; see lowspace.h.  A threshold is an offset in
 * the image file: a qcow2 file grows at its end.  It holds once.
 */
#include "supervisor/lowspace.h"

#include <fcntl.h>

#include "base/mem.h"
#include "base/sys.h"
#include "supervisor/events.h"

#define LEAST ((uint64_t)1 << 20) /* below it the autopilot comes first */

static void arm_next(struct vm *vm);

/* The node below the format's. */
static char *file_node(const struct spec_disk *disk)
{
	AUTO_FREE char *top = argv_disk_top(disk, disk->name);

	return xasprintf("%s.f", top);
}

/* What qcow2 needs besides the guest's data: less than this part of it. */
static uint64_t most_of(const struct spec_disk *disk)
{
	return disk->size + disk->size / 64 + LEAST;
}

/* Where the warning is due; 0: nowhere. */
static uint64_t threshold_of(const struct vm *vm, const struct spec_disk *disk)
{
	AUTO_FREE char *path =
		argv_disk_path(vm->running, disk, vm->env->paths.images);
	struct err err = ERR_INIT;
	uint64_t space = 0;
	uint64_t at;
	struct stat st;

	if (disk->readonly ||
		argv_disk_format(disk, path, &err) != FORMAT_QCOW2 ||
		sys_fstatat(AT_FDCWD, path, &st, 0) || !S_ISREG(st.st_mode) ||
		sys_free_space(path, &space) || space < LEAST)
		return 0;
	at = (uint64_t)st.st_size + space / 10 * 9;
	return disk->size && most_of(disk) < at ? 0 : at;
}

static void on_reply(
	struct qmp_slot *slot, json_t *result UNUSED, const struct err *err)
{
	struct vm *vm = container_of(slot, struct vm, low.slot);

	if (err->code)
		vmlog_line(&vm->log, LOG_DEBUG, "no warning of a full disk: %s",
			err->text);
	if (err->code && err->code != ERR_QMP && err->code != ERR_NOT_FOUND)
		return; /* it is gone, or does not answer */
	arm_next(vm);
}

/* One disk after the other. */
static void arm_next(struct vm *vm)
{
	size_t n = 0;

	if (!vm->running || !vm->machine.ready || vm->low.slot.client)
		return;
	list_each(&vm->running->disks, it, next) {
		const struct spec_disk *disk =
			list_entry(it, struct spec_disk, link);
		uint64_t at;

		if (n++ < vm->low.done)
			continue;
		vm->low.done++;
		at = threshold_of(vm, disk);
		if (!at)
			continue;
		AUTO_FREE char *node = file_node(disk);
		qmp_send_steal(machine_qmp(&vm->machine), &vm->low.slot,
			QMP_COMMAND("block-set-write-threshold",
				json_pack("{s:s,s:I}", "node-name", node,
					"write-threshold", (json_int_t)at)),
			on_reply);
		return;
	}
}

void lowspace_begin(struct vm *vm)
{
	vm->low.done = 0;
	arm_next(vm);
}

static void warn(struct vm *vm, const struct spec_disk *disk, const char *path)
{
	AUTO_STR struct str left = STR_INIT;
	uint64_t space = 0;

	if (sys_free_space(path, &space))
		return;
	str_add_bytes(&left, space);
	vmlog_line(&vm->log, LOG_WARN,
		"disk %s: 90 %% of the space below it is used, %s left for %s",
		disk->name, str_text(&left), path);
	events_emit("VM_LOW_SPACE",
		json_pack("{s:s,s:s,s:s,s:I}", "vm", vm->name, "disk",
			disk->name, "path", path, "left", (json_int_t)space));
}

void lowspace_crossed(struct vm *vm, const char *node)
{
	list_each(&vm->running->disks, it, next) {
		const struct spec_disk *disk =
			list_entry(it, struct spec_disk, link);
		AUTO_FREE char *id = file_node(disk);
		AUTO_FREE char *path = argv_disk_path(
			vm->running, disk, vm->env->paths.images);

		if (str_eq(node, id))
			warn(vm, disk, path);
	}
	lowspace_begin(vm);
}
