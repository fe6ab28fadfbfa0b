/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The directory of records and those above it; see store_dir.h. */
#include "supervisor/store_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/sys.h"

static bool is_there(const char *path)
{
	struct stat st;

	return sys_fstatat(AT_FDCWD, path, &st, 0) == 0;
}

/* 0, 1 if the directory is not ours to open, or -1. */
static int sync_dir(const char *path, struct err *err)
{
	AUTO_CLOSE int fd = sys_openat(
		AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);

	if (fd < 0 && errno == EACCES)
		return 1;
	if (fd < 0 || (sys_fsync(fd) && errno != EINVAL && errno != EROFS))
		return err_os(err, "cannot sync '%s'", path);
	return 0;
}

/* The directories that hold a directory: a name that was just made stays. */
static int sync_above(const char *dir, struct err *err)
{
	AUTO_FREE char *path = xstrdup(dir);
	char *slash;
	int rc = 0;

	while (!rc && (slash = strrchr(path, '/')) != NULL && slash > path) {
		*slash = '\0';
		rc = sync_dir(path, err);
	}
	return rc < 0 ? -1 : 0;
}

int store_dir_make(const char *dir, struct err *err)
{
	const char *slash = strrchr(dir, '/');
	AUTO_FREE char *parent =
		xstrndup(dir, slash > dir ? (size_t)(slash - dir) : 1);

	if (!is_there(dir) && (fd_make_dirs(parent, 0700, err) != 0 ||
				      sync_above(parent, err) != 0))
		return -1;
	if (fd_make_dirs(dir, 0700, err) != 0)
		return -1;
	return sync_dir(parent, err) < 0 ? -1 : 0;
}
