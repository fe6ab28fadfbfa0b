/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bases that image commit writes to; see committing.h. */
#include "supervisor/committing.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "base/fd.h"
#include "base/hash.h"
#include "base/jstream.h"
#include "base/mem.h"
#include "base/member.h"
#include "base/str.h"
#include "base/sys.h"
#include "storage/image.h"
#include "supervisor/argv.h"
#include "supervisor/store.h"

enum { RECORD_MAX = 65536, DEPTH_MAX = 64 };

static char *dir_of(const struct paths *paths)
{
	return xasprintf("%s/committing", paths->state);
}

char *committing_path(const struct paths *paths, const char *base)
{
	AUTO_FREE char *dir = dir_of(paths);

	return xasprintf("%s/%016" PRIx64 ".json", dir,
		hash_add(HASH_START, base, strlen(base)));
}

static json_int_t written_at(const struct stat *st)
{
	return (json_int_t)st->st_mtim.tv_sec * 1000000000 +
	       st->st_mtim.tv_nsec;
}

int committing_write(const struct paths *paths, const char *base,
	const char *image, bool keep, struct err *err)
{
	AUTO_FREE char *dir = dir_of(paths);
	AUTO_FREE char *path = committing_path(paths, base);
	AUTO_JSON json_t *record = NULL;
	AUTO_FREE char *text = NULL;
	struct stat st;

	if (sys_fstatat(AT_FDCWD, base, &st, 0))
		return err_os(err, "cannot look at '%s'", base);
	record = json_pack("{s:s,s:s,s:b,s:I,s:I,s:s}", "base", base, "image",
		image, "keep", keep, "inode", (json_int_t)st.st_ino, "mtime",
		written_at(&st), "boot", store_boot_id());
	if (!record)
		return err_set(err, ERR_CONFIG, "'%s' is not UTF-8", base);
	text = jstream_text(record, JSON_COMPACT);
	if (fd_make_dirs(dir, 0700, err))
		return -1;
	return fd_write_file(
		AT_FDCWD, path, text, strlen(text), 0600, false, err);
}

void committing_forget(const struct paths *paths, const char *base)
{
	AUTO_FREE char *path = committing_path(paths, base);

	sys_unlinkat(AT_FDCWD, path, 0);
}

static bool has(const json_t *record, const char *name, json_int_t value)
{
	return json_integer_value(json_object_get(record, name)) == value;
}

/* Nothing was written; a power loss may have taken the time of a write. */
static bool is_untouched(const json_t *record, const struct stat *st)
{
	return has(record, "mtime", written_at(st)) &&
	       str_eq(member_text(record, "boot"), store_boot_id());
}

static json_t *read_record(const char *path)
{
	AUTO_STR struct str text = STR_INIT;
	struct err ignored = ERR_INIT;

	return fd_read_file(AT_FDCWD, path, RECORD_MAX, &text, &ignored)
		       ? NULL
		       : json_loadb(text.data, text.len, 0, NULL);
}

/* It is of this very file, which is not as it was. */
static bool is_half(const json_t *record, const char *base)
{
	struct stat st;

	return str_eq(member_text(record, "base"), base) &&
	       !sys_fstatat(AT_FDCWD, base, &st, 0) &&
	       has(record, "inode", (json_int_t)st.st_ino) &&
	       !is_untouched(record, &st);
}

/* The record of this very file, if that may be half written; or NULL. */
static json_t *record_of(const struct paths *paths, const char *base)
{
	AUTO_FREE char *path = NULL;
	json_t *record;

	if (!paths->state)
		return NULL;
	path = committing_path(paths, base);
	record = read_record(path);
	if (record && is_half(record, base))
		return record;
	json_decref(record);
	return NULL;
}

/* but: the image through which it is read; "": none. */
static int check(const struct paths *paths, const char *path, const char *but,
	struct err *err)
{
	AUTO_JSON json_t *record = record_of(paths, path);
	const char *image = member_text(record, "image");
	struct stat st;

	if (!record || str_eq(image, but))
		return 0;
	if (sys_fstatat(AT_FDCWD, image, &st, 0) && errno == ENOENT)
		return err_set(err, ERR_STATE,
			"image '%s' may be half written: an image commit did "
			"not end, and '%s', which has the rest, is gone",
			path, image);
	return err_set(err, ERR_STATE,
		"image '%s' may be half written: an image commit did not end; "
		"say vmward image commit %s",
		path, image);
}

int committing_check(
	const struct paths *paths, const char *path, struct err *err)
{
	return check(paths, path, "", err);
}

int committing_check_chain(
	const struct paths *paths, const char *path, struct err *err)
{
	AUTO_FREE char *at = xstrdup(path);
	AUTO_FREE char *above = xstrdup("");

	for (int i = 0; at && i < DEPTH_MAX; i++) {
		struct err ignored = ERR_INIT;

		if (check(paths, at, above, err))
			return -1;
		free(above);
		above = at;
		at = image_backing(above, &ignored);
	}
	return 0;
}

int committing_check_moves(
	const struct paths *paths, const char *path, struct err *err)
{
	struct err ignored = ERR_INIT;
	AUTO_FREE char *base = image_backing(path, &ignored);
	AUTO_JSON json_t *record = base ? record_of(paths, base) : NULL;

	if (!record || !str_eq(member_text(record, "image"), path))
		return 0;
	return err_set(err, ERR_STATE,
		"image '%s' is half written into its base: say vmward image "
		"commit %s",
		path, path);
}

/* What it has, or, where that is still to be made, what it will be on. */
static int check_disk(
	const struct vm *vm, const struct spec_disk *disk, struct err *err)
{
	const struct paths *paths = &vm->env->paths;
	AUTO_FREE char *path = argv_disk_path(vm->spec, disk, paths->images);
	struct stat st;
	bool is_made = !disk->base || !*disk->base ||
		       !sys_fstatat(AT_FDCWD, path, &st, 0);
	AUTO_FREE char *base =
		is_made ? NULL : argv_base_path(disk, paths->images);

	if (!committing_check_chain(paths, base ? base : path, err))
		return 0;
	return err_wrap(err, "disk '%s': ", disk->name);
}

int committing_check_disks(const struct vm *vm, struct err *err)
{
	if (!vm->spec)
		return 0;
	list_each(&vm->spec->disks, it, next) {
		if (check_disk(vm, list_entry(it, struct spec_disk, link), err))
			return -1;
	}
	return 0;
}

/* ---- all of them ---- */

struct walk {
	const char *dir;
	void (*each)(void *arg, const struct committing *c);
	void *arg;
};

static void look_at(void *arg, const char *name)
{
	const struct walk *walk = arg;
	AUTO_FREE char *path = xasprintf("%s/%s", walk->dir, name);
	AUTO_JSON json_t *record = read_record(path);
	const struct committing c = { .base = member_text(record, "base"),
		.image = member_text(record, "image"),
		.keep = json_is_true(json_object_get(record, "keep")) };

	if (record && is_half(record, c.base))
		walk->each(walk->arg, &c);
	else
		sys_unlinkat(AT_FDCWD, path, 0);
}

void committing_each(const struct paths *paths,
	void (*each)(void *arg, const struct committing *c), void *arg)
{
	AUTO_FREE char *dir = dir_of(paths);
	struct walk walk = { dir, each, arg };

	sys_listdir(AT_FDCWD, dir, look_at, &walk);
}
