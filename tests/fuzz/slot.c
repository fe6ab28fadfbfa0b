/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as a slot of a record: as they are, and once more with the head
 * and the sum made right, so that the JSON inside is reached.  What is taken
 * encodes to a slot that reads the same.
 */
#include <stdint.h>
#include <string.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "supervisor/store.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { JSON_MAX = 1500 }; /* what we write has 2 KiB at most */
enum { SLOT = 4096, AT_SUM = 8, AT_VERSION = 24, AT_LENGTH = 28, AT_JSON = 32 };

static void try_slot(const unsigned char slot[SLOT])
{
	unsigned char again[SLOT];
	AUTO_RECORD struct record record = { 0 };
	AUTO_RECORD struct record same = { 0 };
	uint64_t sequence = 0;
	uint64_t number = 0;

	if (store_decode(slot, &record, &sequence) ||
		record.version > STORE_VERSION)
		return;
	store_encode(&record, sequence, again);
	BUG_ON(store_decode(again, &same, &number) || number != sequence);
	store_encode(&same, number, again);
	record_fini(&record);
	BUG_ON(store_decode(again, &record, &sequence));
	BUG_ON(!str_eq(str_or(record.slots, ""), str_or(same.slots, "")));
	BUG_ON(memcmp(record.uuid, same.uuid, sizeof(same.uuid)) != 0);
	BUG_ON(record.generation != same.generation);
}

/* A good head and sum around these bytes. */
static void mend(unsigned char slot[SLOT], size_t len)
{
	uint64_t sum;

	memcpy(slot, "VMWARD\r\n", AT_SUM);
	memset(slot + AT_SUM, 0, sizeof(sum));
	memset(slot + AT_VERSION, 0, AT_JSON - AT_VERSION);
	slot[AT_VERSION] = STORE_VERSION;
	slot[AT_LENGTH] = (unsigned char)(len & 0xff);
	slot[AT_LENGTH + 1] = (unsigned char)(len >> 8);
	sum = hash_add(HASH_START, slot, SLOT);
	for (unsigned i = 0; i < sizeof(sum); i++)
		slot[AT_SUM + i] = (unsigned char)(sum >> (8 * i));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned char slot[SLOT] = { 0 };
	size_t len = size < JSON_MAX ? size : JSON_MAX;

	memcpy(slot, data, size < SLOT ? size : SLOT);
	try_slot(slot);
	memset(slot, 0, sizeof(slot));
	memcpy(slot + AT_JSON, data, len);
	mend(slot, len);
	try_slot(slot);
	return 0;
}
