/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The uids of VMs: ranges that are somebody's, and who gets which. */
#include "supervisor/uids.h"

#include <fcntl.h>
#include <string.h>

#include "base/fd.h"
#include "supervisor/settings.h"

#include "tests/unit/tap.h"
#include "tests/unit/temp.h"

static const struct settings_uids range = { 1000, 1009 };

static bool overlaps(const char *text, bool ranges, struct err *err)
{
	const char *path = temp_path("given");
	const struct uids_file files[] = { { "/nonexistent", false },
		{ path, ranges }, { NULL, false } };

	*err = (struct err)ERR_INIT;
	if (fd_write_file(AT_FDCWD, path, text, strlen(text), 0644, false, err))
		return false;
	return uids_check(&range, files, err) != 0;
}

static void test_overlaps(void)
{
	static const struct {
		const char *text;
		bool ranges;
		bool bad;
	} cases[] = {
		{ "root:x:0:0::/:/bin/sh\n", false, false },
		{ "ann:x:999:0:\nbob:x:1010:0:\n", false, false },
		{ "ann:x:1000:0:\n", false, true },
		{ "root:x:0:\nlast:x:1009:", false, true },
		{ "", false, false },
		{ "\n# 1005\nshort:x\n::\nno:x:number:\n", false, false },
		{ "ann:900:100\n", true, false },
		{ "ann:900:101\n", true, true },
		{ "ann:1009:1\n", true, true },
		{ "ann:1010:65536\n", true, false },
		{ "ann:1:4294967294\n", true, true },
		{ "ann:1005:0\n", true, false },
		{ "ann:1005\n", true, false },
	};
	struct err err;

	for (size_t i = 0; i < NELEMS(cases); i++)
		ok(overlaps(cases[i].text, cases[i].ranges, &err) ==
				cases[i].bad,
			"file %zu %s", i,
			cases[i].bad ? "overlaps" : "does not overlap");
	overlaps("bob:x:1:\nann:x:1003:\n", false, &err);
	ok(err.code == ERR_CONFIG && strstr(err.text, "'ann' of /") &&
			strstr(err.text, "1000-1009"),
		"whose it is: %s", err.text);
}

struct house {
	bool rooms[10];
};

static bool is_taken(void *arg, uint32_t uid)
{
	return ((struct house *)arg)->rooms[uid - range.first];
}

static void test_picks(void)
{
	struct house house = { { false } };
	uint32_t first = uids_pick(&range, "web", is_taken, &house);
	bool all = true;

	is_int(uids_pick(&range, "web", is_taken, &house), first,
		"the same for the same name");
	house.rooms[first - range.first] = true;
	ok(uids_pick(&range, "web", is_taken, &house) != first,
		"another where that is taken");
	for (int i = 1; i < 10; i++) {
		uint32_t uid = uids_pick(&range, "web", is_taken, &house);

		all = all && uid >= range.first && uid <= range.last;
		if (uid)
			house.rooms[uid - range.first] = true;
	}
	ok(all, "all of them, one after the other");
	is_int(uids_pick(&range, "web", is_taken, &house), 0, "then none");
}

int main(void)
{
	temp_make();
	test_overlaps();
	test_picks();
	return done();
}
