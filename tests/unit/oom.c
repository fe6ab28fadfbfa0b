/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The out-of-memory counters of both kinds of control groups. */
#include "supervisor/oom.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/sys.h"

#include "tests/unit/tap.h"
#include "tests/unit/temp.h"

static struct sys_backend backend;
static const char *const paths[] = { "/proc/42/cgroup",
	"/sys/fs/cgroup/memory/a/b/memory.oom_control",
	"/sys/fs/cgroup/a/b/memory.events",
	"/sys/fs/cgroup/unified/c/memory.events" };
static const char *texts[4];

/* The files of this test, and no others. */
static int open_text(int dirfd, const char *path, int flags, mode_t mode)
{
	(void)dirfd;
	(void)flags;
	for (size_t i = 0; i < NELEMS(paths); i++) {
		int fd;

		if (!texts[i] || strcmp(paths[i], path) != 0)
			continue;
		fd = open(temp_path("text"), O_RDWR | O_CREAT | O_TRUNC, 0600);
		if (fd < 0 || write(fd, texts[i], strlen(texts[i])) < 0 ||
			lseek(fd, 0, SEEK_SET) != 0)
			return -1;
		return fd;
	}
	errno = ENOENT;
	(void)mode;
	return -1;
}

static void files(
	const char *groups, const char *v1, const char *v2, const char *hybrid)
{
	texts[0] = groups;
	texts[1] = v1;
	texts[2] = v2;
	texts[3] = hybrid;
}

#define V1    "4:memory:/a/b\n0::/c\n"
#define V2    "0::/a/b\n"
#define KILLS "low 0\noom 9\noom_kill 3\noom_group_kill 0\n"
#define MORE  "low 0\noom 9\noom_kill 4\n"

static void moves(const char *what, bool want)
{
	struct oom oom = { .path = NULL };

	oom_begin(&oom, 42);
	ok(!oom_moved(&oom), "%s: nothing so far", what);
	for (size_t i = 1; i < NELEMS(texts); i++)
		texts[i] = texts[i] ? MORE : NULL;
	is_int(oom_moved(&oom), want, "%s: a kill counts or not", what);
	files(NULL, NULL, NULL, NULL);
	ok(!oom_moved(&oom), "%s: a group that is gone tells nothing", what);
	oom_end(&oom);
}

int main(void)
{
	temp_make();
	backend = sys_real;
	backend.openat = open_text;
	sys_use(&backend);
	files(V1, "under_oom 0\noom_kill 3\n", NULL, NULL);
	moves("v1", true);
	files(V2, NULL, KILLS, NULL);
	moves("v2", true);
	files("1:name=systemd:/x\n0::/c\n", NULL, NULL, KILLS);
	moves("hybrid", true);
	files(V1, NULL, NULL, KILLS);
	moves("v1 that cannot be read", true);
	files(V2, NULL, "low 0\noom 9\n", NULL);
	moves("an old kernel", false);
	files(NULL, NULL, KILLS, NULL);
	moves("a process that is gone", false);
	files("nonsense", NULL, KILLS, NULL);
	moves("groups that are none", false);
	sys_use(&sys_real);
	return done();
}
