/* SPDX-License-Identifier: GPL-2.0-or-later */
/* MAC addresses; see mac.h. */
#include "net/mac.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"

void mac_derive(const char *vm, const char *nic, char out[NET_MAC_SIZE])
{
	uint64_t hash = hash_add(HASH_START, vm, strlen(vm) + 1);

	hash = hash_add(hash, nic, strlen(nic));
	/* the low bits of FNV are its best mixed only after a fold */
	hash ^= hash >> 32;
	snprintf(out, NET_MAC_SIZE, "52:54:00:%02x:%02x:%02x",
		(unsigned)(hash >> 16) & 0xff, (unsigned)(hash >> 8) & 0xff,
		(unsigned)hash & 0xff);
}

static unsigned digit(char c)
{
	return c <= '9' ? (unsigned)(c - '0')
			: (unsigned)((c | 0x20) - 'a' + 10);
}

void mac_bytes(const char *text, unsigned char out[6])
{
	for (unsigned i = 0; i < 6; i++, text += 3)
		out[i] = (unsigned char)(digit(text[0]) << 4 | digit(text[1]));
}
