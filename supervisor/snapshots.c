/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The snapshots of a VM as they are remembered; see snapshots.h. */
#include "supervisor/snapshots.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>

#include "base/durable.h"
#include "base/fd.h"
#include "base/jstream.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/member.h"
#include "base/sys.h"
#include "supervisor/remove.h"
#include "supervisor/snapshot_groups.h"

enum { FILE_MAX = 16 * 1024 * 1024, NAME_MAX_LEN = 64, NAMED = 5 };

/* ---- the file ---- */

static char *dir_of(const struct paths *paths)
{
	return xasprintf("%s/snapshots", paths->state);
}

char *snapshots_path(const struct paths *paths, const char *vm)
{
	AUTO_FREE char *dir = dir_of(paths);

	return xasprintf("%s/%s.json", dir, vm);
}

char *snapshots_dir(const struct paths *paths, const char *vm)
{
	AUTO_FREE char *dir = dir_of(paths);

	return xasprintf("%s/%s", dir, vm);
}

static json_t *empty_tree(void)
{
	return json_pack("{s:n,s:[],s:[]}", "current", "snapshots", "garbage");
}

static bool is_tree(const json_t *tree)
{
	const json_t *all = json_object_get(tree, "snapshots");
	const json_t *snapshot;
	size_t i;

	if (!json_is_array(all) ||
		!json_is_array(json_object_get(tree, "garbage")))
		return false;
	json_array_foreach(all, i, snapshot)
	{
		if (!json_is_string(json_object_get(snapshot, "name")) ||
			!json_is_string(json_object_get(snapshot, "tag")) ||
			!json_is_array(json_object_get(snapshot, "disks")))
			return false;
	}
	return true;
}

/* As it stands there. */
static json_t *read_tree(
	const struct paths *paths, const char *vm, struct err *err)
{
	AUTO_FREE char *path = snapshots_path(paths, vm);
	AUTO_STR struct str text = STR_INIT;
	struct stat st;
	json_t *tree;

	if (sys_fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW) &&
		errno == ENOENT)
		return empty_tree();
	if (fd_read_file(AT_FDCWD, path, FILE_MAX, &text, err))
		return NULL;
	tree = json_loadb(text.data, text.len, 0, NULL);
	if (is_tree(tree))
		return tree;
	json_decref(tree);
	err_set(err, ERR_CONFIG, "'%s' is damaged", path);
	return NULL;
}

/* Of garbage: it is, unless a group's file says otherwise. */
static bool is_making(const json_t *garbage)
{
	return json_is_true(json_object_get(garbage, "making"));
}

/* What counts already, though the tree has not got it: no garbage. */
json_t *snapshots_read(
	const struct paths *paths, const char *vm, struct err *err)
{
	json_t *tree = read_tree(paths, vm, err);
	AUTO_JSON json_t *garbage = json_copy(json_object_get(tree, "garbage"));
	const json_t *each;
	size_t i;

	json_array_foreach(garbage, i, each)
	{
		const char *tag = member_text(each, "tag");
		AUTO_JSON json_t *parts =
			is_making(each) ? snapshot_groups_read(paths, tag)
					: NULL;
		json_t *part = json_object_get(parts, vm);

		if (!part)
			continue;
		snapshots_drop_garbage(tree, tag);
		snapshots_add_steal(tree, json_incref(part));
	}
	return tree;
}

static bool waits_for_group(
	const struct paths *paths, const char *vm, const char *tag)
{
	struct err ignored = ERR_INIT;
	AUTO_JSON json_t *tree = read_tree(paths, vm, &ignored);
	const json_t *each;
	size_t i;

	json_array_foreach(json_object_get(tree, "garbage"), i, each)
	{
		if (is_making(each) && str_eq(member_text(each, "tag"), tag))
			return true;
	}
	return !tree; /* damaged: nobody knows */
}

static void settle_group(void *arg, const char *tag)
{
	const struct paths *paths = arg;
	AUTO_FREE char *path = snapshot_groups_path(paths, tag);
	AUTO_JSON json_t *parts = snapshot_groups_read(paths, tag);
	const char *vm;
	json_t *part;

	json_object_foreach(parts, vm, part)
	{
		if (waits_for_group(paths, vm, tag))
			return;
	}
	if (parts)
		sys_unlinkat(AT_FDCWD, path, 0);
}

void snapshots_settle_groups(const struct paths *paths)
{
	struct paths copy = *paths;

	snapshot_groups_each(paths, settle_group, &copy);
}

bool snapshots_are_unfinished(const struct vm *vm)
{
	struct err ignored = ERR_INIT;
	AUTO_JSON json_t *tree = read_tree(&vm->env->paths, vm->name, &ignored);

	return json_array_size(json_object_get(tree, "garbage")) ||
	       json_object_get(tree, "reverting");
}

void snapshots_forget(const struct paths *paths, const char *vm)
{
	AUTO_FREE char *path = snapshots_path(paths, vm);

	AUTO_FREE char *dir = snapshots_dir(paths, vm);
	struct err err = ERR_INIT;

	sys_unlinkat(AT_FDCWD, path, 0);
	if (remove_tree(dir, &err))
		log_warn(vm, "%s", err.text);
}

/* ---- writing it ---- */

struct save {
	struct job job;
	char *dir;
	char *path;
	char *beside;
	char *text;
	int fd;
	bool renamed;
	struct durable durable;
};

static bool fail(struct save *op, const char *what)
{
	struct err err = ERR_INIT;

	err_os(&err, "cannot %s '%s'", what, op->path);
	job_fail_err(&op->job, &err);
	return false;
}

static bool write_beside(struct save *op)
{
	size_t len = strlen(op->text);
	struct err err = ERR_INIT;
	ssize_t put;

	if (fd_make_dirs(op->dir, 0700, &err)) {
		job_fail_err(&op->job, &err);
		return false;
	}
	op->fd = sys_openat(AT_FDCWD, op->beside,
		O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600);
	put = op->fd < 0 ? -1 : sys_write(op->fd, op->text, len);
	if (put >= 0 && (size_t)put != len)
		errno = ENOSPC;
	return (put >= 0 && (size_t)put == len) || fail(op, "write");
}

static bool put_in_place(struct save *op)
{
	op->renamed = !sys_renameat(AT_FDCWD, op->beside, AT_FDCWD, op->path);
	return op->renamed || fail(op, "replace");
}

static enum job_state save_run(struct job *job)
{
	struct save *op = container_of(job, struct save, job);

	JOB_BEGIN(job);
	if (!write_beside(op))
		return JOB_ENDS;
	JOB_DURABLE(job, &op->durable,
		durable_fd(&op->durable, job, op->fd, op->beside));
	if (!put_in_place(op))
		return JOB_ENDS;
	JOB_DURABLE(
		job, &op->durable, durable_above(&op->durable, job, op->path));
	JOB_DURABLE(
		job, &op->durable, durable_above(&op->durable, job, op->dir));
	JOB_END(job);
}

static void save_cleanup(struct job *job)
{
	struct save *op = container_of(job, struct save, job);

	durable_stop(&op->durable);
	fd_close(&op->fd);
	if (!op->renamed)
		sys_unlinkat(AT_FDCWD, op->beside, 0);
	free(op->dir);
	free(op->path);
	free(op->beside);
	free(op->text);
	free(op);
}

static const struct job_kind save_kind = {
	.name = "snapshots-save",
	.run = save_run,
	.cleanup = save_cleanup,
};

struct job *snapshots_write(const char *path, const json_t *json,
	const char *target, struct job *parent,
	void (*on_end)(struct job *job, void *arg), void *arg)
{
	struct save *op = NEW(struct save);

	op->fd = -1;
	op->path = xstrdup(path);
	op->dir = str_dir(path);
	op->beside = xasprintf("%s.tmp", path);
	op->text = jstream_text(json, JSON_COMPACT);
	job_start(&op->job, &save_kind, target, on_end, arg);
	op->job.parent = parent;
	return &op->job;
}

struct job *snapshots_save(const struct vm *vm, const json_t *tree,
	struct job *parent, void (*on_end)(struct job *job, void *arg),
	void *arg)
{
	AUTO_FREE char *path = snapshots_path(&vm->env->paths, vm->name);

	return snapshots_write(path, tree, vm->name, parent, on_end, arg);
}

/* ---- the tree ---- */

int snapshots_check_name(const char *name, struct err *err)
{
	size_t len = strlen(name);
	size_t plain = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz0123456789._-");

	if (len > 0 && len <= NAME_MAX_LEN && plain == len &&
		!strchr("._-", name[0]) && strspn(name, "0123456789") != len)
		return 0;
	return err_set(err, ERR_USAGE,
		"'%s' is no name of a snapshot: letters, digits and ._- , at "
		"most %d, a letter or digit first, not digits only",
		name, NAME_MAX_LEN);
}

static json_t *all_of(const json_t *tree)
{
	return json_object_get(tree, "snapshots");
}

static const char *name_of(const json_t *snapshot)
{
	return member_text(snapshot, "name");
}

/* Its place; the number of all if it is not there. */
static size_t place_of(const json_t *tree, const char *name)
{
	const json_t *all = all_of(tree);
	size_t i = 0;

	while (i < json_array_size(all) &&
		!str_eq(name_of(json_array_get(all, i)), name))
		i++;
	return i;
}

static json_t *look_up(const json_t *tree, const char *name)
{
	return json_array_get(all_of(tree), place_of(tree, name));
}

char *snapshots_new_name(const json_t *tree, int64_t real_us)
{
	time_t seconds = (time_t)(real_us / 1000000);
	struct tm tm;
	char time[32];
	char *name;

	gmtime_r(&seconds, &tm);
	strftime(time, sizeof(time), "%Y-%m-%dT%H-%M-%SZ", &tm);
	name = xstrdup(time);
	for (unsigned n = 2; look_up(tree, name); n++) {
		free(name);
		name = xasprintf("%s.%u", time, n);
	}
	return name;
}

json_t *snapshots_find(const json_t *tree, const char *name, struct err *err)
{
	json_t *found = look_up(tree, name);
	size_t n = json_array_size(all_of(tree));
	AUTO_STR struct str names = STR_INIT;

	if (found)
		return found;
	for (size_t i = n > NAMED ? n - NAMED : 0; i < n; i++)
		str_addf(&names, "%s%s", names.len ? ", " : "",
			name_of(json_array_get(all_of(tree), i)));
	if (n == 0)
		err_set(err, ERR_NOT_FOUND,
			"no snapshot '%s': it has none at all", name);
	else
		err_set(err, ERR_NOT_FOUND, "no snapshot '%s'; there %s %s%s",
			name, n == 1 ? "is" : "are", n > NAMED ? "..., " : "",
			str_text(&names));
	return NULL;
}

json_t *snapshots_latest(const json_t *tree)
{
	size_t n = json_array_size(all_of(tree));

	return n ? json_array_get(all_of(tree), n - 1) : NULL;
}

json_t *snapshots_dated(const json_t *tree)
{
	json_t *list = json_array();
	json_t *each;
	size_t i;

	json_array_foreach(all_of(tree), i, each) json_array_append_new(
		list, json_pack("{s:O,s:O*,s:O*}", "id",
			      json_object_get(each, "name"), "time",
			      json_object_get(each, "time-us"), "scheduled",
			      json_object_get(each, "scheduled")));
	return list;
}

json_t *snapshots_tagged(const json_t *tree, const char *tag)
{
	json_t *each;
	size_t i;

	json_array_foreach(all_of(tree), i, each)
	{
		if (str_eq(member_text(each, "tag"), tag))
			return each;
	}
	return NULL;
}

void snapshots_set_current(json_t *tree, const char *name)
{
	json_object_set_new(
		tree, "current", name ? json_string(name) : json_null());
}

void snapshots_add_steal(json_t *tree, json_t *snapshot)
{
	json_object_set(snapshot, "parent", json_object_get(tree, "current"));
	json_array_append_new(all_of(tree), snapshot);
	snapshots_set_current(tree, name_of(snapshot));
}

/* Whatever refers to one name refers to another (or null). */
static void refer(json_t *tree, const char *name, json_t *to)
{
	json_t *snapshot;
	size_t i;

	if (str_eq(member_text(tree, "current"), name))
		json_object_set(tree, "current", to);
	json_array_foreach(all_of(tree), i, snapshot)
	{
		if (str_eq(member_text(snapshot, "parent"), name))
			json_object_set(snapshot, "parent", to);
	}
}

void snapshots_remove(json_t *tree, const char *name)
{
	json_t *gone = look_up(tree, name);

	if (!gone)
		return;
	refer(tree, name, json_object_get(gone, "parent"));
	json_array_remove(all_of(tree), place_of(tree, name));
}

void snapshots_rename(json_t *tree, const char *name, const char *to)
{
	json_t *snapshot = look_up(tree, name);
	AUTO_JSON json_t *new = json_string(to);

	if (!snapshot)
		return;
	refer(tree, name, new);
	json_object_set(snapshot, "name", new);
}

void snapshots_add_garbage(json_t *tree, const char *tag, json_t *images)
{
	json_array_append_new(json_object_get(tree, "garbage"),
		json_pack("{s:s,s:O}", "tag", tag, "images", images));
}

void snapshots_add_making(json_t *tree, const char *tag, json_t *images)
{
	json_array_append_new(json_object_get(tree, "garbage"),
		json_pack("{s:s,s:O,s:b}", "tag", tag, "images", images,
			"making", 1));
}

void snapshots_drop_garbage(json_t *tree, const char *tag)
{
	json_t *garbage = json_object_get(tree, "garbage");

	for (size_t i = json_array_size(garbage); i-- > 0;)
		if (str_eq(member_text(json_array_get(garbage, i), "tag"), tag))
			json_array_remove(garbage, i);
}

/* ---- a crash loop ---- */

bool snapshots_fall_back(struct vm *vm)
{
	const struct spec_crash_loop *loop =
		vm->spec ? &vm->spec->restart.on_crash_loop : NULL;
	struct err err = ERR_INIT;
	AUTO_JSON json_t *tree = NULL;

	if (!loop || loop->kind != CRASH_LOOP_REVERT ||
		vm->record.revert != REVERT_NONE)
		return false;
	tree = snapshots_read(&vm->env->paths, vm->name, &err);
	if (!tree || !snapshots_find(tree, loop->text, &err)) {
		vmlog_line(&vm->log, LOG_WARN,
			"a crash loop: cannot revert: %s", err.text);
		return false;
	}
	vm->record.revert = REVERT_DUE;
	vmlog_line(&vm->log, LOG_WARN,
		"a crash loop: reverts to the snapshot '%s'", loop->text);
	return true;
}
