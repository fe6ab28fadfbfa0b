/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * FNV-1a, 64 bits: names, MAC addresses, checksums of our own records.  Not
 * for what an enemy writes.  Every change of a single byte changes the sum.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#define HASH_START 0xcbf29ce484222325ULL

/* Goes on with len bytes; start with HASH_START. */
static inline uint64_t hash_add(uint64_t hash, const void *bytes, size_t len)
{
	const unsigned char *at = bytes;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ at[i]) * 0x100000001b3ULL;
	return hash;
}

/* The same for len bytes that are all 0, in a few steps. */
static inline uint64_t hash_add_zeros(uint64_t hash, size_t len)
{
	uint64_t factor = 0x100000001b3ULL;

	for (; len > 0; len >>= 1) {
		if (len & 1)
			hash *= factor;
		factor *= factor;
	}
	return hash;
}

#endif
