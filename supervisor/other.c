/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pools and networks as files; see other.h. */
#include "supervisor/other.h"

#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "supervisor/layers.h"

bool other_read(const struct other *what, void *into, struct ini *ini,
	char **shown, struct findings *f)
{
	const struct other_kind *kind = what->kind;
	char host_name[65] = "";
	const struct key_scope scope = { what->name, what->name, NULL,
		host_name, what->paths->home };
	struct layers layers;

	if (gethostname(host_name, sizeof(host_name) - 1) < 0)
		host_name[0] = '\0';
	if (what->file)
		layers_read_file(what->paths, what->file, &layers, f);
	else
		layers_read_other(
			what->paths, kind->dir, what->name, &layers, f);
	ini_move(ini, &layers.ini);
	*shown = TAKE(layers.shown);
	layers_fini(&layers);
	return !keys_fill(
		into, kind->sections, kind->nsections, ini, &scope, f);
}

bool other_name_is_valid(
	const struct other_kind *kind, const char *name, struct findings *f)
{
	if (paths_name_is_valid(name) && !strchr(name, '@'))
		return true;
	findings_add(f, FINDING_ERROR, name, 0, "'%s' is no name of a %s", name,
		kind->word);
	return false;
}

char *other_name_of(
	const struct other_kind *kind, const char *file, struct findings *f)
{
	AUTO_FREE char *name = paths_vm_name(file);

	if (name && !strchr(name, '@'))
		return TAKE(name);
	findings_add(f, FINDING_ERROR, file, 0, "its name is no name of a %s",
		kind->word);
	return NULL;
}

bool other_is_file(const struct other_kind *kind, const char *path)
{
	AUTO_FREE char *end = xasprintf("/%s", kind->dir);
	const char *slash = strrchr(path, '/');
	char cwd[4096];

	if (!str_ends(path, ".ini"))
		return false;
	if (!slash)
		return getcwd(cwd, sizeof(cwd)) && str_ends(cwd, end);
	AUTO_FREE char *dir = xasprintf("/%.*s", (int)(slash - path), path);
	return str_ends(dir, end);
}

int other_not_found(const struct other_kind *kind, const char *const *names,
	const char *name, struct err *err)
{
	const char *near = str_nearest(name, names);

	if (near)
		return err_set(err, ERR_NOT_FOUND,
			"no %s '%s' (did you mean '%s'?)", kind->word, name,
			near);
	return err_set(err, ERR_NOT_FOUND,
		"no %s '%s'; %s/%s.ini would make one", kind->word, name,
		kind->dir, name);
}
