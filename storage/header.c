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
#include "base/str.h"
#include "base/sys.h"
#include "storage/image.h"

enum {
	HEAD = 4096,       /* what is read at once */
	MARK_AT_END = 512, /* a fixed VHD has its mark so far from its end */
	QCOW2_BACKING = 8,
	QCOW2_BACKING_LEN = 16,
	QCOW2_SIZE = 24,
	QCOW2_CRYPT = 32,
	QCOW2_FEATURES = 72, /* from version 3 on */
	QCOW2_LENGTH = 100,
	QCOW2_V2_LENGTH = 72,
	FEATURE_CORRUPT = 2,
	FEATURE_DATA_FILE = 4,
	EXTENSION_HEAD = 8,
	BACKING_MAX = 1023
};

#define EXTENSION_FORMAT UINT32_C(0xe2792aca)

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

static uint32_t word_at(const unsigned char *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 |
	       (uint32_t)at[2] << 8 | at[3];
}

static const char *format_of(const unsigned char *head)
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

/* ---- qcow2 ---- */

static int unsound(const char *path, const char *what, struct err *err)
{
	return err_set(
		err, ERR_CONFIG, "the header of image '%s' %s", path, what);
}

/* The name as the header has it. */
static int read_backing(int fd, const char *path, const unsigned char *head,
	struct image_head *out, struct err *err)
{
	uint64_t at = big_endian(head + QCOW2_BACKING);
	uint32_t len = word_at(head + QCOW2_BACKING_LEN);
	AUTO_FREE char *name = NULL;

	if (!at || !len)
		return 0;
	out->has_backing = true;
	name = xcalloc(1, BACKING_MAX + 1);
	if (len > BACKING_MAX || at > INT32_MAX ||
		sys_pread(fd, name, len, (off_t)at) != (ssize_t)len ||
		strlen(name) != len)
		return unsound(path, "names no sound backing file", err);
	out->backing = TAKE(name);
	return 0;
}

/* The extensions stand between the header and the name of the backing. */
static void read_extensions(
	const unsigned char *head, size_t at, struct image_head *out)
{
	while (at + EXTENSION_HEAD <= HEAD) {
		uint32_t type = word_at(head + at);
		uint32_t len = word_at(head + at + 4);

		at += EXTENSION_HEAD;
		if (type == 0 || len > HEAD - at)
			return;
		if (type == EXTENSION_FORMAT &&
			len < sizeof(out->backing_format))
			memcpy(out->backing_format, head + at, len);
		at += (len + 7) & ~7u;
	}
}

static int read_qcow2(int fd, const char *path, const unsigned char *head,
	struct image_head *out, struct err *err)
{
	uint32_t version = word_at(head + 4);
	uint64_t features = 0;
	uint32_t length = QCOW2_V2_LENGTH;

	out->size = big_endian(head + QCOW2_SIZE);
	out->encrypted = word_at(head + QCOW2_CRYPT) != 0;
	if (version >= 3) {
		features = big_endian(head + QCOW2_FEATURES);
		length = word_at(head + QCOW2_LENGTH);
	}
	out->corrupt = features & FEATURE_CORRUPT;
	out->data_file = features & FEATURE_DATA_FILE;
	if (length >= QCOW2_V2_LENGTH && length < HEAD)
		read_extensions(head, length, out);
	return read_backing(fd, path, head, out, err);
}

/* ---- all of them ---- */

int image_head_read(
	int fd, const char *path, struct image_head *out, struct err *err)
{
	AUTO_FREE unsigned char *head = xcalloc(1, HEAD);
	struct stat st;

	*out = (struct image_head){ NULL };
	if (sys_fstat(fd, &st) != 0 || sys_pread(fd, head, HEAD, 0) < 0)
		return err_os(err, "cannot read image '%s'", path);
	out->format = format_of(head);
	if (str_eq(out->format, "qcow2"))
		return read_qcow2(fd, path, head, out, err);
	if (!str_eq(out->format, "raw"))
		return 0;
	out->size = (uint64_t)st.st_size;
	if (S_ISREG(st.st_mode) && st.st_size > MARK_AT_END) {
		char mark[8] = "";

		if (sys_pread(fd, mark, 8, st.st_size - MARK_AT_END) == 8 &&
			memcmp(mark, "conectix", 8) == 0) {
			out->format = "vpc";
			out->size = 0;
		}
	}
	return 0;
}

void image_head_fini(struct image_head *head)
{
	free(TAKE(head->backing));
}

int image_header(const char *path, const char **format, uint64_t *virtual_size,
	bool *has_backing, struct err *err)
{
	struct image_head head;
	struct err why = ERR_INIT;
	struct stat st = { 0 };
	AUTO_CLOSE int fd = open_image(path, &st, err);

	if (fd < 0)
		return -1;
	/* what is wrong behind its format and size is not asked here */
	if (image_head_read(fd, path, &head, &why) && !head.format) {
		*err = why;
		return -1;
	}
	*format = head.format;
	*virtual_size = head.size;
	*has_backing = head.has_backing;
	image_head_fini(&head);
	return 0;
}

char *image_backing(const char *path, struct err *err)
{
	struct image_head head;
	struct stat st = { 0 };
	AUTO_CLOSE int fd = open_image(path, &st, err);
	AUTO_FREE char *name = NULL;

	if (fd < 0 || image_head_read(fd, path, &head, err) || !head.backing)
		return NULL;
	name = TAKE(head.backing);
	return image_resolve(path, name);
}

/* A colon before the first slash: a protocol. */
bool image_is_file_name(const char *name)
{
	const char *colon = strchr(name, ':');

	return !colon || memchr(name, '/', (size_t)(colon - name));
}

char *image_resolve(const char *path, const char *name)
{
	const char *slash = strrchr(path, '/');

	if (*name == '/' || !slash || !image_is_file_name(name))
		return xstrdup(name);
	return xasprintf("%.*s/%s", (int)(slash - path), path, name);
}
