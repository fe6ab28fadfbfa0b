/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The examples: each loads without a finding, in both scopes, and its `show`
 * is as in tests/golden/show/ and loads again to the same.  GOLDEN=write
 * writes those files.
 */
#include <dirent.h>

#include "tests/unit/confdir.h"
#include "tests/unit/tap.h"

#include "tests/unit/golden.h"

enum { IN_FOLDERS = 4 };

static const char *const examples[] = { "minimal.ini", "backup.ini",
	"kernel.ini", "hooks.ini", "cloud.ini", "desktop.ini", "rescue.ini",
	"web@.ini", "ci@.ini", "windows.ini", "remote.ini",
	"run-under-runit/web.ini", "ordered/db.ini", "ordered/app.ini",
	"ordered/web.ini" };

/* What depends on this host: the derived uuid, and where the tree is. */
static char *neutral(const char *text)
{
	struct str out = STR_INIT;
	char top[4096] = "";

	if (!getcwd(top, sizeof top))
		abort();
	while (*text) {
		if (str_starts(text, "\nuuid = ")) {
			str_add(&out, "\nuuid = UUID");
			text += 1 + strcspn(text + 1, "\n");
		} else if (str_starts(text, top)) {
			str_add(&out, "TOP");
			text += strlen(top);
		} else {
			str_addc(&out, *text++);
		}
	}
	return str_take(&out);
}

static void check_golden(const char *example, const char *text)
{
	AUTO_FREE char *path = xasprintf("tests/golden/show/%s", example);
	AUTO_FREE char *got = neutral(text);

	for (char *at = path + strlen("tests/golden/show/"); *at; at++)
		if (*at == '/')
			*at = '-';
	golden(path, got);
}

/* The text loads again and says the same. */
static void check_again(const char *name, const char *text)
{
	AUTO_STR struct str again = STR_INIT;
	struct findings f;

	findings_init(&f);
	struct vm_spec *spec =
		config_load_text(&conf, name, text, strlen(text), "saved", &f);
	AUTO_FREE char *found = conf_found(&f);
	ok(spec != NULL, "it loads again %s", found);
	if (spec)
		config_show(spec, false, NULL, &again);
	is_str(str_text(&again), text, "and says the same");
	spec_free(spec);
	findings_fini(&f);
}

static void test_example(const char *example)
{
	AUTO_FREE char *file = xasprintf("examples/%s", example);
	AUTO_FREE char *name = paths_vm_name(file);
	AUTO_STR struct str text = STR_INIT;
	struct findings f;
	bool missing;

	findings_init(&f);
	struct vm_spec *spec = config_load(&conf, name, file, &f, &missing);
	AUTO_FREE char *found = conf_found(&f);
	is_str(found, "", "%s is right", file);
	ok(spec != NULL, "%s loads", file);
	if (spec) {
		config_show(spec, false, NULL, &text);
		check_golden(example, str_text(&text));
		check_again(spec->name, str_text(&text));
	}
	spec_free(spec);
	findings_fini(&f);
}

/* Nobody adds an example that is not tested. */
static void test_all_named(const char *path)
{
	DIR *dir = opendir(path);
	unsigned n = 0;

	for (struct dirent *d; dir && (d = readdir(dir));)
		n += str_ends(d->d_name, ".ini");
	if (dir)
		closedir(dir);
	is_int(n, NELEMS(examples) - IN_FOLDERS,
		"all examples are in the list");
}

int main(void)
{
	conf_start(PATHS_SYSTEM);
	for (size_t i = 0; i < NELEMS(examples); i++)
		test_example(examples[i]);
	test_all_named("examples");
	conf_end();
	conf_start(PATHS_USER);
	for (size_t i = 0; i < NELEMS(examples); i++)
		test_example(examples[i]);
	conf_end();
	return done();
}
