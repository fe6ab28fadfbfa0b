/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the keeper does for the brain; see keeper_serve.h. */
#include "supervisor/keeper_serve.h"

#include <errno.h>
#include <signal.h>

#include "base/mem.h"
#include "base/stranger.h"
#include "base/sys.h"
#include "supervisor/keeper_file.h"
#include "supervisor/keeper_group.h"
#include "supervisor/keeper_net.h"
#include "supervisor/keeper_renew.h"
#include "supervisor/keeper_run.h"

static void do_kill(struct keeper_call *c)
{
	static const int known[] = { SIGTERM, SIGKILL, SIGSTOP, SIGCONT, SIGINT,
		SIGQUIT, SIGABRT, SIGHUP };
	bool good = false;

	for (size_t i = 0; i < NELEMS(known); i++)
		good |= c->rq->number == known[i];
	if (!good)
		c->nonsense = "a signal that is none";
	else if (!keeper_is_ours(c->k, c->got->at[0]))
		keeper_refuse_os(
			c, stranger_pid(c->got->at[0]) > 0 ? EPERM : ESRCH);
	else if (sys_pidfd_kill(c->got->at[0], c->rq->number))
		keeper_refuse_os(c, errno);
}

static void do_kill_group(struct keeper_call *c)
{
	if (!keeper_find_child(c->k, c->rq->number))
		keeper_refuse_os(c, ESRCH);
	else if (sys_kill_group(c->rq->number))
		keeper_refuse_os(c, errno);
}

/* reply.pid: its wait status; EAGAIN: it lives; ECHILD: it is not ours. */
static void do_wait(struct keeper_call *c)
{
	struct keeper_child *child =
		keeper_find_child(c->k, stranger_pid(c->got->at[0]));
	struct sys_exit how;

	if (!child) {
		keeper_refuse_os(c, ECHILD);
		return;
	}
	if (sys_pidfd_wait(child->pidfd, &how)) {
		keeper_refuse_os(c, errno);
		return;
	}
	c->reply.pid = how.signalled ? how.code : how.code << 8;
	if (!how.known)
		keeper_refuse_os(c, ECHILD);
	keeper_forget_child(child);
}

/* Of a QEMU alone: what a hook has open is root's. */
static void do_getfd(struct keeper_call *c)
{
	int fd = -1;

	if (c->rq->number < 0)
		c->nonsense = "a descriptor that is none";
	else if (!keeper_is_qemu(c->got->at[0]))
		keeper_refuse_os(c, EPERM);
	else if ((fd = sys_pidfd_getfd(c->got->at[0], c->rq->number)) < 0)
		keeper_refuse_os(c, errno);
	else
		keeper_give(c, fd);
}

/* Does not return, or nothing changed. */
static void do_renew(struct keeper_call *c)
{
	struct err err = ERR_INIT;

	if (keeper_renew(c->k, &err))
		keeper_refuse_err(c, &err);
}

static void (*const table[KEEPER_NVERBS])(struct keeper_call *c) = {
	[KEEPER_RENEW] = do_renew,
	[KEEPER_OPEN] = keeper_do_open,
	[KEEPER_CREATE] = keeper_do_create,
	[KEEPER_MAKE_DIR] = keeper_do_make_dir,
	[KEEPER_REMOVE] = keeper_do_remove,
	[KEEPER_RENAME] = keeper_do_rename,
	[KEEPER_QEMU] = keeper_do_qemu,
	[KEEPER_HELPER] = keeper_do_helper,
	[KEEPER_TOOL] = keeper_do_tool,
	[KEEPER_HOOK] = keeper_do_hook,
	[KEEPER_KILL] = do_kill,
	[KEEPER_KILL_GROUP] = do_kill_group,
	[KEEPER_WAIT] = do_wait,
	[KEEPER_NET] = keeper_do_net,
	[KEEPER_TAP_AGAIN] = keeper_do_tap_again,
	[KEEPER_LISTEN_RULES] = keeper_do_listen_rules,
	[KEEPER_GROUP] = keeper_do_group,
	[KEEPER_GETFD] = do_getfd,
	[KEEPER_GIVE] = keeper_do_give,
};

void keeper_serve(struct keeper_call *c)
{
	c->reply = (struct keeper_reply){ .serial = c->rq->serial, .pid = -1 };
	c->give.n = 0;
	c->nonsense = NULL;
	table[c->rq->verb](c);
}
