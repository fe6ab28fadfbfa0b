/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * UUIDs of version 5.  SHA-1 is here for that alone: it names things and
 * protects nothing.
 */
#include "base/uuid.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

/* uuid5(DNS, "vmward"): fixed for ever, or VMs change their ids. */
static const uint8_t our_namespace[16] = { 0x1d, 0x63, 0xdb, 0x57, 0x95, 0x80,
	0x59, 0xcf, 0xad, 0x12, 0x20, 0xb1, 0x75, 0xc6, 0x01, 0x5d };

static uint32_t rotate(uint32_t x, unsigned bits)
{
	return x << bits | x >> (32 - bits);
}

/* The eighty words of one block. */
static void schedule(const uint8_t block[64], uint32_t w[80])
{
	for (size_t i = 0; i < 16; i++)
		w[i] = (uint32_t)block[i * 4] << 24 |
		       (uint32_t)block[i * 4 + 1] << 16 |
		       (uint32_t)block[i * 4 + 2] << 8 | block[i * 4 + 3];
	for (size_t i = 16; i < 80; i++)
		w[i] = rotate(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
}

/* The round function and constant of step i. */
static uint32_t mix(size_t i, const uint32_t s[5])
{
	if (i < 20)
		return ((s[1] & s[2]) | (~s[1] & s[3])) + 0x5a827999;
	if (i < 40)
		return (s[1] ^ s[2] ^ s[3]) + 0x6ed9eba1;
	if (i < 60)
		return ((s[1] & s[2]) | (s[1] & s[3]) | (s[2] & s[3])) +
		       0x8f1bbcdc;
	return (s[1] ^ s[2] ^ s[3]) + 0xca62c1d6;
}

static void add_block(uint32_t h[5], const uint8_t block[64])
{
	uint32_t w[80];
	uint32_t s[5];

	schedule(block, w);
	memcpy(s, h, sizeof s);
	for (size_t i = 0; i < 80; i++) {
		uint32_t t = rotate(s[0], 5) + mix(i, s) + s[4] + w[i];
		s[4] = s[3];
		s[3] = s[2];
		s[2] = rotate(s[1], 30);
		s[1] = s[0];
		s[0] = t;
	}
	for (size_t i = 0; i < 5; i++)
		h[i] += s[i];
}

static void sha1(const uint8_t *data, size_t len, uint8_t out[20])
{
	uint32_t h[5] = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476,
		0xc3d2e1f0 };
	size_t blocks = (len + 8) / 64 + 1;
	AUTO_FREE uint8_t *padded = xcalloc(blocks, 64);
	uint64_t bits = (uint64_t)len * 8;

	memcpy(padded, data, len);
	padded[len] = 0x80;
	for (size_t i = 0; i < 8; i++)
		padded[blocks * 64 - 1 - i] = (uint8_t)(bits >> i * 8);
	for (size_t i = 0; i < blocks; i++)
		add_block(h, padded + i * 64);
	for (size_t i = 0; i < 20; i++)
		out[i] = (uint8_t)(h[i / 4] >> (24 - i % 4 * 8));
}

void uuid_v5(const char *name, char out[37])
{
	size_t len = strlen(name);
	AUTO_FREE uint8_t *data = xmalloc(sizeof our_namespace + len);
	uint8_t id[20];
	size_t at = 0;

	memcpy(data, our_namespace, sizeof our_namespace);
	memcpy(data + sizeof our_namespace, name, len);
	sha1(data, sizeof our_namespace + len, id);
	id[6] = (uint8_t)((id[6] & 0x0f) | 0x50);
	id[8] = (uint8_t)((id[8] & 0x3f) | 0x80);
	for (size_t i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			out[at++] = '-';
		snprintf(out + at, 3, "%02x", id[i]);
		at += 2;
	}
}

bool uuid_is_valid(const char *text)
{
	if (strlen(text) != 36)
		return false;
	for (size_t i = 0; i < 36; i++) {
		bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;
		if (hyphen ? text[i] != '-'
			   : !strchr("0123456789abcdefABCDEF", text[i]))
			return false;
	}
	return true;
}
