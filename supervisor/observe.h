/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a QEMU has by its own words: devices, block nodes, memory, vCPUs, and
 * the program that it is.  What it was asked and did not answer is NULL.
 */
#ifndef SUPERVISOR_OBSERVE_H
#define SUPERVISOR_OBSERVE_H

#include <jansson.h>

#include "base/job.h"
#include "supervisor/vm.h"

struct observed {
	json_t *devices; /* qom-list of /machine/peripheral */
	json_t *nodes;   /* query-named-block-nodes, flat */
	json_t *memory;  /* query-memory-size-summary */
	json_t *cpus;    /* query-hotpluggable-cpus */
	char *words;     /* its command line, words ended by NUL; or NULL */
	size_t nwords;   /* bytes of it */
	bool replaced;   /* the program on disk is another one by now */
};

/* Forgets what was seen. */
void observed_fini(struct observed *seen);
/*
 * Asks into out, which is zeroed; a child of parent (or NULL), which is woken
 * at its end.  Fails when QEMU is gone.
 */
struct job *observe_start(struct vm *vm, struct observed *out,
	struct job *parent, void (*on_end)(struct job *job, void *arg),
	void *arg);

/* Whether it has a device of this id; true if it did not say. */
bool observed_has_device(const struct observed *seen, const char *id);
/* Whether a device of this id was there from the start; likewise. */
bool observed_began_with(const struct observed *seen, const char *id);
/* The bytes of a node; 0: not known. */
uint64_t observed_size(const struct observed *seen, const char *node);
/* Of the guest, what was plugged in with it; 0: not known. */
uint64_t observed_memory(const struct observed *seen);
/* The part of it that it was started with; likewise. */
uint64_t observed_base_memory(const struct observed *seen);
/* vCPUs that are there; 0: not known. */
unsigned observed_cpus(const struct observed *seen);
/* Those of them that it was started with. */
unsigned observed_base_cpus(const struct observed *seen);

#endif
