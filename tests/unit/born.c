/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Children that are born into control groups, where this host has some. */
#include "base/born.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/child.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "tests/unit/tap.h"

static char group[512]; /* in v2; "": none can be made */
static char name[64];

/* A group of our own at the top of v2, wherever that is. */
static void make_group(void)
{
	static const char *const roots[] = { "/sys/fs/cgroup/unified",
		"/sys/fs/cgroup" };

	snprintf(name, sizeof(name), "vmward-born-%d", (int)getpid());
	for (size_t i = 0; i < NELEMS(roots); i++) {
		AUTO_FREE char *procs = xasprintf("%s/cgroup.procs", roots[i]);

		snprintf(group, sizeof(group), "%s/%s", roots[i], name);
		if (!access(procs, F_OK) && !mkdir(group, 0755))
			return;
	}
	group[0] = '\0';
}

/* What cat says of its own groups. */
static void start_in(const struct spawn_group *groups,
	int (*start)(const struct spawn_plan *plan, pid_t *pid, int *pidfd),
	struct str *said, struct err *err)
{
	static const char *const argv[] = { "cat", "/proc/self/cgroup", NULL };
	int out[2];
	pid_t pid = -1;
	int pidfd = -1;
	char buf[4096];
	ssize_t n;

	if (pipe2(out, O_CLOEXEC))
		abort();
	const struct spawn_fd fds[] = { { out[1], 1 } };
	const struct spawn_plan plan = { .path = "/bin/cat",
		.argv = argv,
		.fds = fds,
		.nfds = 1,
		.group = groups,
		.err = err };
	int rc = start(&plan, &pid, &pidfd);
	close(out[1]);
	while ((n = read(out[0], buf, sizeof(buf))) > 0)
		str_addn(said, buf, (size_t)n);
	close(out[0]);
	if (rc == 0) {
		waitpid(pid, NULL, 0);
		close(pidfd);
	}
}

static void test_ways(void)
{
	AUTO_FREE char *procs = xasprintf("%s/cgroup.procs", group);
	AUTO_FREE char *want = xasprintf("0::/%s", name);
	AUTO_CLOSE int into = open(group, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO_CLOSE int door = open(procs, O_WRONLY | O_CLOEXEC);
	const struct {
		const char *way;
		struct spawn_group group;
		int (*start)(
			const struct spawn_plan *plan, pid_t *pid, int *pidfd);
	} ways[] = {
		{ "by clone3", { into, -1, NULL, 0 }, child_start },
		{ "by its own move", { -1, door, NULL, 0 }, child_start },
		{ "after a fork", { into, door, NULL, 0 },
			child_start_by_fork },
		{ "as a group of v1", { -1, -1, &door, 1 }, child_start },
		{ "where clone3 cannot", { door, door, NULL, 0 }, child_start },
	};

	for (size_t i = 0; i < NELEMS(ways); i++) {
		AUTO_STR struct str said = STR_INIT;
		struct err err = ERR_INIT;

		start_in(&ways[i].group, ways[i].start, &said, &err);
		ok(strstr(str_text(&said), want), "%s: %s%s", ways[i].way,
			str_text(&said), err.text);
	}
}

static void test_refused(void)
{
	AUTO_CLOSE int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	const struct spawn_group groups = { -1, -1, &null, 1 };
	AUTO_STR struct str said = STR_INIT;
	struct err err = ERR_INIT;

	start_in(&groups, child_start, &said, &err);
	is_str(err.text,
		"cannot start '/bin/cat': joining its control group: Bad file "
		"descriptor",
		"a group that takes nobody: no program");
	is_int((long)said.len, 0, "it has not run");
}

int main(void)
{
	make_group();
	if (*group)
		test_ways();
	else
		ok(true, "no control group of v2 can be made here # SKIP");
	test_refused();
	if (*group && rmdir(group))
		ok(false, "%s: %s", group, strerror(errno));
	return done();
}
