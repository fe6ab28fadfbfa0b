/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QEMU opens the extents that a description names, and as what it is on top
 * of what "parentFileNameHint" says, whatever that is.
 */
#include "storage/vmdk.h"

#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "base/sys.h"

enum {
	CAPACITY = 12,
	TEXT = 512, /* its description begins there */
	TEXT_LEN = 20 * 512
};

int vmdk_check(int fd, const char *path, struct err *err)
{
	static const char hint[] = "parentFileNameHint";
	unsigned char head[CAPACITY + 8] = { 0 };
	AUTO_FREE char *text = xcalloc(1, TEXT_LEN + 1);
	uint64_t capacity = 0;

	if (sys_pread(fd, head, sizeof(head), 0) < (ssize_t)sizeof(head))
		return err_set(err, ERR_CONFIG,
			"the header of image '%s' is cut off", path);
	memcpy(&capacity, head + CAPACITY, sizeof(capacity));
	if (memcmp(head, "KDMV", 4) != 0 || !capacity)
		return err_set(err, ERR_UNSUPPORTED,
			"image '%s' names other files as its parts", path);
	if (sys_pread(fd, text, TEXT_LEN, TEXT) < 0)
		return err_os(err, "cannot read image '%s'", path);
	if (memmem(text, TEXT_LEN, hint, strlen(hint)))
		return err_set(err, ERR_UNSUPPORTED,
			"image '%s' is on top of another vmdk image", path);
	return 0;
}
