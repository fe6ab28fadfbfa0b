/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A hash table of counted texts.  It grows with them, and is gone with the
 * last.
 */
#include "base/atom.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/slab.h"

enum { FIRST_CHAINS = 64 };

struct atom {
	struct atom *next; /* of its chain */
	uint32_t users;
	uint32_t hash;
	char text[];
};

static struct {
	struct atom **chains;
	unsigned n; /* a power of two, or 0 */
	unsigned count;
} table;

static uint32_t hash_of(const char *text)
{
	uint64_t hash = hash_add(HASH_START, text, strlen(text));

	return (uint32_t)(hash ^ hash >> 32);
}

static struct atom **chain_of(uint32_t hash)
{
	return &table.chains[hash & (table.n - 1)];
}

static void put(struct atom *atom)
{
	struct atom **chain = chain_of(atom->hash);

	atom->next = *chain;
	*chain = atom;
}

/* Room for one more: chains stay short. */
static void grow(void)
{
	struct atom **old = table.chains;
	unsigned n = table.n;

	if (table.count < n)
		return;
	table.n = n ? 2 * n : FIRST_CHAINS;
	table.chains = xcalloc(table.n, sizeof(struct atom *));
	for (unsigned i = 0; i < n; i++) {
		for (struct atom *next, *at = old[i]; at; at = next) {
			next = at->next;
			put(at);
		}
	}
	free(old);
}

static struct atom *find(const char *text, uint32_t hash)
{
	struct atom *at = table.n ? *chain_of(hash) : NULL;

	while (at && (at->hash != hash || strcmp(at->text, text) != 0))
		at = at->next;
	return at;
}

static struct atom *add(const char *text, uint32_t hash)
{
	size_t size = strlen(text) + 1;
	struct atom *atom = slab_get(sizeof(*atom) + size);

	grow();
	atom->users = 0;
	atom->hash = hash;
	memcpy(atom->text, text, size);
	put(atom);
	table.count++;
	return atom;
}

const char *atom_get(const char *text)
{
	struct atom *atom;
	uint32_t hash;

	if (!text)
		return NULL;
	hash = hash_of(text);
	atom = find(text, hash);
	if (!atom)
		atom = add(text, hash);
	atom->users++;
	return atom->text;
}

void atom_drop(const char *text)
{
	struct atom **link, *atom;

	if (!text)
		return;
	BUG_ON(!table.n);
	link = chain_of(hash_of(text));
	while (*link && (*link)->text != text)
		link = &(*link)->next;
	atom = *link;
	BUG_ON(!atom); /* a text that is none, or was changed */
	if (--atom->users)
		return;
	*link = atom->next;
	slab_put(atom);
	if (--table.count)
		return;
	free(table.chains);
	table.chains = NULL;
	table.n = 0;
}

const char *atom_take(char *text)
{
	const char *atom = atom_get(text);

	free(text);
	return atom;
}

void atom_set(const char **at, const char *text)
{
	const char *old = *at;

	*at = atom_get(text);
	atom_drop(old);
}

unsigned atom_count(void)
{
	return table.count;
}
