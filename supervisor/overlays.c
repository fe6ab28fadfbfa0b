/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who is on top of an image; see overlays.h. */
#include "supervisor/overlays.h"

#include <fcntl.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"
#include "storage/image.h"
#include "supervisor/pool.h"

struct search {
	const char *dir;
	const char *path;
	struct stat st;
	bool exists;
	char *found;
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

static void look_at(void *arg, const char *name)
{
	struct search *search = arg;
	struct err err = ERR_INIT;
	AUTO_FREE char *path = xasprintf("%s/%s", search->dir, name);
	AUTO_FREE char *backing = NULL;

	if (search->found || image_is_temporary(name))
		return;
	backing = image_backing(path, &err);
	if (backing && is_it(search, backing))
		search->found = xstrdup(name);
}

char *overlays_find(const struct paths *paths, const char *path)
{
	struct search search = { .path = path };

	search.exists = !sys_fstatat(AT_FDCWD, path, &search.st, 0);
	list_each(pools_of(paths), it, next) {
		search.dir = list_entry(it, struct pool, link)->dir;
		if (search.dir)
			sys_listdir(AT_FDCWD, search.dir, look_at, &search);
	}
	return search.found;
}
