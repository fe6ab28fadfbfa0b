/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Answers and children of the keeper; see keeper_call.h. */
#include "supervisor/keeper_call.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/stranger.h"
#include "base/sys.h"

#define CHILDREN_MAX 4096

/* ---- answers ---- */

static void refuse(struct keeper_call *c, enum err_code code, const char *text)
{
	c->reply.rc = -1;
	c->reply.os = errno;
	c->reply.code = (int32_t)code;
	snprintf(c->reply.text, sizeof(c->reply.text), "%s", text);
}

void keeper_deny(struct keeper_call *c, const char *text)
{
	errno = EACCES;
	refuse(c, ERR_DENIED, text);
}

void keeper_refuse_os(struct keeper_call *c, int os)
{
	errno = os;
	refuse(c, ERR_OS, strerror(os));
}

void keeper_refuse_err(struct keeper_call *c, const struct err *err)
{
	errno = err->os;
	refuse(c, err->code, err->text);
}

void keeper_give(struct keeper_call *c, int fd)
{
	c->give.at[c->give.n++] = fd;
}

/* ---- children ---- */

void keeper_add_child(struct keeper *k, pid_t pid, int pidfd, bool dies)
{
	struct keeper_child *child = NEW(struct keeper_child);

	child->pid = pid;
	child->pidfd = sys_dup(pidfd);
	child->dies = dies;
	list_add(&k->children, &child->link);
}

void keeper_forget_child(struct keeper_child *child)
{
	list_del(&child->link);
	fd_close(&child->pidfd);
	free(child);
}

struct keeper_child *keeper_find_child(struct keeper *k, pid_t pid)
{
	list_each(&k->children, it, next) {
		struct keeper_child *child =
			list_entry(it, struct keeper_child, link);

		if (child->pid == pid && pid > 0)
			return child;
	}
	return NULL;
}

void keeper_bury(struct keeper *k)
{
	struct sys_exit how;

	list_each(&k->children, it, next) {
		struct keeper_child *child =
			list_entry(it, struct keeper_child, link);

		if (child->dies)
			sys_pidfd_kill(child->pidfd, SIGKILL);
		if (!sys_pidfd_wait(child->pidfd, &how))
			keeper_forget_child(child);
	}
}

bool keeper_has_room(struct keeper_call *c)
{
	unsigned n = 0;

	list_each(&c->k->children, it, next)
		n++;
	if (n < CHILDREN_MAX)
		return true;
	keeper_refuse_os(c, EAGAIN);
	return false;
}

/* The real uid of a process; -1 if it is gone. */
static int64_t uid_of(pid_t pid)
{
	AUTO_FREE char *path = xasprintf("/proc/%d/status", (int)pid);
	AUTO_CLOSE int fd = sys_openat(AT_FDCWD, path, O_RDONLY, 0);
	char text[2048];
	ssize_t n = fd < 0 ? -1 : sys_read(fd, text, sizeof(text) - 1);
	const char *at;

	text[n > 0 ? n : 0] = '\0';
	at = strstr(text, "\nUid:\t");
	return at ? (int64_t)str_digits(at + strlen("\nUid:\t")) : -1;
}

bool keeper_is_qemu(int pidfd)
{
	pid_t pid = stranger_pid(pidfd);
	int64_t uid = pid > 0 ? uid_of(pid) : -1;

	return uid >= KEEPER_UID_FIRST && uid <= KEEPER_UID_LAST &&
	       stranger_pid(pidfd) == pid;
}

bool keeper_is_ours(struct keeper *k, int pidfd)
{
	return keeper_find_child(k, stranger_pid(pidfd)) ||
	       keeper_is_qemu(pidfd);
}

/* ---- paths ---- */

/* Step by step, so that no link of others leads elsewhere. */
int keeper_open_parent(char *path, char **leaf)
{
	AUTO_CLOSE int at = sys_openat(AT_FDCWD, "/", O_PATH | O_DIRECTORY, 0);
	char *word = path + 1;

	for (char *slash; at >= 0 && (slash = strchr(word, '/'));) {
		int next;

		*slash = '\0';
		next = sys_openat(
			at, word, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
		fd_close(&at);
		at = next;
		word = slash + 1;
	}
	*leaf = word;
	return TAKE_FD(at);
}
