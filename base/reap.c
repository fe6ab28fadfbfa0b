/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a process ended; see reap.h. */
#include "base/reap.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/str.h"

#define WAIT_BY_PIDFD ((idtype_t)3)

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

/* The pid behind a pidfd; 0 once the process is reaped. */
static uint64_t pid_of(int pidfd)
{
	char path[64];
	char text[512];
	const char *at;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", pidfd);
	if (read_proc(path, text, sizeof(text)))
		return 0;
	at = strstr(text, "\nPid:\t");
	return at ? str_digits(at + strlen("\nPid:\t")) : 0;
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
	uint64_t pid = pid_of(pidfd);

	snprintf(
		path, sizeof(path), "/proc/%llu/stat", (unsigned long long)pid);
	if (!pid || read_proc(path, text, sizeof(text)))
		return -1;
	at = strrchr(text, ')'); /* the name may hold anything */
	if (!at || at[1] != ' ' || at[2] != 'Z' || pid_of(pidfd) != pid)
		return -1;
	*exit_code = (int)str_digits(strrchr(text, ' ') + 1);
	return 0;
}

static int ask_about_stranger(int pidfd, struct sys_exit *out)
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
	*out = (struct sys_exit){ .known = false };
	if (ioctl(pidfd, ASK_INFO, &info) < 0)
		return 0;
	if (!(info.mask & ASK_INFO_EXIT) &&
		read_zombie(pidfd, &info.exit_code)) {
		errno = EINPROGRESS; /* reaped this very moment */
		return -1;
	}
	out->known = true;
	out->signalled = WIFSIGNALED(info.exit_code);
	out->code = out->signalled ? WTERMSIG(info.exit_code)
				   : WEXITSTATUS(info.exit_code);
	return 0;
}

int reap_pidfd(int pidfd, struct sys_exit *out)
{
	siginfo_t info = { .si_pid = 0 };
	int done;

	do
		done = waitid(
			WAIT_BY_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG);
	while (done < 0 && errno == EINTR);
	if (done < 0)
		return errno == ECHILD ? ask_about_stranger(pidfd, out) : -1;
	if (info.si_pid == 0) {
		errno = EAGAIN;
		return -1;
	}
	*out = (struct sys_exit){
		.known = true,
		.signalled = info.si_code != CLD_EXITED,
		.code = info.si_status,
	};
	return 0;
}
