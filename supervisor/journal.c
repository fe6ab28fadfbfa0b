/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What goes unless the file of a VM is there; see journal.h. */
#include "supervisor/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/fd.h"
#include "base/jstream.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"
#include "supervisor/pool.h"
#include "supervisor/remove.h"
#include "supervisor/saved.h"
#include "supervisor/seed.h"
#include "supervisor/snapshots.h"

#define MARK ".json"

enum { JOURNAL_MAX = 1024 * 1024 };

static char *journal_dir(const struct env *env)
{
	return xasprintf("%s/deleting", env->paths.state);
}

char *journal_path(const struct env *env, const char *vm)
{
	AUTO_FREE char *dir = journal_dir(env);

	return xasprintf("%s/%s" MARK, dir, vm);
}

char *journal_file_of(const struct env *env, const char *vm)
{
	return xasprintf("%s/vms/%s.ini", env->paths.config, vm);
}

int journal_write(const struct env *env, const char *vm, const json_t *entries,
	struct err *err)
{
	AUTO_FREE char *dir = journal_dir(env);
	AUTO_FREE char *path = journal_path(env, vm);
	AUTO_FREE char *text = jstream_text(entries, JSON_COMPACT);

	if (fd_make_dirs(dir, 0700, err))
		return -1;
	return fd_write_file(
		AT_FDCWD, path, text, strlen(text), 0600, false, err);
}

void journal_durable_dir(
	struct durable *durable, struct job *job, const char *journal)
{
	AUTO_FREE char *dir = str_dir(journal);

	durable_above(durable, job, dir);
}

void journal_forget(const struct env *env, const char *vm)
{
	AUTO_FREE char *path = journal_path(env, vm);

	sys_unlinkat(AT_FDCWD, path, 0);
}

/* ---- going back ---- */

/* Only what is a plain file of the pool. */
static void remove_image(const struct env *env, const char *path)
{
	if (pool_of_file(&env->paths, path) &&
		sys_unlinkat(AT_FDCWD, path, 0) && errno != ENOENT)
		log_warn(NULL, "cannot remove image '%s': %s", path,
			strerror(errno));
}

/* The base becomes the image again, in the place of its empty overlay. */
static void put_back(const struct env *env, const char *base, const char *image)
{
	if (pool_of_file(&env->paths, base) &&
		pool_of_file(&env->paths, image) &&
		sys_renameat(AT_FDCWD, base, AT_FDCWD, image) &&
		errno != ENOENT)
		log_warn(NULL, "cannot rename image '%s' to '%s': %s", base,
			image, strerror(errno));
}

void journal_roll(const struct env *env, const char *vm, const json_t *entries)
{
	AUTO_FREE char *file = journal_file_of(env, vm);
	AUTO_FREE char *dropins = xasprintf("%s.d", file);
	struct err err = ERR_INIT;
	size_t i;
	json_t *entry;

	json_array_foreach(entries, i, entry)
	{
		if (json_is_object(entry))
			put_back(env,
				str_or(json_string_value(
					       json_object_get(entry, "base")),
					""),
				str_or(json_string_value(
					       json_object_get(entry, "image")),
					""));
		else
			remove_image(env, str_or(json_string_value(entry), ""));
	}
	seed_remove(&env->paths, vm);
	saved_remove(env, vm);
	snapshots_forget(&env->paths, vm);
	if (remove_tree(dropins, &err))
		log_warn(NULL, "%s", err.text);
}

/* ---- after a crash ---- */

static void sync_above(const char *path)
{
	AUTO_FREE char *dir = str_dir(path);
	AUTO_CLOSE int fd = sys_openat(
		AT_FDCWD, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);

	if (fd >= 0)
		sys_fsync(fd);
}

static void sync_dir_of(const json_t *entry)
{
	const json_t *image =
		json_is_object(entry) ? json_object_get(entry, "image") : entry;

	sync_above(str_or(json_string_value(image), "/"));
}

static void recover_one(void *arg, const char *entry)
{
	const struct env *env = arg;
	AUTO_FREE char *dir = journal_dir(env);
	AUTO_FREE char *journal = xasprintf("%s/%s", dir, entry);
	bool whole = str_ends(entry, MARK);
	AUTO_FREE char *name =
		xstrndup(entry, strlen(entry) - (whole ? strlen(MARK) : 0));
	AUTO_FREE char *file = journal_file_of(env, name);
	AUTO_STR struct str text = STR_INIT;
	struct err err = ERR_INIT;
	struct stat st;
	json_t *entries = NULL;

	if (whole &&
		sys_fstatat(AT_FDCWD, file, &st, AT_SYMLINK_NOFOLLOW) != 0 &&
		errno == ENOENT &&
		!fd_read_file(AT_FDCWD, journal, JOURNAL_MAX, &text, &err)) {
		entries = json_loadb(text.data, text.len, 0, NULL);
		log_info(name, "removes what is left of it");
		journal_roll(env, name, entries);
		for (size_t i = 0; i < json_array_size(entries); i++)
			sync_dir_of(json_array_get(entries, i));
		sync_above(file); /* of the drop-ins beside it */
		json_decref(entries);
	}
	sys_unlinkat(AT_FDCWD, journal, 0);
}

void journal_recover(const struct env *env)
{
	AUTO_FREE char *dir = journal_dir(env);

	sys_listdir(AT_FDCWD, dir, recover_one, (void *)(uintptr_t)env);
}
