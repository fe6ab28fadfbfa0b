/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A nic's way out by passt; see passt.h. */
#include "supervisor/passt.h"

#include <stdio.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"

#define PASST_FD  3
#define PASST_MAX 128 /* words of its command line */

/* One that runs: known until it ends, to be reaped. */
struct passt {
	struct loop_child child;
	char *vm;
	char *nic;
};

static void on_exit_(struct loop_child *child, const struct sys_exit *how)
{
	struct passt *p = container_of(child, struct passt, child);

	if (how->known && (how->signalled || how->code))
		log_warn(p->vm,
			"nic %s: passt ended by %s %d: it carries nothing any "
			"more; journalctl -t passt may say why",
			p->nic, how->signalled ? "signal" : "status",
			how->code);
	loop_child_stop(child);
	sys_close(child->pidfd);
	free(p->vm);
	free(p->nic);
	free(p);
}

/* The words of a command line; those from `own` on are ours. */
struct words {
	const char *at[PASST_MAX];
	size_t n, own;
};

/* "-t 127.0.0.1/8080-8081:80-81" */
static int add_forward(
	struct words *words, const struct spec_forward *f, struct err *err)
{
	unsigned last =
		(unsigned)(f->guest_first + f->host_last - f->host_first);

	if (words->n + 3 > PASST_MAX)
		return err_set(err, ERR_LIMIT, "too many forwards for passt");
	words->at[words->n++] = f->udp ? "-u" : "-t";
	words->at[words->n++] =
		xasprintf("%s/%u-%u:%u-%u", f->addr[0] ? f->addr : "127.0.0.1",
			f->host_first, f->host_last, f->guest_first, last);
	return 0;
}

static void words_fini(struct words *words)
{
	for (size_t i = words->own + 1; i < words->n; i += 2)
		free((char *)(uintptr_t)words->at[i]);
}

static int start(const char *path, const struct spec_nic *nic, int fd,
	struct passt *p, struct err *err)
{
	struct words words = {
		.at = { "passt", "-f", "-q", "-F", "3" }, .n = 5, .own = 5
	};
	const struct spawn_fd file = { fd, PASST_FD };
	const struct spawn_plan plan = { .path = path,
		.argv = words.at,
		.fds = &file,
		.nfds = 1,
		.new_session = true };
	pid_t pid;
	int pidfd;
	int rc = 0;

	for (unsigned i = 0; !rc && i < nic->forward.n; i++)
		rc = add_forward(&words, &nic->forward.at[i], err);
	rc = rc || spawn(&plan, &pid, &pidfd, err) ? -1 : 0;
	words_fini(&words);
	if (!rc)
		loop_child_start(&p->child, pidfd, on_exit_);
	return rc;
}

int passt_start(const char *vm, const struct spec_nic *nic, struct taps *taps,
	int to, struct err *err)
{
	AUTO_FREE char *path = spawn_find("passt");
	struct passt *p;
	int fds[2];

	if (!path)
		return err_set(err, ERR_UNSUPPORTED,
			"passt is not installed: apt-get install passt; user = "
			"yes works without");
	if (taps->n == TAPS_FDS_MAX)
		return err_set(err, ERR_LIMIT, "it has too many nics");
	if (sys_socketpair(AF_UNIX, SOCK_STREAM, 0, fds) < 0)
		return err_os(err, "cannot make a pair of sockets");
	p = NEW(struct passt);
	p->vm = xstrdup(vm);
	p->nic = xstrdup(nic->name);
	if (start(path, nic, fds[1], p, err)) {
		sys_close(fds[0]);
		sys_close(fds[1]);
		free(p->vm);
		free(p->nic);
		free(p);
		return -1;
	}
	sys_close(fds[1]);
	taps->fds[taps->n++] = (struct spawn_fd){ fds[0], to };
	return 0;
}
