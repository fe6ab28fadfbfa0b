/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Our drop-in, vms/NAME.ini.d/50-vmward.ini, and what holds only until the VM
 * stops, RUN/NAME/priv/runtime.ini.  Either is edited line by line, so that
 * what a person wrote there stays; the merged result is checked before the
 * file is renamed into place.
 */
#include <errno.h>
#include <fcntl.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/sys.h"
#include "supervisor/config.h"
#include "supervisor/edits.h"
#include "supervisor/layers.h"

#define HEADER "; written by vmward set: use \"vmward unset\", or edit\n"
#define RUNTIME_HEADER \
	"; written by vmward set --runtime: gone when the VM stops\n"

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
		str_add(&d->text,
			layers_is_runtime(path) ? RUNTIME_HEADER : HEADER);
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

static int apply(struct dropin *d, const struct config_edit *edit,
	const char *path, struct err *err)
{
	if (edit_check(edit, ERR_CONFIG, err))
		return -1;
	int rc = edit->value ? set_key(d, edit, err)
			     : unset_key(d, edit, path, err);
	return rc < 0 ? -1 : reread(d, path, err);
}

/* ---- the whole ---- */

/* Loads the VM as it would be. */
static int validate(const struct config_file *file,
	const struct config_patch *patch, struct err *err)
{
	struct findings f;
	bool missing;
	int rc = 0;

	findings_init(&f);
	struct vm_spec *spec = config_load_patched(
		file->paths, file->name, NULL, patch, &f, &missing);
	if (missing)
		rc = err_set(
			err, ERR_NOT_FOUND, "no such VM: '%s'", file->name);
	else if (!spec)
		rc = findings_to_err(&f, err);
	spec_free(spec);
	findings_fini(&f);
	return rc;
}

/* ---- writing it, in steps that others make durable ---- */

static int open_dir(const char *dir, struct err *err)
{
	int fd = sys_openat(AT_FDCWD, dir, O_RDONLY | O_DIRECTORY, 0);

	return fd < 0 ? err_os(err, "cannot open directory '%s'", dir) : fd;
}

static int write_text(int fd, const struct str *text)
{
	for (size_t done = 0; done < text->len;) {
		ssize_t put =
			sys_write(fd, text->data + done, text->len - done);

		if (put < 0)
			return -1;
		done += (size_t)put;
	}
	return 0;
}

/* The new text beside the old one. */
static int write_temporary(
	struct config_change *c, const struct str *text, struct err *err)
{
	c->temporary = xasprintf(
		"%s%s", c->path, c->creates ? CONFIG_NEW_MARK : ".tmp");
	sys_unlinkat(AT_FDCWD, c->temporary, 0); /* of a crash */
	c->fd = sys_openat(AT_FDCWD, c->temporary,
		O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0644);
	if (c->fd < 0 || write_text(c->fd, text))
		return err_os(err, "cannot write '%s'", c->temporary);
	return 0;
}

int config_change_stage(
	struct config_change *c, const struct str *text, struct err *err)
{
	bool empty = !text;
	AUTO_FREE char *dir = str_dir(c->path);
	AUTO_FREE char *above = str_dir(dir);

	c->removes = empty;
	if (!empty && fd_make_dirs(dir, 0755, err) < 0)
		return -1;
	c->dir_fd = open_dir(empty ? above : dir, err);
	c->above_fd = open_dir(above, err);
	if (c->dir_fd < 0 || c->above_fd < 0)
		return -1;
	return empty ? 0 : write_temporary(c, text, err);
}

char *config_file_path(const struct config_file *file)
{
	return file->runtime ? layers_runtime_path(file->paths, file->name)
			     : layers_dropin_path(file->paths, file->name);
}

/* The file as it would be, checked; d must be finished in any case. */
static int edit(struct dropin *d, const struct config_file *file,
	const struct config_edit *edits, size_t n, struct err *err)
{
	AUTO_FREE char *path = config_file_path(file);
	int rc = read_dropin(d, path, err);

	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = apply(d, &edits[i], path, err);
	if (rc < 0)
		return -1;
	struct config_patch patch = { path,
		list_is_empty(&d->ini.entries) ? NULL : str_text(&d->text),
		d->text.len };
	return validate(file, &patch, err);
}

int config_change_check(const struct config_file *file,
	const struct config_edit *edits, size_t n, struct err *err)
{
	struct dropin d;

	if (!config_name_is_valid(file->name))
		return err_set(
			err, ERR_NOT_FOUND, "no such VM: '%s'", file->name);
	int rc = edit(&d, file, edits, n, err);
	dropin_fini(&d);
	return rc;
}

int config_change_prepare(const struct config_file *file,
	const struct config_edit *edits, size_t n, struct config_change *out,
	struct err *err)
{
	struct dropin d;

	*out = (struct config_change){ .fd = -1, .dir_fd = -1, .above_fd = -1 };
	if (!config_name_is_valid(file->name))
		return err_set(
			err, ERR_NOT_FOUND, "no such VM: '%s'", file->name);
	out->path = config_file_path(file);
	int rc = edit(&d, file, edits, n, err);
	if (rc == 0)
		rc = config_change_stage(out,
			list_is_empty(&d.ini.entries) ? NULL : &d.text, err);
	dropin_fini(&d);
	return rc;
}

int config_change_commit(struct config_change *c, struct err *err)
{
	if (c->removes) {
		if (!sys_unlinkat(AT_FDCWD, c->path, 0) || errno == ENOENT ||
			errno == ENOTDIR)
			return 0;
		return err_os(err, "cannot remove '%s'", c->path);
	}
	if (c->creates ? sys_renameat2(AT_FDCWD, c->temporary, AT_FDCWD,
				 c->path, RENAME_NOREPLACE)
		       : sys_renameat(
				 AT_FDCWD, c->temporary, AT_FDCWD, c->path))
		return err_os(err, "cannot write '%s'", c->path);
	free(TAKE(c->temporary));
	return 0;
}

void config_sweep(const struct paths *paths, const char *name)
{
	AUTO_FREE char *path = layers_dropin_path(paths, name);
	AUTO_FREE char *temporary = xasprintf("%s.tmp", path);

	sys_unlinkat(AT_FDCWD, temporary, 0);
}

void config_change_fini(struct config_change *c)
{
	if (c->temporary)
		sys_unlinkat(AT_FDCWD, c->temporary, 0);
	fd_close(&c->fd);
	fd_close(&c->dir_fd);
	fd_close(&c->above_fd);
	free(c->temporary);
	free(c->path);
}
