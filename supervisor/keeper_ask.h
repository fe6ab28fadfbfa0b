/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The brain's questions to the keeper, one at a time: each waits for its
 * answer, and the keeper waits for nothing: some microseconds.  Without a
 * keeper there is no brain: it ends at once, and its guests run on.
 */
#ifndef SUPERVISOR_KEEPER_ASK_H
#define SUPERVISOR_KEEPER_ASK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/spawn.h"
#include "supervisor/keeper_wire.h"

/* Through this descriptor; `serial`: of the last question that was asked. */
void keeper_ask_open(int fd, uint64_t serial);
/* True for a brain. */
bool keeper_ask_is_on(void);
/* What an image after us must be told: the descriptor, or -1. */
int keeper_ask_fd(void);
uint64_t keeper_ask_serial(void);

/* 0, or -1 with errno and err (NULL: nobody wants the words). */
int keeper_ask(struct keeper_request *rq, const struct keeper_fds *give,
	struct keeper_reply *reply, struct keeper_fds *got, struct err *err);
/* The same with at most one descriptor (or -1), and none in the answer. */
int keeper_ask_plain(struct keeper_request *rq, int give);
/*
 * With a plan's words and descriptors, to start a program: its pidfd, or -1
 * with err.
 */
int keeper_ask_spawn(struct keeper_request *rq, const struct spawn_plan *plan,
	struct keeper_reply *reply, struct err *err);
/* The one descriptor of an answer; -1: it has none. */
int keeper_take_one(struct keeper_fds *got);

#endif
