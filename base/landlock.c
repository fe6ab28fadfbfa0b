/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Landlock; see landlock.h. */
#include "base/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* of linux/landlock.h, which old headers lack */
#define LANDLOCK_CREATE 444
#define LANDLOCK_ADD    445
#define LANDLOCK_SELF   446
#define ASK_VERSION     1
#define RULE_BENEATH    1

enum {
	FS_FIRST = (1 << 13) - 1, /* all that the first version knew */
	FS_REFER = 1 << 13,
};

/* Version 6: no signals and no abstract sockets of those outside. */
enum { SCOPE_ALL = 3 };

struct ruleset {
	uint64_t handled;
	uint64_t net;
	uint64_t scoped;
};

struct rule {
	uint64_t allowed;
	int32_t parent;
} __attribute__((packed));

int landlock_version(void)
{
	int version = (int)syscall(LANDLOCK_CREATE, NULL, 0, ASK_VERSION);

	return version < 0 ? 0 : version;
}

static uint64_t handled(void)
{
	int version = landlock_version();

	return FS_FIRST | (version >= 2 ? FS_REFER : 0) |
	       (version >= 3 ? FS_TRUNCATE : 0);
}

int landlock_new(void)
{
	const struct ruleset set = { .handled = handled(),
		.scoped = SCOPE_ALL };
	size_t size =
		landlock_version() >= 6 ? sizeof(set) : sizeof(set.handled);

	return (int)syscall(LANDLOCK_CREATE, &set, size, 0);
}

/* What is no directory takes no rule about directories. */
static uint64_t fitting(int fd, uint64_t allowed)
{
	struct stat st;

	if (fstat(fd, &st) || S_ISDIR(st.st_mode))
		return allowed;
	return allowed &
	       ~(uint64_t)(FS_READ_DIR | FS_REMOVE_FILE | FS_MAKE_FILE);
}

int landlock_allow(int rules, const char *path, uint64_t allowed)
{
	struct rule rule = { .parent = open(path, O_PATH | O_CLOEXEC) };
	int rc;

	if (rule.parent < 0)
		return errno == ENOENT || errno == ENOTDIR || errno == EACCES
			       ? 0
			       : -1;
	rule.allowed = fitting(rule.parent, allowed) & handled();
	rc = (int)syscall(LANDLOCK_ADD, rules, RULE_BENEATH, &rule, 0);
	close(rule.parent);
	return rc;
}

int landlock_enter(int rules)
{
	return (int)syscall(LANDLOCK_SELF, rules, 0);
}
