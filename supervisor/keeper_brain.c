/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the keeper does for the brain; see keeper_brain.h. */
#include "supervisor/keeper_brain.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/sys.h"
#include "base/sys_exec.h"
#include "supervisor/cgroup.h"
#include "supervisor/host_helper.h"
#include "supervisor/host_net.h"
#include "supervisor/host_qemu.h"
#include "supervisor/keeper_ask.h"

/* ---- programs under other users ---- */

static void fill_shut(struct keeper_shut *shut, const struct host_confine *wish)
{
	*shut = (struct keeper_shut){ .parts = wish->parts,
		.uid = wish->uid,
		.group = wish->group,
		.online = wish->online,
		.tasks = wish->tasks,
		.locked = wish->locked };
}

/* Parts that could not be, if the VM can do without; else false. */
static bool leave_out(struct host_confine *wish, uint32_t failed)
{
	/* the user and its powers are not what can be left out */
	if (wish->must || failed == CONFINE_NONE || failed == CONFINE_USER ||
		failed == CONFINE_PRIVILEGES || failed >= CONFINE_NPARTS)
		return false;
	wish->parts &= ~CONFINE_BIT(failed);
	return true;
}

/* `like` is what is asked, but for what the program gives up. */
static int run_shut_in(const struct keeper_request *like,
	const struct spawn_plan *plan, const struct host_confine *wish,
	struct host_qemu *out, struct err *err)
{
	struct host_confine now = *wish;
	struct keeper_reply reply;

	if (wish->uid < KEEPER_UID_FIRST || wish->uid > KEEPER_UID_LAST)
		return err_set(err, ERR_CONFIG,
			"[confinement] uid-range: the keeper takes no other "
			"than %u-%u",
			KEEPER_UID_FIRST, KEEPER_UID_LAST);
	do {
		struct keeper_request rq = *like;

		err_clear(err);
		fill_shut(&rq.shut, &now);
		reply = (struct keeper_reply){ .failed = CONFINE_NONE };
		out->pidfd = keeper_ask_spawn(&rq, plan, &reply, err);
	} while (out->pidfd < 0 && leave_out(&now, reply.failed));
	out->failed = (enum confine_part)reply.failed;
	out->pid = reply.pid;
	out->parts = reply.parts;
	return out->pidfd < 0 ? -1 : 0;
}

static int run_qemu(const struct spawn_plan *plan,
	const struct host_confine *wish, const char *home UNUSED,
	struct host_qemu *out, struct err *err)
{
	struct keeper_request rq;

	if (wish->ssh)
		return err_set(err, ERR_UNSUPPORTED,
			"a disk of ssh:// is not known with --keeper");
	if (strlen(plan->path) >= sizeof(rq.path))
		return err_set(err, ERR_LIMIT, "the path '%s' is too long",
			plan->path);
	keeper_request_init(&rq, KEEPER_QEMU);
	snprintf(rq.path, sizeof(rq.path), "%s", plan->path);
	if (plan->group && plan->group->of)
		snprintf(rq.name, sizeof(rq.name), "%s", plan->group->of);
	return run_shut_in(&rq, plan, wish, out, err);
}

/* Where it finds its directory; -1: it has none. */
static int place_of(const struct spawn_plan *plan, int fd)
{
	for (size_t i = 0; fd >= 0 && i < plan->nfds; i++)
		if (plan->fds[i].from == fd)
			return plan->fds[i].to;
	return -1;
}

static int run_helper(const char *name, const struct spawn_plan *plan, int dir,
	const struct host_confine *wish, struct host_qemu *out, struct err *err)
{
	struct keeper_request rq;

	keeper_request_init(&rq, KEEPER_HELPER);
	snprintf(rq.name, sizeof(rq.name), "%s", name);
	rq.number = place_of(plan, dir);
	return run_shut_in(&rq, plan, wish, out, err);
}

/* ---- networks ---- */

static int net_call(const struct host_net_request *net,
	struct host_net_reply *out, struct err *err)
{
	AUTO_CLOSE int batch = exec_memfd((const char *)net, sizeof(*net), err);
	struct keeper_fds give = { .n = 1, .at = { batch } };
	struct keeper_fds got = { .n = 0 };
	struct keeper_request rq;
	struct keeper_reply reply;

	*out = (struct host_net_reply){ .changed = false };
	if (batch < 0)
		return -1;
	keeper_request_init(&rq, KEEPER_NET);
	if (keeper_ask(&rq, &give, &reply, &got, err))
		return -1;
	out->changed = reply.parts;
	for (size_t i = 0; i < got.n && i < TAP_QUEUES_MAX; i++)
		out->fds[i] = got.at[i];
	return 0;
}

static int tap_again(int pidfd, int first, unsigned queues, const char *name,
	struct err *err)
{
	struct keeper_fds give = { .n = 1, .at = { pidfd } };
	struct keeper_fds got = { .n = 0 };
	struct keeper_request rq;
	struct keeper_reply reply;

	keeper_request_init(&rq, KEEPER_TAP_AGAIN);
	snprintf(rq.name, sizeof(rq.name), "%s", name);
	rq.number = first;
	rq.flags = queues;
	return keeper_ask(&rq, &give, &reply, &got, err);
}

/* ---- control groups ---- */

static int ask_group(const struct keeper_group *group, pid_t pid,
	struct keeper_reply *reply, struct err *err)
{
	AUTO_CLOSE int batch =
		exec_memfd((const char *)group, sizeof(*group), err);
	AUTO_CLOSE int pidfd = pid > 0 ? sys_pidfd_open(pid) : -1;
	struct keeper_fds give = { .n = 1U + (pid > 0),
		.at = { batch, pidfd } };
	struct keeper_fds got = { .n = 0 };
	struct keeper_request rq;

	if (batch < 0)
		return -1;
	if (pid > 0 && pidfd < 0)
		return err_os(err, "cannot find QEMU");
	keeper_request_init(&rq, KEEPER_GROUP);
	return keeper_ask(&rq, &give, reply, &got, err);
}

static struct keeper_group group_of(enum keeper_group_op op, const char *vm)
{
	struct keeper_group group = { .op = op };

	snprintf(group.vm, sizeof(group.vm), "%s", vm);
	return group;
}

static void group_make(const char *vm, const struct cgroup_limits *limits,
	struct cgroup_birth *birth)
{
	struct keeper_group group = group_of(KEEPER_GROUP_MAKE, vm);
	struct keeper_reply reply;

	group.limits = *limits;
	birth->lacks = limits->set;
	if (ask_group(&group, 0, &reply, &birth->why))
		return;
	birth->doors = reply.parts;
	birth->lacks = reply.failed;
	if (birth->lacks)
		err_set(&birth->why, ERR_OS, "%.*s",
			(int)sizeof(reply.text) - 1, reply.text);
}

static int group_set(const char *vm, pid_t pid,
	const struct cgroup_limits *limits, struct err *err)
{
	struct keeper_group group = group_of(KEEPER_GROUP_SET, vm);
	struct keeper_reply reply;

	group.limits = *limits;
	return ask_group(&group, pid, &reply, err);
}

static bool group_remove(const char *vm)
{
	struct keeper_group group = group_of(KEEPER_GROUP_REMOVE, vm);
	struct keeper_reply reply;
	struct err err = ERR_INIT;

	return !ask_group(&group, 0, &reply, &err) && reply.parts;
}

static int group_score(pid_t pid, int score, struct err *err)
{
	struct keeper_group group = group_of(KEEPER_GROUP_SCORE, "-");
	struct keeper_reply reply;

	group.score = score;
	return ask_group(&group, pid, &reply, err);
}

void keeper_brain_open(void)
{
	static const struct cgroup_hand groups = { group_make, group_set,
		group_remove, group_score };

	host_qemu_by(run_qemu);
	host_helper_by(run_helper);
	host_net_by(net_call, tap_again);
	cgroup_by(&groups);
}
