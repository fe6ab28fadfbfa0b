/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What goes unless the file of a VM is there; see journal.h. */
#include "supervisor/journal.h"
#include "supervisor/firmware.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/fd.h"
#include "base/jstream.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/member.h"
#include "base/str.h"
#include "base/sys.h"
#include "storage/image.h"
#include "supervisor/config.h"
#include "supervisor/lock.h"
#include "supervisor/mounts.h"
#include "supervisor/op_verify.h"
#include "supervisor/pool.h"
#include "supervisor/remove.h"
#include "supervisor/saved.h"
#include "supervisor/schedule.h"
#include "supervisor/seed.h"
#include "supervisor/snapshots.h"
#include "supervisor/tpm.h"

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

/* The image is an overlay of the base by now; 0: it is not; -1: gone. */
static int is_on_base(const json_t *entry)
{
	struct err err = ERR_INIT;
	AUTO_FREE char *base = image_backing(member_text(entry, "image"), &err);

	if (err.code)
		return -1;
	return base && str_eq(base, member_text(entry, "base"));
}

/* The base becomes the image again, in the place of its empty overlay. */
static void put_back(const struct env *env, const json_t *entry)
{
	const char *base = member_text(entry, "base");
	const char *image = member_text(entry, "image");
	int exchanged = *member_text(entry, "live") ? is_on_base(entry) : 1;
	int rc;

	if (!pool_of_file(&env->paths, base) ||
		!pool_of_file(&env->paths, image) || exchanged < 0)
		return;
	/* else what is called base is the overlay that was made for it */
	rc = exchanged ? sys_renameat(AT_FDCWD, base, AT_FDCWD, image)
		       : sys_unlinkat(AT_FDCWD, base, 0);
	if (rc && errno != ENOENT)
		log_warn(NULL, "cannot rename image '%s' to '%s': %s", base,
			image, strerror(errno));
}

bool journal_is_live(const json_t *entries)
{
	bool live = false;
	size_t i;
	json_t *entry;

	json_array_foreach(entries, i, entry)
	{
		if (!*member_text(entry, "live"))
			continue;
		if (is_on_base(entry) <= 0)
			return false;
		live = true;
	}
	return live;
}

const char *journal_text(const json_t *entries)
{
	size_t i;
	json_t *entry;

	json_array_foreach(entries, i, entry)
	{
		if (*member_text(entry, "text"))
			return member_text(entry, "text");
	}
	return NULL;
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
			put_back(env, entry);
		else
			remove_image(env, str_or(json_string_value(entry), ""));
	}
	seed_remove(&env->paths, vm);
	firmware_remove(&env->paths, vm);
	tpm_remove(&env->paths, vm);
	saved_remove(env, vm);
	schedule_remove(env, vm);
	mounts_end(vm, NULL);
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

json_t *journal_read(const struct env *env, const char *vm)
{
	AUTO_FREE char *path = journal_path(env, vm);
	AUTO_STR struct str text = STR_INIT;
	struct err err = ERR_INIT;

	if (fd_read_file(AT_FDCWD, path, JOURNAL_MAX, &text, &err))
		return NULL;
	return json_loadb(text.data, text.len, 0, NULL);
}

/* The QEMU that has its disks lives, or may. */
static bool may_be_written(const struct env *env, const json_t *entries)
{
	enum lock_state state = LOCK_HELD;
	struct err err = ERR_INIT;
	size_t i;
	json_t *entry;

	json_array_foreach(entries, i, entry)
	{
		const char *vm = member_text(entry, "live");
		AUTO_FREE char *path =
			xasprintf("%s/%s/priv/lock", env->paths.run, vm);

		if (*vm && (lock_look(path, env->lock_key, vm, &state, &err) ||
				   state == LOCK_HELD))
			return true;
	}
	return false;
}

/* Its disks are there: so is it. */
static void finish(const struct env *env, const char *vm, const json_t *entries)
{
	const char *text = journal_text(entries);
	struct config_change change = {
		.fd = -1, .dir_fd = -1, .above_fd = -1
	};
	struct err err = ERR_INIT;

	log_info(vm, "finishes the clone");
	if (!text || config_new_prepare(&env->paths, vm, text, &change, &err) ||
		sys_fsync(change.fd) || config_change_commit(&change, &err) ||
		sys_fsync(change.dir_fd))
		log_warn(vm, "cannot finish the clone: %s", err.text);
	config_change_fini(&change);
}

static void undo(const struct env *env, const char *vm, const json_t *entries)
{
	AUTO_FREE char *file = journal_file_of(env, vm);

	log_info(vm, "removes what is left of it");
	journal_roll(env, vm, entries);
	for (size_t i = 0; i < json_array_size(entries); i++)
		sync_dir_of(json_array_get(entries, i));
	sync_above(file); /* of the drop-ins beside it */
}

static void recover_one(void *arg, const char *entry)
{
	const struct env *env = arg;
	bool whole = str_ends(entry, MARK);
	AUTO_FREE char *name =
		xstrndup(entry, strlen(entry) - (whole ? strlen(MARK) : 0));
	AUTO_FREE char *dir = journal_dir(env);
	AUTO_FREE char *journal = xasprintf("%s/%s", dir, entry);
	AUTO_FREE char *file = journal_file_of(env, name);
	AUTO_JSON json_t *entries = whole ? journal_read(env, name) : NULL;
	struct stat st;

	if (entries &&
		sys_fstatat(AT_FDCWD, file, &st, AT_SYMLINK_NOFOLLOW) != 0 &&
		errno == ENOENT) {
		if (!journal_is_live(entries))
			undo(env, name, entries);
		else if (may_be_written(env, entries))
			return; /* that is asked first */
		else
			finish(env, name, entries);
	}
	sys_unlinkat(AT_FDCWD, journal, 0);
}

void journal_recover(const struct env *env)
{
	AUTO_FREE char *dir = journal_dir(env);

	sys_listdir(AT_FDCWD, dir, recover_one, (void *)(uintptr_t)env);
	op_putback_recover(env);
}
