/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A password or a private key; see secret.h. */
#include "storage/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"

enum { LONGEST = 1024, KEY_LONGEST = 16 * 1024 };

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

/* At most `longest` bytes of UTF-8. */
static int read_file(const char *path, size_t longest, struct secret *secret,
	struct err *err)
{
	AUTO_CLOSE int fd = sys_openat(
		AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0);
	struct secret read = { xcalloc(1, longest + 2), 0, longest + 2 };
	ssize_t n = -1;

	if (fd < 0)
		err_set(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_OS,
			"cannot read '%s': %s", path, strerror(errno));
	else if (!check_file(fd, path, err)) {
		n = sys_pread(fd, read.bytes, read.room, 0);
		if (n < 0)
			err_os(err, "cannot read '%s'", path);
	}
	if (n > 0 && read.bytes[n - 1] == '\n')
		n--;
	if (n == 0 || n > (ssize_t)longest ||
		(n > 0 && memchr(read.bytes, 0, (size_t)n)) ||
		(n > 0 && !str_is_utf8(read.bytes, (size_t)n))) {
		n = err_set(err, ERR_CONFIG,
			"the secret in '%s' is not 1 to %zu bytes of UTF-8",
			path, longest);
	}
	read.len = n > 0 ? (size_t)n : 0;
	if (n < 0) {
		secret_fini(&read);
		return -1;
	}
	*secret = read;
	return 0;
}

int secret_read(const char *path, struct secret *secret, struct err *err)
{
	return read_file(path, LONGEST, secret, err);
}

/* As OpenSSH writes one without a cipher, and what the older forms say. */
static bool is_locked(const char *key)
{
	static const char mark[] = "-----BEGIN OPENSSH PRIVATE KEY-----\n";
	static const char open[] = "b3BlbnNzaC1rZXktdjEAAAAABG5vbmU";

	if (str_starts(key, mark))
		return !str_starts(key + strlen(mark), open);
	return strstr(key, "ENCRYPTED") != NULL;
}

int secret_read_key(const char *path, struct secret *key, struct err *err)
{
	struct secret read;

	if (read_file(path, KEY_LONGEST, &read, err))
		return -1;
	if (!str_starts(read.bytes, "-----BEGIN ") ||
		!strstr(read.bytes, "PRIVATE KEY-----"))
		err_set(err, ERR_CONFIG, "there is no private key in '%s'",
			path);
	else if (is_locked(read.bytes))
		err_set(err, ERR_CONFIG,
			"the private key in '%s' needs a passphrase, which "
			"nobody could type: say one that has none",
			path);
	if (!err->code) {
		*key = read;
		return 0;
	}
	secret_fini(&read);
	return -1;
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
	struct secret copy = { NULL };

	if (secret && secret->bytes) {
		copy = (struct secret){ xcalloc(1, secret->room), secret->len,
			secret->room };
		memcpy(copy.bytes, secret->bytes, secret->len);
	}
	return copy;
}

void secret_fini(struct secret *secret)
{
	if (secret->bytes)
		explicit_bzero(secret->bytes, secret->room);
	free(secret->bytes);
	*secret = (struct secret){ NULL };
}
