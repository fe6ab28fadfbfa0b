/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads the first bytes of an image.  A guest can write any header into a
 * raw image, so the answer may refuse what the user wrote, never replace it.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/sys.h"
#include "storage/image.h"

enum {
	HEAD = 512,
	QCOW2_BACKING = 8,
	QCOW2_BACKING_LEN = 16,
	QCOW2_SIZE = 24,
	BACKING_MAX = 1023
};

static const struct magic {
	const char *format;
	size_t at;
	size_t len;
	const char *bytes;
} magics[] = {
	{ "qcow", 0, 8, "QFI\xfb\0\0\0\1" },
	{ "qcow2", 0, 4, "QFI\xfb" },
	{ "vmdk", 0, 4, "KDMV" },
	{ "vmdk", 0, 4, "COWD" },
	{ "vmdk", 0, 21, "# Disk DescriptorFile" },
	{ "vdi", 64, 4, "\x7f\x10\xda\xbe" },
	{ "vhdx", 0, 8, "vhdxfile" },
	{ "vpc", 0, 8, "conectix" },
};

static uint64_t big_endian(const unsigned char *at)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < 8; i++)
		value = value << 8 | at[i];
	return value;
}

static const char *format_of(const unsigned char head[HEAD])
{
	for (size_t i = 0; i < NELEMS(magics); i++)
		if (memcmp(head + magics[i].at, magics[i].bytes,
			    magics[i].len) == 0)
			return magics[i].format;
	return "raw";
}

/* O_NONBLOCK: a FIFO in place of an image must not hold us up. */
static int open_image(const char *path, struct stat *st, struct err *err)
{
	AUTO_CLOSE int fd = sys_openat(
		AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0);

	if (fd < 0 && errno == ENOENT)
		return err_set(err, ERR_NOT_FOUND, "no image '%s'", path);
	if (fd < 0 || sys_fstat(fd, st) != 0)
		return err_os(err, "cannot open image '%s'", path);
	if (!S_ISREG(st->st_mode) && !S_ISBLK(st->st_mode))
		return err_set(err, ERR_CONFIG,
			"'%s' is neither a file nor a block device", path);
	return TAKE_FD(fd);
}

int image_header(const char *path, const char **format, uint64_t *virtual_size,
	bool *has_backing, struct err *err)
{
	unsigned char head[HEAD] = { 0 };
	struct stat st = { 0 };
	AUTO_CLOSE int fd = open_image(path, &st, err);
	const char *found;

	if (fd < 0)
		return -1;
	if (sys_pread(fd, head, HEAD, 0) < 0)
		return err_os(err, "cannot read image '%s'", path);
	found = format_of(head);
	/* a fixed VHD has its only mark at its end */
	if (strcmp(found, "raw") == 0 && S_ISREG(st.st_mode) &&
		st.st_size > HEAD) {
		char mark[8] = "";

		if (sys_pread(fd, mark, 8, st.st_size - HEAD) == 8 &&
			memcmp(mark, "conectix", 8) == 0)
			found = "vpc";
	}
	*virtual_size = 0;
	*has_backing = false;
	if (strcmp(found, "raw") == 0) {
		*virtual_size = (uint64_t)st.st_size;
	} else if (strcmp(found, "qcow2") == 0) {
		*virtual_size = big_endian(head + QCOW2_SIZE);
		*has_backing = big_endian(head + QCOW2_BACKING) != 0;
	}
	*format = found;
	return 0;
}

static uint64_t length_at(const unsigned char *at)
{
	return big_endian(at) >> 32;
}

/* The name as the header has it; NULL: none, or an error. */
static char *backing_name(const char *path, struct err *err)
{
	unsigned char head[HEAD] = { 0 };
	struct stat st = { 0 };
	AUTO_CLOSE int fd = open_image(path, &st, err);
	uint64_t at, len;
	AUTO_FREE char *name = NULL;

	if (fd < 0)
		return NULL;
	if (sys_pread(fd, head, HEAD, 0) < 0) {
		err_os(err, "cannot read image '%s'", path);
		return NULL;
	}
	if (strcmp(format_of(head), "qcow2") != 0)
		return NULL;
	at = big_endian(head + QCOW2_BACKING);
	len = length_at(head + QCOW2_BACKING_LEN);
	if (!at || !len)
		return NULL;
	name = xcalloc(1, BACKING_MAX + 1);
	if (len > BACKING_MAX || at > INT32_MAX ||
		sys_pread(fd, name, (size_t)len, (off_t)at) != (ssize_t)len ||
		strlen(name) != len) {
		err_set(err, ERR_CONFIG,
			"the header of image '%s' names no sound backing file",
			path);
		return NULL;
	}
	return TAKE(name);
}

char *image_backing(const char *path, struct err *err)
{
	char *name = backing_name(path, err);
	const char *slash = strrchr(path, '/');
	const char *colon = name ? strchr(name, ':') : NULL;
	char *full;

	/* a colon before the first slash: a protocol */
	if (!name || *name == '/' || !slash ||
		(colon && !memchr(name, '/', (size_t)(colon - name))))
		return name;
	full = xasprintf("%.*s/%s", (int)(slash - path), path, name);
	free(name);
	return full;
}
