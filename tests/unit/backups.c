/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Backups in a directory: what counts, what is on top of what, what goes. */
#include "supervisor/backups.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/fd.h"
#include "base/jstream.h"
#include "base/mem.h"
#include "supervisor/calendar.h"

#include "tests/unit/tap.h"
#include "tests/unit/temp.h"

#define DAY (86400LL * 1000000)

static const int64_t start = 1795269600LL * 1000000;

/* A backup of that day; on top of parent, or NULL. */
static void make(const char *id, int day, const char *parent, bool scheduled)
{
	AUTO_JSON json_t *json =
		json_pack("{s:i,s:s,s:I,s:s*,s:b,s:[{s:s,s:s,s:i}]}", "version",
			1, "id", id, "time", (json_int_t)(start + day * DAY),
			"parent", parent, "scheduled", scheduled, "disks",
			"name", "root", "file", "root.qcow2", "size", 4);
	AUTO_FREE char *path = backups_path(temp_root, id, BACKUPS_MANIFEST);
	AUTO_FREE char *image = backups_path(temp_root, id, "root.qcow2");
	AUTO_FREE char *dir = xasprintf("%s/%s", temp_root, id);
	AUTO_FREE char *text = jstream_text(json, 0);
	struct err err = ERR_INIT;

	mkdir(dir, 0700);
	ok(!fd_write_file(
		   AT_FDCWD, path, text, strlen(text), 0600, false, &err) &&
			!fd_write_file(
				AT_FDCWD, image, "data", 4, 0600, false, &err),
		"%s is made", id);
}

static const char *broken(const json_t *list, const char *id)
{
	struct err err = ERR_INIT;

	return json_string_value(
		json_object_get(backups_find(list, id, &err), "broken"));
}

static void check_reading(void)
{
	struct err err = ERR_INIT;
	json_t *list;

	make("b", 1, "a", false);
	make("a", 0, NULL, false);
	make("c", 2, "b", false);
	make("lost", 3, "nowhere", false);
	list = backups_list(temp_root);
	is_int((int)json_array_size(list), 4, "all are there");
	is_str(backups_id(json_array_get(list, 0)), "a", "oldest first");
	is_str(backups_id(backups_find(list, "", &err)), "lost", "the newest");
	is_int((int)backups_depth(list, backups_find(list, "c", &err)), 3,
		"three on top of each other");
	ok(!broken(list, "c"), "c is good");
	ok(broken(list, "lost") != NULL, "one without its parent is broken");
	ok(!backups_find(list, "x", &err), "there is no x");
	is_int(err.code, ERR_NOT_FOUND, "and that is said");
	json_decref(list);
	AUTO_FREE char *image = backups_path(temp_root, "a", "root.qcow2");
	ok(!fd_write_file(AT_FDCWD, image, "longer", 6, 0600, false, &err),
		"one image changes");
	list = backups_list(temp_root);
	ok(broken(list, "a") && broken(list, "b") && broken(list, "c"),
		"that breaks what is on top of it");
	json_decref(list);
}

static void check_names(void)
{
	static const char *const bad[] = { "", ".", "..", "a/b", "-x", ".x",
		"a b", "\303\244", "a\n",
		"0123456789012345678901234567890123456789012345678901234567890"
		"1234" };
	struct err err = ERR_INIT;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ok(backups_check_id(bad[i], &err) != 0, "a bad name");
	ok(!backups_check_id("before-upgrade_1.2", &err), "a good one");
	AUTO_FREE char *id = backups_new_id(temp_root);
	ok(!backups_check_id(id, &err), "one of ours is good");
	AUTO_FREE char *dir = xasprintf("%s/%s", temp_root, id);
	mkdir(dir, 0700);
	AUTO_FREE char *next = backups_new_id(temp_root);
	ok(!str_eq(id, next), "and new");
}

/* Days of the scheduled ones that a rule would remove. */
static void check_expiry(void)
{
	struct spec_keep keep;
	struct err err = ERR_INIT;
	json_t *list = json_array();
	json_t *gone;

	for (int day = 0; day < 10; day++)
		json_array_append_new(
			list, json_pack("{s:o,s:I,s:o,s:b}", "id",
				      json_sprintf("d%d", day), "time",
				      (json_int_t)(start + day * DAY), "parent",
				      day % 5 ? json_sprintf("d%d", day - 1)
					      : json_null(),
				      "scheduled", day != 2));
	ok(!calendar_parse_keep("3 daily", &keep, &err), "three days");
	gone = calendar_expired(list, &keep);
	is_int((int)json_array_size(gone), 2,
		"the old chain goes, but what a person made and its parents");
	json_decref(gone);
	ok(!calendar_parse_keep("", &keep, &err), "no rule");
	gone = calendar_expired(list, &keep);
	is_int((int)json_array_size(gone), 0, "keeps all");
	json_decref(gone);
	json_decref(list);
}

static void check_removal(void)
{
	AUTO_FREE char *part = backups_path(temp_root, "half", BACKUPS_PART);
	AUTO_FREE char *dir = xasprintf("%s/half", temp_root);
	AUTO_FREE char *other = xasprintf("%s/other", temp_root);
	struct err err = ERR_INIT;
	struct stat st;

	mkdir(dir, 0700);
	mkdir(other, 0700);
	ok(!fd_write_file(AT_FDCWD, part, "", 0, 0600, false, &err),
		"one is half done");
	backups_sweep(temp_root, NULL);
	ok(stat(dir, &st) != 0, "it goes");
	ok(stat(other, &st) == 0, "what is not ours stays");
	ok(!backups_remove(temp_root, "c", &err), "one is removed");
	AUTO_JSON json_t *list = backups_list(temp_root);
	is_int((int)json_array_size(list), 3, "the others stay");
}

int main(void)
{
	setenv("TZ", "UTC", 1);
	temp_make();
	check_reading();
	check_names();
	check_expiry();
	check_removal();
	return done();
}
