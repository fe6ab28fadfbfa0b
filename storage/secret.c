/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A password of an image; see secret.h. */
#include "storage/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"

enum { LONGEST = 1024 };

static int check_file(int fd, const char *path, struct err *err)
{
	struct stat st;

	if (sys_fstat(fd, &st) != 0)
		return err_os(err, "cannot read '%s'", path);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_CONFIG, "'%s' is no file", path);
	if (st.st_mode & 077)
		return err_set(err, ERR_DENIED,
			"others may read the secret in '%s': chmod 600 it",
			path);
	return 0;
}

int secret_read(const char *path, struct secret *secret, struct err *err)
{
	AUTO_CLOSE int fd = sys_openat(
		AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0);
	struct secret read = { xcalloc(1, LONGEST + 2), 0 };
	ssize_t n = -1;

	if (fd < 0)
		err_set(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_OS,
			"cannot read '%s': %s", path, strerror(errno));
	else if (!check_file(fd, path, err)) {
		n = sys_pread(fd, read.bytes, LONGEST + 2, 0);
		if (n < 0)
			err_os(err, "cannot read '%s'", path);
	}
	if (n > 0 && read.bytes[n - 1] == '\n')
		n--;
	if (n == 0 || n > LONGEST ||
		(n > 0 && memchr(read.bytes, 0, (size_t)n)) ||
		(n > 0 && !str_is_utf8(read.bytes, (size_t)n))) {
		n = err_set(err, ERR_CONFIG,
			"the secret in '%s' is not 1 to %d bytes of UTF-8",
			path, LONGEST);
	}
	read.len = n > 0 ? (size_t)n : 0;
	if (n < 0) {
		secret_fini(&read);
		return -1;
	}
	*secret = read;
	return 0;
}

/*
 * Who has the descriptor opens it once more by its name, whatever his uid;
 * nobody else can name it.
 */
static void open_to_all(int fd)
{
	AUTO_FREE char *name = xasprintf("/proc/self/fd/%d", fd);

	/* one that stays closed is told of by who reads it */
	if (sys_fchmodat(AT_FDCWD, name, 0444))
		errno = 0;
}

int secret_pipe(const struct secret *secret)
{
	int fds[2];
	AUTO_CLOSE int end = -1;

	if (sys_pipe(fds) != 0)
		return -1;
	end = fds[1];
	open_to_all(fds[0]);
	/* a pipe takes far more than the longest secret at once */
	if (sys_write(end, secret->bytes, secret->len) == (ssize_t)secret->len)
		return fds[0];
	fd_close(&fds[0]);
	return -1;
}

struct secret secret_copy(const struct secret *secret)
{
	struct secret copy = { NULL, 0 };

	if (secret && secret->bytes) {
		copy = (struct secret){ xcalloc(1, LONGEST + 2), secret->len };
		memcpy(copy.bytes, secret->bytes, secret->len);
	}
	return copy;
}

void secret_fini(struct secret *secret)
{
	if (secret->bytes)
		explicit_bzero(secret->bytes, LONGEST + 2);
	free(secret->bytes);
	*secret = (struct secret){ NULL };
}
