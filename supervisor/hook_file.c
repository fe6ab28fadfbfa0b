/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which files may be run as hooks; see hook_file.h. */
#include "supervisor/hook_file.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/sys.h"

int hook_file_check(const char *path, struct err *err)
{
	struct stat st;

	if (sys_fstatat(AT_FDCWD, path, &st, 0))
		return err_os(err, "cannot run '%s'", path);
	if (!S_ISREG(st.st_mode) || !(st.st_mode & 0111))
		return err_set(err, ERR_CONFIG,
			"cannot run '%s': it is no program", path);
	if ((st.st_uid != 0 && st.st_uid != geteuid()) ||
		st.st_mode & (S_IWGRP | S_IWOTH))
		return err_set(err, ERR_CONFIG,
			"cannot run '%s': others can change it: chown root, "
			"chmod go-w",
			path);
	return 0;
}
