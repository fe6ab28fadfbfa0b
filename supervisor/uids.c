/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The uids that QEMUs run as; see uids.h. */
#include "supervisor/uids.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "base/fd.h"
#include "base/hash.h"
#include "base/str.h"
#include "supervisor/settings.h"

#define FILE_MAX (4 * 1024 * 1024)

static const struct uids_file host_files[] = {
	{ "/etc/passwd", false },
	{ "/etc/group", false },
	{ "/etc/subuid", true },
	{ "/etc/subgid", true },
	{ NULL, false },
};

/* The field after so many colons of a line; or NULL. */
static const char *field(const char *line, unsigned n)
{
	for (; n > 0; n--) {
		line = strpbrk(line, ":\n");
		if (!line || *line != ':')
			return NULL;
		line++;
	}
	return line;
}

static bool is_given(const struct settings_uids *range, const char *line,
	const struct uids_file *file)
{
	const char *from = field(line, file->ranges ? 1 : 2);
	const char *count = file->ranges ? field(line, 2) : NULL;
	uint64_t first;
	uint64_t n;

	if (!from || *from < '0' || *from > '9' || (file->ranges && !count))
		return false; /* an empty line, a comment */
	first = str_digits(from);
	n = count ? str_digits(count) : 1;
	return n > 0 && first <= range->last &&
	       (first >= range->first || n > range->first - first);
}

static int check_file(const struct settings_uids *range,
	const struct uids_file *file, struct err *err)
{
	AUTO_STR struct str text = STR_INIT;
	struct err none = ERR_INIT;

	if (fd_read_file(AT_FDCWD, file->path, FILE_MAX, &text, &none))
		return 0; /* a host without it gives none away */
	for (const char *line = str_text(&text); *line;) {
		size_t len = strcspn(line, "\n");

		if (is_given(range, line, file))
			return err_set(err, ERR_CONFIG,
				"[confinement] uid-range = %" PRIu32 "-%" PRIu32
				" overlaps with '%.*s' of %s: choose another",
				range->first, range->last,
				(int)strcspn(line, ":\n"), line, file->path);
		line += len + (line[len] == '\n');
	}
	return 0;
}

int uids_check(const struct settings_uids *range, const struct uids_file *files,
	struct err *err)
{
	for (files = files ? files : host_files; files->path; files++)
		if (check_file(range, files, err))
			return -1;
	return 0;
}

uint32_t uids_pick(const struct settings_uids *range, const char *key,
	bool (*taken)(void *arg, uint32_t uid), void *arg)
{
	uint64_t span = (uint64_t)range->last - range->first + 1;
	uint64_t start = hash_add(HASH_START, key, strlen(key)) % span;

	for (uint64_t i = 0; i < span; i++) {
		uint32_t uid = range->first + (uint32_t)((start + i) % span);

		if (!taken(arg, uid))
			return uid;
	}
	return 0;
}
