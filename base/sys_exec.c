/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Replacing this process by another program; see sys_exec.h. */
#include "base/sys_exec.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"

char *exec_own_path(void)
{
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

	return n > 0 ? xstrndup(path, (size_t)n) : NULL;
}

void exec_keep(int fd, bool keep)
{
	int flags = fd < 0 ? -1 : fcntl(fd, F_GETFD);

	if (flags < 0)
		return;
	flags = keep ? flags & ~FD_CLOEXEC : flags | FD_CLOEXEC;
	fcntl(fd, F_SETFD, flags);
}

static int write_all(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t put = write(fd, bytes, len);

		if (put < 0)
			return -1;
		bytes += put;
		len -= (size_t)put;
	}
	return 0;
}

int exec_memfd(const char *bytes, size_t len, struct err *err)
{
	AUTO_CLOSE int fd =
		memfd_create("vmward-state", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0 || write_all(fd, bytes, len) || lseek(fd, 0, SEEK_SET) < 0 ||
		fcntl(fd, F_ADD_SEALS,
			F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK |
				F_SEAL_SEAL)) {
		err_os(err, "cannot keep the state in memory");
		return -1;
	}
	return TAKE_FD(fd);
}

void exec_hold_signals(bool hold)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGPWR);
	sigprocmask(hold ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL);
}

int exec_over(const char *path, char *const *argv, struct err *err)
{
	execv(path, argv);
	return err_os(err, "cannot run '%s'", path);
}

void exec_close_from(int first)
{
	DIR *dir = opendir("/proc/self/fd");
	int own = dir ? dirfd(dir) : -1;

	for (struct dirent *entry; dir && (entry = readdir(dir)) != NULL;) {
		int fd = (int)str_digits(entry->d_name);

		if (*entry->d_name != '.' && fd >= first && fd != own)
			close(fd);
	}
	if (dir)
		closedir(dir);
}
