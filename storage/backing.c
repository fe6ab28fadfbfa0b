/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an image is on top of; see backing.h. */
#include "storage/backing.h"

#include <fcntl.h>
#include <string.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"
#include "storage/chain.h"
#include "storage/image.h"

int backing_read(const char *path, const char *format, struct backing *backing,
	struct err *err)
{
	AUTO_CLOSE int fd = -1;
	struct image_head head = { NULL };
	struct stat st;

	*backing = (struct backing){ NULL };
	err_clear(err);
	if (!str_eq(format, "qcow2"))
		return 0;
	/* O_NONBLOCK: a FIFO in place of an image must not hold us up */
	fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0);
	if (fd < 0)
		return err_os(err, "cannot open image '%s'", path);
	if (!sys_fstat(fd, &st) && S_ISREG(st.st_mode) &&
		st.st_size < IMAGE_QCOW2_LEAST)
		return err_set(err, ERR_CONFIG,
			"the header of image '%s' is cut off", path);
	if (!image_head_read(fd, path, &head, err) && head.backing) {
		backing->path = image_resolve(path, head.backing);
		backing->is_file = *backing->path == '/' &&
				   image_is_file_name(head.backing);
	}
	if (strlen(head.backing_format) < sizeof(backing->format))
		memcpy(backing->format, head.backing_format,
			strlen(head.backing_format));
	backing->has_data_file = head.data_file;
	backing->encrypted = head.encrypted;
	image_head_fini(&head);
	return err->code ? -1 : 0;
}

void backing_fini(struct backing *backing)
{
	free(TAKE(backing->path));
}

int backing_check(const char *path, const char *format,
	const struct chain_rules *rules, struct err *err)
{
	const struct chain_wish wish = {
		.path = path, .format = format, .look = true, .rules = rules
	};
	struct chain chain;

	if (chain_open(&chain, &wish, err))
		return -1;
	chain_fini(&chain);
	return 0;
}
