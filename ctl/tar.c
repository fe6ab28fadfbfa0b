/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A plain ustar archive (POSIX.1-1988); see tar.h. */
#include "ctl/tar.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

enum { BLOCK = 512, END_BLOCKS = 2, SUM_AT = 148, SUM_LEN = 8 };

/* The fields that are not zero: where they start in the block. */
enum {
	NAME_AT = 0,
	MODE_AT = 100,
	UID_AT = 108,
	GID_AT = 116,
	SIZE_AT = 124,
	MTIME_AT = 136,
	TYPE_AT = 156,
	MAGIC_AT = 257,
	NAME_MAX_LEN = 99
};

static void put_octal(char *at, int digits, uint64_t value)
{
	for (at += digits; digits > 0; digits--, value /= 8)
		*--at = (char)('0' + value % 8);
}

static void put_header(
	char block[BLOCK], const char *name, size_t len, int64_t mtime)
{
	unsigned sum = 0;

	memset(block, 0, BLOCK);
	memcpy(block + NAME_AT, name, strlen(name));
	put_octal(block + MODE_AT, 7, 0600);
	put_octal(block + UID_AT, 7, 0);
	put_octal(block + GID_AT, 7, 0);
	put_octal(block + SIZE_AT, 11, len);
	put_octal(block + MTIME_AT, 11, mtime > 0 ? (uint64_t)mtime : 0);
	block[TYPE_AT] = '0';
	memcpy(block + MAGIC_AT, "ustar\00000", 8);
	memset(block + SUM_AT, ' ', SUM_LEN); /* as blanks in the sum */
	for (size_t i = 0; i < BLOCK; i++)
		sum += (unsigned char)block[i];
	put_octal(block + SUM_AT, 6, sum);
	block[SUM_AT + 6] = '\0';
}

static int put(FILE *out, const char *data, size_t len, struct err *err)
{
	if (fwrite(data, 1, len, out) == len)
		return 0;
	return err_os(err, "cannot write the archive");
}

int tar_add(FILE *out, const char *name, const char *data, size_t len,
	int64_t mtime, struct err *err)
{
	static const char zeros[BLOCK];
	char block[BLOCK];

	if (strlen(name) > NAME_MAX_LEN || (uint64_t)len >> 33)
		return err_set(err, ERR_LIMIT,
			"'%s' does not fit into a tar archive", name);
	put_header(block, name, len, mtime);
	if (put(out, block, BLOCK, err) || put(out, data, len, err))
		return -1;
	return put(out, zeros, (BLOCK - len % BLOCK) % BLOCK, err);
}

int tar_end(FILE *out, struct err *err)
{
	static const char zeros[BLOCK * END_BLOCKS];

	if (put(out, zeros, sizeof(zeros), err))
		return -1;
	return fflush(out) ? err_os(err, "cannot write the archive") : 0;
}
