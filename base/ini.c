/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From bytes to entries.  Three passes over the same bytes: a strict scan of
 * our own that knows lines and blanks out the comments, iniparser, and a
 * comparison of what both saw.  iniparser 4.1 alone merges duplicates, cuts
 * values at any ';', joins lines at '\' and knows no line numbers.
 * The only file that includes iniparser.h.
 */
#include "base/ini.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#if __has_include(<iniparser/iniparser.h>)
#include <iniparser/iniparser.h>
#else
#include <iniparser.h>
#endif

#include "base/fd.h"
#include "base/ini_scan.h"
#include "base/mem.h"

enum { FILE_MAX_BYTES = 256 * 1024, AGREED_MAX_BYTES = 4096 };

/* ---- iniparser ---- */

/* Its messages know neither keys nor columns; ours have been said. */
static int ignore_message(const char *format, ...)
{
	(void)format;
	return 0;
}

/*
 * The dictionary of bytes that the scan found good; NULL if iniparser does
 * not take them.  A memfd is no file of the outside world, so it does not go
 * through base/sys.
 */
static dictionary *load_copy(const char *copy, size_t len)
{
	char path[32];
	dictionary *dict = NULL;
	int fd = memfd_create("vmward.ini", MFD_CLOEXEC);

	if (fd < 0)
		return NULL;
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	iniparser_set_error_callback(ignore_message);
	if (write(fd, copy, len) == (ssize_t)len)
		dict = iniparser_load(path);
	iniparser_set_error_callback(NULL);
	close(fd);
	return dict;
}

/* True if iniparser has the entry, with the same value. */
static bool dict_agrees(const dictionary *dict, const struct ini_entry *entry)
{
	AUTO_FREE char *name =
		entry->key ? xasprintf("%s:%s", entry->section, entry->key)
			   : xstrdup(entry->section);

	if (!entry->key)
		return iniparser_find_entry(dict, name) == 1;
	const char *value = iniparser_getstring(dict, name, NULL);
	return value && str_eq(value, entry->value);
}

/* Both passes must have seen the same entries, and as many. */
static void compare(const struct ini *ini, const char *shown,
	const dictionary *dict, struct findings *f)
{
	int count = 0;

	list_each(&ini->entries, it, next) {
		struct ini_entry *entry =
			list_entry(it, struct ini_entry, link);
		count++;
		if (!dict_agrees(dict, entry))
			findings_add(f, FINDING_ERROR, shown, entry->line,
				"iniparser reads this line differently");
	}
	if (count != dict->n)
		findings_add(f, FINDING_ERROR, shown, 0,
			"iniparser sees %d entries, not %d", dict->n, count);
}

/*
 * The last bytes that iniparser read as we do: fifty instances are fifty
 * readings of one file.
 */
static struct str agreed;

static bool is_agreed(const char *copy, size_t len)
{
	return agreed.len == len && memcmp(agreed.data, copy, len) == 0;
}

static void cross_check(const struct ini *ini, const char *shown,
	const char *copy, size_t len, struct findings *f)
{
	unsigned before = f->errors;
	dictionary *dict;

	if (is_agreed(copy, len))
		return;
	dict = load_copy(copy, len);

	if (!dict) {
		findings_add(f, FINDING_ERROR, shown, 0,
			"iniparser cannot read the file (is /proc mounted?)");
		return;
	}
	compare(ini, shown, dict, f);
	iniparser_freedict(dict);
	if (f->errors > before || len > AGREED_MAX_BYTES)
		return;
	str_cut(&agreed, 0);
	str_addn(&agreed, copy, len);
}

/* ---- a file ---- */

int ini_read_bytes(struct ini *ini, const char *bytes, size_t len,
	const char *shown, const char *dir, struct findings *f)
{
	unsigned before = f->errors;
	struct ini fresh;

	if (len > FILE_MAX_BYTES) {
		findings_add(f, FINDING_ERROR, shown, 0,
			"the file has more than %d bytes", FILE_MAX_BYTES);
		return -1;
	}
	ini_init(&fresh);
	AUTO_FREE char *copy = xmalloc(len + 1);
	struct ini_source source = {
		.file = entry_add_file(&fresh, shown, dir),
		.bytes = bytes,
		.len = len,
	};
	ini_scan(&source, &fresh, copy, f);
	if (f->errors == before && len > 0)
		cross_check(&fresh, shown, copy, len, f);
	bool good = f->errors == before;
	if (good || ini->keep_bad)
		ini_move(ini, &fresh);
	ini_fini(&fresh);
	return good ? 0 : -1;
}

/* The absolute directory of a file, new. */
static char *directory_of(int dirfd, const char *path)
{
	char base[4096] = "/";
	const char *slash = strrchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) : 0;

	if (path[0] == '/')
		return xstrndup(path, len ? len : 1);
	if (dirfd == AT_FDCWD) {
		if (!getcwd(base, sizeof base))
			return xstrdup("/");
	} else {
		AUTO_FREE char *link = xasprintf("/proc/self/fd/%d", dirfd);
		ssize_t n = readlink(link, base, sizeof base - 1);
		base[n > 0 ? n : 0] = '\0';
	}
	if (len == 0)
		return xstrdup(base);
	return xasprintf("%s/%.*s", base, (int)len, path);
}

int ini_read(struct ini *ini, int dirfd, const char *path, const char *shown,
	struct findings *f)
{
	AUTO_STR struct str bytes = STR_INIT;
	struct err err = ERR_INIT;

	if (fd_read_file(dirfd, path, FILE_MAX_BYTES, &bytes, &err) < 0) {
		findings_add(f, FINDING_ERROR, shown, 0, "%s", err.text);
		return -1;
	}
	AUTO_FREE char *dir = directory_of(dirfd, path);
	return ini_read_bytes(ini, str_text(&bytes), bytes.len, shown, dir, f);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

int ini_add_quoted(struct str *out, const char *value, struct err *err)
{
	size_t len = strlen(value);
	bool marks = value[strcspn(value, ";#")] != '\0';
	bool edges = len > 0 &&
		     (is_blank(value[0]) || value[0] == '"' ||
			     value[0] == '\'' || is_blank(value[len - 1]));
	char quote = strchr(value, '"') ? '\'' : '"';

	for (const char *at = value; *at; at++)
		if (((unsigned char)*at < 0x20 && *at != '\t') || *at == 0x7f)
			return err_set(err, ERR_CONFIG,
				"a value is one line without control bytes");
	if (len > INI_VALUE_MAX || !str_is_utf8(value, len))
		return err_set(err, ERR_CONFIG,
			"a value is UTF-8 of at most %d bytes", INI_VALUE_MAX);
	if (!marks && !edges) {
		if (len > 0 && value[len - 1] == '\\')
			return err_set(
				err, ERR_CONFIG, "a value cannot end in '\\'");
		str_add(out, value);
		return 0;
	}
	if (strchr(value, quote) || strchr(value, '\\'))
		return err_set(err, ERR_CONFIG,
			"a value that needs quotes "
			"(for ; # or blanks at its ends) cannot have %s",
			strchr(value, '\\') ? "a backslash" : "both quotes");
	str_addf(out, "%c%s%c", quote, value, quote);
	return 0;
}
