/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bases that image commit writes to; see committing.h. */
#include "supervisor/committing.h"

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
	const char *image, struct err *err)
{
	AUTO_FREE char *dir = dir_of(paths);
	AUTO_FREE char *path = committing_path(paths, base);
	AUTO_JSON json_t *record = NULL;
	AUTO_FREE char *text = NULL;
	struct stat st;

	if (sys_fstatat(AT_FDCWD, base, &st, 0))
		return err_os(err, "cannot look at '%s'", base);
	record = json_pack("{s:s,s:s,s:I,s:I,s:s}", "base", base, "image",
		image, "inode", (json_int_t)st.st_ino, "mtime", written_at(&st),
		"boot", store_boot_id());
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

/* The record of this very file, if that may be half written; or NULL. */
static json_t *record_of(const struct paths *paths, const char *base)
{
	AUTO_FREE char *path = NULL;
	AUTO_STR struct str text = STR_INIT;
	struct err ignored = ERR_INIT;
	json_t *record = NULL;
	struct stat st;

	if (!paths->state)
		return NULL;
	path = committing_path(paths, base);
	if (!fd_read_file(AT_FDCWD, path, RECORD_MAX, &text, &ignored))
		record = json_loadb(text.data, text.len, 0, NULL);
	if (!record)
		return NULL;
	if (str_eq(member_text(record, "base"), base) &&
		!sys_fstatat(AT_FDCWD, base, &st, 0) &&
		has(record, "inode", (json_int_t)st.st_ino) &&
		!is_untouched(record, &st))
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

	if (!record || str_eq(image, but))
		return 0;
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
