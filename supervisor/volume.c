/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Images as people name them, and who needs them; see volume.h. */
#include "supervisor/volume.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"
#include "storage/format.h"
#include "storage/image.h"
#include "supervisor/committing.h"
#include "supervisor/overlays.h"

enum { NAME_MAX_LEN = 128, SHOWN = 3 };

/* ---- names ---- */

static int check_volume_name(const char *name, struct err *err)
{
	size_t len = strlen(name);

	if (len == 0 || len > NAME_MAX_LEN)
		return err_set(err, ERR_USAGE,
			"the name of a volume has 1 to %d bytes, this one %zu",
			NAME_MAX_LEN, len);
	if (*name == '.' || *name == '-')
		return err_set(err, ERR_USAGE,
			"the name of a volume cannot begin with '%c'", *name);
	for (const char *c = name; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("._@+-", *c))
			return err_set(err, ERR_USAGE,
				"the name of a volume has letters, digits and "
				"._@+- only; a path has a slash");
	if (image_is_temporary(name))
		return err_set(err, ERR_USAGE,
			"'%s' is the name of an image that is being made",
			name);
	return 0;
}

static int check_path(const char *path, struct err *err)
{
	if (*path != '/')
		return err_set(err, ERR_USAGE,
			"'%s': a path begins with a slash", path);
	for (const char *c = path; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			return err_set(err, ERR_USAGE,
				"a path has no control characters");
	return str_is_utf8(path, strlen(path))
		       ? 0
		       : err_set(err, ERR_USAGE, "a path is UTF-8");
}

static const char *format_of_pool(const struct pool *pool)
{
	return pool && pool->pool.format != FORMAT_NONE
		       ? format_by_name(spec_format_names[pool->pool.format])
		       : NULL;
}

int volume_name(const struct env *env, const char *pool_name, const char *name,
	const char *format, struct volume *volume, struct err *err)
{
	bool is_path = strchr(name, '/');
	const struct pool *pool;

	*volume = (struct volume){ NULL };
	if (is_path ? check_path(name, err) : check_volume_name(name, err))
		return -1;
	pool = is_path ? pool_of_file(&env->paths, name)
		       : pool_find(&env->paths, pool_name, err);
	if (!pool && !is_path)
		return -1;
	volume->format = format && *format ? format_by_name(format)
					   : format_by_suffix(name);
	if (!volume->format && (!format || !*format))
		volume->format = format_of_pool(pool);
	if (!volume->format && format && *format)
		return err_set(err, ERR_USAGE,
			"format '%s' is none of qcow2, raw, vmdk, vdi, vhdx, "
			"vpc",
			format);
	if (!volume->format)
		return err_set(err, ERR_USAGE,
			"the name of '%s' does not tell its format: say "
			"--format",
			name);
	volume->name = xstrdup(name);
	volume->path =
		is_path ? xstrdup(name) : xasprintf("%s/%s", pool->dir, name);
	volume->pool = pool ? xstrdup(pool->name) : NULL;
	return 0;
}

void volume_fini(struct volume *volume)
{
	free(TAKE(volume->name));
	free(TAKE(volume->path));
	free(TAKE(volume->pool));
}

int volume_has_space(
	const struct volume *volume, uint64_t needed, struct err *err)
{
	const char *slash = strrchr(volume->path, '/');
	AUTO_FREE char *dir =
		xstrndup(volume->path, (size_t)(slash - volume->path) + 1);
	AUTO_STR struct str text = STR_INIT;
	uint64_t free = 0;

	if (sys_free_space(dir, &free) || needed <= free)
		return 0;
	str_add_bytes(&text, needed);
	str_add(&text, ", there are ");
	str_add_bytes(&text, free);
	return err_set(err, ERR_OS, "no space for image '%s': it needs %s left",
		volume->path, str_text(&text));
}

int volume_check(const struct volume *volume, struct err *err)
{
	const char *found;
	uint64_t size;
	bool backed;

	if (image_header(volume->path, &found, &size, &backed, err))
		return -1;
	/* a raw image holds what its guest wrote: that is no contradiction */
	if (str_eq(found, volume->format) ||
		(str_eq(found, "raw") && !str_eq(volume->format, "qcow2")))
		return 0;
	if (str_eq(found, "raw"))
		return err_set(err, ERR_CONFIG, "'%s' is no %s image",
			volume->path, volume->format);
	return err_set(err, ERR_CONFIG,
		"'%s' is %s by its header, but its format is said to be %s",
		volume->path, found, volume->format);
}

/* ---- users ---- */

/* Looks for overlays in the pools; every row of all, if there are rows. */
struct look {
	struct needs needs;
	const struct pool *pool; /* that is looked at now */
	const char *but;         /* not this one */
	const char *doubt;       /* what cannot be read may need that */
	json_t *all;             /* volume_list: rows */
};

static void add_overlay(void *arg, const struct overlay *overlay)
{
	struct look *look = arg;

	if (look->but && str_eq(overlay->path, look->but))
		return;
	if (overlay->backing)
		needs_add_steal(&look->needs, overlay->backing, overlay->path,
			xasprintf("%s (its overlay)", overlay->name));
	else
		needs_add_steal(&look->needs, look->doubt, overlay->path,
			xasprintf("%s (perhaps its overlay: %s)", overlay->name,
				overlay->why->text));
}

static json_t *users_but(struct registry *registry, const char *path,
	unsigned kinds, const char *but)
{
	const struct paths *paths = &registry_env(registry)->paths;
	struct look look = { .but = path,
		.doubt = kinds & NEED_DOUBT ? path : NULL };
	json_t *users;

	needs_collect(&look.needs, registry, kinds);
	look.needs.but = but;
	if (kinds & NEED_ABOVE)
		overlays_each(paths, add_overlay, &look);
	users = needs_of(&look.needs, path);
	needs_fini(&look.needs);
	return users;
}

json_t *volume_users(
	struct registry *registry, const char *path, unsigned kinds)
{
	return users_but(registry, path, kinds, NULL);
}

/* In a pool, or what a VM's own file says is below a disk. */
static bool may_be_below(void *arg, const char *path)
{
	struct registry *registry = arg;
	struct needs needs;
	json_t *bases;
	bool named;

	if (pool_of_file(&registry_env(registry)->paths, path))
		return true;
	/* of VMs only: any header could say so */
	needs_collect(&needs, registry, NEED_ABOVE);
	bases = needs_of(&needs, path);
	named = json_array_size(bases) > 0;
	json_decref(bases);
	needs_fini(&needs);
	return named;
}

struct chain_rules volume_rules(struct registry *registry)
{
	return (struct chain_rules){ .allows = may_be_below, .arg = registry };
}

/* True if stopping VMs would be enough. */
static bool only_runs(
	struct registry *registry, const char *path, unsigned needs, size_t n)
{
	json_t *running = volume_users(registry, path, NEED_RUNNING);
	bool all = json_array_size(running) == n;

	json_decref(running);
	return all && !(needs & NEED_WRITTEN);
}

int volume_must_be_free(struct registry *registry, const struct volume *volume,
	unsigned needs, struct err *err)
{
	return volume_must_be_free_but(registry, volume, needs, NULL, err);
}

int volume_must_be_free_but(struct registry *registry,
	const struct volume *volume, unsigned needs, const char *but,
	struct err *err)
{
	unsigned doubt = needs & NEED_ABOVE ? NEED_DOUBT : 0;
	json_t *users = users_but(registry, volume->path, needs | doubt, but);
	size_t n = json_array_size(users);
	AUTO_STR struct str text = STR_INIT;

	for (size_t i = 0; i < n && i < SHOWN; i++)
		str_addf(&text, "%s%s", i ? ", " : "",
			json_string_value(json_array_get(users, i)));
	if (n > SHOWN)
		str_addf(&text, " and %zu more", n - SHOWN);
	json_decref(users);
	if (n == 0)
		return 0;
	return err_set(err, ERR_BUSY, "image '%s' is needed by %s%s",
		volume->path, str_text(&text),
		only_runs(registry, volume->path, needs, n)
			? ": stop the VM first"
			: "");
}

/* ---- what would be written ---- */

static int check_base_of(struct registry *registry,
	const struct spec_disk *disk, const char *path, struct err *err)
{
	json_t *users = volume_users(registry, path, NEED_ABOVE);
	const char *first = json_string_value(json_array_get(users, 0));
	int rc = 0;

	if (first)
		rc = err_set(err, ERR_STATE,
			"disk '%s': others are on top of '%s', it must not be "
			"written: %s; say readonly = yes or base =",
			disk->name, path, first);
	json_decref(users);
	return rc;
}

int volume_check_bases(
	struct registry *registry, const struct vm *vm, struct err *err)
{
	struct stat st;

	if (!vm->spec)
		return 0;
	if (committing_check_disks(vm, err))
		return -1;
	list_each(&vm->spec->disks, it, next) {
		const struct spec_disk *disk =
			list_entry(it, struct spec_disk, link);
		AUTO_FREE char *path =
			argv_disk_path(vm->spec, disk, vm->env->paths.images);

		/* nobody is on top of one that is still to be made */
		if (!disk->readonly && !vm->once_ephemeral &&
			!sys_fstatat(AT_FDCWD, path, &st, 0) &&
			check_base_of(registry, disk, path, err))
			return -1;
	}
	return 0;
}

/* ---- all of them ---- */

static void add_image(void *arg, const char *name)
{
	struct look *look = arg;
	AUTO_FREE char *path = xasprintf("%s/%s", look->pool->dir, name);
	AUTO_FREE char *backing = NULL;
	struct err err = ERR_INIT;
	struct stat st;
	const char *format;
	uint64_t size = 0;
	bool backed;

	if (image_is_temporary(name) || *name == '.' ||
		sys_fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
		!S_ISREG(st.st_mode) ||
		image_header(path, &format, &size, &backed, &err))
		return;
	backing = image_backing(path, &err);
	json_array_append_new(look->all,
		json_pack("{s:s,s:s,s:s,s:s,s:o,s:I,s:s?,s:s?}", "name", name,
			"pool", look->pool->name, "path", path, "format",
			format, "size",
			size ? json_integer((json_int_t)size) : json_null(),
			"allocated", (json_int_t)st.st_blocks * 512, "backing",
			backing, "error", err.code ? err.text : NULL));
}

static int by_name(const void *a, const void *b)
{
	const json_t *const *left = a;
	const json_t *const *right = b;

	return strcmp(json_string_value(json_object_get(*left, "name")),
		json_string_value(json_object_get(*right, "name")));
}

/* Of one pool, or (NULL) of all of them. */
static void add_images(
	struct look *look, const struct paths *paths, const struct pool *only)
{
	list_each(pools_of(paths), it, next) {
		look->pool = list_entry(it, struct pool, link);
		if (look->pool->dir && (!only || only == look->pool))
			sys_listdir(AT_FDCWD, look->pool->dir, add_image, look);
	}
}

static json_t *sorted(json_t *all)
{
	size_t n = json_array_size(all);
	json_t **rows = xcalloc(n + 1, sizeof(*rows));
	json_t *result = json_array();

	for (size_t i = 0; i < n; i++)
		rows[i] = json_array_get(all, i);
	qsort(rows, n, sizeof(*rows), by_name);
	for (size_t i = 0; i < n; i++)
		json_array_append(result, rows[i]);
	free(rows);
	json_decref(all);
	return result;
}

static const char *member(const json_t *row, const char *name)
{
	return json_string_value(json_object_get(row, name));
}

static void add_overlays(struct look *look)
{
	size_t i;
	json_t *row;

	json_array_foreach(look->all, i, row)
	{
		needs_add_steal(&look->needs, member(row, "backing"), NULL,
			xasprintf("%s (its overlay)", member(row, "name")));
	}
}

static void add_users(struct look *look)
{
	size_t i;
	json_t *row;

	json_array_foreach(look->all, i, row)
	{
		json_object_set_new(row, "users",
			needs_of(&look->needs, member(row, "path")));
	}
}

json_t *volume_list(struct registry *registry, const struct pool *pool)
{
	const struct paths *paths = &registry_env(registry)->paths;
	struct look look = { .all = json_array() };

	add_images(&look, paths, pool);
	look.all = sorted(look.all);
	needs_collect(&look.needs, registry, NEED_ANY);
	if (pool)
		overlays_each(paths, add_overlay, &look);
	else
		add_overlays(&look);
	add_users(&look);
	needs_fini(&look.needs);
	return look.all;
}
