/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a child gives up before it becomes its program: its user, all
 * capabilities, new privileges, files that Landlock's rules do not name, and
 * where it must be the devices of the host.  Entered by base/child between
 * vfork and exec, so by plain system calls only.
 */
#ifndef BASE_CONFINE_H
#define BASE_CONFINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The steps, in their order; each may fail by itself. */
enum confine_part {
	CONFINE_NONE,
	CONFINE_DEVICES,
	CONFINE_LIMITS,
	CONFINE_USER,
	CONFINE_PRIVILEGES,
	CONFINE_FILES,
	CONFINE_NPARTS
};

/* A file, or all below a directory, and what may be done with it. */
struct confine_rule {
	const char *path;
	uint64_t allowed; /* FS_ of base/landlock.h */
};

#define CONFINE_BIT(part) (1U << (part))

struct confine {
	unsigned parts;  /* CONFINE_BIT()s: the steps to take */
	uid_t uid;       /* CONFINE_USER: its user, and its group */
	gid_t group;     /* one more group; 0: none */
	uint64_t tasks;  /* CONFINE_LIMITS: of its user; 0: as we */
	uint64_t locked; /* bytes of memory that it may lock; 0: as we */
	uint64_t caps;   /* bits of capabilities that it has all the same */
	const struct confine_rule *rules; /* CONFINE_FILES */
	size_t nrules;
};

/* In the parent: the set of Landlock's rules; -1 with errno. */
int confine_prepare(const struct confine *confine);
/*
 * In the child, with that set (or -1): 0, or -1 with errno and the part that
 * failed.
 */
int confine_enter(
	const struct confine *confine, int rules, enum confine_part *part);
/* "becoming its user". */
const char *confine_part_name(enum confine_part part);

#endif
