/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The file of a VM that does not exist yet: only what was given is written,
 * section by section, and only if it is good.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/ini.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"
#include "supervisor/config.h"
#include "supervisor/edits.h"
#include "supervisor/layers.h"

static char *path_of(const struct paths *paths, const char *name)
{
	return xasprintf("%s/vms/%s.ini", paths->config, name);
}

static int check_free(
	const struct paths *paths, const char *name, struct err *err)
{
	AUTO_FREE char *path = path_of(paths, name);
	struct stat st;

	if (!config_name_is_valid(name) || strchr(name, '@'))
		return err_set(err, ERR_USAGE,
			"'%s' is no name of a VM: a-z, 0-9 and ._- , at most "
			"32 bytes, a letter or digit first",
			name);
	if (sys_fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return err_set(err, ERR_EXISTS, "'%s' exists already", path);
	return errno == ENOENT || errno == ENOTDIR
		       ? 0
		       : err_os(err, "cannot read '%s'", path);
}

/* [section] with all of its keys, in the order given. */
static int add_section(struct str *text, const struct config_edit *edits,
	size_t n, const char *section, struct err *err)
{
	str_addf(text, "%s[%s]\n", text->len ? "\n" : "", section);
	for (size_t i = 0; i < n; i++) {
		if (!str_eq(edits[i].section, section))
			continue;
		if (edit_check(&edits[i], ERR_USAGE, err))
			return -1;
		if (!edits[i].key)
			continue;
		str_addf(text, "%s = ", edits[i].key);
		if (ini_add_quoted(text, edits[i].value, err) < 0)
			return err_wrap(
				err, "%s.%s: ", edits[i].section, edits[i].key);
		str_addc(text, '\n');
	}
	return 0;
}

static bool is_first(const struct config_edit *edits, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (str_eq(edits[i].section, edits[at].section))
			return false;
	return true;
}

static int check_text(const struct paths *paths, const char *name,
	const struct str *text, struct err *err)
{
	AUTO_FREE char *shown = xasprintf("%s.ini", name);
	struct findings f;
	struct vm_spec *spec;
	int rc;

	findings_init(&f);
	spec = config_load_text(
		paths, name, str_text(text), text->len, shown, &f);
	rc = spec ? 0 : findings_to_err(&f, err);
	spec_free(spec);
	findings_fini(&f);
	return rc;
}

char *config_new_text(const struct paths *paths, const char *name,
	const struct config_edit *edits, size_t n, struct err *err)
{
	AUTO_STR struct str text = STR_INIT;

	if (check_free(paths, name, err))
		return NULL;
	if (n == 0) {
		err_set(err, ERR_USAGE,
			"say at least what it boots from: --base, --image or "
			"SECTION.KEY=VALUE");
		return NULL;
	}
	for (size_t i = 0; i < n; i++)
		if (is_first(edits, i) &&
			add_section(&text, edits, n, edits[i].section, err))
			return NULL;
	if (check_text(paths, name, &text, err))
		return NULL;
	return str_take(&text);
}

int config_new_prepare(const struct paths *paths, const char *name,
	const char *text, struct config_change *out, struct err *err)
{
	AUTO_STR struct str bytes = STR_INIT;

	*out = (struct config_change){
		.fd = -1, .dir_fd = -1, .above_fd = -1, .creates = true
	};
	out->path = path_of(paths, name);
	str_add(&bytes, text);
	return config_change_stage(out, &bytes, err);
}

static void sweep_one(void *arg, const char *name)
{
	const char *dir = arg;
	AUTO_FREE char *path = xasprintf("%s/%s", dir, name);

	if (str_ends(name, ".ini" CONFIG_NEW_MARK))
		sys_unlinkat(AT_FDCWD, path, 0);
}

void config_new_sweep(const struct paths *paths)
{
	AUTO_FREE char *dir = xasprintf("%s/vms", paths->config);

	sys_listdir(AT_FDCWD, dir, sweep_one, dir);
}
