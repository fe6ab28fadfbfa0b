/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Devices that a guest was asked to let go; see unplug.h. */
#include "supervisor/unplug.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"
#include "supervisor/config.h"

#define MARK   "unplug"
#define DROPIN "50-vmward.ini"

enum { TEXT_MAX = 16384 };

/* ---- the marks ---- */

static char *path_of(const struct vm *vm)
{
	return machine_priv_path(&vm->machine, MARK);
}

static void read_marks(const struct vm *vm, struct str *text)
{
	AUTO_FREE char *path = path_of(vm);
	struct err ignored = ERR_INIT;

	if (fd_read_file(AT_FDCWD, path, TEXT_MAX, text, &ignored))
		str_cut(text, 0);
}

/* One line: "data w", or "data -"; of a nic "net.lan w". */
struct mark {
	const char *name;
	size_t len;
	bool write;
};

static bool next_mark(const char **at, struct mark *mark)
{
	const char *line = *at;
	size_t len = strcspn(line, "\n");

	if (!*line)
		return false;
	*at = line + len + (line[len] == '\n');
	*mark = (struct mark){ line, strcspn(line, " \n"),
		len > 2 && line[len - 1] == 'w' };
	return true;
}

/* What marks a device; new. */
static char *name_of(const char *kind, const char *device)
{
	return str_eq(kind, "disk") ? xstrdup(device)
				    : xasprintf("%s.%s", kind, device);
}

/* All marks but that of the name. */
static void others(const struct vm *vm, const char *name, struct str *out)
{
	AUTO_STR struct str text = STR_INIT;
	const char *at;
	struct mark mark;

	read_marks(vm, &text);
	at = str_text(&text);
	while (next_mark(&at, &mark)) {
		if (strlen(name) != mark.len ||
			memcmp(name, mark.name, mark.len) != 0)
			str_addf(out, "%.*s %c\n", (int)mark.len, mark.name,
				mark.write ? 'w' : '-');
	}
}

static void write_marks(struct vm *vm, const struct str *text)
{
	AUTO_FREE char *path = path_of(vm);
	struct err err = ERR_INIT;
	int rc = 0;

	if (text->len)
		rc = fd_write_file(AT_FDCWD, path, str_text(text), text->len,
			0600, false, &err);
	else if (sys_unlinkat(AT_FDCWD, path, 0) && errno != ENOENT)
		rc = err_os(&err, "cannot remove '%s'", path);
	if (rc)
		vmlog_line(&vm->log, LOG_WARN, "%s", err.text);
}

void unplug_mark(
	struct vm *vm, const char *kind, const char *device, bool write)
{
	AUTO_FREE char *name = name_of(kind, device);
	AUTO_STR struct str text = STR_INIT;

	others(vm, name, &text);
	str_addf(&text, "%s %c\n", name, write ? 'w' : '-');
	write_marks(vm, &text);
}

void unplug_forget(struct vm *vm, const char *kind, const char *device)
{
	AUTO_FREE char *name = name_of(kind, device);
	AUTO_STR struct str text = STR_INIT;

	if (!unplug_is_marked(vm))
		return;
	others(vm, name, &text);
	write_marks(vm, &text);
}

bool unplug_is_asked(const struct vm *vm, const char *kind, const char *device)
{
	AUTO_FREE char *name = name_of(kind, device);
	AUTO_STR struct str text = STR_INIT;
	const char *at;
	struct mark mark;

	read_marks(vm, &text);
	at = str_text(&text);
	while (next_mark(&at, &mark))
		if (strlen(name) == mark.len &&
			memcmp(name, mark.name, mark.len) == 0)
			return true;
	return false;
}

bool unplug_is_marked(const struct vm *vm)
{
	AUTO_FREE char *path = path_of(vm);
	struct stat st;

	return sys_fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

char *unplug_to_write(const struct vm *vm, const char *kind, size_t i)
{
	AUTO_FREE char *before = name_of(kind, "");
	AUTO_STR struct str text = STR_INIT;
	const char *at;
	struct mark mark;

	read_marks(vm, &text);
	at = str_text(&text);
	while (next_mark(&at, &mark)) {
		size_t skip = strlen(before);

		/* a disk's name has no dot */
		if (!mark.write || strncmp(mark.name, before, skip) != 0 ||
			memchr(mark.name + skip, '.', mark.len - skip))
			continue;
		if (i-- == 0)
			return xstrndup(mark.name + skip, mark.len - skip);
	}
	return NULL;
}

/* ---- the drop-in ---- */

/* Our own keys of the section go; what others wrote is switched off. */
static size_t plan(
	const struct vm_spec *spec, char *section, struct config_edit **edits)
{
	static char enabled[] = "enabled", no[] = "no";
	bool by_others = false;
	size_t n = 0;

	*edits = xcalloc(1, sizeof(**edits));
	list_each(&spec->ini.entries, it, next) {
		const struct ini_entry *e =
			list_entry(it, struct ini_entry, link);

		if (!str_eq(e->section, section))
			continue;
		if (!str_ends(e->file, DROPIN)) {
			by_others = true;
			continue;
		}
		if (!e->key)
			continue;
		*edits = xreallocarray(*edits, n + 2, sizeof(**edits));
		(*edits)[n++] = (struct config_edit){ section, e->key, NULL };
	}
	if (by_others)
		(*edits)[n++] = (struct config_edit){ section, enabled, no };
	return n;
}

struct job *unplug_write_begin(struct vm *vm, const char *kind,
	const char *device, op_end_fn *on_end, void *arg)
{
	const struct vm_spec *spec = vm->spec;
	AUTO_FREE char *section = xasprintf("%s.%s", kind, device);
	struct config_edit *edits = NULL;
	struct job *job = NULL;
	size_t n = spec ? plan(spec, section, &edits) : 0;

	if (n)
		job = op_edit_begin(vm, edits, n, on_end, arg);
	free(edits);
	return job;
}
