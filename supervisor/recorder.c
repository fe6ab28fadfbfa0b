/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The flight recorder of one VM; see supervisor/recorder.h. */
#include "supervisor/recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/atom.h"
#include "base/fd.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/sys.h"
#include "supervisor/mask.h"

#define FILE_MAX     (32 * 1024)
#define PENDING_MAX  4096
#define EARLY_MAX    1024
#define TEXT_MAX     480 /* bytes of a message that are kept */
#define PER_MINUTE   6   /* of one name */
#define PER_SECOND   50  /* lines of all kinds */
#define BIT_OF(id)   (UINT64_C(1) << ((id) % 64))
#define MINUTE_US    INT64_C(60000000)
#define OF_MANY_KEYS (RECORDER_KEYS - 1)

void recorder_init(struct recorder *r, char *path)
{
	*r = (struct recorder){ .path = atom_take(path) };
}

void recorder_fini(struct recorder *r)
{
	recorder_flush(r);
	str_fini(&r->pending);
	atom_set(&r->path, NULL);
}

/* ---- the file ---- */

static void rotate(const struct recorder *r)
{
	AUTO_FREE char *older = xasprintf("%s.1", r->path);

	sys_renameat(AT_FDCWD, r->path, AT_FDCWD, older);
}

void recorder_flush(struct recorder *r)
{
	struct stat st;
	AUTO_CLOSE int fd = -1;

	loop_kick_stop(&r->kick);
	if (!r->pending.len)
		return;
	fd = sys_openat(AT_FDCWD, r->path,
		O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0600);
	if (fd < 0 && errno == ENOENT && r->pending.len < EARLY_MAX)
		return; /* no directory so far: it comes with the start */
	if (fd >= 0 && !sys_fstat(fd, &st) && S_ISREG(st.st_mode) &&
		sys_write(fd, r->pending.data, r->pending.len) > 0 &&
		st.st_size > FILE_MAX)
		rotate(r);
	str_fini(&r->pending);
}

static void on_kick(struct loop_kick *kick)
{
	recorder_flush(container_of(kick, struct recorder, kick));
}

/* ---- lines ---- */

/* False beyond what a second may have; how many they were is told later. */
static bool has_room(struct recorder *r)
{
	int64_t second = (int64_t)(sys_now_us() / 1000000);

	if (second != r->second) {
		if (r->lines > PER_SECOND)
			str_addf(&r->pending, "- %u lines left out\n",
				r->lines - PER_SECOND);
		r->second = second;
		r->lines = 0;
	}
	return ++r->lines <= PER_SECOND;
}

static void put(struct recorder *r, const char *kind, const char *text,
	size_t len, bool cut)
{
	AUTO_STR struct str masked = STR_INIT;
	char time[32];

	if (!r->path || !has_room(r))
		return;
	mask_secrets(text, len, &masked);
	str_time(sys_realtime_us(), time);
	str_addf(&r->pending, "%s %s ", time, kind);
	str_add_visible(&r->pending, str_text(&masked), masked.len);
	str_add(&r->pending, cut ? "...\n" : "\n");
	if (r->pending.len > PENDING_MAX)
		recorder_flush(r);
	else
		loop_kick(&r->kick, on_kick);
}

void recorder_line(struct recorder *r, const char *kind, const char *text)
{
	size_t len = strlen(text);

	put(r, kind, text, len < TEXT_MAX ? len : TEXT_MAX, len > TEXT_MAX);
}

/* ---- what repeats itself ---- */

/* Its own counter, or one that is of an older minute, or the common one. */
static struct recorder_key *key_of(
	struct recorder *r, uint32_t name, int32_t minute)
{
	for (size_t i = 0; i < OF_MANY_KEYS; i++)
		if (r->keys[i].name == name)
			return &r->keys[i];
	for (size_t i = 0; i < OF_MANY_KEYS; i++) {
		if (r->keys[i].minute != minute) {
			r->keys[i] = (struct recorder_key){ .name = name,
				.minute = minute };
			return &r->keys[i];
		}
	}
	return &r->keys[OF_MANY_KEYS];
}

/* True for one that came often enough in this minute. */
static bool is_too_much(struct recorder *r, const char *name, size_t len)
{
	uint32_t hash = (uint32_t)hash_add(HASH_START, name, len);
	int32_t minute = (int32_t)(sys_now_us() / MINUTE_US + 1);
	struct recorder_key *key = key_of(r, hash, minute);
	char text[160];

	if (key->minute != minute) {
		if (key->n > PER_MINUTE) {
			snprintf(text, sizeof(text),
				"%u more of it in its last minute: %.*s",
				key->n - PER_MINUTE, (int)(len < 60 ? len : 60),
				name);
			recorder_line(r, "-", text);
		}
		key->minute = minute;
		key->n = 0;
	}
	return ++key->n > PER_MINUTE;
}

/* ---- the monitor ---- */

/* The string after a member's name; its length, 0 if there is none. */
static size_t find_string(
	const char *text, const char *member, const char **out)
{
	const char *at = strstr(text, member);

	if (!at)
		return 0;
	at += strlen(member);
	at += strspn(at, " :");
	if (*at != '"')
		return 0;
	*out = at + 1;
	return strcspn(at + 1, "\"");
}

/* Our own commands end with their id. */
static uint64_t id_of(const char *text)
{
	const char *at = NULL;

	for (const char *next = text; (next = strstr(next, "\"id\""));)
		at = next += 4;
	return at ? str_digits(at + strspn(at, " :")) : 0;
}

void recorder_sent(struct recorder *r, const char *text)
{
	size_t len = strcspn(text, "\n");
	uint64_t bit = BIT_OF(id_of(text));
	const char *name = "";
	size_t n = find_string(text, "\"execute\"", &name);

	r->skipped &= ~bit;
	if (is_too_much(r, name, n))
		r->skipped |= bit;
	else
		put(r, ">", text, len < TEXT_MAX ? len : TEXT_MAX,
			len > TEXT_MAX);
}

struct head {
	char text[TEXT_MAX];
	size_t len;
	bool cut;
};

/* Ends the dump when enough is there: a reply may have megabytes. */
static int add_head(const char *bytes, size_t len, void *arg)
{
	struct head *head = arg;
	size_t room = TEXT_MAX - head->len;

	head->cut = len > room;
	memcpy(head->text + head->len, bytes, len < room ? len : room);
	head->len += len < room ? len : room;
	return head->cut ? -1 : 0;
}

void recorder_received(struct recorder *r, json_t *message)
{
	const char *event =
		json_string_value(json_object_get(message, "event"));
	json_t *id = json_object_get(message, "id");
	struct head head = { .len = 0 };

	if (id && (r->skipped & BIT_OF((uint64_t)json_integer_value(id))))
		return;
	if (!id &&
		is_too_much(r, event ? event : "", event ? strlen(event) : 0))
		return;
	if (!message)
		recorder_line(r, "<", "text that is no JSON");
	else if (json_dump_callback(message, add_head, &head, JSON_COMPACT) ||
		 head.len)
		put(r, "<", head.text, head.len, head.cut);
}

/* ---- for incidents ---- */

char *recorder_tail(struct recorder *r, size_t max)
{
	AUTO_FREE char *older = xasprintf("%s.1", r->path);
	AUTO_STR struct str all = STR_INIT;
	AUTO_STR struct str part = STR_INIT;
	struct err err = ERR_INIT;
	const char *text;
	const char *line;

	recorder_flush(r);
	if (!fd_read_file(AT_FDCWD, older, 4 * (size_t)FILE_MAX, &part, &err))
		str_add(&all, str_text(&part));
	if (!fd_read_file(AT_FDCWD, r->path, 4 * (size_t)FILE_MAX, &part, &err))
		str_add(&all, str_text(&part));
	text = str_text(&all);
	if (all.len <= max)
		return xstrdup(text);
	line = strchr(text + all.len - max, '\n');
	return xstrdup(line ? line + 1 : "");
}
