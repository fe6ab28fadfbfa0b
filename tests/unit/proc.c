/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What /proc tells, by files of our own: odd names, odd kernels, the dead. */
#include "supervisor/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"
#include "tests/unit/tap.h"
#include "tests/unit/temp.h"

/* What the files are, by their paths; NULL: there is none. */
static struct {
	const char *path;
	const char *text;
} files[] = {
	{ "/proc/4711/stat", NULL },
	{ "/proc/4711/status", NULL },
	{ "/proc/4711/task/4712/schedstat", NULL },
	{ "/proc/4711/task/4712/stat", NULL },
	{ "/proc/meminfo", NULL },
	{ "/sys/devices/system/cpu/online", NULL },
};

static void put(const char *path, const char *text)
{
	for (size_t i = 0; i < NELEMS(files); i++)
		if (str_eq(files[i].path, path))
			files[i].text = text;
}

static int open_ours(int dirfd, const char *path, int flags, mode_t mode)
{
	(void)dirfd;
	(void)flags;
	(void)mode;
	for (size_t i = 0; i < NELEMS(files); i++) {
		const char *text = files[i].text;
		int fd;

		if (!text || !str_eq(files[i].path, path))
			continue;
		fd = open(temp_path("file"), O_RDWR | O_CREAT | O_TRUNC, 0600);
		if (fd < 0 || write(fd, text, strlen(text)) < 0)
			abort();
		lseek(fd, 0, SEEK_SET);
		return fd;
	}
	errno = ENOENT;
	return -1;
}

#define STAT(name) \
	"4711 (" name ") S 1 2 3 4 -1 6 7 8 9 10 150 25 13 14 15 16 5 0 99\n"

static void test_usage(void)
{
	static const char *const names[] = { STAT("qemu-system-x86"),
		STAT("a b c"), STAT("x) R 1 2 3"), STAT("))((") };
	struct proc_usage u;

	ok(!proc_usage(4711, &u), "no such process");
	is_int(u.rss + u.user_us + u.threads, 0, "uses nothing");
	put("/proc/4711/status",
		"Name:\tx\nVmPeak:\t9 kB\n"
		"VmRSS:\t    2048 kB\nVmSwap:\t       12 kB\n");
	for (size_t i = 0; i < NELEMS(names); i++) {
		put("/proc/4711/stat", names[i]);
		ok(proc_usage(4711, &u) && u.user_us == 1500000 &&
				u.system_us == 250000 && u.threads == 5,
			"times and threads, name %zu", i);
	}
	is_int(u.rss, 2048 * 1024, "memory");
	is_int(u.swap, 12 * 1024, "and what is in swap");
	put("/proc/4711/status", "Name:\tkthread\n");
	ok(proc_usage(4711, &u) && u.rss == 0, "one without memory has none");
	put("/proc/4711/stat", "4711 (cut");
	ok(proc_usage(4711, &u) && u.user_us == 0, "a text that is cut");
	put("/proc/4711/stat", STAT("x"));
	put("/proc/4711/status", NULL);
	ok(!proc_usage(4711, &u), "it died between the two");
	ok(!proc_usage(1234, &u), "another one");
}

static void test_thread(void)
{
	struct proc_thread t;

	ok(!proc_thread(4711, 4712, &t), "no such thread");
	put("/proc/4711/task/4712/stat", STAT("CPU 0/KVM"));
	ok(proc_thread(4711, 4712, &t) && t.run_us == 1750000 && t.wait_us == 0,
		"without schedstat by ticks");
	put("/proc/4711/task/4712/schedstat", "5000000 2000000 77\n");
	ok(proc_thread(4711, 4712, &t) && t.run_us == 5000 && t.wait_us == 2000,
		"with it by nanoseconds");
	put("/proc/4711/task/4712/schedstat", "0\n");
	ok(proc_thread(4711, 4712, &t) && t.run_us == 1750000,
		"a kernel that counts nothing there");
}

static void test_host(void)
{
	static const struct {
		const char *text;
		unsigned n;
	} cpus[] = { { "0\n", 1 }, { "0-3\n", 4 }, { "0-3,8\n", 5 },
		{ "0,2,4-5,7-9\n", 7 }, { "3-1\n", 0 }, { "\n", 0 },
		{ "-2\n", 0 }, { "0-\n", 1 }, { "0-1,x\n", 2 } };

	is_int(proc_host_memory() + proc_host_available() + proc_host_cpus(), 0,
		"nothing is known of a host without /proc");
	put("/proc/meminfo", "MemTotal:       16384 kB\n"
			     "MemFree:  1 kB\nMemAvailable:    1024 kB\n");
	is_int(proc_host_memory(), 16 << 20, "its memory");
	is_int(proc_host_available(), 1 << 20, "what is to be had");
	for (size_t i = 0; i < NELEMS(cpus); i++) {
		put("/sys/devices/system/cpu/online", cpus[i].text);
		is_int(proc_host_cpus(), cpus[i].n, "processors, case %zu", i);
	}
}

int main(void)
{
	struct sys_backend ours = sys_real;
	struct proc_usage u;

	temp_make();
	ok(proc_usage(getpid(), &u) && u.rss > 0 && u.threads == 1,
		"this very process");
	ok(proc_host_memory() > proc_host_available() && proc_host_cpus() > 0,
		"this very host");
	ours.openat = open_ours;
	sys_use(&ours);
	test_usage();
	test_thread();
	test_host();
	sys_use(&sys_real);
	return done();
}
