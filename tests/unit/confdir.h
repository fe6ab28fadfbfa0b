/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A private configuration below --root for tests of supervisor/config: write
 * files into it, load VMs from it, look at what was found as text.
 */
#ifndef TESTS_UNIT_CONFDIR_H
#define TESTS_UNIT_CONFDIR_H

#include <fcntl.h>
#include <stdlib.h>

#include "base/fd.h"
#include "base/mem.h"
#include "supervisor/config.h"
#include "tests/unit/temp.h"

static struct paths conf;

/* Starts with empty directories; scope is PATHS_SYSTEM or PATHS_USER. */
__attribute__((unused)) static void conf_start(enum paths_scope scope)
{
	struct err err = ERR_INIT;
	AUTO_FREE char *vms = NULL;
	AUTO_FREE char *templates = NULL;

	if (!temp_root[0])
		temp_make();
	setenv("HOME", "/home/ann", 1);
	unsetenv("XDG_CONFIG_HOME");
	if (paths_init(&conf, scope, temp_root, &err) < 0)
		abort();
	vms = xasprintf("%s/vms", conf.config);
	templates = xasprintf("%s/templates", conf.config);
	if (fd_make_dirs(vms, 0755, &err) < 0 ||
		fd_make_dirs(templates, 0755, &err) < 0)
		abort();
}

__attribute__((unused)) static void conf_end(void)
{
	paths_fini(&conf);
}

/* Writes a file, named relative to the configuration; text NULL removes. */
__attribute__((unused)) static void conf_put(const char *name, const char *text)
{
	AUTO_FREE char *path = xasprintf("%s/%s", conf.config, name);
	AUTO_FREE char *dir =
		xstrndup(path, (size_t)(strrchr(path, '/') - path));
	struct err err = ERR_INIT;

	if (!text) {
		remove(path);
		return;
	}
	if (fd_make_dirs(dir, 0755, &err) < 0 ||
		fd_write_file(AT_FDCWD, path, text, strlen(text), 0644, false,
			&err) < 0)
		abort();
}

/* What a file of the configuration says, or "(none)"; new. */
__attribute__((unused)) static char *conf_get(const char *name)
{
	AUTO_FREE char *path = xasprintf("%s/%s", conf.config, name);
	AUTO_STR struct str text = STR_INIT;
	struct err err = ERR_INIT;

	if (fd_read_file(AT_FDCWD, path, 1 << 20, &text, &err) < 0)
		return xstrdup("(none)");
	return str_take(&text);
}

/* One finding a line, notes after "note: "; new. */
__attribute__((unused)) static char *conf_found(const struct findings *f)
{
	struct str out = STR_INIT;

	list_each(&f->list, it, next) {
		struct finding *found = list_entry(it, struct finding, link);
		if (found->level == FINDING_NOTE)
			str_add(&out, "note: ");
		finding_add_text(found, &out);
		str_addc(&out, '\n');
	}
	return str_take(&out);
}

/* Loads a VM; *found is new, "" if nothing was found. */
__attribute__((unused)) static struct vm_spec *conf_load(
	const char *name, char **found)
{
	struct findings f;
	bool missing;

	findings_init(&f);
	struct vm_spec *spec = config_load(&conf, name, NULL, &f, &missing);
	*found = missing ? xstrdup("missing\n") : conf_found(&f);
	findings_fini(&f);
	return spec;
}

/* What loading finds, alone; new. */
__attribute__((unused)) static char *conf_findings(const char *name)
{
	char *found;

	spec_free(conf_load(name, &found));
	return found;
}

/* `show` of a VM, or what was found if it cannot be loaded; new. */
__attribute__((unused)) static char *conf_show(const char *name, bool origin)
{
	AUTO_FREE char *found = NULL;
	struct vm_spec *spec = conf_load(name, &found);
	struct str out = STR_INIT;

	if (!spec)
		return TAKE(found);
	config_show(spec, origin, NULL, &out);
	spec_free(spec);
	return str_take(&out);
}

#endif
