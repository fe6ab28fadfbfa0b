/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Asks the kernel about processes of others: /proc as long as the process is
 * a zombie, PIDFD_GET_INFO (Linux 6.15) once its parent has reaped it.
 */
#include "base/stranger.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/str.h"

/* linux/pidfd.h of 6.15, first version of the struct: 64 bytes */
struct pidfd_info {
	uint64_t mask;
	uint64_t cgroup;
	uint32_t ids[11];
	int32_t exit_code;
};
#define ASK_INFO      _IOWR(0xFF, 11, struct pidfd_info)
#define ASK_INFO_EXIT ((uint64_t)1 << 3)

/* A small file of /proc as text; -1 if it is gone. */
static int read_proc(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, text, size - 1);

	if (fd >= 0)
		close(fd);
	text[got > 0 ? got : 0] = '\0';
	return got > 0 ? 0 : -1;
}

/* The number at the start of text; -1 if there is none. */
static int number(const char *text)
{
	char digits[12];
	uint64_t value;
	struct err err = ERR_INIT;
	size_t len = strspn(text, "0123456789");

	if (len >= sizeof digits)
		return -1;
	memcpy(digits, text, len);
	digits[len] = '\0';
	if (str_to_u64(digits, &value, &err) < 0 || value > INT_MAX)
		return -1;
	return (int)value;
}

int stranger_pid(int pidfd)
{
	char path[64];
	char text[512];
	const char *at;

	snprintf(path, sizeof path, "/proc/self/fdinfo/%d", pidfd);
	if (read_proc(path, text, sizeof text) < 0)
		return -1;
	at = strstr(text, "\nPid:\t");
	int pid = at ? number(at + sizeof "\nPid:\t" - 1) : -1;
	return pid > 0 ? pid : -1;
}

/*
 * The exit code of a dead process that its parent has not reaped yet: the
 * last field of /proc/PID/stat.  The pid is its own as long as the pidfd
 * still tells it afterwards.
 */
static int read_zombie(int pidfd, int *exit_code)
{
	char path[64];
	char text[2048];
	const char *at;
	int pid = stranger_pid(pidfd);

	snprintf(path, sizeof path, "/proc/%d/stat", pid);
	if (pid < 0 || read_proc(path, text, sizeof text) < 0)
		return -1;
	at = strrchr(text, ')'); /* the name may hold anything */
	if (!at || at[1] != ' ' || at[2] != 'Z' || stranger_pid(pidfd) != pid)
		return -1;
	*exit_code = number(strrchr(text, ' ') + 1);
	return *exit_code < 0 ? -1 : 0;
}

static int (*ask_parent)(int pidfd, int *status);

void stranger_ask(int (*parent)(int pidfd, int *status))
{
	ask_parent = parent;
}

int stranger_status(int pidfd, int *status)
{
	struct pollfd wait = { .fd = pidfd, .events = POLLIN };
	struct pidfd_info info = { .mask = ASK_INFO_EXIT };
	int ready = poll(&wait, 1, 0);

	if (ready < 0)
		return -1;
	if (ready == 0) {
		errno = EAGAIN;
		return -1;
	}
	/* to a stranger of another user, /proc says 0 whatever it was */
	if (ask_parent && ask_parent(pidfd, status) == 0)
		return 0;
	if (!ask_parent && read_zombie(pidfd, status) == 0)
		return 0;
	if (ioctl(pidfd, ASK_INFO, &info) < 0) {
		errno = ESRCH;
		return -1;
	}
	if (!(info.mask & ASK_INFO_EXIT)) {
		errno = EINPROGRESS; /* reaped this very moment */
		return -1;
	}
	*status = info.exit_code;
	return 0;
}
