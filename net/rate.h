/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How much a port carries.  What a guest receives waits in a queue of its
 * tap (tbf); what it sends too fast is dropped by the rules (net/ruleset).
 */
#ifndef NET_RATE_H
#define NET_RATE_H

#include <stdint.h>

#include "base/err.h"

struct netlink; /* net/netlink.h */

#define RATE_BURST_MIN (64 * 1024) /* the largest thing a guest sends at once */

struct rate_limits {
	uint64_t out;   /* bytes a second that the guest sends; 0: any */
	uint64_t in;    /* that it receives; 0: any */
	uint64_t burst; /* bytes at once; 0: a tenth of a second's */
};

/* The burst of one direction in bytes. */
uint64_t rate_burst(const struct rate_limits *limits, uint64_t rate);
/* "10Mbit", "1Gbit/s", "50MiB": in bytes a second; "no" and "": 0. */
MUST_CHECK int rate_parse(const char *text, uint64_t *out, struct err *err);
/* What the device of that index sends is limited to limits->in, or not. */
MUST_CHECK int rate_set(
	struct netlink *nl, unsigned index, const struct rate_limits *limits);

#endif
