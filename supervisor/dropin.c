/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Our one drop-in, vms/NAME.ini.d/50-vmward.ini.  It is edited line by line,
 * so that what a person wrote there stays; the merged result is checked
 * before the file is renamed into place.
 */
#include <errno.h>
#include <fcntl.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/sys.h"
#include "supervisor/config.h"
#include "supervisor/layers.h"

#define HEADER "; written by vmward set: use \"vmward unset\", or edit\n"

enum { DROPIN_MAX_BYTES = 256 * 1024 };

/* The text, and what it says by line. */
struct dropin {
	struct str text;
	struct ini ini;
};

static void dropin_fini(struct dropin *d)
{
	str_fini(&d->text);
	ini_fini(&d->ini);
}

/* Reads the text's entries again; they fail only with a broken file. */
static int reread(struct dropin *d, const char *path, struct err *err)
{
	struct findings f;

	ini_fini(&d->ini);
	findings_init(&f);
	int rc = ini_read_bytes(
		&d->ini, str_text(&d->text), d->text.len, path, "/", &f);
	if (rc < 0)
		findings_to_err(&f, err);
	findings_fini(&f);
	return rc;
}

static int read_dropin(struct dropin *d, const char *path, struct err *err)
{
	struct err why = ERR_INIT;

	ini_init(&d->ini);
	d->text = (struct str)STR_INIT;
	if (fd_read_file(AT_FDCWD, path, DROPIN_MAX_BYTES, &d->text, &why) <
		0) {
		if (why.os != ENOENT && why.os != ENOTDIR) {
			*err = why;
			return -1;
		}
		str_add(&d->text, HEADER);
	}
	return reread(d, path, err);
}

/* ---- lines ---- */

/* Where a line starts; line 1 is the first. */
static size_t start_of(const struct str *text, unsigned line)
{
	const char *at = str_text(text);

	for (; line > 1; line--) {
		const char *end = strchr(at, '\n');
		if (!end)
			return text->len;
		at = end + 1;
	}
	return (size_t)(at - str_text(text));
}

/* Puts `with` in the place of the lines from first up to before last. */
static void replace_lines(
	struct str *text, unsigned first, unsigned last, const char *with)
{
	size_t from = start_of(text, first);
	size_t to = start_of(text, last);
	AUTO_FREE char *rest = xstrdup(str_text(text) + to);

	str_cut(text, from);
	str_add(text, with);
	str_add(text, rest);
}

/* The last line of a section that says something, or 0. */
static unsigned end_of(const struct ini *ini, const char *section)
{
	unsigned line = 0;

	list_each(&ini->entries, it, next) {
		struct ini_entry *entry =
			list_entry(it, struct ini_entry, link);
		if (str_eq(entry->section, section) && entry->line > line)
			line = entry->line;
	}
	return line;
}

static bool has_keys(const struct ini *ini, const char *section)
{
	list_each(&ini->entries, it, next) {
		struct ini_entry *entry =
			list_entry(it, struct ini_entry, link);
		if (entry->key && str_eq(entry->section, section))
			return true;
	}
	return false;
}

/* ---- one edit ---- */

static void set_line(
	struct dropin *d, const struct config_edit *edit, const char *line)
{
	const struct ini_entry *entry =
		ini_find(&d->ini, edit->section, edit->key);
	unsigned end = end_of(&d->ini, edit->section);

	if (entry) {
		replace_lines(&d->text, entry->line, entry->line + 1, line);
	} else if (end > 0) {
		replace_lines(&d->text, end + 1, end + 1, line);
	} else {
		str_addf(&d->text, "\n[%s]\n%s", edit->section, line);
	}
}

static int set_key(
	struct dropin *d, const struct config_edit *edit, struct err *err)
{
	AUTO_STR struct str line = STR_INIT;

	str_addf(&line, "%s = ", edit->key);
	if (ini_add_quoted(&line, edit->value, err) < 0)
		return err_wrap(err, "%s.%s: ", edit->section, edit->key);
	str_addc(&line, '\n');
	set_line(d, edit, str_text(&line));
	return 0;
}

/* Takes the key out, and a header that this leaves alone. */
static int unset_key(struct dropin *d, const struct config_edit *edit,
	const char *path, struct err *err)
{
	const struct ini_entry *entry =
		ini_find(&d->ini, edit->section, edit->key);

	if (!entry)
		return 0;
	replace_lines(&d->text, entry->line, entry->line + 1, "");
	if (reread(d, path, err) < 0)
		return -1;
	entry = ini_find(&d->ini, edit->section, NULL);
	if (!entry || has_keys(&d->ini, edit->section))
		return 0;
	unsigned first = entry->line;
	size_t at = start_of(&d->text, first);
	/* the blank line that we put in front of it */
	if (first > 1 && at > 1 && str_text(&d->text)[at - 2] == '\n')
		first--;
	replace_lines(&d->text, first, entry->line + 1, "");
	return 0;
}

/* Nothing of a name may end a line or a header. */
static bool is_name(const char *name)
{
	return name[0] &&
	       !name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-")];
}

static int apply(struct dropin *d, const struct config_edit *edit,
	const char *path, struct err *err)
{
	if (!is_name(edit->section) || !is_name(edit->key))
		return err_set(err, ERR_CONFIG,
			"'%s.%s': say SECTION.KEY, as vm.memory or "
			"disk.root.size",
			edit->section, edit->key);
	int rc = edit->value ? set_key(d, edit, err)
			     : unset_key(d, edit, path, err);
	return rc < 0 ? -1 : reread(d, path, err);
}

/* ---- the whole ---- */

/* Loads the VM as it would be. */
static int validate(const struct paths *paths, const char *name,
	const struct config_patch *patch, struct err *err)
{
	struct findings f;
	bool missing;
	int rc = 0;

	findings_init(&f);
	struct vm_spec *spec =
		config_load_patched(paths, name, NULL, patch, &f, &missing);
	if (missing)
		rc = err_set(err, ERR_NOT_FOUND, "no such VM: '%s'", name);
	else if (!spec)
		rc = findings_to_err(&f, err);
	spec_free(spec);
	findings_fini(&f);
	return rc;
}

/* Makes a change of names in a directory durable. */
static int sync_dir(const char *dir, struct err *err)
{
	AUTO_CLOSE int fd =
		sys_openat(AT_FDCWD, dir, O_RDONLY | O_DIRECTORY, 0);

	if (fd < 0 || sys_fsync(fd) < 0)
		return err_os(err, "cannot make '%s' durable", dir);
	return 0;
}

static int remove_dropin(const char *path, const char *dir, struct err *err)
{
	if (sys_unlinkat(AT_FDCWD, path, 0) == 0)
		return sync_dir(dir, err);
	if (errno == ENOENT || errno == ENOTDIR)
		return 0;
	return err_os(err, "cannot remove '%s'", path);
}

static int write_dropin(const char *path, const char *dir,
	const struct str *text, struct err *err)
{
	AUTO_FREE char *above =
		xstrndup(dir, (size_t)(strrchr(dir, '/') - dir));

	if (fd_make_dirs(dir, 0755, err) < 0)
		return -1;
	if (fd_write_file(AT_FDCWD, path, str_text(text), text->len, 0644, true,
		    err) < 0)
		return -1;
	return sync_dir(above, err);
}

/* Checks the result and puts it in place. */
static int store(const struct paths *paths, const char *name, const char *path,
	const struct dropin *d, struct err *err)
{
	bool empty = list_is_empty(&d->ini.entries);
	struct config_patch patch = { path, empty ? NULL : str_text(&d->text),
		d->text.len };
	AUTO_FREE char *dir =
		xstrndup(path, (size_t)(strrchr(path, '/') - path));

	if (validate(paths, name, &patch, err) < 0)
		return -1;
	return empty ? remove_dropin(path, dir, err)
		     : write_dropin(path, dir, &d->text, err);
}

int config_edit_dropin(const struct paths *paths, const char *name,
	const struct config_edit *edits, size_t n, struct err *err)
{
	AUTO_FREE char *path = layers_dropin_path(paths, name);
	struct dropin d;

	if (!config_name_is_valid(name))
		return err_set(err, ERR_NOT_FOUND, "no such VM: '%s'", name);
	int rc = read_dropin(&d, path, err);
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = apply(&d, &edits[i], path, err);
	if (rc == 0)
		rc = store(paths, name, path, &d, err);
	dropin_fini(&d);
	return rc;
}
