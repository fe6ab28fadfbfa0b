/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A nic's way out by passt; see passt.h. */
#include "supervisor/passt.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "supervisor/events.h"
#include "supervisor/sidecar.h"

#define PASST_MAX 128 /* words of its command line */

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

int passt_start(const char *vm, const struct spec_nic *nic, struct taps *taps,
	int to, struct err *err)
{
	AUTO_FREE char *path = spawn_find("passt");
	AUTO_FREE char *what = xasprintf("nic %s: passt", nic->name);
	struct words words = {
		.at = { "passt", "-f", "-q", "-F", "3" }, .n = 5, .own = 5
	};
	int fd = -1;
	int rc = 0;

	if (!path)
		return err_set(err, ERR_UNSUPPORTED,
			"passt is not installed: apt-get install passt; user = "
			"yes works without");
	if (taps->n == TAPS_FDS_MAX)
		return err_set(err, ERR_LIMIT, "it has too many nics");
	for (unsigned i = 0; !rc && i < nic->forward.n; i++)
		rc = add_forward(&words, &nic->forward.at[i], err);
	if (!rc)
		fd = sidecar_start(
			&(struct sidecar){ .vm = vm,
				.what = what,
				.loss = "it carries nothing any more; "
					"journalctl -t passt may say why",
				.path = path,
				.argv = words.at },
			err);
	words_fini(&words);
	if (fd < 0)
		return -1;
	taps->fds[taps->n++] = (struct spawn_fd){ fd, to };
	return 0;
}

const char *passt_note(const struct spec_nic *nic)
{
	return nic->lost ? "broken: passt is gone, journalctl -t passt may say "
			   "why: vmward restart gives it another one"
			 : NULL;
}

void passt_lost(const struct vm *vm, const char *backend)
{
	struct spec_nic *nic =
		str_starts(backend, "netdev-")
			? spec_nic_of(vm->running, backend + strlen("netdev-"))
			: NULL;

	if (!nic || nic->user != USER_PASST || nic->lost)
		return;
	nic->lost = true;
	events_emit(
		"NIC_BROKEN", json_pack("{s:s,s:s,s:s}", "vm", vm->name, "nic",
				      nic->name, "why", passt_note(nic)));
}
