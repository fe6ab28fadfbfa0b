/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tree of snapshots: names, parents, and the file that it is in. */
#include "supervisor/snapshots.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "supervisor/snapshot_groups.h"

#include "tests/unit/tap.h"
#include "tests/unit/temp.h"

static struct err err = ERR_INIT;

static json_t *new_tree(void)
{
	return json_pack("{s:n,s:[],s:[]}", "current", "snapshots", "garbage");
}

static void add(json_t *tree, const char *name)
{
	snapshots_add_steal(tree, json_pack("{s:s,s:s,s:[]}", "name", name,
					  "tag", name, "disks"));
}

static const char *parent_of(const json_t *tree, const char *name)
{
	struct err ignored = ERR_INIT;

	return str_or(json_string_value(json_object_get(
			      snapshots_find(tree, name, &ignored), "parent")),
		"-");
}

static const char *current_of(const json_t *tree)
{
	return str_or(json_string_value(json_object_get(tree, "current")), "-");
}

static void test_names(void)
{
	static const char *const good[] = { "a", "before-1.2_x",
		"2026-11-21T12-00-00Z", "1a" };
	static const char *const bad[] = { "", "12", "-a", ".a", "_a", "a b",
		"a/b", "a\n", "\xc3\xa4",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" };

	for (size_t i = 0; i < NELEMS(good); i++)
		ok(!snapshots_check_name(good[i], &err), "'%s' is a name",
			good[i]);
	for (size_t i = 0; i < NELEMS(bad); i++)
		ok(snapshots_check_name(bad[i], &err) && err.code == ERR_USAGE,
			"bad name %zu is none", i);
}

static void test_time_as_name(void)
{
	AUTO_JSON json_t *tree = new_tree();
	AUTO_FREE char *first =
		snapshots_new_name(tree, INT64_C(1700000000) * 1000000);
	AUTO_FREE char *second = NULL;

	is_str(first, "2023-11-14T22-13-20Z", "the time is the name");
	ok(!snapshots_check_name(first, &err), "and a good one");
	add(tree, first);
	second = snapshots_new_name(tree, INT64_C(1700000000) * 1000000);
	is_str(second, "2023-11-14T22-13-20Z.2", "twice in a second: another");
}

static void test_tree(void)
{
	AUTO_JSON json_t *tree = new_tree();

	ok(!snapshots_latest(tree), "none at first");
	add(tree, "a");
	add(tree, "b");
	snapshots_set_current(tree, "a");
	add(tree, "c");
	is_str(parent_of(tree, "a"), "-", "the first has no parent");
	is_str(parent_of(tree, "b"), "a", "the next is on top of it");
	is_str(parent_of(tree, "c"), "a", "after a revert: a branch");
	is_str(current_of(tree), "c", "the last one is the current one");
	snapshots_rename(tree, "a", "z");
	is_str(parent_of(tree, "b"), "z", "a new name reaches those above");
	snapshots_remove(tree, "c");
	is_str(current_of(tree), "z", "without the current one: its parent");
	snapshots_remove(tree, "z");
	is_str(parent_of(tree, "b"), "-", "what was on top stays");
	is_str(current_of(tree), "-", "and nothing is current");
	ok(!snapshots_find(tree, "a", &err) && err.code == ERR_NOT_FOUND &&
			strstr(err.text, "'a'; there is b"),
		"who is there is said");
	snapshots_remove(tree, "nobody");
	snapshots_rename(tree, "nobody", "x");
	is_int((long long)json_array_size(json_object_get(tree, "snapshots")),
		1, "one that is not there: nothing");
}

static void test_garbage(void)
{
	AUTO_JSON json_t *tree = new_tree();
	AUTO_JSON json_t *images = json_pack("[s]", "/a");
	json_t *garbage = json_object_get(tree, "garbage");

	snapshots_add_garbage(tree, "one", images);
	snapshots_add_garbage(tree, "two", images);
	snapshots_drop_garbage(tree, "one");
	is_int((long long)json_array_size(garbage), 1, "one goes");
	is_str(json_string_value(
		       json_object_get(json_array_get(garbage, 0), "tag")),
		"two", "the other stays");
}

static json_t *read_text(const struct paths *paths, const char *text)
{
	AUTO_FREE char *path = snapshots_path(paths, "web");
	struct err ignored = ERR_INIT;

	if (fd_write_file(
		    AT_FDCWD, path, text, strlen(text), 0600, false, &ignored))
		return NULL;
	err = (struct err)ERR_INIT;
	return snapshots_read(paths, "web", &err);
}

static void test_file(void)
{
	static const char *const bad[] = { "", "{", "[]", "{}",
		"{\"snapshots\":[]}", "{\"snapshots\":{},\"garbage\":[]}",
		"{\"snapshots\":[1],\"garbage\":[]}",
		"{\"snapshots\":[{\"name\":\"a\"}],\"garbage\":[]}",
		"{\"snapshots\":[{\"name\":1,\"tag\":\"t\",\"disks\":[]}],"
		"\"garbage\":[]}" };
	const char *state = temp_path("state");
	AUTO_FREE char *dir = xasprintf("%s/snapshots", state);
	struct paths paths = { .state = xstrdup(state) };
	AUTO_JSON json_t *none = snapshots_read(&paths, "web", &err);
	AUTO_JSON json_t *good = NULL;

	ok(none && !snapshots_latest(none), "no file: no snapshots");
	ok(!fd_make_dirs(dir, 0700, &err), "a directory");
	for (size_t i = 0; i < NELEMS(bad); i++) {
		json_t *tree = read_text(&paths, bad[i]);

		ok(!tree && err.code == ERR_CONFIG, "damage %zu is seen", i);
		json_decref(tree);
	}
	good = read_text(&paths,
		"{\"snapshots\":[{\"name\":\"a\",\"tag\":\"t\",\"disks\":[]}],"
		"\"garbage\":[],\"more\":1}");
	ok(good && snapshots_latest(good), "what is more is no damage");
	snapshots_forget(&paths, "web");
	json_decref(none);
	none = snapshots_read(&paths, "web", &err);
	ok(none && !snapshots_latest(none), "forgotten");
	free(paths.state);
}

static void write_text(const char *path, const char *text)
{
	AUTO_FREE char *dir = str_dir(path);

	ok(!fd_make_dirs(dir, 0700, &err) &&
			!fd_write_file(AT_FDCWD, path, text, strlen(text), 0600,
				false, &err),
		"%s", path);
}

/* A part of what several VMs have counts before the tree's file has it. */
static void test_group(void)
{
	static const char tree_text[] =
		"{\"snapshots\":[],\"garbage\":["
		"{\"tag\":\"t\",\"images\":[],\"making\":true},"
		"{\"tag\":\"u\",\"images\":[]}]}";
	static const char deleted[] = "{\"snapshots\":[],\"garbage\":["
				      "{\"tag\":\"t\",\"images\":[]}]}";
	static const char record[] =
		"{\"snapshots\":{\"web\":{\"name\":\"a\",\"tag\":\"t\","
		"\"disks\":[]}}}";
	struct paths paths = { .state = xstrdup(temp_path("group")) };
	AUTO_FREE char *tree_path = snapshots_path(&paths, "web");
	AUTO_FREE char *path = snapshot_groups_path(&paths, "t");
	AUTO_JSON json_t *before = NULL;
	AUTO_JSON json_t *after = NULL;
	struct err ignored = ERR_INIT;

	write_text(tree_path, tree_text);
	before = snapshots_read(&paths, "web", &err);
	ok(!snapshots_tagged(before, "t"), "garbage without a record is none");
	write_text(path, record);
	after = snapshots_read(&paths, "web", &err);
	ok(snapshots_tagged(after, "t"), "with one it is a snapshot");
	is_str(current_of(after), "a", "the current one");
	is_int((long long)json_array_size(json_object_get(after, "garbage")), 1,
		"the other garbage stays");
	snapshots_settle_groups(&paths);
	ok(!access(path, F_OK), "its tree has not got it: it stays");
	write_text(tree_path, deleted);
	json_decref(after);
	after = snapshots_read(&paths, "web", &err);
	ok(!snapshots_tagged(after, "t"), "one that was deleted stays so");
	snapshots_settle_groups(&paths);
	ok(access(path, F_OK), "then it goes");
	snapshots_settle_groups(&paths);
	write_text(tree_path, "damage");
	write_text(path, record);
	snapshots_settle_groups(&paths);
	ok(!snapshots_read(&paths, "web", &ignored), "a damaged tree");
	ok(!access(path, F_OK), "keeps it");
	free(paths.state);
}

int main(void)
{
	temp_make();
	test_names();
	test_group();
	test_time_as_name();
	test_tree();
	test_garbage();
	test_file();
	return done();
}
