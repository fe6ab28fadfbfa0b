/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two locks because each alone can be fooled: a flock file may be deleted
 * and made anew, and an abstract name is free again in another network
 * namespace.  Both die with the last process that holds the descriptor.
 * Whatever is unclear is an error, never "free".
 */
#include "supervisor/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/un.h>

#include "base/fd.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"

#define SECRET_BYTES 16

/* *out: the secret's text, or NULL while there is none that is whole. */
static int read_secret(const char *path, char **out, struct err *err)
{
	AUTO_STR struct str text = STR_INIT;
	size_t want = 2 * SECRET_BYTES;

	*out = NULL;
	if (fd_read_file(AT_FDCWD, path, 256, &text, err))
		return err->code == ERR_OS && err->os != ENOENT ? -1 : 0;
	if (strspn(str_text(&text), "0123456789abcdef") == want)
		*out = xstrndup(str_text(&text), want);
	return 0;
}

static int make_secret(const char *path, struct err *err)
{
	unsigned char bytes[SECRET_BYTES];
	AUTO_STR struct str text = STR_INIT;

	if (sys_random(bytes, sizeof(bytes)) < 0)
		return err_os(err, "no random bytes");
	for (size_t i = 0; i < sizeof(bytes); i++)
		str_addf(&text, "%02x", bytes[i]);
	str_addc(&text, '\n');
	return fd_write_file(
		AT_FDCWD, path, str_text(&text), text.len, 0600, false, err);
}

char *lock_key(const char *run_dir, const char *state_dir, struct err *err)
{
	AUTO_FREE char *path = xasprintf("%s/lock-key", state_dir);
	AUTO_FREE char *secret = NULL;

	if (!read_secret(path, &secret, err) && !secret &&
		!make_secret(path, err) && !read_secret(path, &secret, err) &&
		!secret)
		err_set(err, ERR_CONFIG, "'%s' is not what was written", path);
	if (secret)
		return xasprintf("%s %s", run_dir, secret);
	err_wrap(err, "no key for the locks of VMs: ");
	return NULL;
}

/* "\0vmward/" + 16 hex digits; the length counts the leading NUL. */
static socklen_t name_address(
	struct sockaddr_un *addr, const char *key, const char *name)
{
	/* the NUL between them keeps "a"+"bc" and "ab"+"c" apart */
	uint64_t hash = hash_add(HASH_START, key, strlen(key) + 1);
	int len;

	hash = hash_add(hash, name, strlen(name));
	memset(addr, 0, sizeof(*addr));
	addr->sun_family = AF_UNIX;
	len = snprintf(addr->sun_path + 1, sizeof(addr->sun_path) - 1,
		"vmward/%016" PRIx64, hash);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
			   (size_t)len);
}

/* The bound socket, or -1 with *state or err set. */
static int take_name(const char *key, const char *name, enum lock_state *state,
	struct err *err)
{
	struct sockaddr_un addr;
	socklen_t len = name_address(&addr, key, name);
	AUTO_CLOSE int fd = sys_socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return err_os(err, "cannot take the lock name");
	if (sys_bind(fd, (struct sockaddr *)&addr, len) == 0)
		return TAKE_FD(fd);
	if (errno != EADDRINUSE)
		return err_os(err, "cannot take the lock name");
	*state = LOCK_HELD;
	return -1;
}

/* 0 locked, or held by somebody (*state); -1 with err. */
static int lock_file(int fd, int how, const char *path, enum lock_state *state,
	struct err *err)
{
	if (sys_flock(fd, how | LOCK_NB) == 0)
		return 0;
	if (errno != EWOULDBLOCK)
		return err_os(err, "cannot lock '%s'", path);
	*state = LOCK_HELD;
	return 0;
}

int lock_take(struct vm_lock *lock, const char *path, const char *key,
	const char *name, enum lock_state *state, struct err *err)
{
	enum lock_state seen = LOCK_FREE;
	AUTO_CLOSE int file = sys_openat(AT_FDCWD, path,
		O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	AUTO_CLOSE int bound = -1;

	if (file < 0)
		return err_os(err, "cannot open lock '%s'", path);
	if (lock_file(file, LOCK_EX, path, &seen, err) != 0)
		return -1;
	if (seen == LOCK_FREE) {
		bound = take_name(key, name, &seen, err);
		if (bound < 0 && seen == LOCK_FREE)
			return -1;
	}
	*state = seen;
	if (seen == LOCK_FREE) {
		lock->file_fd = TAKE_FD(file);
		lock->name_fd = TAKE_FD(bound);
	}
	return 0;
}

int lock_look(const char *path, const char *key, const char *name,
	enum lock_state *state, struct err *err)
{
	enum lock_state seen = LOCK_FREE;
	AUTO_CLOSE int file = sys_openat(AT_FDCWD, path,
		O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0);
	AUTO_CLOSE int bound = -1;

	if (file < 0 && errno != ENOENT)
		return err_os(err, "cannot open lock '%s'", path);
	if (file >= 0 && lock_file(file, LOCK_SH, path, &seen, err) != 0)
		return -1;
	if (seen == LOCK_FREE) {
		bound = take_name(key, name, &seen, err);
		if (bound < 0 && seen == LOCK_FREE)
			return -1;
	}
	*state = seen;
	return 0;
}

void lock_drop(struct vm_lock *lock)
{
	fd_close(&lock->file_fd);
	fd_close(&lock->name_fd);
}
