/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Questions to the keeper; see keeper_ask.h. */
#include "supervisor/keeper_ask.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/sys.h"

enum { LOST = 111 }; /* the service manager starts both again */

static struct {
	int fd;
	uint64_t serial;
} keeper = { .fd = -1 };

void keeper_ask_open(int fd, uint64_t serial)
{
	keeper.fd = fd;
	keeper.serial = serial;
}

bool keeper_ask_is_on(void)
{
	return keeper.fd >= 0;
}

int keeper_ask_fd(void)
{
	return keeper.fd;
}

uint64_t keeper_ask_serial(void)
{
	return keeper.serial;
}

/* Guests go on; whoever starts us next finds them. */
_Noreturn static void without_keeper(const char *why)
{
	log_error(NULL, "the keeper is gone (%s): leaving", why);
	_exit(LOST);
}

static void take_error(const struct keeper_reply *reply, struct err *err)
{
	if (!err || reply->rc == 0)
		return;
	err_set(err, (enum err_code)reply->code, "%.*s",
		(int)sizeof(reply->text) - 1, reply->text);
	err->os = reply->os;
}

int keeper_ask(struct keeper_request *rq, const struct keeper_fds *give,
	struct keeper_reply *reply, struct keeper_fds *got, struct err *err)
{
	rq->serial = ++keeper.serial;
	if (keeper_send(keeper.fd, rq, sizeof(*rq), give))
		without_keeper(strerror(errno));
	if (keeper_receive(keeper.fd, reply, sizeof(*reply), got) !=
			(ssize_t)sizeof(*reply) ||
		reply->serial != rq->serial)
		without_keeper("no answer");
	take_error(reply, err);
	errno = reply->os;
	return reply->rc;
}

int keeper_ask_plain(struct keeper_request *rq, int give)
{
	struct keeper_fds one = { .n = give >= 0, .at = { give } };
	struct keeper_fds got = { .n = 0 };
	struct keeper_reply reply;
	int rc = keeper_ask(rq, &one, &reply, &got, NULL);

	keeper_fds_close(&got);
	return rc ? -1 : 0;
}

int keeper_take_one(struct keeper_fds *got)
{
	int fd = got->n > 0 ? got->at[0] : -1;

	got->at[0] = -1;
	for (size_t i = 1; i < got->n; i++)
		sys_close(got->at[i]);
	got->n = 0;
	return fd;
}

int keeper_ask_spawn(struct keeper_request *rq, const struct spawn_plan *plan,
	struct keeper_reply *reply, struct err *err)
{
	AUTO_CLOSE int batch = keeper_batch_write(plan, err);
	struct keeper_fds give = { .n = 1, .at = { batch } };
	struct keeper_fds got = { .n = 0 };

	if (batch < 0)
		return -1;
	if (plan->nfds >= KEEPER_FDS)
		return err_set(err, ERR_LIMIT,
			"cannot start '%s': too many descriptors", plan->path);
	for (size_t i = 0; i < plan->nfds; i++)
		give.at[give.n++] = plan->fds[i].from;
	return keeper_ask(rq, &give, reply, &got, err) ? -1
						       : keeper_take_one(&got);
}
