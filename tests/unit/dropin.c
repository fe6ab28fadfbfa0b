/* SPDX-License-Identifier: GPL-2.0-or-later */
/* supervisor/dropin: set and unset keep what is there and refuse nonsense. */
#include "supervisor/config.h"
#include "tests/unit/confdir.h"
#include "tests/unit/tap.h"

#define HEADER    "; written by vmward set: use \"vmward unset\", or edit\n"
#define FILE_NAME "vms/web.ini.d/50-vmward.ini"

/* All the steps of an edit, without the syncs. */
static int edit_dropin(const struct paths *paths, const char *name,
	const struct config_edit *edits, size_t n, struct err *err)
{
	struct config_change change;
	const struct config_file file = { paths, name, false };
	int rc = config_change_prepare(&file, edits, n, &change, err);

	if (rc == 0)
		rc = config_change_commit(&change, err);
	config_change_fini(&change);
	return rc;
}

/* "section key value" or "section key" for unset. */
static int edit(struct err *err, const char *section, const char *key,
	const char *value)
{
	AUTO_FREE char *s = xstrdup(section);
	AUTO_FREE char *k = xstrdup(key);
	AUTO_FREE char *v = value ? xstrdup(value) : NULL;
	struct config_edit one = { s, k, v };

	err_clear(err);
	return edit_dropin(&conf, "web", &one, 1, err);
}

static void is_file(const char *want, const char *what)
{
	AUTO_FREE char *text = conf_get(FILE_NAME);

	is_str(text, want, "%s", what);
}

static void test_set(void)
{
	struct err err = ERR_INIT;

	ok(edit(&err, "vm", "memory", "4G") == 0, "set: %s", err.text);
	is_file(HEADER "\n[vm]\nmemory = 4G\n", "a new file");
	ok(edit(&err, "vm", "cpus", "3") == 0, "another key");
	is_file(HEADER "\n[vm]\nmemory = 4G\ncpus = 3\n", "follows");
	ok(edit(&err, "disk.data", "size", "10G") == 0, "a new section");
	is_file(HEADER "\n[vm]\nmemory = 4G\ncpus = 3\n\n[disk.data]\nsize = "
		       "10G\n",
		"follows");
	ok(edit(&err, "vm", "memory", "5G") == 0, "a value changes");
	ok(edit(&err, "vm", "description", "a ; b") == 0, "one with a mark");
	is_file(HEADER "\n[vm]\nmemory = 5G\ncpus = 3\ndescription = \"a ; "
		       "b\"\n\n[disk.data]\nsize = 10G\n",
		"is quoted, in its section");
	AUTO_FREE char *found = NULL;
	struct vm_spec *spec = conf_load("web", &found);
	ok(spec && spec->vm.memory >> 30 == 5, "the VM has it");
	spec_free(spec);
}

static void test_unset(void)
{
	struct err err = ERR_INIT;

	ok(edit(&err, "vm", "owner", NULL) == 0, "unset what is not set");
	ok(edit(&err, "vm", "memory", NULL) == 0, "unset a key");
	is_file(HEADER "\n[vm]\ncpus = 3\ndescription = \"a ; b\"\n\n"
		       "[disk.data]\nsize = 10G\n",
		"the rest stays");
	ok(edit(&err, "disk.data", "size", NULL) == 0, "the last of a section");
	is_file(HEADER "\n[vm]\ncpus = 3\ndescription = \"a ; b\"\n",
		"takes the section with it");
	ok(edit(&err, "vm", "cpus", NULL) == 0 &&
			edit(&err, "vm", "description", NULL) == 0,
		"unset all");
	is_file("(none)", "no file is left");
	ok(edit(&err, "vm", "cpus", NULL) == 0, "unset without a file");
}

/* What a person wrote into it stays as it is. */
static void test_keeps(void)
{
	struct err err = ERR_INIT;

	conf_put(FILE_NAME, "; mine\n[vm]  ; here\n# why\ncpus=2 ; two\n\n\n"
			    "[disk.x]\nsize = 1G\n; end\n");
	ok(edit(&err, "vm", "memory", "4G") == 0, "set in an edited file");
	ok(edit(&err, "disk.x", "size", NULL) == 0, "unset there");
	is_file("; mine\n[vm]  ; here\n# why\ncpus=2 ; two\nmemory = 4G\n\n; "
		"end\n",
		"comments stay");
	conf_put(FILE_NAME, NULL);
}

static const struct {
	const char *section;
	const char *key;
	const char *value;
	const char *want;
} bad[] = {
	{ "vm", "memroy", "4G",
		"web.ini.d/50-vmward.ini:4: unknown key 'memroy' in [vm] (did "
		"you mean 'memory'?)" },
	{ "vm", "memory", "1024",
		"web.ini.d/50-vmward.ini:4: [vm] memory = 1024: say 1024M" },
	{ "disk.new", "bus", "scsi",
		"web.ini.d/50-vmward.ini:3: [disk.new] needs image, base, "
		"size or url" },
	{ "disk.root", "enabled", "no",
		"web.ini: nothing to boot: give [disk.NAME] or kernel =" },
	{ "vm", "x]\n[raw", "1",
		"'vm.x]\n[raw': say SECTION.KEY, as vm.memory or "
		"disk.root.size" },
	{ "vm]", "cpus", "1",
		"'vm].cpus': say SECTION.KEY, as vm.memory or "
		"disk.root.size" },
	{ "", "cpus", "1",
		"'.cpus': say SECTION.KEY, as vm.memory or disk.root.size" },
	{ "vm", "description", "a\n[raw]\narg-1 = -s",
		"vm.description: a value is one line without control bytes" },
	{ "vm", "description", "a\\",
		"vm.description: a value cannot end in '\\'" },
	{ "vm", "description", "'\"#",
		"vm.description: a value that needs quotes (for ; # or blanks "
		"at its ends) cannot have both quotes" },
};

static void test_bad(void)
{
	struct err err = ERR_INIT;

	for (size_t i = 0; i < NELEMS(bad); i++) {
		ok(edit(&err, bad[i].section, bad[i].key, bad[i].value) < 0,
			"refused: %zu", i);
		is_str(err.text, bad[i].want, "why");
		is_file("(none)", "nothing is written");
	}
	ok(edit(&err, "vm", "cpus", "4") == 0, "a good one");
	AUTO_FREE char *before = conf_get(FILE_NAME);
	struct config_edit two[] = { { (char[]){ "vm" }, (char[]){ "cpus" },
					     (char[]){ "5" } },
		{ (char[]){ "vm" }, (char[]){ "cpus-max" }, (char[]){ "2" } } };
	ok(edit_dropin(&conf, "web", two, 2, &err) < 0,
		"two that do not fit together: %s", err.text);
	is_file(before, "change nothing");
	ok(edit_dropin(&conf, "nope", two, 1, &err) < 0 &&
			err.code == ERR_NOT_FOUND,
		"no such VM: %s", err.text);
	ok(edit_dropin(&conf, "../web", two, 1, &err) < 0 &&
			err.code == ERR_NOT_FOUND,
		"no such name: %s", err.text);
	conf_put(FILE_NAME, "broken\n");
	ok(edit(&err, "vm", "cpus", "4") < 0, "a broken file: %s", err.text);
	is_file("broken\n", "is left alone");
	conf_put(FILE_NAME, NULL);
}

/* What holds until the VM stops is above all, and not what lasts. */
static void test_runtime(void)
{
	const struct config_file file = { &conf, "web", true };
	const struct config_edit one = { "restart", "policy", "no" };
	AUTO_FREE char *path = config_file_path(&file);
	AUTO_STR struct str all = STR_INIT;
	AUTO_STR struct str lasting = STR_INIT;
	struct config_change change;
	struct err err = ERR_INIT;
	struct findings f;
	struct vm_spec *spec;
	bool missing;

	ok(edit(&err, "restart", "policy", "always") == 0, "the drop-in");
	ok(!config_change_prepare(&file, &one, 1, &change, &err) &&
			!config_change_commit(&change, &err),
		"for this life: %s", err.text);
	config_change_fini(&change);
	findings_init(&f);
	spec = config_load(&conf, "web", NULL, &f, &missing);
	ok(spec && config_has_runtime(spec), "it is read");
	config_show(spec, false, "restart", &all);
	is_str(str_text(&all), "[restart]\npolicy = no\n", "and wins");
	config_show_lasting(spec, &lasting);
	ok(strstr(str_text(&lasting), "policy = always\n") != NULL,
		"what lasts is the drop-in's");
	spec_free(spec);
	findings_fini(&f);
	ok(unlink(path) == 0, "it goes with its life");
	findings_init(&f);
	spec = config_load(&conf, "web", NULL, &f, &missing);
	ok(spec && !config_has_runtime(spec), "and is not there then");
	spec_free(spec);
	findings_fini(&f);
	conf_put(FILE_NAME, NULL);
}

int main(void)
{
	conf_start(PATHS_SYSTEM);
	conf_put("vms/web.ini", "[vm]\nmemory = 2G\n[disk.root]\nimage = "
				"a.qcow2\n");
	test_set();
	test_unset();
	test_keeps();
	test_bad();
	test_runtime();
	conf_end();
	return done();
}
