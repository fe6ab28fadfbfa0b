/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Verbs that start programs; see keeper_run.h. */
#include "supervisor/keeper_run.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sys/stat.h>

#include "base/confine.h"
#include "base/landlock.h"
#include "base/mem.h"
#include "base/spawn.h"
#include "base/str.h"
#include "base/sys.h"
#include "supervisor/host_helper.h"
#include "supervisor/host_qemu.h"
#include "supervisor/keeper_grant.h"
#include "supervisor/keeper_group.h"

#define MUST (CONFINE_BIT(CONFINE_USER) | CONFINE_BIT(CONFINE_PRIVILEGES))
#define MAY                                                                  \
	(MUST | CONFINE_BIT(CONFINE_DEVICES) | CONFINE_BIT(CONFINE_LIMITS) | \
		CONFINE_BIT(CONFINE_FILES))
#define NET_CAPS                                                     \
	(UINT64_C(1) << CAP_NET_ADMIN | UINT64_C(1) << CAP_NET_RAW | \
		UINT64_C(1) << CAP_NET_BIND_SERVICE)

/* The batch is the first descriptor, the program's own follow. */
static bool read_batch(struct keeper_call *c, struct keeper_batch *batch)
{
	const struct keeper_fds *got = c->got;

	if (keeper_batch_read(got->at[0], got->n - 1, batch, &c->nonsense))
		return false;
	for (size_t i = 0; i < batch->nfds; i++)
		batch->fds[i].from = got->at[batch->fds[i].from + 1];
	return true;
}

static void give_child(struct keeper_call *c, pid_t pid, int pidfd, bool dies)
{
	keeper_add_child(c->k, pid, pidfd, dies);
	c->reply.pid = pid;
	keeper_give(c, pidfd);
}

/* A group only for a device that the group, and not all, may open. */
static bool group_is_good(uint32_t group)
{
	static const char *const at[] = { "/dev/kvm", "/dev/vhost-net",
		"/dev/vhost-vsock" };
	struct stat st;

	for (size_t i = 0; group && i < NELEMS(at); i++)
		if (!sys_fstatat(AT_FDCWD, at[i], &st, 0) &&
			st.st_gid == group && S_ISCHR(st.st_mode) &&
			(st.st_mode & 060) == 060)
			return true;
	return group == 0;
}

static const char *what_is_wrong(const struct keeper_shut *shut)
{
	if ((shut->parts & MUST) != MUST || shut->parts & ~MAY)
		return "a QEMU that is not shut in";
	if (shut->uid < KEEPER_UID_FIRST || shut->uid > KEEPER_UID_LAST)
		return "a user that is no QEMU's";
	if (!group_is_good(shut->group) || shut->online > 1)
		return "a group that is no device's";
	return NULL;
}

static struct host_confine wish_of(const struct keeper_shut *shut)
{
	return (struct host_confine){ .parts = shut->parts,
		.must = true,
		.online = shut->online,
		.uid = shut->uid,
		.group = shut->group,
		.tasks = shut->tasks,
		.locked = shut->locked };
}

static void give_shut_in(
	struct keeper_call *c, const struct host_qemu *child, bool dies)
{
	c->reply.parts = child->parts;
	give_child(c, child->pid, child->pidfd, dies);
}

static void refuse_shut_in(struct keeper_call *c, const struct host_qemu *child,
	const struct err *err)
{
	keeper_refuse_err(c, err);
	c->reply.failed = (uint32_t)child->failed;
}

static void run_qemu(struct keeper_call *c, const struct keeper_batch *batch,
	const struct spawn_group *group)
{
	const struct spawn_plan plan = { .path = c->rq->path,
		.argv = batch->argv,
		.fds = batch->fds,
		.nfds = batch->nfds,
		.new_session = true,
		.group = group };
	const struct host_confine wish = wish_of(&c->rq->shut);
	struct host_qemu qemu = { .pidfd = -1 };
	struct err err = ERR_INIT;

	if (host_qemu_run(&plan, &wish, NULL, &qemu, &err))
		refuse_shut_in(c, &qemu, &err);
	else
		give_shut_in(c, &qemu, false);
}

/* In the groups of its VM, if it has some. */
static void run_in_groups(
	struct keeper_call *c, const struct keeper_batch *batch)
{
	const char *vm = c->rq->name;
	struct cgroup_birth birth = { .into = -1, .procs = -1 };
	struct err err = ERR_INIT;

	if (*vm && cgroup_open(c->k->cgroups, vm, &birth, &err)) {
		keeper_refuse_err(c, &err);
		return;
	}
	run_qemu(c, batch,
		&(struct spawn_group){ .into = birth.into,
			.procs = birth.procs,
			.join = birth.join,
			.njoin = birth.njoin });
	cgroup_birth_end(&birth);
}

void keeper_do_qemu(struct keeper_call *c)
{
	const char *name = c->rq->name;
	struct keeper_batch batch;

	c->nonsense = what_is_wrong(&c->rq->shut);
	if (!c->nonsense && !keeper_path_is_plain(c->rq->path))
		c->nonsense = "a path that is none";
	if (!c->nonsense && *name && !keeper_name_is_vm(name))
		c->nonsense = "a group of no VM";
	if (c->nonsense || !keeper_has_room(c) || !read_batch(c, &batch))
		return;
	if (keeper_is_roots_program(c->rq->path))
		run_in_groups(c, &batch);
	else
		keeper_deny(c, "the keeper runs a QEMU that root alone can "
			       "change, in directories of root's");
	keeper_batch_fini(&batch);
}

/* The descriptor for that place; -1: there is none. */
static int file_at(const struct keeper_batch *batch, int place)
{
	for (size_t i = 0; i < batch->nfds; i++)
		if (batch->fds[i].to == place)
			return batch->fds[i].from;
	return -1;
}

static void run_helper(struct keeper_call *c, const struct keeper_batch *batch)
{
	const struct spawn_plan plan = { .path = c->rq->name,
		.argv = batch->argv,
		.fds = batch->fds,
		.nfds = batch->nfds,
		.new_session = true };
	const struct host_confine wish = wish_of(&c->rq->shut);
	struct host_qemu child = { .pidfd = -1 };
	struct err err = ERR_INIT;

	if (host_helper_run(c->rq->name, &plan, file_at(batch, c->rq->number),
		    &wish, &child, &err))
		refuse_shut_in(c, &child, &err);
	else
		give_shut_in(c, &child, false);
}

void keeper_do_helper(struct keeper_call *c)
{
	struct keeper_batch batch;

	c->nonsense = what_is_wrong(&c->rq->shut);
	if (!c->nonsense && !host_helper_is_known(c->rq->name))
		c->nonsense = "a program that is none of ours";
	if (c->nonsense || !keeper_has_room(c) || !read_batch(c, &batch))
		return;
	run_helper(c, &batch);
	keeper_batch_fini(&batch);
}

static void run_program(struct keeper_call *c, const struct spawn_plan *plan)
{
	struct err err = ERR_INIT;
	pid_t pid;
	int pidfd;

	if (spawn(plan, &pid, &pidfd, &err))
		keeper_refuse_err(c, &err);
	else
		give_child(c, pid, pidfd, true);
}

/*
 * A tool starts no other program: dnsmasq would, by a line of its file, and
 * that one would have its rights.
 */
static void start_tool(
	struct keeper_call *c, const char *path, const struct keeper_batch *b)
{
	const struct confine_rule rules[] = {
		{ "/", ~(uint64_t)FS_EXECUTE },
		{ "/lib", FS_PROGRAM },
		{ "/lib64", FS_PROGRAM },
		{ "/usr/lib", FS_PROGRAM },
		{ path, FS_EXECUTE | FS_READ_FILE },
	};
	const bool shut_in = landlock_version() > 0;
	const struct confine shut = {
		.parts = MUST | (shut_in ? CONFINE_BIT(CONFINE_FILES) : 0),
		.uid = KEEPER_UID,
		.caps = NET_CAPS,
		.rules = rules,
		.nrules = NELEMS(rules)
	};
	const struct spawn_plan plan = { .path = path,
		.argv = b->argv,
		.fds = b->fds,
		.nfds = b->nfds,
		.confine = &shut,
		.die_with_us = true };

	run_program(c, &plan);
}

/* A program that the kernel's networks are told by, with that right alone. */
void keeper_do_tool(struct keeper_call *c)
{
	static const char *const names[] = { "nft", "dnsmasq" };
	AUTO_FREE char *path = NULL;
	struct keeper_batch batch;
	bool known = false;

	for (size_t i = 0; i < NELEMS(names); i++)
		known |= str_eq(c->rq->name, names[i]);
	if (!known)
		c->nonsense = "a program that is none of ours";
	if (c->nonsense || !keeper_has_room(c) || !read_batch(c, &batch))
		return;
	path = spawn_find(c->rq->name);
	if (path)
		start_tool(c, path, &batch);
	else
		keeper_refuse_os(c, ENOENT);
	keeper_batch_fini(&batch);
}

/*
 * Hooks are told of a VM, and nothing that changes how a program loads, or
 * which one a script finds.
 */
static bool env_is_good(const char *const *env)
{
	for (; *env; env++)
		if (!str_starts(*env, "VMWARD_") &&
			!str_eq(*env, "PATH=" CHILD_PATH) &&
			!str_eq(*env, "LANG=" CHILD_LANG))
			return false;
	return true;
}

void keeper_do_hook(struct keeper_call *c)
{
	AUTO_FREE char *program = NULL;
	struct keeper_batch batch;

	if (!keeper_has_room(c) || !read_batch(c, &batch))
		return;
	program = keeper_may_run(&c->k->paths, batch.argv);
	const struct spawn_plan plan = { .path = program,
		.argv = batch.argv,
		.env = batch.env,
		.fds = batch.fds,
		.nfds = batch.nfds,
		.new_session = true,
		.die_with_us = true };
	if (!env_is_good(batch.env))
		c->nonsense = "an environment that no hook has";
	else if (!program)
		keeper_refuse_os(c, EACCES);
	else
		run_program(c, &plan);
	keeper_batch_fini(&batch);
}
