/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The users and groups of this host; see users.h. */
#include "supervisor/users.h"

#include <fcntl.h>
#include <string.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"

#define FILE_MAX (1024 * 1024)

/* "NAME:x:NUMBER:": the number; false where the line has none. */
static bool take_number(const char *line, uint64_t *number)
{
	line = strpbrk(line, ":\n");
	if (!line || *line != ':')
		return false;
	line = strpbrk(line + 1, ":\n");
	if (!line || *line != ':' || line[1] < '0' || line[1] > '9')
		return false;
	*number = str_digits(line + 1);
	return true;
}

static int find(const char *file, const char *name, uint64_t *number)
{
	AUTO_STR struct str text = STR_INIT;
	struct err err = ERR_INIT;
	size_t len = strlen(name);

	if (strchr(name, ':') ||
		fd_read_file(AT_FDCWD, file, FILE_MAX, &text, &err))
		return -1;
	for (const char *line = str_text(&text); line;
		line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncmp(line, name, len) && line[len] == ':')
			return take_number(line, number) ? 0 : -1;
	}
	return -1;
}

static int number_of(const char *file, const char *name, uint32_t *out)
{
	struct err err = ERR_INIT;
	uint64_t number;

	if (!name || !*name)
		return -1;
	if (str_to_u64(name, &number, &err) && find(file, name, &number))
		return -1;
	if (number >= UINT32_MAX)
		return -1;
	*out = (uint32_t)number;
	return 0;
}

int users_find(const char *name, uint32_t *uid)
{
	return number_of("/etc/passwd", name, uid);
}

int users_find_group(const char *name, uint32_t *gid)
{
	return number_of("/etc/group", name, gid);
}

char *users_name(uint32_t uid)
{
	AUTO_STR struct str text = STR_INIT;
	struct err err = ERR_INIT;
	uint64_t number;

	if (uid == 0)
		return xstrdup("root");
	if (fd_read_file(AT_FDCWD, "/etc/passwd", FILE_MAX, &text, &err))
		str_cut(&text, 0);
	for (const char *line = str_text(&text); line;
		line = strchr(line, '\n')) {
		line += *line == '\n';
		if (take_number(line, &number) && number == uid)
			return xstrndup(line, strcspn(line, ":"));
	}
	return xasprintf("%u", uid);
}
