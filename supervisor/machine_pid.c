/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What /proc tells of a QEMU: a pid alone is a rumour; see machine.h. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/sys.h"
#include "supervisor/machine.h"

#define CMDLINE_MAX 65536

static ssize_t read_proc(pid_t pid, const char *leaf, char *buf, size_t size)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, leaf);
	AUTO_CLOSE int fd = sys_openat(AT_FDCWD, path, O_RDONLY, 0);
	return fd < 0 ? -1 : sys_read(fd, buf, size);
}

/*
 * What stands in its command line.  Until QEMU has called listen() the peer
 * is the supervisor that bound the socket: that is no QEMU.
 */
bool machine_pid_generation(pid_t pid, uint64_t *out)
{
	AUTO_FREE char *cmdline = xmalloc(CMDLINE_MAX);
	ssize_t got = read_proc(pid, "cmdline", cmdline, CMDLINE_MAX - 1);
	const char *mark = "id=mon-g";
	const char *at;
	struct err err = ERR_INIT;

	if (got <= 0)
		return false;
	cmdline[got] = '\0';
	at = memmem(cmdline, (size_t)got, mark, strlen(mark));
	if (!at)
		return false;
	at += strlen(mark);
	AUTO_FREE char *number = xstrndup(at, strspn(at, "0123456789"));
	return !str_to_u64(number, out, &err);
}

uint64_t machine_pid_start(pid_t pid)
{
	char buf[1024];
	ssize_t got = read_proc(pid, "stat", buf, sizeof(buf) - 1);
	char *at;

	if (got <= 0)
		return 0;
	buf[got] = '\0';
	at = strrchr(buf, ')'); /* the name may hold blanks */
	for (int field = 2; at && field < 22; field++)
		at = strchr(at + 1, ' ');
	return at ? str_digits(at + 1) : 0;
}

bool machine_pid_is(
	pid_t pid, uint64_t start, const char *uuid, const char *name)
{
	AUTO_FREE char *guest = xasprintf("guest=%s,", name);
	AUTO_FREE char *cmdline = xmalloc(CMDLINE_MAX);
	ssize_t got = read_proc(pid, "cmdline", cmdline, CMDLINE_MAX);

	if (pid <= 1 || got <= 0 || machine_pid_start(pid) != start)
		return false;
	return memmem(cmdline, (size_t)got, uuid, strlen(uuid)) &&
	       memmem(cmdline, (size_t)got, guest, strlen(guest));
}

char *machine_pid_words(pid_t pid, size_t *len)
{
	AUTO_FREE char *cmdline = xmalloc(CMDLINE_MAX);
	ssize_t got = read_proc(pid, "cmdline", cmdline, CMDLINE_MAX - 1);

	if (got <= 0)
		return NULL;
	cmdline[got] = '\0';
	*len = (size_t)got;
	return TAKE(cmdline);
}

bool machine_pid_is_replaced(pid_t pid)
{
	static const char mark[] = " (deleted)";
	char path[64];
	char exe[1024];
	ssize_t got;

	snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	got = sys_readlinkat(AT_FDCWD, path, exe, sizeof(exe));
	return got >= (ssize_t)sizeof(mark) &&
	       memcmp(exe + got - (sizeof(mark) - 1), mark, sizeof(mark) - 1) ==
		       0;
}
