/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who has a file open; see holder.h. */
#include "supervisor/holder.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"

enum { NAME_MAX_LEN = 64 };

struct search {
	const char *path;
	const char *pid; /* whose descriptors are looked at */
	char own[16];
	char *found;
};

static void look_at_fd(void *arg, const char *name)
{
	struct search *search = arg;
	AUTO_FREE char *link = xasprintf("/proc/%s/fd/%s", search->pid, name);
	char target[PATH_MAX];
	ssize_t len;

	if (search->found)
		return;
	len = sys_readlinkat(AT_FDCWD, link, target, sizeof(target) - 1);
	if (len <= 0)
		return;
	target[len] = '\0';
	if (str_eq(target, search->path))
		search->found = xstrdup(search->pid);
}

static void look_at_process(void *arg, const char *pid)
{
	struct search *search = arg;
	AUTO_FREE char *dir = xasprintf("/proc/%s/fd", pid);

	if (search->found || strspn(pid, "0123456789") != strlen(pid) ||
		str_eq(pid, search->own))
		return;
	search->pid = pid;
	sys_listdir(AT_FDCWD, dir, look_at_fd, search);
}

char *holder_of(const char *path)
{
	struct search search = { .path = path };
	AUTO_STR struct str name = STR_INIT;
	AUTO_STR struct str shown = STR_INIT;
	struct err ignored = ERR_INIT;
	AUTO_FREE char *comm = NULL;
	AUTO_FREE char *pid = NULL;

	snprintf(search.own, sizeof(search.own), "%d", (int)getpid());
	sys_listdir(AT_FDCWD, "/proc", look_at_process, &search);
	if (!search.found)
		return NULL;
	pid = search.found;
	comm = xasprintf("/proc/%s/comm", pid);
	if (!fd_read_file(AT_FDCWD, comm, NAME_MAX_LEN, &name, &ignored))
		str_add_visible(&shown, str_text(&name),
			strcspn(str_text(&name), "\n"));
	return xasprintf(
		"%s (pid %s)", shown.len ? str_text(&shown) : "a process", pid);
}
