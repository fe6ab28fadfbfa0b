/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The memory of a VM that was saved; see saved.h. */
#include "supervisor/saved.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/fd.h"
#include "base/jstream.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/sys.h"
#include "supervisor/config.h"
#include "supervisor/proc.h"
#include "supervisor/remove.h"

#define USED     "used.json"
#define JSON_MAX ((size_t)512 * 1024)
#define MARGIN   ((uint64_t)4 << 20)
#define DEVICES  ((uint64_t)1 << 20)

static char *dir_of(const struct env *env, const char *name)
{
	return xasprintf("%s/saved/%s", env->paths.state, name);
}

char *saved_path(const struct vm *vm, const char *leaf)
{
	AUTO_FREE char *dir = dir_of(vm->env, vm->name);

	return xasprintf("%s/%s", dir, leaf);
}

static bool exists(const struct vm *vm, const char *leaf)
{
	AUTO_FREE char *path = saved_path(vm, leaf);
	struct stat st;

	return !sys_fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW);
}

bool saved_is_there(const struct vm *vm)
{
	return exists(vm, SAVED_STATE);
}

bool saved_was_used(const struct vm *vm)
{
	return exists(vm, USED);
}

/* ---- making it ---- */

/* Pages of zeros take no room: what is in use is an upper bound. */
static uint64_t size_of(const struct vm *vm)
{
	uint64_t memory = vm->running->vm.memory;
	struct proc_usage usage;

	if (proc_usage(vm->machine.pid, &usage) &&
		usage.rss + usage.swap < memory)
		memory = usage.rss + usage.swap;
	return memory + memory / 64 + DEVICES;
}

int saved_check_space(const struct vm *vm, const char *dir, struct err *err)
{
	uint64_t need = size_of(vm);
	uint64_t room;

	if (sys_free_space(dir, &room) || room >= need + MARGIN)
		return 0;
	return err_set(err, ERR_LIMIT,
		"'%s' has %llu MiB left, its memory may need %llu", dir,
		(unsigned long long)(room >> 20),
		(unsigned long long)((need + MARGIN) >> 20));
}

int saved_create(const struct vm *vm, struct err *err)
{
	AUTO_FREE char *dir = dir_of(vm->env, vm->name);
	AUTO_FREE char *path = saved_path(vm, SAVED_MEMORY);
	int fd;

	saved_forget(vm);
	if (fd_make_dirs(dir, 0700, err) || saved_check_space(vm, dir, err))
		return -1;
	fd = sys_openat(AT_FDCWD, path,
		O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600);
	if (fd < 0)
		err_os(err, "cannot write '%s'", path);
	return fd;
}

/* What tells that somebody wrote to it; null: nothing can. */
static json_t *look_at(const struct vm_spec *spec, const struct vm *vm,
	const struct spec_disk *disk)
{
	AUTO_FREE char *path =
		argv_disk_path(spec, disk, vm->env->paths.images);
	struct stat st;

	if (disk->url || sys_fstatat(AT_FDCWD, path, &st, 0))
		return NULL;
	if (S_ISBLK(st.st_mode))
		return json_pack("{s:s,s:s,s:I}", "disk", disk->name, "path",
			path, "device", (json_int_t)st.st_rdev);
	return json_pack("{s:s,s:s,s:I,s:I,s:I,s:I,s:I}", "disk", disk->name,
		"path", path, "device", (json_int_t)st.st_dev, "inode",
		(json_int_t)st.st_ino, "size", (json_int_t)st.st_size,
		"written", (json_int_t)st.st_mtim.tv_sec, "ns",
		(json_int_t)st.st_mtim.tv_nsec);
}

static json_t *look_at_disks(const struct vm_spec *spec, const struct vm *vm)
{
	json_t *all = json_array();

	list_each(&spec->disks, it, next) {
		json_t *one = look_at(
			spec, vm, list_entry(it, struct spec_disk, link));

		if (one)
			json_array_append_new(all, one);
	}
	return all;
}

int saved_commit(const struct vm *vm, bool running, struct err *err)
{
	AUTO_FREE char *path = saved_path(vm, SAVED_STATE);
	AUTO_STR struct str config = STR_INIT;
	AUTO_FREE char *text = NULL;

	config_show(vm->running, false, NULL, &config);
	AUTO_JSON json_t *json =
		json_pack("{s:i,s:I,s:b,s:b,s:I,s:i,s:i,s:s?,s:o}", "version",
			1, "generation", (json_int_t)vm->record.generation,
			"running", running, "ready", vm->ready == VM_READY_YES,
			"time", (json_int_t)sys_realtime_us(), "qemu",
			(int)vm->machine.qmp.version, "ports", (int)vm->slots.n,
			"config", str_text(&config), "disks",
			look_at_disks(vm->running, vm));
	text = jstream_text(json, JSON_COMPACT);
	return fd_write_file(
		AT_FDCWD, path, text, strlen(text), 0600, false, err);
}

/* ---- using it ---- */

json_t *saved_read(const struct vm *vm, struct err *err)
{
	AUTO_FREE char *path = saved_path(vm, SAVED_STATE);
	AUTO_STR struct str text = STR_INIT;
	json_t *json;

	if (fd_read_file(AT_FDCWD, path, JSON_MAX, &text, err))
		return NULL;
	json = json_loadb(text.data, text.len, 0, NULL);
	if (json_integer_value(json_object_get(json, "version")) == 1)
		return json;
	json_decref(json);
	err_set(err, ERR_CONFIG, "'%s' is damaged, or of a newer vmward", path);
	return NULL;
}

int saved_check_disks(const struct vm *vm, const json_t *saved, struct err *err)
{
	struct vm_spec *spec = saved_spec(vm, saved, err);
	AUTO_JSON json_t *now = NULL;
	json_t *was;
	size_t i;

	if (!spec)
		return -1;
	now = look_at_disks(spec, vm);
	spec_free(spec);
	json_array_foreach(json_object_get(saved, "disks"), i, was)
	{
		if (json_equal(json_array_get(now, i), was))
			continue;
		return err_set(err, ERR_STATE,
			"disk '%s' was written to since it was saved "
			"(--fresh forgets its memory)",
			json_string_value(json_object_get(was, "disk")));
	}
	return 0;
}

struct vm_spec *saved_spec(
	const struct vm *vm, const json_t *saved, struct err *err)
{
	const char *text =
		str_or(json_string_value(json_object_get(saved, "config")), "");
	struct findings f;
	struct vm_spec *spec;

	findings_init(&f);
	spec = config_load_text(&vm->env->paths, vm->name, text, strlen(text),
		"its saved memory", &f);
	if (!spec)
		findings_to_err(&f, err);
	findings_fini(&f);
	return spec;
}

static int move(const struct vm *vm, const char *from, const char *to)
{
	AUTO_FREE char *old = saved_path(vm, from);
	AUTO_FREE char *new = saved_path(vm, to);

	return sys_renameat(AT_FDCWD, old, AT_FDCWD, new);
}

int saved_use(const struct vm *vm, struct err *err)
{
	if (!move(vm, SAVED_STATE, USED))
		return 0;
	return err_os(err, "cannot mark its saved memory as used");
}

void saved_put_back(const struct vm *vm)
{
	if (move(vm, USED, SAVED_STATE) && errno != ENOENT)
		log_warn(vm->name, "its saved memory stays marked as used: %s",
			strerror(errno));
}

void saved_forget(const struct vm *vm)
{
	saved_remove(vm->env, vm->name);
}

/* What makes it count goes first. */
void saved_remove(const struct env *env, const char *name)
{
	static const char *const leaves[] = { SAVED_STATE, USED };
	AUTO_FREE char *dir = dir_of(env, name);
	struct err err = ERR_INIT;

	for (size_t i = 0; i < NELEMS(leaves); i++) {
		AUTO_FREE char *path = xasprintf("%s/%s", dir, leaves[i]);

		sys_unlinkat(AT_FDCWD, path, 0);
	}
	if (remove_tree(dir, &err))
		log_warn(name, "%s", err.text);
}

uint64_t saved_generation(const struct vm *vm)
{
	struct err err = ERR_INIT;
	AUTO_JSON json_t *saved = saved_read(vm, &err);

	return (uint64_t)json_integer_value(
		json_object_get(saved, "generation"));
}
