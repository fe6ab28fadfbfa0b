/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Chains by the disks of a spec: which images its keys name, and opening
 * them with all that is below, against the record.
 */
#ifndef SUPERVISOR_CHAIN_OPEN_H
#define SUPERVISOR_CHAIN_OPEN_H

#include "base/paths.h"
#include "supervisor/chains.h"
#include "supervisor/spec.h"

/* Where chains are opened from. */
struct chains_from {
	const struct vm_spec *spec;
	const struct paths *paths;
	const char *known; /* the text of the record, or NULL */
	bool trust;        /* images may be below in any place */
	bool look; /* read-only; what a start would make counts as made */
	int disc;  /* of the disk that is a caller's disc; or 0 */
};

/* Opens the chains of all disks.  On failure nothing is open. */
MUST_CHECK int chains_open(
	struct chains *chains, const struct chains_from *from, struct err *err);
/* The same of one disk. */
MUST_CHECK int chains_open_disk(struct chain *chain,
	const struct chains_from *from, const struct spec_disk *disk,
	struct err *err);
/* What the spec alone says of them; opens nothing. */
MUST_CHECK int chains_guess(struct chains *chains, const struct vm_spec *spec,
	const char *images, struct err *err);

#endif
