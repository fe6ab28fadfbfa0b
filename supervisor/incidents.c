/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kept incidents of all VMs; see incidents.h. */
#include "supervisor/incidents.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"
#include "supervisor/remove.h"

#define STAMP_LEN 20   /* "20261121T035816.123Z" */
#define NAMES_MAX 1000 /* of a directory; ours have ten */
#define READ_MAX  16384
#define TEXT_MAX  ((size_t)32 * 1024)

/* ---- names ---- */

void incidents_id(int64_t real_us, enum cause cause, char id[INCIDENT_ID_SIZE])
{
	char time[32];
	size_t n = 0;

	str_time(real_us, time);
	for (const char *at = time; *at && n < STAMP_LEN; at++)
		if (*at != '-' && *at != ':')
			id[n++] = *at;
	snprintf(id + n, INCIDENT_ID_SIZE - n, "-%s", cause_name(cause));
}

/* Nothing that leads elsewhere. */
static bool is_id(const char *id)
{
	size_t len = strlen(id);

	return len > STAMP_LEN + 1 && len < INCIDENT_ID_SIZE &&
	       id[STAMP_LEN] == '-' && id[0] >= '0' && id[0] <= '9' &&
	       strspn(id, "0123456789TZ.-abcdefghijklmnopqrstuvwxyz") == len &&
	       !str_ends(id, ".tmp");
}

/* "20261121T035816.123Z-..." -> "2026-11-21T03:58:16.123Z". */
static void time_of(const char *id, char out[32])
{
	snprintf(out, 32, "%.4s-%.2s-%.2sT%.2s:%.2s:%.7s", id, id + 4, id + 6,
		id + 9, id + 11, id + 13);
}

char *incidents_dir(const char *state, const char *vm, const char *id)
{
	return id ? xasprintf("%s/incidents/%s/%s", state, vm, id)
		  : xasprintf("%s/incidents/%s", state, vm);
}

/* ---- directories ---- */

struct names {
	char **at;
	size_t n;
};

static void add_name(void *arg, const char *name)
{
	struct names *names = arg;

	if (names->n == NAMES_MAX)
		return;
	names->at = xreallocarray(names->at, names->n + 1, sizeof(char *));
	names->at[names->n++] = xstrdup(name);
}

static int newest_first(const void *a, const void *b)
{
	return strcmp(*(char *const *)b, *(char *const *)a);
}

static void read_names(const char *dir, struct names *out)
{
	*out = (struct names){ .n = 0 };
	sys_listdir(AT_FDCWD, dir, add_name, out);
	if (out->n)
		qsort(out->at, out->n, sizeof(char *), newest_first);
}

static void free_names(struct names *names)
{
	for (size_t i = 0; i < names->n; i++)
		free(names->at[i]);
	free(names->at);
}

void incidents_trim(const char *state, const char *vm, const char *last)
{
	AUTO_FREE char *dir = incidents_dir(state, vm, NULL);
	struct names names;
	size_t kept = last != NULL;

	read_names(dir, &names);
	for (size_t i = 0; i < names.n; i++) {
		AUTO_FREE char *path = incidents_dir(state, vm, names.at[i]);
		struct err err = ERR_INIT;

		if (last && str_eq(names.at[i], last))
			continue;
		if (is_id(names.at[i]) && ++kept <= INCIDENTS_KEPT)
			continue;
		if (remove_tree(path, &err))
			log_warn(vm, "%s", err.text);
	}
	free_names(&names);
}

static void trim_one(void *arg, const char *vm)
{
	incidents_trim(arg, vm, NULL);
}

void incidents_sweep(const char *state)
{
	AUTO_FREE char *dir = xasprintf("%s/incidents", state);

	sys_listdir(AT_FDCWD, dir, trim_one, (void *)(uintptr_t)state);
}

/* ---- for people ---- */

static json_t *head_of(const char *vm, const char *id)
{
	char time[32];

	time_of(id, time);
	return json_pack("{s:s,s:s,s:s,s:s}", "vm", vm, "id", id, "time", time,
		"cause", id + STAMP_LEN + 1);
}

void incidents_list(const char *state, const char *vm, json_t *out)
{
	AUTO_FREE char *dir = incidents_dir(state, vm, NULL);
	struct names names;

	read_names(dir, &names);
	for (size_t i = 0; i < names.n; i++)
		if (is_id(names.at[i]))
			json_array_append_new(out, head_of(vm, names.at[i]));
	free_names(&names);
}

static char *newest(const char *state, const char *vm)
{
	AUTO_FREE char *dir = incidents_dir(state, vm, NULL);
	struct names names;
	char *found = NULL;

	read_names(dir, &names);
	for (size_t i = 0; i < names.n && !found; i++)
		if (is_id(names.at[i]))
			found = xstrdup(names.at[i]);
	free_names(&names);
	return found;
}

static json_t *files_of(const char *dir)
{
	json_t *files = json_array();
	struct names names;

	read_names(dir, &names);
	for (size_t i = names.n; i > 0; i--) {
		AUTO_FREE char *path = xasprintf("%s/%s", dir, names.at[i - 1]);
		struct stat st;

		if (!sys_fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW) &&
			S_ISREG(st.st_mode))
			json_array_append_new(files,
				json_pack("{s:s,s:I}", "name", names.at[i - 1],
					"size", (json_int_t)st.st_size));
	}
	free_names(&names);
	return files;
}

json_t *incidents_show(
	const char *state, const char *vm, const char *id, struct err *err)
{
	AUTO_FREE char *found = *id ? xstrdup(id) : newest(state, vm);
	AUTO_STR struct str text = STR_INIT;
	struct stat st;
	json_t *o;

	if (!found) {
		err_set(err, ERR_NOT_FOUND, "it has no incident");
		return NULL;
	}
	AUTO_FREE char *dir = incidents_dir(state, vm, found);
	AUTO_FREE char *path = xasprintf("%s/explain.txt", dir);
	if (!is_id(found) ||
		sys_fstatat(AT_FDCWD, dir, &st, AT_SYMLINK_NOFOLLOW)) {
		err_set(err, ERR_NOT_FOUND,
			"it has no incident '%s': vmward incident list %s",
			found, vm);
		return NULL;
	}
	if (fd_read_file(AT_FDCWD, path, TEXT_MAX, &text, err))
		*err = (struct err)ERR_INIT; /* the rest may be there */
	o = head_of(vm, found);
	json_object_set_new(o, "text", json_string(str_text(&text)));
	json_object_set_new(o, "files", files_of(dir));
	json_object_set_new(o, "dir", json_string(dir));
	return o;
}

/* As much of it as ends with a whole character, unless that is the end. */
static size_t whole(const char *data, size_t len, bool at_end)
{
	size_t n = len;

	while (!at_end && n > 0 && len - n < 4 &&
		((unsigned char)data[n - 1] & 0xc0) == 0x80)
		n--;
	if (!at_end && n > 0 && (unsigned char)data[n - 1] >= 0xc0)
		return n - 1;
	return len;
}

json_t *incidents_read(
	const char *dir, const char *file, int64_t offset, struct err *err)
{
	AUTO_FREE char *path = xasprintf("%s/%s", dir, file);
	AUTO_FREE char *data = xmalloc(READ_MAX);
	AUTO_CLOSE int fd = -1;
	struct stat st;
	ssize_t got;
	json_t *o;

	if (!strchr(file, '/') && file[0] != '.')
		fd = sys_openat(
			AT_FDCWD, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
	if (fd < 0 || sys_fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		err_set(err, ERR_NOT_FOUND, "the incident has no file '%s'",
			file);
		return NULL;
	}
	got = offset < 0 ? 0 : sys_pread(fd, data, READ_MAX, (off_t)offset);
	if (got > 0)
		got = (ssize_t)whole(
			data, (size_t)got, offset + got >= st.st_size);
	o = json_pack("{s:s%,s:I}", "text", data, got > 0 ? (size_t)got : 0,
		"size", (json_int_t)st.st_size);
	if (!o) { /* they are written as text; this one was not by us */
		err_set(err, ERR_CONFIG, "'%s' is no text", file);
		return NULL;
	}
	if (got > 0 && offset + got < st.st_size)
		json_object_set_new(o, "next", json_integer(offset + got));
	return o;
}
