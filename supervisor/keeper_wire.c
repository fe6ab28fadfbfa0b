/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages between the two halves; see keeper_wire.h. */
#include "supervisor/keeper_wire.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"
#include "base/sys_exec.h"

#define SEALS (F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL)

_Static_assert(sizeof(struct keeper_request) == KEEPER_SIZE, "one size");
_Static_assert(sizeof(struct keeper_reply) == KEEPER_SIZE, "one size");

/* The head of a batch; then the places, then the words, each with its NUL. */
struct batch_head {
	uint32_t argc;
	uint32_t envc;
	uint32_t nfds;
};

static const struct {
	const char *name;
	size_t least, most; /* descriptors */
	unsigned fields;
} verbs[KEEPER_NVERBS] = {
#define X(name, least, most, fields) { #name, least, most, fields },
	KEEPER_VERBS(X)
#undef X
};

const char *keeper_verb_name(uint32_t verb)
{
	return verb < KEEPER_NVERBS ? verbs[verb].name : "?";
}

void keeper_request_init(struct keeper_request *rq, enum keeper_verb verb)
{
	*rq = (struct keeper_request){
		.magic = KEEPER_MAGIC, .version = KEEPER_VERSION, .verb = verb
	};
}

/* ---- is it sane ---- */

static bool is_zero(const void *bytes, size_t len)
{
	const unsigned char *at = bytes;

	for (size_t i = 0; i < len; i++)
		if (at[i])
			return false;
	return true;
}

/* Ended, and nothing behind its end: no room for what nobody reads. */
static bool is_text(const char *text, size_t size)
{
	size_t len = strnlen(text, size);

	return len < size && is_zero(text + len, size - len);
}

static bool texts_end(const struct keeper_request *rq)
{
	return is_text(rq->path, sizeof(rq->path)) &&
	       is_text(rq->name, sizeof(rq->name)) &&
	       is_text(rq->other, sizeof(rq->other));
}

/* A field that the verb has none of is zero. */
static bool has_only(const struct keeper_request *rq, unsigned fields)
{
	const struct {
		unsigned field;
		const void *at;
		size_t size;
	} all[] = {
		{ HAS_PATH, rq->path, sizeof(rq->path) },
		{ HAS_NAME, rq->name, sizeof(rq->name) },
		{ HAS_OTHER, rq->other, sizeof(rq->other) },
		{ HAS_NUMBER, &rq->number, sizeof(rq->number) },
		{ HAS_FLAGS, &rq->flags, sizeof(rq->flags) },
		{ HAS_SHUT, &rq->shut, sizeof(rq->shut) },
	};

	for (size_t i = 0; i < NELEMS(all); i++)
		if (!(fields & all[i].field) &&
			!is_zero(all[i].at, all[i].size))
			return false;
	return rq->pad == 0;
}

static const char *what_is_wrong(const struct keeper_request *rq, size_t nfds)
{
	if (rq->verb >= KEEPER_NVERBS)
		return "no verb";
	if (rq->verb != KEEPER_RENEW && rq->version != KEEPER_VERSION)
		return "another version";
	if (nfds < verbs[rq->verb].least)
		return "a descriptor is missing";
	if (nfds > verbs[rq->verb].most)
		return "a descriptor too many";
	if (!texts_end(rq))
		return "a text without end";
	if (!has_only(rq, verbs[rq->verb].fields))
		return "a field too many";
	return NULL;
}

bool keeper_request_is_sane(const void *bytes, size_t len, size_t nfds,
	uint64_t serial, const char **why)
{
	struct keeper_request rq;

	*why = NULL;
	if (len != sizeof(rq)) {
		*why = "a wrong size";
		return false;
	}
	memcpy(&rq, bytes, sizeof(rq));
	if (rq.magic != KEEPER_MAGIC)
		*why = "no message";
	else if (rq.serial != serial)
		*why = "out of turn";
	else
		*why = what_is_wrong(&rq, nfds);
	return !*why;
}

/* ---- batches ---- */

static uint32_t add_words(struct str *text, const char *const *words)
{
	uint32_t n = 0;

	for (; words && words[n]; n++)
		str_addn(text, words[n], strlen(words[n]) + 1);
	return n;
}

int keeper_batch_write(const struct spawn_plan *plan, struct err *err)
{
	AUTO_STR struct str words = STR_INIT;
	AUTO_STR struct str all = STR_INIT;
	struct batch_head head = { .nfds = (uint32_t)plan->nfds };

	head.argc = add_words(&words, plan->argv);
	head.envc = add_words(&words, plan->env);
	str_addn(&all, (const char *)&head, sizeof(head));
	for (size_t i = 0; i < plan->nfds; i++) {
		const int32_t to = plan->fds[i].to;

		str_addn(&all, (const char *)&to, sizeof(to));
	}
	str_addn(&all, str_text(&words), words.len);
	if (all.len > KEEPER_BATCH || head.argc + head.envc > KEEPER_WORDS)
		return err_set(err, ERR_LIMIT,
			"cannot start '%s': too many words", plan->path);
	return exec_memfd(all.data, all.len, err);
}

bool keeper_is_sealed(int fd, size_t most, size_t *size)
{
	struct stat st;
	int seals = fcntl(fd, F_GET_SEALS);

	if (seals < 0 || (seals & SEALS) != SEALS || sys_fstat(fd, &st) ||
		st.st_size <= 0 || (uint64_t)st.st_size > most)
		return false;
	*size = (size_t)st.st_size;
	return true;
}

/* Where each of n words begins; the byte behind the last, or NULL. */
static char *cut_words(char *at, const char *end, const char **out, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t left = (size_t)(end - at);
		size_t len = strnlen(at, left);

		if (len == left)
			return NULL;
		out[i] = at;
		at += len + 1;
	}
	out[n] = NULL;
	return at;
}

/* No place twice, and no place that a process cannot have. */
static bool places_are_good(const struct spawn_fd *fds, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (fds[i].to < 0 || fds[i].to > 4096)
			return false;
		for (size_t k = 0; k < i; k++)
			if (fds[k].to == fds[i].to)
				return false;
	}
	return true;
}

static const char *take_batch(struct keeper_batch *b, size_t size, size_t files)
{
	struct batch_head head;
	char *at = b->bytes + sizeof(head);
	const char *end = b->bytes + size;

	if (size < sizeof(head))
		return "a short batch";
	memcpy(&head, b->bytes, sizeof(head));
	if (head.argc < 1 || head.argc > KEEPER_WORDS ||
		head.envc > KEEPER_WORDS || head.nfds != files ||
		size - sizeof(head) < files * sizeof(int32_t))
		return "a wrong count";
	b->fds = xcalloc(files + 1, sizeof(*b->fds));
	for (b->nfds = 0; b->nfds < files; b->nfds++) {
		int32_t to;

		memcpy(&to, at, sizeof(to));
		at += sizeof(to);
		b->fds[b->nfds] = (struct spawn_fd){ (int)b->nfds, to };
	}
	if (!places_are_good(b->fds, b->nfds))
		return "a wrong place";
	b->argv = xcalloc(head.argc + 1, sizeof(*b->argv));
	b->env = xcalloc(head.envc + 1, sizeof(*b->env));
	at = cut_words(at, end, b->argv, head.argc);
	at = at ? cut_words(at, end, b->env, head.envc) : NULL;
	return at == end ? NULL : "words without end";
}

int keeper_batch_read(
	int fd, size_t files, struct keeper_batch *out, const char **why)
{
	size_t size = 0;

	*out = (struct keeper_batch){ .bytes = NULL };
	*why = "a batch that can change";
	if (!keeper_is_sealed(fd, KEEPER_BATCH, &size))
		return -1;
	out->bytes = xmalloc(size);
	*why = sys_pread(fd, out->bytes, size, 0) == (ssize_t)size
		       ? take_batch(out, size, files)
		       : "a batch that is gone";
	if (!*why)
		return 0;
	keeper_batch_fini(out);
	return -1;
}

void keeper_batch_fini(struct keeper_batch *batch)
{
	free(batch->argv);
	free(batch->env);
	free(batch->fds);
	free(batch->bytes);
	*batch = (struct keeper_batch){ .bytes = NULL };
}

/* ---- on the way ---- */

union rights {
	struct cmsghdr head;
	char bytes[CMSG_SPACE(sizeof(int) * KEEPER_FDS)];
};

int keeper_send(
	int fd, const void *bytes, size_t len, const struct keeper_fds *fds)
{
	union rights rights = { .bytes = { 0 } };
	struct iovec iov = { (void *)(uintptr_t)bytes, len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	size_t size = sizeof(int) * (fds ? fds->n : 0);
	ssize_t sent;

	if (size > 0) {
		msg.msg_control = rights.bytes;
		msg.msg_controllen = CMSG_SPACE(size);
		rights.head.cmsg_level = SOL_SOCKET;
		rights.head.cmsg_type = SCM_RIGHTS;
		rights.head.cmsg_len = CMSG_LEN(size);
		memcpy(CMSG_DATA(&rights.head), fds->at, size);
	}
	do
		sent = sys_sendmsg(fd, &msg, 0);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? -1 : 0;
}

static void take_rights(struct msghdr *msg, struct keeper_fds *fds)
{
	struct cmsghdr *head = CMSG_FIRSTHDR(msg);

	for (; head; head = CMSG_NXTHDR(msg, head)) {
		size_t n = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (head->cmsg_level != SOL_SOCKET ||
			head->cmsg_type != SCM_RIGHTS ||
			n > KEEPER_FDS - fds->n)
			continue;
		memcpy(fds->at + fds->n, CMSG_DATA(head), n * sizeof(int));
		fds->n += n;
	}
}

ssize_t keeper_receive(int fd, void *bytes, size_t size, struct keeper_fds *fds)
{
	union rights rights;
	char more;
	struct iovec iov[] = { { bytes, size }, { &more, 1 } };
	struct msghdr msg = { .msg_iov = iov,
		.msg_iovlen = 2,
		.msg_control = rights.bytes,
		.msg_controllen = sizeof(rights) };
	ssize_t got;

	fds->n = 0;
	do
		got = sys_recvmsg(fd, &msg, 0);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return -1;
	take_rights(&msg, fds);
	if (!(msg.msg_flags & MSG_CTRUNC))
		return got;
	keeper_fds_close(fds);
	errno = EBADMSG;
	return -1;
}

void keeper_fds_close(struct keeper_fds *fds)
{
	while (fds->n > 0)
		sys_close(fds->at[--fds->n]);
}
