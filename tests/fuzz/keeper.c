/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as what a brain says to the keeper: the first ones are a message,
 * once as they are and once with a good head, the rest a batch.  What is
 * taken has ended texts, places that differ, and paths that lead nowhere
 * else.
 */
#include <stdint.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"
#include "base/sys_exec.h"
#include "supervisor/keeper_grant.h"
#include "supervisor/keeper_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FDS = 2 };

static void try_path(const char *path)
{
	if (!keeper_path_is_plain(path))
		return;
	BUG_ON(path[0] != '/' || strstr(path, "//") || strstr(path, "/../"));
	BUG_ON(str_ends(path, "/..") || str_ends(path, "/"));
}

static void try_name(const char *name)
{
	if (!keeper_name_is_vm_file(name))
		return;
	BUG_ON(name[0] == '/' || name[0] == '.' || strstr(name, "/."));
	BUG_ON(!strstr(name, ".ini"));
}

static void try_message(const void *bytes, size_t len, size_t nfds)
{
	struct keeper_request rq;
	const char *why = NULL;

	if (!keeper_request_is_sane(bytes, len, nfds, 1, &why)) {
		BUG_ON(!why || !*why);
		return;
	}
	memcpy(&rq, bytes, sizeof(rq));
	BUG_ON(rq.verb >= KEEPER_NVERBS || rq.serial != 1);
	BUG_ON(strnlen(rq.path, sizeof(rq.path)) == sizeof(rq.path));
	try_path(rq.path);
	try_name(rq.name);
	try_name(rq.other);
}

/* The same with a head that is taken. */
static void mend(struct keeper_request *rq)
{
	rq->magic = KEEPER_MAGIC;
	rq->version = KEEPER_VERSION;
	rq->serial = 1;
	rq->verb %= KEEPER_NVERBS;
	rq->pad = 0;
}

static void try_batch(const uint8_t *data, size_t size)
{
	struct keeper_batch batch;
	const char *why = NULL;
	struct err err = ERR_INIT;
	int fd = exec_memfd((const char *)data, size, &err);
	size_t words = 0;

	BUG_ON(fd < 0);
	if (!keeper_batch_read(fd, FDS, &batch, &why)) {
		while (batch.argv[words])
			words++;
		BUG_ON(words == 0 || batch.nfds != FDS);
		BUG_ON(batch.fds[0].to == batch.fds[1].to);
		keeper_batch_fini(&batch);
	} else {
		BUG_ON(!why);
	}
	sys_close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct keeper_request rq = { 0 };
	size_t len = size < sizeof(rq) ? size : sizeof(rq);

	memcpy(&rq, data, len);
	for (size_t nfds = 0; nfds <= FDS; nfds++)
		try_message(data, len, nfds);
	mend(&rq);
	for (size_t nfds = 0; nfds <= FDS; nfds++)
		try_message(&rq, sizeof(rq), nfds);
	if (size > len)
		try_batch(data + len, size - len);
	return 0;
}
