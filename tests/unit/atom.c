/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Texts that are kept once. */
#include "base/atom.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "tests/unit/tap.h"

enum { MANY = 3000 };

static void test_one(void)
{
	char text[] = "disk.root";
	const char *a = atom_get(text), *b, *other;

	text[0] = 'D';
	is_str(a, "disk.root", "an atom is a copy");
	b = atom_get("disk.root");
	ok(a == b, "equal texts are one");
	other = atom_get("Disk.root");
	ok(other != a, "other texts are others");
	is_int(atom_count(), 2, "two are known");
	atom_drop(a);
	is_str(b, "disk.root", "it lives as long as one wants it");
	atom_drop(b);
	is_int(atom_count(), 1, "and no longer");
	atom_drop(other);
}

static void test_members(void)
{
	const char *at = NULL;

	ok(atom_get(NULL) == NULL, "of nothing comes nothing");
	atom_drop(NULL);
	atom_set(&at, "one");
	atom_set(&at, at);
	is_str(at, "one", "a member may be set to itself");
	atom_set(&at, NULL);
	ok(!at, "or to nothing");
	at = atom_take(xstrdup("two"));
	is_str(at, "two", "a text may be given away");
	atom_drop(at);
	is_int(atom_count(), 0, "all are gone");
}

/* More than the table begins with, dropped in another order. */
static void test_many(void)
{
	static const char *all[MANY];
	unsigned wrong = 0;
	char text[16];

	for (int i = 0; i < MANY; i++) {
		snprintf(text, sizeof(text), "vm-%d", i);
		all[i] = atom_get(text);
	}
	is_int(atom_count(), MANY, "thousands are kept");
	for (int i = 0; i < MANY; i++) {
		snprintf(text, sizeof(text), "vm-%d", i);
		wrong += strcmp(all[i], text) != 0;
		wrong += atom_get(text) != all[i];
	}
	is_int(wrong, 0, "and found again");
	for (int i = 0; i < MANY; i += 2)
		atom_drop(all[i]);
	for (int i = MANY - 1; i >= 0; i--)
		atom_drop(all[i]);
	is_int(atom_count(), MANY / 2, "each as often as it was wanted");
	for (int i = 1; i < MANY; i += 2)
		atom_drop(all[i]);
	is_int(atom_count(), 0, "until none is left");
}

int main(void)
{
	test_one();
	test_members();
	test_many();
	return done();
}
