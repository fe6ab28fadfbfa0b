/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What /proc tells of a process and of the host; see proc.h. */
#include "supervisor/proc.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/str.h"
#include "base/sys.h"

#define TICK_US 10000 /* USER_HZ is 100 for all programs */

/* A file that the kernel makes up, NUL-terminated; false if there is none. */
static bool read_text(const char *path, char *buf, size_t size)
{
	AUTO_CLOSE int fd = sys_openat(AT_FDCWD, path, O_RDONLY, 0);
	ssize_t got = fd < 0 ? -1 : sys_read(fd, buf, size - 1);

	if (got <= 0)
		return false;
	buf[got] = '\0';
	return true;
}

/* "VmRSS:   1234 kB" of a list of such lines, in bytes; 0 if not there. */
static uint64_t kib_of(const char *text, const char *label)
{
	const char *at = strstr(text, label);

	if (!at)
		return 0;
	at += strlen(label);
	return str_digits(at + strspn(at, " \t")) * 1024;
}

/* Fields of stat from number 3 on; the name before them may hold anything. */
static const char *field_of(const char *stat, int number)
{
	const char *at = strrchr(stat, ')');

	for (int field = 2; at && field < number; field++)
		at = strchr(at + 1, ' ');
	return at ? at + 1 : "";
}

bool proc_usage(pid_t pid, struct proc_usage *out)
{
	char path[64];
	char text[4096];

	*out = (struct proc_usage){ 0 };
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if (!read_text(path, text, sizeof(text)))
		return false;
	out->user_us = str_digits(field_of(text, 14)) * TICK_US;
	out->system_us = str_digits(field_of(text, 15)) * TICK_US;
	out->threads = str_digits(field_of(text, 20));
	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	if (!read_text(path, text, sizeof(text)))
		return false;
	out->rss = kib_of(text, "\nVmRSS:");
	out->swap = kib_of(text, "\nVmSwap:");
	return true;
}

bool proc_thread(pid_t pid, pid_t tid, struct proc_thread *out)
{
	char path[80];
	char text[1024];

	*out = (struct proc_thread){ 0 };
	snprintf(path, sizeof(path), "/proc/%d/task/%d/schedstat", (int)pid,
		(int)tid);
	if (read_text(path, text, sizeof(text)) && strchr(text, ' ')) {
		out->run_us = str_digits(text) / 1000;
		out->wait_us = str_digits(text + strcspn(text, " ") + 1) / 1000;
		return true;
	}
	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", (int)pid,
		(int)tid);
	if (!read_text(path, text, sizeof(text)))
		return false;
	out->run_us = (str_digits(field_of(text, 14)) +
			      str_digits(field_of(text, 15))) *
		      TICK_US;
	return true;
}

static uint64_t meminfo(const char *label)
{
	char text[2048];

	return read_text("/proc/meminfo", text, sizeof(text))
		       ? kib_of(text, label)
		       : 0;
}

uint64_t proc_host_memory(void)
{
	return meminfo("MemTotal:");
}

uint64_t proc_host_available(void)
{
	return meminfo("MemAvailable:");
}

/* "0-3,8": ranges. */
unsigned proc_host_cpus(void)
{
	char text[1024];
	unsigned n = 0;

	if (!read_text("/sys/devices/system/cpu/online", text, sizeof(text)))
		return 0;
	for (const char *at = text; *at >= '0' && *at <= '9';) {
		uint64_t first = str_digits(at);
		uint64_t last = first;

		at += strspn(at, "0123456789");
		if (*at == '-') {
			last = str_digits(at + 1);
			at += 1 + strspn(at + 1, "0123456789");
		}
		n += last >= first ? (unsigned)(last - first + 1) : 0;
		at += *at == ',';
	}
	return n;
}
