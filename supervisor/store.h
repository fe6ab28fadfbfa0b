/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The durable record of a VM: one preallocated 8 KiB file with two
 * checksummed slots and sequence numbers, overwritten in place and synced
 * through the kernel's aio with an eventfd.  No rename, no space needed, no
 * blocking.  A torn or stale slot loses to the other one.
 */
#ifndef SUPERVISOR_STORE_H
#define SUPERVISOR_STORE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/list.h"
#include "base/loop.h"
#include "supervisor/cause.h"
#include "supervisor/policy.h"

#define STORE_VERSION   1
#define STORE_SLOTS_MAX 64 /* root ports and scsi units remembered */

enum store_desired { DESIRED_DOWN, DESIRED_UP };

/* What a crash loop made of on-crash-loop = revert:SNAPSHOT. */
enum store_revert { REVERT_NONE, REVERT_DUE, REVERT_DONE };

/* Only ever added to, for as long as there is a record. */
struct tally {
	uint64_t restarts; /* by policy */
	uint64_t ends[NCAUSES];
};

struct record {
	unsigned version; /* newer than ours: listed, left alone */
	enum store_desired desired;
	bool killed;         /* down by an order to kill */
	uint64_t generation; /* of the last start */
	bool paused;         /* started or put into pause by an admin */
	char uuid[37];
	char boot_id[37];        /* monotonic times hold within it */
	int32_t pid;             /* a rumour; checked before use */
	uint64_t pid_start;      /* field 22 of /proc/PID/stat */
	int64_t started_real_us; /* wall clock of the last start */
	int64_t started_mono_ms;
	enum cause last_cause;
	char last_detail[48];
	int64_t last_end_real_us;
	bool failed;
	bool left; /* it went down with all: as after a boot, not stopped */
	struct policy_history history;
	struct tally tally;
	bool fallback; /* a crash loop: it runs its last good config */
	enum store_revert revert; /* the next start reverts, or one did */
	char incident[48];        /* the last one's id, or "" */
	bool ephemeral;    /* start --ephemeral: its disks are thrown away */
	bool unfinished;   /* QEMU has not got all that follows its start */
	unsigned ports;    /* root ports that QEMU has; 0: not known */
	char accel[96];    /* "kvm", or why it is TCG */
	char machine[32];  /* pinned machine type */
	uint32_t uid;      /* its QEMU's; 0: none yet */
	unsigned confined; /* CONFINE_BIT()s of the last start; 0: unknown */
	const char *slots; /* "disk-root,,net-lan": device by root port; or
			    * NULL; the record's own */
};

/* Its slots become a copy of these (or NULL); the old ones are freed. */
void record_name_slots(struct record *record, const char *slots);
/* All of another record, which keeps its own. */
void record_copy(struct record *to, const struct record *from);
/* Frees what is its own; all zeros afterwards. */
void record_fini(struct record *record);
#define AUTO_RECORD __attribute__((cleanup(record_fini)))

struct store; /* one per directory */

/* A wish to know when a record is on disk; err->code ERR_NONE: it is. */
struct store_wait {
	struct list link;
	void (*on_stored)(struct store_wait *wait, const struct err *err);
};

/* Opens (and makes) the directory of records. */
MUST_CHECK int store_open(struct store **out, const char *dir, struct err *err);
void store_free(struct store *store);
/*
 * Reads the newest good slot into out, which is to be fini'd.  0 found; 1
 * none (out zeroed); -1 damaged or newer (err says which; out->version >
 * STORE_VERSION for the latter).
 */
MUST_CHECK int store_read(struct store *store, const char *name,
	struct record *out, struct err *err);
/*
 * Writes the next slot and starts its fsync.  wait (or NULL) is told from
 * the loop, also of a failure.  Fails at once with ERR_OS if not even the
 * write works; then wait is not used.
 */
MUST_CHECK int store_write(struct store *store, const char *name,
	const struct record *record, struct store_wait *wait, struct err *err);
/* Forgets a wish; harmless if done. */
void store_cancel(struct store_wait *wait);
/* Removes the record of a deleted VM. */
void store_remove(struct store *store, const char *name);
/* True when nothing is on its way to the disk. */
bool store_is_idle(const struct store *store);
/* The kernel's boot id; static text. */
const char *store_boot_id(void);

/*
 * The slot codec (supervisor/record.c), for tests and tools: 4096 bytes each.
 * Decode gives -1 for a damaged slot (out is left alone); of a newer version
 * it fills only version and sequence.
 */
void store_encode(const struct record *record, uint64_t sequence,
	unsigned char slot[4096]);
MUST_CHECK int store_decode(
	const unsigned char slot[4096], struct record *out, uint64_t *sequence);
/* Its two halves: magic and sum alone, and what a slot that is good says. */
MUST_CHECK int store_check(const unsigned char slot[4096], uint64_t *sequence);
/* The sum that it carries. */
uint64_t store_sum(const unsigned char slot[4096]);
MUST_CHECK int store_parse(const unsigned char slot[4096], struct record *out);

#endif
