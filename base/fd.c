/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whole small files and directories, through base/sys.  A file is opened
 * without waiting and checked before it is read, so a FIFO or a device in
 * its place is an error and not a hang.
 */
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/sys.h"

void fd_close(int *fd)
{
	if (*fd < 0)
		return;
	int saved = errno;
	sys_close(*fd);
	*fd = -1;
	errno = saved;
}

void fd_auto_close(int *fd)
{
	fd_close(fd);
}

struct read_all {
	const char *path;
	size_t max;  /* bytes; more are an error */
	size_t size; /* 0: nobody knows */
};

/* Reads to the end of the file, which has `size` bytes or (0) who knows. */
static int read_all(
	int fd, const struct read_all *what, struct str *out, struct err *err)
{
	char buf[4096];

	for (;;) {
		ssize_t n = sys_read(fd, buf, sizeof buf);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_os(err, "cannot read '%s'", what->path);
		if (n == 0)
			return 0;
		if ((size_t)n > what->max - out->len)
			return err_set(err, ERR_LIMIT,
				"'%s' is larger than %zu bytes", what->path,
				what->max);
		str_addn(out, buf, (size_t)n);
		if (what->size && out->len == what->size)
			return 0;
	}
}

int fd_read_open(
	int fd, const char *path, size_t max, struct str *out, struct err *err)
{
	struct stat st;

	str_cut(out, 0);
	if (sys_fstat(fd, &st) < 0)
		return err_os(err, "cannot look at '%s'", path);
	if (!S_ISREG(st.st_mode))
		return err_set(
			err, ERR_CONFIG, "'%s' is not a regular file", path);
	return read_all(fd, &(struct read_all){ path, max, (size_t)st.st_size },
		out, err);
}

int fd_read_file(int dirfd, const char *path, size_t max, struct str *out,
	struct err *err)
{
	AUTO_CLOSE int fd =
		sys_openat(dirfd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);

	str_cut(out, 0);
	return fd < 0 ? err_os(err, "cannot open '%s'", path)
		      : fd_read_open(fd, path, max, out, err);
}

static int write_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = sys_write(fd, data, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0) {
			errno = ENOSPC;
			return -1;
		}
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

/* Makes the renames of path's directory durable. */
static int sync_parent(int dirfd, const char *path)
{
	const char *slash = strrchr(path, '/');
	AUTO_FREE char *dir = !slash ? xstrdup(".")
			      : slash == path
				      ? xstrdup("/")
				      : xstrndup(path, (size_t)(slash - path));
	AUTO_CLOSE int fd = sys_openat(dirfd, dir, O_RDONLY | O_DIRECTORY, 0);

	return fd < 0 ? -1 : sys_fsync(fd);
}

/* Writes the new file under its temporary name; 0, or -1 and errno. */
static int write_temporary(int dirfd, const char *path, mode_t mode,
	const char *data, size_t len, bool sync)
{
	int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
	AUTO_CLOSE int fd = sys_openat(dirfd, path, flags, mode);

	if (fd < 0 && errno == EEXIST && sys_unlinkat(dirfd, path, 0) == 0)
		fd = sys_openat(dirfd, path, flags, mode);
	if (fd < 0)
		return -1;
	if (write_all(fd, data, len) < 0)
		return -1;
	return sync ? sys_fsync(fd) : 0;
}

int fd_write_file(int dirfd, const char *path, const char *data, size_t len,
	mode_t mode, bool sync, struct err *err)
{
	AUTO_FREE char *tmp = xasprintf("%s.tmp", path);

	if (write_temporary(dirfd, tmp, mode, data, len, sync) < 0 ||
		sys_renameat(dirfd, tmp, dirfd, path) < 0) {
		err_os(err, "cannot write '%s'", path);
		sys_unlinkat(dirfd, tmp, 0);
		return -1;
	}
	if (sync && sync_parent(dirfd, path) < 0)
		return err_os(err, "cannot make '%s' durable", path);
	return 0;
}

/* One directory; one that is there already is fine. */
static int make_dir(const char *path, mode_t mode, struct err *err)
{
	struct stat st;

	if (sys_mkdirat(AT_FDCWD, path, mode) == 0)
		return 0;
	int reason = errno;
	if (sys_fstatat(AT_FDCWD, path, &st, 0) == 0) {
		if (S_ISDIR(st.st_mode))
			return 0;
		reason = ENOTDIR;
	}
	errno = reason;
	return err_os(err, "cannot make directory '%s'", path);
}

int fd_make_dirs(const char *path, mode_t mode, struct err *err)
{
	AUTO_FREE char *part = xstrdup(path);
	struct stat st;

	if (sys_fstatat(AT_FDCWD, path, &st, 0) == 0 && S_ISDIR(st.st_mode))
		return 0;
	for (char *slash = part + 1; *part && (slash = strchr(slash, '/'));) {
		*slash = '\0';
		if (make_dir(part, mode, err) < 0)
			return -1;
		*slash++ = '/';
		slash += strspn(slash, "/");
	}
	return str_ends(part, "/") ? 0 : make_dir(part, mode, err);
}
