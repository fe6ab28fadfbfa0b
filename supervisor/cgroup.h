/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Control groups of VMs: a leaf for each VM that has limits, below the group
 * that this supervisor is in, in cgroup v2, in v1, or with some controllers
 * here and some there.  A leaf exists only in hierarchies that a limit of
 * the VM needs: what nobody asked for costs no start anything.
 */
#ifndef SUPERVISOR_CGROUP_H
#define SUPERVISOR_CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

/* What a leaf limits; in the order in which it is written. */
enum cgroup_knob {
	CGROUP_CPUSET,
	CGROUP_CPU,
	CGROUP_CPU_WEIGHT,
	CGROUP_MEMORY,
	CGROUP_IO_WEIGHT,
	CGROUP_PIDS,
	CGROUP_NKNOBS
};

#define CGROUP_BIT(knob)  (1U << (knob))
#define CGROUP_CPUSET_MAX 128

struct cgroup_limits {
	unsigned set;        /* CGROUP_BIT()s: what is limited */
	uint64_t cpu;        /* percent of one processor */
	uint64_t cpu_weight; /* 1 to 10000, 100 is everybody's */
	uint64_t memory;     /* bytes */
	uint64_t io_weight;  /* as cpu_weight */
	uint64_t pids;
	char cpuset[CGROUP_CPUSET_MAX]; /* "0-3,8" */
};

/* How a process gets into its leaf before it becomes its program. */
#define CGROUP_JOINS 5
struct cgroup_birth {
	int into;               /* the leaf in v2, for clone3; -1: none */
	int procs;              /* its cgroup.procs; -1: none */
	int join[CGROUP_JOINS]; /* cgroup.procs of others, to write "0" to */
	size_t njoin;
	unsigned doors; /* 1 << controller: has one of these */
	unsigned lacks; /* CGROUP_BIT()s: what could not be limited */
	struct err why; /* the first of them */
};

struct cgroups;

/*
 * The groups that there are; root: "" or a directory with proc and sys of a
 * test.  name: of the directory of all our leaves.
 */
struct cgroups *cgroups_new(const char *root, const char *name);
void cgroups_free(struct cgroups *groups); /* accepts NULL; leaves stay */

/*
 * Makes the leaf of a VM, empty of what an earlier one left, and limits it.
 * Never fails: what cannot be limited is in birth->lacks.
 */
void cgroup_make(struct cgroups *groups, const char *vm,
	const struct cgroup_limits *limits, struct cgroup_birth *birth);
/*
 * The doors of a leaf that is there, for a process that is born into it; 0,
 * or -1 with err and nothing open.
 */
MUST_CHECK int cgroup_open(struct cgroups *groups, const char *vm,
	struct cgroup_birth *birth, struct err *err);
/* Closes what QEMU has taken. */
void cgroup_birth_end(struct cgroup_birth *birth);
/*
 * The limits of a process that runs, which is moved into leaves that are
 * new.  Limits that are none any more are lifted.  -1 at the first that
 * cannot be had; those before it hold.
 */
MUST_CHECK int cgroup_set(struct cgroups *groups, const char *vm, pid_t pid,
	const struct cgroup_limits *limits, struct err *err);
/*
 * What the kernel has for a knob as its key's text, "150%"; "" for no limit,
 * NULL where there is no leaf or nobody can tell.  New.
 */
char *cgroup_text(
	struct cgroups *groups, const char *vm, enum cgroup_knob knob);
/* The same of limits as they are wished. */
char *cgroup_wish(const struct cgroup_limits *limits, enum cgroup_knob knob);
/* Why a limit of a VM that runs does not hold. */
const char *cgroup_why(
	const struct cgroups *groups, const char *vm, enum cgroup_knob knob);
/* "cpu-weight": the key of a knob. */
const char *cgroup_key(enum cgroup_knob knob);
/* How many of a VM's leaf were killed for memory since it was made. */
uint64_t cgroup_oom_kills(struct cgroups *groups, const char *vm);
/*
 * Removes the leaves of a VM whose QEMU is gone; false: somebody is in one
 * still, whom the kernel was told to kill where it can (cgroup.kill).
 */
bool cgroup_remove(struct cgroups *groups, const char *vm);
/* Whom the kernel kills first when memory runs out: -1000 to 1000. */
MUST_CHECK int cgroup_score(pid_t pid, int score, struct err *err);

/* Those of the above that need root's power, by somebody who has it. */
struct cgroup_hand {
	void (*make)(const char *vm, const struct cgroup_limits *limits,
		struct cgroup_birth *birth);
	int (*set)(const char *vm, pid_t pid,
		const struct cgroup_limits *limits, struct err *err);
	bool (*remove)(const char *vm);
	int (*score)(pid_t pid, int score, struct err *err);
};
/* From now on he does them; NULL: we again. */
void cgroup_by(const struct cgroup_hand *hand);
/* vmward-1234abcd: of the directory of all leaves of one supervisor; new. */
char *cgroup_name(const char *run_dir);

#endif
