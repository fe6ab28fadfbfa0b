/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The keeper becomes the program on disk; see keeper_renew.h. */
#include "supervisor/keeper_renew.h"

#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"
#include "base/sys_exec.h"
#include "base/words.h"

#define OPTION       "--keeper-state"
#define STATE_MAGIC  0x766d6b73 /* "vmks" */
#define CHILDREN_MAX 65536

/* What an image leaves to the next one; then its children. */
struct state {
	uint32_t magic;
	int32_t fd;
	uint64_t serial;
	int32_t brain;
	int32_t brain_fd;
	uint64_t nchildren;
};

struct state_child {
	int32_t pid;
	int32_t pidfd;
	int32_t dies;
};

/* Everything that the next image needs stays open, or closes again. */
static void keep_all(struct keeper *k, int state, bool keep)
{
	exec_keep(state, keep);
	exec_keep(k->fd, keep);
	exec_keep(k->brain_fd, keep);
	list_each(&k->children, it, next)
		exec_keep(
			list_entry(it, struct keeper_child, link)->pidfd, keep);
}

static int save(struct keeper *k, struct err *err)
{
	AUTO_STR struct str text = STR_INIT;
	struct state head = { .magic = STATE_MAGIC,
		.fd = k->fd,
		.serial = k->serial,
		.brain = k->brain,
		.brain_fd = k->brain_fd };

	list_each(&k->children, it, next)
		head.nchildren++;
	str_addn(&text, (const char *)&head, sizeof(head));
	list_each(&k->children, it2, next2) {
		const struct keeper_child *child =
			list_entry(it2, struct keeper_child, link);
		const struct state_child one = { child->pid, child->pidfd,
			child->dies };

		str_addn(&text, (const char *)&one, sizeof(one));
	}
	return exec_memfd(text.data, text.len, err);
}

int keeper_renew(struct keeper *k, struct err *err)
{
	static const char *const drop[] = { OPTION, NULL };
	int state = save(k, err);
	AUTO_FREE char *number = xasprintf("%d", state);
	const char *const add[] = { OPTION, number, NULL };
	AUTO_FREE char **argv = words_anew(k->argv, drop, add);
	int rc;

	if (state < 0)
		return -1;
	log_info(NULL, "the keeper becomes %s", k->program);
	exec_hold_signals(true);
	keep_all(k, state, true);
	rc = exec_over(k->program, argv, err);
	keep_all(k, state, false);
	exec_hold_signals(false);
	sys_close(state);
	return rc;
}

static void take_child(struct keeper *k, const struct state_child *one)
{
	struct keeper_child *child = NEW(struct keeper_child);

	child->pid = one->pid;
	child->pidfd = one->pidfd;
	child->dies = one->dies;
	list_add(&k->children, &child->link);
}

int keeper_resume(struct keeper *k, int state, struct err *err)
{
	struct state head;
	struct state_child one;
	off_t at = sizeof(head);

	if (sys_pread(state, &head, sizeof(head), 0) != (ssize_t)sizeof(head) ||
		head.magic != STATE_MAGIC || head.nchildren > CHILDREN_MAX)
		return err_set(err, ERR_BUG, "this is no state of a keeper");
	k->fd = head.fd;
	k->serial = head.serial;
	k->brain = head.brain;
	k->brain_fd = head.brain_fd;
	for (uint64_t i = 0; i < head.nchildren; i++) {
		if (sys_pread(state, &one, sizeof(one), at) !=
			(ssize_t)sizeof(one))
			return err_set(err, ERR_BUG,
				"the state of the keeper is too short");
		at += (off_t)sizeof(one);
		take_child(k, &one);
	}
	keep_all(k, -1, false);
	sys_close(state);
	return 0;
}
