/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Opening a name that cannot lead out of its directory; see beneath.h. */
#include "base/beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/str.h"

#ifndef SYS_openat2
#define SYS_openat2 437
#endif
#define NO_MAGICLINKS 0x02
#define BENEATH       0x08

/* struct open_how of linux/openat2.h, which old headers lack */
struct how {
	uint64_t flags;
	uint64_t mode;
	uint64_t resolve;
};

int open_beneath(int dirfd, const char *name, int flags)
{
	const struct how how = { .flags = (uint64_t)(flags | O_CLOEXEC),
		.resolve = BENEATH | NO_MAGICLINKS };
	int fd = (int)syscall(SYS_openat2, dirfd, name, &how, sizeof(how));

	if (fd >= 0 || errno != ENOSYS)
		return fd;
	/* kernels before 5.6: no link at all */
	if (strchr(name, '/') || str_eq(name, "..")) {
		errno = EXDEV;
		return -1;
	}
	return openat(dirfd, name, flags | O_NOFOLLOW | O_CLOEXEC);
}
