/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Replacing this process by another program; see sys_exec.h. */
#include "base/sys_exec.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
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

static bool listens(int fd)
{
	int domain = 0;
	int accepts = 0;
	socklen_t len = sizeof(int);

	return !getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) &&
	       !getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &accepts, &len) &&
	       domain == AF_UNIX && accepts;
}

static bool is_named(int fd, const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	socklen_t len = sizeof(addr) - 1; /* what it had ends with a 0 */
	struct stat bound;
	struct stat wished;

	return !getsockname(fd, (struct sockaddr *)&addr, &len) &&
	       !stat(addr.sun_path, &bound) && !stat(path, &wished) &&
	       bound.st_dev == wished.st_dev && bound.st_ino == wished.st_ino;
}

bool exec_take_listener(int fd, const char *path)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || !listens(fd) || (path && !is_named(fd, path)))
		return false;
	fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	exec_keep(fd, false);
	return true;
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
