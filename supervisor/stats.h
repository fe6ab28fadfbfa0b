/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What one QEMU said of its work: vCPU threads, block counters, balloon,
 * exits.  Asked for only when somebody wants to know, answered from memory:
 * a QEMU that does not answer costs its readers one short wait, once, and is
 * then asked less and less often.
 */
#ifndef SUPERVISOR_STATS_H
#define SUPERVISOR_STATS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/loop.h"
#include "qmp/client.h"
#include "supervisor/machine.h"

#define STATS_UNKNOWN UINT64_MAX

/* Counters of a disk; the table in stats.c names QEMU's members. */
enum stats_counter {
	STATS_READ_BYTES,
	STATS_READ_OPS,
	STATS_READ_NS,
	STATS_WRITE_BYTES,
	STATS_WRITE_OPS,
	STATS_WRITE_NS,
	STATS_FLUSH_OPS,
	STATS_FLUSH_NS,
	STATS_DISCARD_BYTES,
	STATS_DISCARD_OPS,
	STATS_ERRORS,
	STATS_NCOUNTERS
};

/* What the guest's balloon driver reports; STATS_UNKNOWN if it does not. */
enum stats_guest {
	STATS_TOTAL,
	STATS_FREE,
	STATS_AVAILABLE,
	STATS_CACHES,
	STATS_SWAP_IN,
	STATS_SWAP_OUT,
	STATS_MAJOR_FAULTS,
	STATS_MINOR_FAULTS,
	STATS_NGUEST
};

/* What to ask: one command each, answered in this order. */
enum stats_question {
	STATS_ASK_CPUS,
	STATS_ASK_DISKS,
	STATS_ASK_BALLOON,
	STATS_ASK_POLL,
	STATS_ASK_GUEST,
	STATS_ASK_EXITS,
	STATS_NQUESTIONS
};

struct stats_disk {
	char name[40]; /* of its section; else the node's */
	uint64_t at[STATS_NCOUNTERS];
};

struct stats_cpu {
	unsigned index;
	pid_t thread;
	char path[64]; /* QOM, which the exits are told by */
	uint64_t exits;
};

struct stats;

struct stats_slot {
	struct qmp_slot slot;
	struct stats *stats;
	enum stats_question question;
};

struct stats {
	struct machine *machine;
	struct stats_slot slots[STATS_NQUESTIONS];
	struct list hopes; /* hope.in_stats: who waits for an answer */
	unsigned pending;
	bool late;           /* somebody waited in vain: nobody else does */
	bool failed;         /* the last asking had no whole answer */
	unsigned timeouts;   /* in a row */
	unsigned refused;    /* bits: this QEMU does not know the command */
	bool polls;          /* the balloon asks its guest */
	uint64_t heard;      /* bytes of the monitor by then */
	uint64_t generation; /* of the QEMU that all below is about */
	int64_t asked_ms;
	int64_t answered_ms; /* -1: never */
	int64_t cpus_ms;     /* when the threads were asked for */
	uint64_t commands;   /* sent so far */
	struct stats_cpu *cpus;
	size_t ncpus;
	struct stats_disk *disks;
	size_t ndisks;
	uint64_t balloon; /* the guest's memory now */
	uint64_t guest[STATS_NGUEST];
};

/* What is worth asking. */
struct stats_scope {
	bool kvm;
	bool balloon;
};

/* Several readers' wait for several QEMUs; zeroed before first use. */
struct stats_wait {
	struct list hopes; /* hope.in_wait */
	struct loop_timer timer;
	void (*on_over)(struct stats_wait *wait);
};

/* Members by name, for reports. */
struct stats_member {
	const char *name;
	bool is_ns; /* told in seconds */
};
extern const struct stats_member stats_members[STATS_NCOUNTERS];
extern const char *const stats_guest_names[STATS_NGUEST];

/* Nothing is known and nothing asked.  The machine must outlive it. */
struct stats *stats_new(struct machine *machine);
/* Accepts NULL.  Those who wait are told. */
void stats_free(struct stats *stats);
/*
 * Asks, unless it did a moment ago, is still waiting, or QEMU has been
 * silent; never waits.
 */
void stats_ask(struct stats *stats, const struct stats_scope *scope);
/* Nothing of what is known is of this QEMU, or it is not up to date. */
bool stats_is_stale(const struct stats *stats);
/* Ms since the last answer; -1: never. */
int64_t stats_age_ms(const struct stats *stats);

/* Waits for what was asked, unless QEMU is late already. */
void stats_wait_for(struct stats_wait *wait, struct stats *stats);
/*
 * on_over runs from the loop when all answered or after ms.  False: there is
 * nothing to wait for, and on_over will not run.
 */
bool stats_wait_start(struct stats_wait *wait, int64_t ms,
	void (*on_over)(struct stats_wait *wait));
/* Ends a wait; harmless twice. */
void stats_wait_stop(struct stats_wait *wait);

#endif
