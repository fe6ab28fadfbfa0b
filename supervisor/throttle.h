/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Limits of what a disk may do in a second, for QEMU's block_set_io_throttle:
 * they hold for the device, whatever its images are.  Pure.
 */
#ifndef SUPERVISOR_THROTTLE_H
#define SUPERVISOR_THROTTLE_H

#include <jansson.h>

#include "base/err.h"
#include "supervisor/spec.h"

#define THROTTLE_COMMAND "block_set_io_throttle"

/* A burst is more than the limit that it is of.  Fails with ERR_CONFIG. */
MUST_CHECK int throttle_check(
	const struct spec_limits *limits, struct err *err);
/* True if they limit anything. */
bool throttle_limits(const struct spec_limits *limits);
/* The arguments of the command that sets them on a disk, new. */
json_t *throttle_arguments(
	const struct spec_disk *disk, const struct spec_limits *limits);
/* The names of the keys, and the limit that each is; four of them. */
#define THROTTLE_KEYS 4
extern const char *const throttle_keys[THROTTLE_KEYS];
uint64_t *throttle_limit(struct spec_limits *limits, size_t key);
/* One as a file says it, "500" or "50M"; new. */
char *throttle_text(const struct spec_limits *limits, size_t key);

#endif
