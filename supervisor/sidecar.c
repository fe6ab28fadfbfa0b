/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A helper process beside a QEMU; see sidecar.h. */
#include "supervisor/sidecar.h"

#include <sys/socket.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/sys.h"
#include "supervisor/host_helper.h"

/* One that runs: known until it ends, to be reaped. */
struct known {
	struct loop_child child;
	char *vm;
	char *what;
	const char *loss;
};

static void on_exit_(struct loop_child *child, const struct sys_exit *how)
{
	struct known *k = container_of(child, struct known, child);

	if (how->known && (how->signalled || how->code))
		log_warn(k->vm, "%s ended by %s %d: %s", k->what,
			how->signalled ? "signal" : "status", how->code,
			k->loss);
	loop_child_stop(child);
	sys_close(child->pidfd);
	free(k->vm);
	free(k->what);
	free(k);
}

static int start(const struct sidecar *plan, int fd, struct host_qemu *out,
	struct err *err)
{
	const struct spawn_fd files[] = { { fd, SIDECAR_FD },
		{ plan->dir, SIDECAR_DIR } };
	struct spawn_plan spawned = { .path = plan->path,
		.argv = plan->argv,
		.fds = files,
		.nfds = plan->dir > 0 ? 2 : 1,
		.new_session = true };

	if (!plan->confine || !plan->confine->parts)
		return spawn(&spawned, &out->pid, &out->pidfd, err);
	return host_helper_run(plan->argv[0], &spawned,
		plan->dir > 0 ? plan->dir : -1, plan->confine, out, err);
}

int sidecar_start(const struct sidecar *plan, struct err *err)
{
	struct host_qemu child;
	struct known *k;
	int fds[2];

	if (sys_socketpair(AF_UNIX, SOCK_STREAM, 0, fds) < 0)
		return err_os(err, "cannot make a pair of sockets");
	if (start(plan, fds[1], &child, err)) {
		sys_close(fds[0]);
		sys_close(fds[1]);
		return -1;
	}
	sys_close(fds[1]);
	k = NEW(struct known);
	k->vm = xstrdup(plan->vm);
	k->what = xstrdup(plan->what);
	k->loss = plan->loss;
	loop_child_start(&k->child, child.pidfd, on_exit_);
	return fds[0];
}
