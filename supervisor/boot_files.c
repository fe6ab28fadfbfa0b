/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Kernel and initrd on their way to QEMU; see boot_files.h. */
#include "supervisor/boot_files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/sys.h"
#include "supervisor/argv.h"
#include "supervisor/device.h"

#define CHUNK (256 * 1024)
#define PIECE (16 * CHUNK) /* one or two milliseconds */

static const char *path_of(const struct vm_spec *spec, unsigned at)
{
	const char *path = at == 0 ? spec->vm.kernel : spec->vm.initrd;

	/* one without a kernel has no initrd */
	return device_is_set(spec->vm.kernel) && device_is_set(path) ? path
								     : NULL;
}

static int begin(struct boot_files *files, const char *path, struct err *err)
{
	struct stat st;

	files->from =
		sys_openat(AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
	if (files->from < 0)
		return err_set(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_OS,
			"cannot open '%s': %s", path, strerror(errno));
	if (sys_fstat(files->from, &st) || !S_ISREG(st.st_mode))
		return err_set(err, ERR_CONFIG, "'%s' is no file", path);
	files->copies[files->at] = memfd_create("vmward-boot", MFD_CLOEXEC);
	if (files->copies[files->at] < 0)
		return err_os(err, "cannot copy '%s'", path);
	return 0;
}

/* 1: not yet at its end. */
static int copy(struct boot_files *files, const char *path, struct err *err)
{
	AUTO_FREE char *buf = xmalloc(CHUNK);

	for (size_t done = 0; done < PIECE;) {
		ssize_t n = sys_read(files->from, buf, CHUNK);

		if (n == 0)
			return 0;
		if (n < 0 || sys_write(files->copies[files->at], buf,
				     (size_t)n) != n)
			return err_os(err, "cannot copy '%s'", path);
		done += (size_t)n;
	}
	return 1;
}

int boot_files_step(
	struct boot_files *files, const struct vm_spec *spec, struct err *err)
{
	const char *path = NULL;
	int rc;

	for (; files->at < BOOT_FILES && !path; files->at += !path)
		path = path_of(spec, files->at);
	if (!path)
		return 0;
	if (files->from < 0 && begin(files, path, err))
		return -1;
	rc = copy(files, path, err);
	if (rc)
		return rc;
	fd_close(&files->from);
	files->at++;
	return 1;
}

size_t boot_files_fds(const struct boot_files *files, struct spawn_fd *out)
{
	size_t n = 0;

	for (int i = 0; i < BOOT_FILES; i++)
		if (files->copies[i] >= 0)
			out[n++] = (struct spawn_fd){ files->copies[i],
				ARGV_FD_BOOT + i };
	return n;
}

void boot_files_close(struct boot_files *files)
{
	for (int i = 0; i < BOOT_FILES; i++)
		fd_close(&files->copies[i]);
	fd_close(&files->from);
}
