/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether the kernel killed a process for memory; see oom.h. */
#include "supervisor/oom.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/atom.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"

#define TEXT_MAX 4096

/* Where hierarchies are mounted; the mark is a line of /proc/PID/cgroup. */
static const struct place {
	const char *mark;
	const char *root;
	const char *leaf;
} places[] = {
	{ ":memory:", "/sys/fs/cgroup/memory", "memory.oom_control" },
	{ "0::", "/sys/fs/cgroup", "memory.events" },
	{ "0::", "/sys/fs/cgroup/unified", "memory.events" },
};

static bool read_text(const char *path, char *text)
{
	AUTO_CLOSE int fd = sys_openat(AT_FDCWD, path, O_RDONLY, 0);
	ssize_t got = fd < 0 ? -1 : sys_read(fd, text, TEXT_MAX - 1);

	text[got > 0 ? got : 0] = '\0';
	return got > 0;
}

/* "oom_kill 3", at the start of a line. */
static bool read_counter(const char *path, uint64_t *kills)
{
	static const char word[] = "oom_kill ";
	AUTO_FREE char *text = xmalloc(TEXT_MAX);

	if (!read_text(path, text))
		return false;
	for (char *at = text; at; at = strchr(at, '\n')) {
		at += *at == '\n';
		if (!str_starts(at, word))
			continue;
		*kills = str_digits(at + strlen(word));
		return true;
	}
	return false;
}

/* The group behind the mark; NULL if no line has it. */
static char *group_of(const char *groups, const char *mark)
{
	const char *at = strstr(groups, mark);

	if (!at)
		return NULL;
	at += strlen(mark);
	return xstrndup(at, strcspn(at, "\n"));
}

void oom_begin(struct oom *oom, pid_t pid)
{
	AUTO_FREE char *groups = xmalloc(TEXT_MAX);
	char path[48];

	oom_end(oom);
	snprintf(path, sizeof(path), "/proc/%d/cgroup", (int)pid);
	if (!read_text(path, groups))
		return;
	for (size_t i = 0; i < NELEMS(places) && !oom->path; i++) {
		AUTO_FREE char *group = group_of(groups, places[i].mark);
		AUTO_FREE char *file =
			group ? xasprintf("%s%s/%s", places[i].root, group,
					places[i].leaf)
			      : NULL;

		if (file && read_counter(file, &oom->kills))
			oom->path = atom_take(TAKE(file));
	}
}

bool oom_moved(const struct oom *oom)
{
	uint64_t kills = 0;

	return oom->path && read_counter(oom->path, &kills) &&
	       kills > oom->kills;
}

void oom_end(struct oom *oom)
{
	atom_set(&oom->path, NULL);
}
