/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who is on top of an image; see overlays.h. */
#include "supervisor/overlays.h"

#include <errno.h>
#include <fcntl.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"
#include "storage/image.h"
#include "supervisor/pool.h"

/* ---- all of them ---- */

struct visit {
	const char *dir;
	void (*each)(void *arg, const struct overlay *overlay);
	void *arg;
};

/* What is gone, no file or no sound image is on top of nothing. */
static bool is_doubtful(const struct err *err)
{
	return err->code && err->code != ERR_NOT_FOUND &&
	       err->code != ERR_CONFIG;
}

static void look_at(void *arg, const char *name)
{
	const struct visit *visit = arg;
	struct err err = ERR_INIT;
	AUTO_FREE char *path = xasprintf("%s/%s", visit->dir, name);
	AUTO_FREE char *backing = NULL;
	const struct overlay overlay = { name, path, NULL, &err };

	if (image_is_temporary(name))
		return;
	backing = image_backing(path, &err);
	if (backing)
		visit->each(visit->arg,
			&(struct overlay){ name, path, backing, NULL });
	else if (is_doubtful(&err))
		visit->each(visit->arg, &overlay);
}

static void look_in(struct visit *visit, const char *pool)
{
	struct err err = ERR_INIT;
	const struct overlay all = { pool, visit->dir, NULL, &err };

	if (!sys_listdir(AT_FDCWD, visit->dir, look_at, visit) ||
		errno == ENOENT)
		return;
	err_os(&err, "cannot read pool '%s'", pool);
	visit->each(visit->arg, &all);
}

void overlays_each(const struct paths *paths,
	void (*each)(void *arg, const struct overlay *overlay), void *arg)
{
	list_each(pools_of(paths), it, next) {
		const struct pool *pool = list_entry(it, struct pool, link);
		struct visit visit = { pool->dir, each, arg };

		if (pool->dir)
			look_in(&visit, pool->name);
	}
}

/* ---- those of one image ---- */

struct search {
	const char *path;
	struct stat st;
	bool exists;
	char *found;
	struct err *err;
};

static bool is_it(const struct search *search, const char *path)
{
	struct stat st;

	return str_eq(path, search->path) ||
	       (search->exists && *path == '/' &&
		       !sys_fstatat(AT_FDCWD, path, &st, 0) &&
		       st.st_dev == search->st.st_dev &&
		       st.st_ino == search->st.st_ino);
}

static void compare(void *arg, const struct overlay *overlay)
{
	struct search *search = arg;

	if (search->found || str_eq(overlay->path, search->path))
		return;
	if (!overlay->backing && !search->err->code)
		*search->err = *overlay->why;
	else if (overlay->backing && is_it(search, overlay->backing))
		search->found = xstrdup(overlay->name);
}

char *overlays_find(
	const struct paths *paths, const char *path, struct err *err)
{
	struct search search = { .path = path, .err = err };

	search.exists = !sys_fstatat(AT_FDCWD, path, &search.st, 0);
	overlays_each(paths, compare, &search);
	return search.found;
}
