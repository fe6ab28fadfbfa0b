/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The backups of a VM in a directory; see backups.h. */
#include "supervisor/backups.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/fd.h"
#include "base/jstream.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/member.h"
#include "base/str.h"
#include "base/sys.h"
#include "supervisor/remove.h"

#define MANIFEST_MAX ((size_t)1024 * 1024)
#define ID_MAX       64
#define KEPT_MAX     512 /* of one rule */

static json_int_t time_of(const json_t *manifest)
{
	return json_integer_value(json_object_get(manifest, "time"));
}

const char *backups_id(const json_t *manifest)
{
	return member_text(manifest, "id");
}

char *backups_path(const char *dir, const char *id, const char *leaf)
{
	return xasprintf("%s/%s/%s", dir, id, leaf);
}

/* ---- reading ---- */

struct reading {
	const char *dir;
	json_t *list;
};

static void read_one(void *arg, const char *id)
{
	struct reading *r = arg;
	AUTO_FREE char *path = backups_path(r->dir, id, BACKUPS_MANIFEST);
	AUTO_STR struct str text = STR_INIT;
	struct err err = ERR_INIT;
	json_t *json;
	size_t at = json_array_size(r->list);

	if (fd_read_file(AT_FDCWD, path, MANIFEST_MAX, &text, &err))
		return;
	json = json_loadb(text.data, text.len, 0, NULL);
	if (!str_eq(backups_id(json), id) ||
		json_integer_value(json_object_get(json, "version")) != 1) {
		json_decref(json);
		return;
	}
	while (at > 0 &&
		time_of(json_array_get(r->list, at - 1)) > time_of(json))
		at--;
	json_array_insert_new(r->list, at, json);
}

const json_t *backups_find(const json_t *list, const char *id, struct err *err)
{
	size_t n = json_array_size(list);
	json_t *one;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)list, i, one)
	{
		if (str_eq(backups_id(one), id))
			return one;
	}
	if (!*id && n > 0)
		return json_array_get(list, n - 1);
	err_set(err, ERR_NOT_FOUND,
		*id ? "there is no backup '%s'" : "there is no backup%s", id);
	return NULL;
}

const json_t *backups_parent(const json_t *list, const json_t *manifest)
{
	struct err err = ERR_INIT;
	const char *id = member_text(manifest, "parent");

	return *id ? backups_find(list, id, &err) : NULL;
}

unsigned backups_depth(const json_t *list, const json_t *manifest)
{
	unsigned depth = 0;

	for (; manifest && depth <= BACKUPS_CHAIN_MAX; depth++)
		manifest = backups_parent(list, manifest);
	return depth;
}

const json_t *backups_disk(const json_t *manifest, const char *disk)
{
	json_t *one;
	size_t i;

	json_array_foreach(json_object_get(manifest, "disks"), i, one)
	{
		if (str_eq(member_text(one, "name"), disk))
			return one;
	}
	return NULL;
}

json_t *backups_files(const json_t *manifest)
{
	json_t *state = json_object_get(manifest, "state");
	json_t *files = json_copy(json_object_get(manifest, "disks"));

	if (state)
		json_array_append(files, state);
	return files;
}

/* Of a list in the order of time: parents were looked at before. */
static void look_at(const char *dir, const json_t *list, json_t *manifest)
{
	const char *id = member_text(manifest, "parent");
	const json_t *parent = backups_parent(list, manifest);
	AUTO_JSON json_t *files = backups_files(manifest);
	json_t *disk;
	size_t i;

	if (*id && (!parent || json_object_get(parent, "broken")))
		json_object_set_new(manifest, "broken",
			json_sprintf("'%s', which it is on top of, is %s", id,
				parent ? "broken" : "missing"));
	json_array_foreach(files, i, disk)
	{
		const char *leaf = member_text(disk, "file");
		AUTO_FREE char *path =
			backups_path(dir, backups_id(manifest), leaf);
		struct stat st;

		if (sys_fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW) ||
			st.st_size != (off_t)json_integer_value(
					      json_object_get(disk, "size")))
			json_object_set_new(manifest, "broken",
				json_sprintf("'%s' is missing or was changed",
					leaf));
	}
}

json_t *backups_list(const char *dir)
{
	struct reading r = { dir, json_array() };
	json_t *one;
	size_t i;

	sys_listdir(AT_FDCWD, dir, read_one, &r);
	json_array_foreach(r.list, i, one) look_at(dir, r.list, one);
	return r.list;
}

/* ---- names ---- */

int backups_check_id(const char *id, struct err *err)
{
	size_t len = strspn(id, "abcdefghijklmnopqrstuvwxyz"
				"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

	if (len > 0 && len <= ID_MAX && !id[len] && id[0] != '.' &&
		id[0] != '-')
		return 0;
	return err_set(err, ERR_USAGE,
		"'%.80s' is no name of a backup: letters, digits, . _ and -",
		id);
}

char *backups_new_id(const char *dir)
{
	time_t now = (time_t)(sys_realtime_us() / 1000000);
	char text[32];
	struct stat st;
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(text, sizeof(text), "%Y%m%dT%H%M%SZ", &tm);
	for (unsigned n = 1;; n++) {
		char *id = n == 1 ? xstrdup(text) : xasprintf("%s-%u", text, n);
		AUTO_FREE char *path = backups_path(dir, id, "");

		if (sys_fstatat(AT_FDCWD, path, &st, 0) && errno == ENOENT)
			return id;
		free(id);
	}
}

/* ---- what goes ---- */

int backups_remove(const char *dir, const char *id, struct err *err)
{
	AUTO_FREE char *manifest = backups_path(dir, id, BACKUPS_MANIFEST);
	AUTO_FREE char *all = xasprintf("%s/%s", dir, id);

	if (sys_unlinkat(AT_FDCWD, manifest, 0) && errno != ENOENT)
		return err_os(err, "cannot remove '%s'", manifest);
	return remove_tree(all, err);
}

struct sweep {
	const char *dir, *but;
};

static void sweep_one(void *arg, const char *id)
{
	const struct sweep *s = arg;
	AUTO_FREE char *mark = backups_path(s->dir, id, BACKUPS_PART);
	AUTO_FREE char *manifest = backups_path(s->dir, id, BACKUPS_MANIFEST);
	struct err err = ERR_INIT;
	struct stat st;

	if (str_eq(id, str_or(s->but, "")) ||
		sys_fstatat(AT_FDCWD, mark, &st, AT_SYMLINK_NOFOLLOW))
		return;
	if (!sys_fstatat(AT_FDCWD, manifest, &st, AT_SYMLINK_NOFOLLOW))
		sys_unlinkat(AT_FDCWD, mark, 0); /* it was finished */
	else if (backups_remove(s->dir, id, &err))
		log_warn(NULL, "%s", err.text);
}

void backups_sweep(const char *dir, const char *but)
{
	struct sweep s = { dir, but };

	sys_listdir(AT_FDCWD, dir, sweep_one, &s);
}
