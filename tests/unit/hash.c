/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checksums of many zeros in few steps. */
#include "base/hash.h"

#include "tests/unit/tap.h"

int main(void)
{
	static const unsigned char zeros[5000];
	static const size_t lens[] = { 0, 1, 2, 3, 7, 8, 255, 256, 4080, 5000 };
	uint64_t text = hash_add(HASH_START, "record", 6);

	ok(hash_add(HASH_START, "a", 1) == 0xaf63dc4c8601ec8cULL,
		"FNV-1a of one letter");
	for (size_t i = 0; i < sizeof lens / sizeof *lens; i++)
		ok(hash_add_zeros(text, lens[i]) ==
				hash_add(text, zeros, lens[i]),
			"of %zu zeros", lens[i]);
	return done();
}
