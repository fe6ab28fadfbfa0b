/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the keeper is made of: itself, its children, and a request of the
 * brain at work with its answer.
 */
#ifndef SUPERVISOR_KEEPER_CALL_H
#define SUPERVISOR_KEEPER_CALL_H

#include <stdbool.h>

#include "base/err.h"
#include "base/list.h"
#include "base/loop.h"
#include "base/paths.h"
#include "supervisor/cgroup.h"
#include "supervisor/keeper_wire.h"

/* A child of the keeper that nobody reaped so far. */
struct keeper_child {
	struct list link; /* keeper.children */
	pid_t pid;
	int pidfd;
	bool dies; /* with the brain that asked for it */
};

struct keeper {
	struct paths paths;
	char *program; /* our own file */
	char **argv;   /* as we were called */
	int notify_fd; /* for the first brain; or -1 */
	int fd;        /* to the brain */
	uint64_t serial;
	pid_t brain;
	int brain_fd; /* its pidfd, or -1 */
	int64_t began_ms;
	struct cgroups *cgroups;
	bool lost; /* of nonsense */
	int status;
	struct list children;
	struct loop_io io;
	struct loop_child end;
	struct loop_timer again;
	struct loop_signal signals[4];
};

/* A request at work: what it brought, and what it is answered. */
struct keeper_call {
	struct keeper *k;
	const struct keeper_request *rq;
	const struct keeper_fds *got;
	struct keeper_reply reply;
	struct keeper_fds give;
	const char *nonsense; /* why the keeper dies of it; or NULL */
};

/* The answer is no: nobody granted it, and why that matters. */
void keeper_deny(struct keeper_call *call, const char *text);
/* The same with an errno alone, or with what an err has. */
void keeper_refuse_os(struct keeper_call *call, int os);
void keeper_refuse_err(struct keeper_call *call, const struct err *err);
/* One more descriptor of the answer; it is the answer's then. */
void keeper_give(struct keeper_call *call, int fd);

/* Remembers a child; its pidfd stays the caller's. */
void keeper_add_child(struct keeper *k, pid_t pid, int pidfd, bool dies);
/* False, with the answer no: it has too many children. */
bool keeper_has_room(struct keeper_call *call);
/* The child of that pid, or NULL. */
struct keeper_child *keeper_find_child(struct keeper *k, pid_t pid);
/* Of one that is reaped. */
void keeper_forget_child(struct keeper_child *child);
/* Kills those that die with the brain, reaps all that are dead. */
void keeper_bury(struct keeper *k);
/* True for who runs as a user of VMs: a QEMU or a helper of one. */
bool keeper_is_qemu(int pidfd);
/* True for a child, and for the QEMU of an earlier keeper: by its user. */
bool keeper_is_ours(struct keeper *k, int pidfd);

/*
 * The directory of an absolute path, and the name in it; cuts the path, and
 * follows no link of anybody's.  -1 with errno.
 */
int keeper_open_parent(char *path, char **leaf);

#endif
