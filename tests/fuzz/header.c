/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as an image: its header is read, and never more believed. */
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"
#include "storage/image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *format = NULL;
	uint64_t virtual_size = 0;
	bool has_backing = false;
	struct err err = ERR_INIT;
	char path[64];
	int fd = memfd_create("image", MFD_CLOEXEC);

	BUG_ON(fd < 0 || write(fd, data, size) != (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (image_header(path, &format, &virtual_size, &has_backing, &err))
		BUG_ON(err.code == ERR_NONE);
	else
		BUG_ON(!format);
	close(fd);
	return 0;
}
