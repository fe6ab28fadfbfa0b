/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Removal of directories that are ours alone; see remove.h. */
#include "supervisor/remove.h"

#include <errno.h>
#include <fcntl.h>

#include "base/mem.h"
#include "base/sys.h"

struct removal {
	const char *dir;
	struct err *err;
	int rc;
};

static void remove_entry(void *arg, const char *name)
{
	struct removal *r = arg;
	AUTO_FREE char *path = xasprintf("%s/%s", r->dir, name);

	if (!sys_unlinkat(AT_FDCWD, path, 0) || errno == ENOENT)
		return;
	r->rc |= remove_tree(path, r->err);
}

int remove_tree(const char *path, struct err *err)
{
	struct removal r = { path, err, 0 };
	struct stat st;

	if (sys_fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT ? 0
				       : err_os(err, "cannot read '%s'", path);
	if (S_ISDIR(st.st_mode))
		sys_listdir(AT_FDCWD, path, remove_entry, &r);
	if (r.rc)
		return -1;
	if (sys_unlinkat(
		    AT_FDCWD, path, S_ISDIR(st.st_mode) ? AT_REMOVEDIR : 0))
		return err_os(err, "cannot remove '%s'", path);
	return 0;
}
