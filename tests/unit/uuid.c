/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base/uuid: against values of another implementation (Python's uuid5). */
#include "base/uuid.h"

#include "tests/unit/tap.h"

static void test_v5(void)
{
	char out[37];
	char name[201];

	uuid_v5("", out);
	is_str(out, "f11a93b7-409b-5b92-ac7b-af7c0748fd2e", "the empty name");
	uuid_v5("web", out);
	is_str(out, "a54fa25f-3dc1-5724-830e-a92bca03ab16", "a short name");
	memset(name, 'x', 200);
	name[200] = '\0';
	uuid_v5(name, out);
	is_str(out, "de1b88ba-4e85-53db-9344-fb14764a94d6", "four blocks");
	/* with the namespace: the last that fits one block, and the next */
	name[39] = '\0';
	uuid_v5(name, out);
	is_str(out, "e2c1f4da-a46b-5875-9df4-e666300119a7", "55 bytes");
	name[39] = 'x';
	name[40] = '\0';
	uuid_v5(name, out);
	is_str(out, "a64c8243-9107-5d34-9f44-8585facb27fc", "56 bytes");
	name[40] = 'x';
	name[48] = '\0';
	uuid_v5(name, out);
	is_str(out, "edb31f96-7224-51b7-9c31-516a1c4d93a6", "64 bytes");
}

static void test_valid(void)
{
	ok(uuid_is_valid("f11a93b7-409b-5b92-ac7b-af7c0748fd2e"), "lower");
	ok(uuid_is_valid("F11A93B7-409B-5B92-AC7B-AF7C0748FD2E"), "upper");
	ok(!uuid_is_valid(""), "not: nothing");
	ok(!uuid_is_valid("f11a93b7-409b-5b92-ac7b-af7c0748fd2"), "not: 35");
	ok(!uuid_is_valid("f11a93b7-409b-5b92-ac7b-af7c0748fd2ef"), "not: 37");
	ok(!uuid_is_valid("g11a93b7-409b-5b92-ac7b-af7c0748fd2e"), "not: g");
	ok(!uuid_is_valid("f11a93b74409b-5b92-ac7b-af7c0748fd2e"),
		"not: a digit for a hyphen");
	ok(!uuid_is_valid("f11a93b-7409b-5b92-ac7b-af7c0748fd2e"),
		"not: a hyphen for a digit");
}

int main(void)
{
	test_v5();
	test_valid();
	return done();
}
