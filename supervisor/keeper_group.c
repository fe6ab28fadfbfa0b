/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Control groups of VMs; see keeper_group.h. */
#include "supervisor/keeper_group.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "base/stranger.h"
#include "base/sys.h"

bool keeper_name_is_vm(const char *name)
{
	return *name && *name != '.' &&
	       name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._@-")] ==
		       '\0';
}

/* Nothing but what the kernel's files take as one number or list. */
static bool limits_are_good(const struct cgroup_limits *l)
{
	return !(l->set & ~(CGROUP_BIT(CGROUP_NKNOBS) - 1)) &&
	       strnlen(l->cpuset, sizeof(l->cpuset)) < sizeof(l->cpuset) &&
	       l->cpuset[strspn(l->cpuset, "0123456789,-")] == '\0';
}

static const char *what_is_wrong(const struct keeper_group *g, size_t nfds)
{
	bool process = g->op == KEEPER_GROUP_SET || g->op == KEEPER_GROUP_SCORE;

	if (g->op >= KEEPER_GROUP_NOPS || nfds != 1U + process)
		return "a group's verb that is none";
	if (strnlen(g->vm, sizeof(g->vm)) == sizeof(g->vm) ||
		!keeper_name_is_vm(g->vm))
		return "a group of no VM";
	if (!limits_are_good(&g->limits) || g->score < -1000 || g->score > 1000)
		return "a limit that is none";
	return NULL;
}

static void make(struct keeper_call *c, const struct keeper_group *g)
{
	struct cgroup_birth birth;

	cgroup_make(c->k->cgroups, g->vm, &g->limits, &birth);
	cgroup_birth_end(&birth);
	c->reply.parts = birth.doors;
	c->reply.failed = birth.lacks;
	if (birth.lacks)
		snprintf(c->reply.text, sizeof(c->reply.text), "%s",
			birth.why.text);
}

/* Of a QEMU that lives: its number is nobody else's meanwhile. */
static void change(struct keeper_call *c, const struct keeper_group *g)
{
	int pidfd = c->got->at[1];
	pid_t pid = stranger_pid(pidfd);
	struct err err = ERR_INIT;

	if (!keeper_is_qemu(pidfd))
		keeper_refuse_os(c, pid > 0 ? EPERM : ESRCH);
	else if (g->op == KEEPER_GROUP_SET ? cgroup_set(c->k->cgroups, g->vm,
						     pid, &g->limits, &err)
					   : cgroup_score(pid, g->score, &err))
		keeper_refuse_err(c, &err);
}

void keeper_do_group(struct keeper_call *c)
{
	struct keeper_group g;
	size_t size = 0;

	if (!keeper_is_sealed(c->got->at[0], sizeof(g), &size) ||
		size != sizeof(g) ||
		sys_pread(c->got->at[0], &g, sizeof(g), 0) !=
			(ssize_t)sizeof(g))
		c->nonsense = "a batch that can change";
	else
		c->nonsense = what_is_wrong(&g, c->got->n);
	if (c->nonsense)
		return;
	if (g.op == KEEPER_GROUP_MAKE)
		make(c, &g);
	else if (g.op == KEEPER_GROUP_REMOVE)
		c->reply.parts = cgroup_remove(c->k->cgroups, g.vm);
	else
		change(c, &g);
}
