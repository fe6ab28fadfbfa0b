/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the admin named; see keeper_grant.h. */
#include "supervisor/keeper_grant.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"

#define FILE_MAX (1024 * 1024)

/* Flags of an open that give no more than reading, writing or a name. */
#define FLAGS_KNOWN                                                            \
	(O_ACCMODE | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC | O_PATH | O_DIRECT | \
		O_DIRECTORY | O_NOCTTY)

/* What QEMU or the supervisor looks at below /dev; no power comes of it. */
static const char *const devices[] = { "/dev/kvm", "/dev/vhost-net",
	"/dev/vhost-vsock", "/dev/net/tun" };

/* Where files are that name something, below the configuration. */
static const struct {
	const char *dir;
	bool pools; /* a directory named here grants what is in it */
} places[] = {
	{ "", false },
	{ "/vms", false },
	{ "/templates", false },
	{ "/networks", false },
	{ "/pools", true },
};

/* ---- texts ---- */

bool keeper_path_is_plain(const char *path)
{
	if (path[0] != '/' || path[1] == '\0' || str_ends(path, "/"))
		return false;
	for (const char *at = path; *at; at++) {
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			return false;
		if (*at != '/')
			continue;
		if (at[1] == '/' || str_eq(at, "/.") || str_eq(at, "/..") ||
			str_starts(at, "/./") || str_starts(at, "/../"))
			return false;
	}
	return true;
}

bool keeper_name_is_vm_file(const char *name)
{
	size_t slashes = 0;

	if (name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._@-/")])
		return false;
	for (const char *at = name; *at; at++) {
		slashes += *at == '/';
		if (*at == '.' && (at == name || at[-1] == '/'))
			return false;
	}
	if (slashes == 0)
		return strstr(name, ".ini") && *name != '/';
	return slashes == 1 && strstr(name, ".ini.d/") && *name != '/' &&
	       !str_ends(name, "/");
}

bool keeper_names_are_beside(const char *name, const char *other)
{
	const char *leaf = strrchr(name, '/');
	const char *second = strrchr(other, '/');

	if (!leaf || !second)
		return !leaf && !second;
	return leaf - name == second - other &&
	       strncmp(name, other, (size_t)(leaf - name)) == 0;
}

bool keeper_name_is_tap(const char *name)
{
	return strlen(name) == 12 && str_starts(name, "vw") &&
	       strspn(name + 2, "0123456789abcdef") == 10;
}

bool keeper_path_is_below(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	return len > 1 && strncmp(path, dir, len) == 0 && path[len] == '/';
}

/* ---- values ---- */

#define NAME_BYTES \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._@-"

/* "key = value" of a line, both trimmed; whether a pool's file has it. */
struct entry {
	const char *key;
	const char *value;
	bool pools;
};

/* What a search looks for: true ends it. */
struct search {
	bool (*fits)(const struct search *s, const struct entry *entry);
	const char *path; /* or a device's name */
	bool writes;
	const char *const *argv;
	int dir; /* of the files that it reads now */
	bool pools;
	bool found;
};

static bool is_one_of(const char *word, const char *const *words)
{
	for (; *words; words++)
		if (str_eq(word, *words))
			return true;
	return false;
}

/*
 * The word is that of a value, where %n and its like are any name: what a VM
 * is called is the brain's to say.
 */
static bool word_fits(const char *value, size_t len, const char *word)
{
	for (const char *end = value + len; value < end; value++) {
		size_t most = strspn(word, NAME_BYTES);

		if (*value != '%' || end - value < 2) {
			if (*word++ != *value)
				return false;
			continue;
		}
		if (*++value == '%') {
			if (*word++ != '%')
				return false;
			continue;
		}
		for (size_t n = 0; n <= most; n++)
			if (word_fits(value + 1, (size_t)(end - value) - 1,
				    word + n))
				return true;
		return false;
	}
	return *word == '\0';
}

/*
 * An image is there to be written; a kernel, a key file or a hook is not:
 * who could write a hook would be root.
 */
static bool fits_path(const struct search *s, const struct entry *e)
{
	if (e->pools)
		return str_eq(e->key, "path") &&
		       keeper_path_is_below(s->path, e->value);
	return word_fits(e->value, strlen(e->value), s->path) &&
	       (!s->writes || str_eq(e->key, "image"));
}

/* A word of a list of devices. */
static bool fits_device(const struct search *s, const struct entry *e)
{
	static const char *const keys[] = { "bridge", "uplink", "macvtap",
		"members", NULL };
	const size_t len = strlen(s->path);
	const char *at = e->value;

	while (is_one_of(e->key, keys) && *at) {
		size_t n = strcspn(at, ", \t");

		if (n == len && strncmp(at, s->path, n) == 0)
			return true;
		at += n;
		at += strspn(at, ", \t");
	}
	return false;
}

/* The words of a hook's value are those, one by one. */
static bool fits_words(const struct search *s, const struct entry *e)
{
	static const char *const keys[] = { "started", "stopped", "incident",
		NULL };
	const char *value = e->value;

	if (str_eq(e->key, "on-crash-loop") && str_starts(value, "exec:"))
		value += strlen("exec:");
	else if (!is_one_of(e->key, keys))
		return false;
	for (const char *const *word = s->argv; *word; word++) {
		size_t len;

		value += strspn(value, " \t");
		len = strcspn(value, " \t");
		if (!**word || !word_fits(value, len, *word))
			return false;
		value += len;
	}
	return value[strspn(value, " \t")] == '\0';
}

static char *trim(char *text)
{
	size_t len;

	text += strspn(text, " \t");
	len = strlen(text);
	while (len > 0 && strchr(" \t\r", text[len - 1]))
		text[--len] = '\0';
	return text;
}

/* Without its quotes, or without the comment behind it. */
static char *unquote(char *value)
{
	char *end = *value == '"' || *value == '\'' ? strchr(value + 1, *value)
						    : NULL;

	if (end) {
		*end = '\0';
		return value + 1;
	}
	for (end = value; *end; end++)
		if (strchr(";#", *end) && end > value &&
			strchr(" \t", end[-1])) {
			*end = '\0';
			break;
		}
	return trim(value);
}

/* Each "key = value" of a text; comments and sections have none. */
static void look_at_text(struct search *s, char *text)
{
	for (char *line; !s->found && (line = strsep(&text, "\n"));) {
		char *value = strchr(line, '=');
		struct entry entry = { .pools = s->pools };

		line += strspn(line, " \t");
		if (!value || strchr("#;[", *line))
			continue;
		*value++ = '\0';
		entry.key = trim(line);
		entry.value = unquote(trim(value));
		s->found = *entry.value && s->fits(s, &entry);
	}
}

/* Root's, and nobody else's to write. */
static bool is_roots(const struct stat *st)
{
	return st->st_uid == 0 && !(st->st_mode & (S_IWGRP | S_IWOTH));
}

/* The one that is open is the one that is read, whatever has its name. */
static void look_at_file(struct search *s, int dir, const char *name)
{
	AUTO_CLOSE int fd = sys_openat(
		dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0);
	AUTO_FREE char *text = NULL;
	struct stat st;
	ssize_t n;

	if (fd < 0 || sys_fstat(fd, &st) || !S_ISREG(st.st_mode) ||
		!is_roots(&st) || st.st_size > FILE_MAX)
		return;
	text = xmalloc((size_t)st.st_size + 1);
	n = sys_pread(fd, text, (size_t)st.st_size, 0);
	text[n > 0 ? n : 0] = '\0';
	look_at_text(s, text);
}

static void on_part(void *arg, const char *name)
{
	struct search *s = arg;

	if (!s->found && str_ends(name, ".ini"))
		look_at_file(s, s->dir, name);
}

/* The brain's own directories say nothing. */
static int open_roots(int dir, const char *name)
{
	AUTO_CLOSE int fd =
		sys_openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	struct stat st;

	return fd < 0 || sys_fstat(fd, &st) || !is_roots(&st) ? -1
							      : TAKE_FD(fd);
}

/* NAME.ini, and the parts in NAME.ini.d. */
static void on_file(void *arg, const char *name)
{
	struct search *s = arg;
	AUTO_CLOSE int parts = -1;
	struct search inner = *s;

	on_part(arg, name);
	if (s->found || !str_ends(name, ".ini.d"))
		return;
	parts = open_roots(s->dir, name);
	inner.dir = parts;
	if (parts >= 0)
		sys_listdir(parts, ".", on_part, &inner);
	s->found = inner.found;
}

static bool is_named(const struct paths *paths, struct search *s)
{
	for (size_t i = 0; i < NELEMS(places) && !s->found; i++) {
		AUTO_FREE char *path =
			xasprintf("%s%s", paths->config, places[i].dir);
		AUTO_CLOSE int dir = open_roots(AT_FDCWD, path);

		s->dir = dir;
		s->pools = places[i].pools;
		if (dir >= 0)
			sys_listdir(dir, ".", on_file, s);
	}
	return s->found;
}

/* ---- verdicts ---- */

bool keeper_is_own_image(const struct paths *paths, const char *path)
{
	return keeper_path_is_below(path, paths->images);
}

bool keeper_may_open(const struct paths *paths, const char *path, int flags)
{
	struct search search = { .fits = fits_path,
		.path = path,
		.writes =
			!(flags & O_PATH) && (flags & O_ACCMODE) != O_RDONLY };

	if (!keeper_path_is_plain(path) || flags & ~FLAGS_KNOWN)
		return false;
	for (size_t i = 0; i < NELEMS(devices); i++)
		if (str_eq(path, devices[i]))
			return true;
	if (keeper_path_is_below(path, paths->config))
		return (flags & O_ACCMODE) == O_RDONLY;
	return keeper_is_own_image(paths, path) || is_named(paths, &search);
}

/* The file, and every directory above it, by their own names. */
static bool is_roots_program(char *path)
{
	struct stat st;

	if (sys_fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW) ||
		!S_ISREG(st.st_mode) || !is_roots(&st))
		return false;
	for (char *slash; (slash = strrchr(path, '/')) && slash != path;) {
		*slash = '\0';
		if (sys_fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW) ||
			!S_ISDIR(st.st_mode) ||
			(!is_roots(&st) &&
				(st.st_uid != 0 || !(st.st_mode & S_ISVTX))))
			return false;
	}
	return true;
}

/* What a path leads to in the end, new; NULL if nowhere. */
static char *real_name(const char *path)
{
	AUTO_CLOSE int fd = sys_openat(AT_FDCWD, path, O_PATH, 0);
	AUTO_FREE char *link = xasprintf("/proc/self/fd/%d", fd);
	char name[4096];
	ssize_t n =
		fd < 0 ? -1
		       : sys_readlinkat(AT_FDCWD, link, name, sizeof(name) - 1);

	return n > 0 ? xstrndup(name, (size_t)n) : NULL;
}

bool keeper_is_roots_program(const char *path)
{
	AUTO_FREE char *name = real_name(path);

	return name && is_roots_program(name);
}

bool keeper_may_use_device(const struct paths *paths, const char *name)
{
	struct search search = { .fits = fits_device, .path = name };

	return is_named(paths, &search);
}

char *keeper_may_run(const struct paths *paths, const char *const *argv)
{
	struct search search = { .fits = fits_words, .argv = argv };
	AUTO_FREE char *name = NULL;
	AUTO_FREE char *walk = NULL;

	if (!keeper_path_is_plain(argv[0]))
		return NULL;
	name = real_name(argv[0]);
	walk = name ? xstrdup(name) : NULL;
	return walk && is_roots_program(walk) && is_named(paths, &search)
		       ? TAKE(name)
		       : NULL;
}
