/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the unprivileged half says to the keeper and hears from it: messages
 * of one fixed size over a SOCK_SEQPACKET pair, descriptors beside them.
 * Words and numbers that do not fit are a batch in a sealed memfd.  Pure but
 * for the two calls that send and receive.
 */
#ifndef SUPERVISOR_KEEPER_WIRE_H
#define SUPERVISOR_KEEPER_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/child.h"
#include "base/err.h"
#include "supervisor/cgroup.h"

#define KEEPER_MAGIC   0x766d6b31 /* "vmk1" */
#define KEEPER_VERSION 2          /* of all but KEEPER_RENEW */
#define KEEPER_SIZE    512
#define KEEPER_PATH    256
#define KEEPER_NAME    96  /* of a VM's file, with its drop-in */
#define KEEPER_FDS     250 /* SCM_RIGHTS takes 253 */
#define KEEPER_WORDS   1024
#define KEEPER_BATCH   (256 * 1024)

/* Just below the uids of QEMUs, and theirs. */
#define KEEPER_UID       0x7676ffffU
#define KEEPER_UID_FIRST 0x76770000U
#define KEEPER_UID_LAST  0x7677ffffU

/*
 * Name, descriptors at least, at most, and which fields it may have; all
 * others are 0.  KEEPER_RENEW stays the first for ever.
 */
#define KEEPER_VERBS(X)                                        \
	X(RENEW, 0, 0, 0)                                      \
	X(OPEN, 0, 0, HAS_PATH | HAS_FLAGS)                    \
	X(CREATE, 0, 0, HAS_NAME)                              \
	X(MAKE_DIR, 0, 0, HAS_NAME)                            \
	X(REMOVE, 0, 0, HAS_NAME | HAS_FLAGS)                  \
	X(RENAME, 0, 0, HAS_NAME | HAS_OTHER | HAS_FLAGS)      \
	X(QEMU, 1, KEEPER_FDS, HAS_PATH | HAS_NAME | HAS_SHUT) \
	X(HELPER, 1, 8, HAS_NAME | HAS_NUMBER | HAS_SHUT)      \
	X(TOOL, 1, 8, HAS_NAME)                                \
	X(HOOK, 1, 8, 0)                                       \
	X(KILL, 1, 1, HAS_NUMBER)                              \
	X(KILL_GROUP, 0, 0, HAS_NUMBER)                        \
	X(WAIT, 1, 1, 0)                                       \
	X(NET, 1, 1, 0)                                        \
	X(TAP_AGAIN, 1, 1, HAS_NAME | HAS_NUMBER | HAS_FLAGS)  \
	X(LISTEN_RULES, 1, 1, 0)                               \
	X(GROUP, 1, 2, 0)                                      \
	X(GETFD, 1, 1, HAS_NUMBER)                             \
	X(GIVE, 1, 1, HAS_NUMBER)

enum keeper_verb {
#define X(name, least, most, fields) KEEPER_##name,
	KEEPER_VERBS(X)
#undef X
		KEEPER_NVERBS
};

enum keeper_field {
	HAS_PATH = 1 << 0,
	HAS_NAME = 1 << 1,
	HAS_OTHER = 1 << 2,
	HAS_NUMBER = 1 << 3,
	HAS_FLAGS = 1 << 4,
	HAS_SHUT = 1 << 5,
};

/* What is done with the control groups of a VM. */
enum keeper_group_op {
	KEEPER_GROUP_MAKE,   /* -> parts: doors, failed: lacks, text: why */
	KEEPER_GROUP_SET,    /* of the process behind the second descriptor */
	KEEPER_GROUP_REMOVE, /* -> parts: 1, they are gone */
	KEEPER_GROUP_SCORE,  /* as SET: its oom_score_adj */
	KEEPER_GROUP_NOPS
};

/* The batch of KEEPER_GROUP, in a sealed memfd. */
struct keeper_group {
	uint32_t op;
	int32_t score;
	char vm[KEEPER_NAME];
	struct cgroup_limits limits;
};

/* What a QEMU gives up: struct host_confine, with sizes of its own. */
struct keeper_shut {
	uint32_t parts;
	uint32_t uid;
	uint32_t group;
	uint32_t online;
	uint64_t tasks;
	uint64_t locked;
};

struct keeper_request {
	uint32_t magic;
	uint32_t version;
	uint64_t serial; /* one more than that of the request before */
	uint32_t verb;
	int32_t number;
	uint32_t flags;
	uint32_t pad;
	struct keeper_shut shut;
	char path[KEEPER_PATH];
	char name[KEEPER_NAME];
	char other[KEEPER_NAME];
};

struct keeper_reply {
	uint64_t serial;
	int32_t rc;
	int32_t os;      /* errno of rc -1 */
	int32_t code;    /* enum err_code of rc -1 */
	int32_t pid;     /* of a child; or what the verb says */
	uint32_t parts;  /* KEEPER_QEMU: of its confinement, taken */
	uint32_t failed; /* the enum confine_part that did not work */
	char text[240];
	char rest[KEEPER_SIZE - 272];
};

/* The descriptors that travel with a message. */
struct keeper_fds {
	size_t n;
	int at[KEEPER_FDS];
};

/* A program's words on their way: argv, env, and the places of its fds. */
struct keeper_batch {
	const char **argv; /* NULL at the end; all of it in one piece */
	const char **env;
	struct spawn_fd *fds; /* from: the number in the message */
	size_t nfds;
	char *bytes;
};

/* "OPEN"; "?" for what is no verb. */
const char *keeper_verb_name(uint32_t verb);
/*
 * True if the bytes are a request that the keeper may look at: size, magic,
 * version, serial, verb, count of descriptors, every text ended and what
 * the verb has no field for zero.  Else *why says what is wrong.
 */
bool keeper_request_is_sane(const void *bytes, size_t len, size_t nfds,
	uint64_t serial, const char **why);
/* The request of a verb, all else zero. */
void keeper_request_init(struct keeper_request *rq, enum keeper_verb verb);

/* A sealed memfd of a plan's words, or -1 with err. */
int keeper_batch_write(const struct spawn_plan *plan, struct err *err);
/*
 * Reads and checks one; `files`: how many descriptors may be placed.  0, or
 * -1 with *why, and nothing to free.
 */
int keeper_batch_read(
	int fd, size_t files, struct keeper_batch *out, const char **why);
/* Frees what was read. */
void keeper_batch_fini(struct keeper_batch *batch);
/* True if nobody can change the bytes of this memfd any more. */
bool keeper_is_sealed(int fd, size_t most, size_t *size);

/* One message out; 0, or -1 with errno. */
int keeper_send(
	int fd, const void *bytes, size_t len, const struct keeper_fds *fds);
/*
 * One message in, with its descriptors (close-on-exec): its length, 0 at the
 * end, or -1 with errno.  A message that is longer is cut to `size` + 1.
 */
ssize_t keeper_receive(
	int fd, void *bytes, size_t size, struct keeper_fds *fds);
/* Closes all of them. */
void keeper_fds_close(struct keeper_fds *fds);

#endif
