/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The codec of a record's slot: 4096 bytes, a fixed head and compact JSON.
 *
 *	0  "VMWARD\r\n"     16  sequence     28  length of the JSON
 *	8  FNV-1a of all    24  version      32  JSON, then zeros
 *
 * Little-endian.  The sum covers the whole slot with its own field zero, so
 * a slot torn anywhere, or with any byte changed, is seen.  Members that we
 * do not know are skipped; a meaning that changes takes a new version.
 */
#include "supervisor/store.h"

#include <stdio.h>
#include <string.h>

#include "base/atom.h"
#include "base/hash.h"
#include "base/jstream.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"

enum {
	SLOT = 4096,
	AT_SUM = 8,
	AT_SEQUENCE = 16,
	AT_VERSION = 24,
	AT_LENGTH = 28,
	AT_JSON = 32,
	SLOT_NAME = 24
};

static const char magic[8] = { 'V', 'M', 'W', 'A', 'R', 'D', '\r', '\n' };

static void put(unsigned char *at, uint64_t value, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		at[i] = (unsigned char)(value >> (8 * i));
}

static uint64_t get(const unsigned char *at, unsigned bytes)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < bytes; i++)
		value |= (uint64_t)at[i] << (8 * i);
	return value;
}

/* Of the whole slot, with zeros where the sum is; most of it is zeros. */
static uint64_t sum_of(const unsigned char slot[SLOT])
{
	uint64_t sum = hash_add(HASH_START, slot, AT_SUM);
	size_t end = SLOT;

	while (end > AT_SEQUENCE && slot[end - 1] == 0)
		end--;
	sum = hash_add_zeros(sum, AT_SEQUENCE - AT_SUM);
	sum = hash_add(sum, slot + AT_SEQUENCE, end - AT_SEQUENCE);
	return hash_add_zeros(sum, SLOT - end);
}

/* Text that is no UTF-8 (a detail from outside) is kept as "". */
static json_t *text_of(const char *text)
{
	json_t *value = json_string(text);

	return value ? value : json_string("");
}

static json_t *slots_of(const struct record *record)
{
	json_t *names = json_array();
	const char *at = record->slots;

	while (at) {
		size_t len = strcspn(at, ",");

		json_array_append_new(names, json_stringn(at, len));
		at = at[len] ? at + len + 1 : NULL;
	}
	return names;
}

static json_t *history_of(const struct policy_history *history)
{
	json_t *times = json_array();

	for (unsigned i = 0; i < history->n && i < POLICY_HISTORY; i++)
		json_array_append_new(times, json_integer(history->at_ms[i]));
	return times;
}

static json_t *tally_of(const struct tally *tally)
{
	json_t *json =
		json_pack("{s:I}", "restarts", (json_int_t)tally->restarts);

	for (int c = 0; c < NCAUSES; c++)
		if (tally->ends[c])
			json_object_set_new(json, cause_name((enum cause)c),
				json_integer((json_int_t)tally->ends[c]));
	return json;
}

static json_t *record_to_json(const struct record *r)
{
	json_t *json = json_pack("{s:b, s:I, s:b, s:i, s:I, s:I, s:I, s:s,"
				 "s:I, s:b, s:i}",
		"up", r->desired == DESIRED_UP, "generation",
		(json_int_t)r->generation, "paused", r->paused, "pid",
		(int)r->pid, "pid-start", (json_int_t)r->pid_start,
		"started-real", (json_int_t)r->started_real_us, "started-mono",
		(json_int_t)r->started_mono_ms, "last-cause",
		cause_name(r->last_cause), "last-end",
		(json_int_t)r->last_end_real_us, "failed", r->failed,
		"restarts", (int)r->history.restarts);

	BUG_ON(!json);
	json_object_set_new(json, "killed", json_boolean(r->killed));
	if (r->left)
		json_object_set_new(json, "left", json_true());
	json_object_set_new(json, "uuid", text_of(r->uuid));
	json_object_set_new(json, "boot", text_of(r->boot_id));
	json_object_set_new(json, "last-detail", text_of(r->last_detail));
	json_object_set_new(json, "machine", text_of(r->machine));
	json_object_set_new(json, "incident", text_of(r->incident));
	json_object_set_new(json, "history", history_of(&r->history));
	json_object_set_new(json, "tally", tally_of(&r->tally));
	json_object_set_new(json, "fallback", json_boolean(r->fallback));
	if (r->revert)
		json_object_set_new(json, "revert", json_integer(r->revert));
	json_object_set_new(json, "ephemeral", json_boolean(r->ephemeral));
	json_object_set_new(json, "unfinished", json_boolean(r->unfinished));
	json_object_set_new(json, "ports", json_integer(r->ports));
	json_object_set_new(json, "accel", text_of(r->accel));
	json_object_set_new(json, "uid", json_integer(r->uid));
	json_object_set_new(json, "confined", json_integer(r->confined));
	json_object_set_new(json, "slots", slots_of(r));
	return json;
}

void record_name_slots(struct record *record, const char *slots)
{
	atom_set(&record->slots, slots);
}

void record_copy(struct record *to, const struct record *from)
{
	const char *slots = atom_get(from->slots);

	record_fini(to);
	*to = *from;
	to->slots = slots;
}

void record_fini(struct record *record)
{
	atom_drop(record->slots);
	*record = (struct record){ 0 };
}

void store_encode(const struct record *record, uint64_t sequence,
	unsigned char slot[SLOT])
{
	AUTO_JSON json_t *json = record_to_json(record);
	size_t len;

	memset(slot, 0, SLOT);
	len = json_dumpb(
		json, (char *)slot + AT_JSON, SLOT - AT_JSON, JSON_COMPACT);
	/* 32 names, 16 times, 17 counters and six short texts: 3 KiB */
	BUG_ON(len == 0 || len > SLOT - AT_JSON);
	memcpy(slot, magic, sizeof(magic));
	put(slot + AT_SEQUENCE, sequence, 8);
	put(slot + AT_VERSION, STORE_VERSION, 4);
	put(slot + AT_LENGTH, len, 4);
	put(slot + AT_SUM, sum_of(slot), 8);
}

static void read_text(
	const json_t *json, const char *key, char *out, size_t size)
{
	const char *text = json_string_value(json_object_get(json, key));

	snprintf(out, size, "%s", text ? text : "");
}

static json_int_t read_int(const json_t *json, const char *key)
{
	return json_integer_value(json_object_get(json, key));
}

static bool read_bool(const json_t *json, const char *key)
{
	return json_is_true(json_object_get(json, key));
}

static void read_history(const json_t *json, struct policy_history *out)
{
	const json_t *times = json_object_get(json, "history");
	size_t i;
	const json_t *at;

	out->restarts = (unsigned)read_int(json, "restarts");
	json_array_foreach(times, i, at) if (out->n < POLICY_HISTORY)
		out->at_ms[out->n++] = json_integer_value(at);
}

/* A count that was never negative when it was written. */
static uint64_t read_count(const json_t *json, const char *key)
{
	json_int_t n = read_int(json, key);

	return n > 0 ? (uint64_t)n : 0;
}

static void read_tally(const json_t *json, struct tally *out)
{
	const json_t *tally = json_object_get(json, "tally");

	out->restarts = read_count(tally, "restarts");
	for (int c = 0; c < NCAUSES; c++)
		out->ends[c] = read_count(tally, cause_name((enum cause)c));
}

/* A name that we would write. */
static void add_slot(struct str *text, const char *name)
{
	if (strlen(name) < SLOT_NAME && !strchr(name, ','))
		str_add(text, name);
}

static void read_slots(const json_t *json, struct record *out)
{
	const json_t *names = json_object_get(json, "slots");
	AUTO_STR struct str text = STR_INIT;
	size_t i;
	const json_t *name;

	json_array_foreach(names, i, name)
	{
		if (i >= STORE_SLOTS_MAX)
			break;
		str_add(&text, i ? "," : "");
		add_slot(&text, str_or(json_string_value(name), ""));
	}
	if (text.len)
		atom_set(&out->slots, str_text(&text));
}

/* One that we would write. */
static enum store_revert read_revert(const json_t *json)
{
	json_int_t n = read_int(json, "revert");

	return n == REVERT_DUE || n == REVERT_DONE ? (enum store_revert)n
						   : REVERT_NONE;
}

static void record_from_json(const json_t *json, struct record *out)
{
	char cause[32];

	out->desired = read_bool(json, "up") ? DESIRED_UP : DESIRED_DOWN;
	out->generation = (uint64_t)read_int(json, "generation");
	out->paused = read_bool(json, "paused");
	out->killed = read_bool(json, "killed");
	read_text(json, "uuid", out->uuid, sizeof(out->uuid));
	read_text(json, "boot", out->boot_id, sizeof(out->boot_id));
	out->pid = (int32_t)read_int(json, "pid");
	out->pid_start = (uint64_t)read_int(json, "pid-start");
	out->started_real_us = read_int(json, "started-real");
	out->started_mono_ms = read_int(json, "started-mono");
	read_text(json, "last-cause", cause, sizeof(cause));
	out->last_cause = cause_of(cause);
	read_text(json, "last-detail", out->last_detail,
		sizeof(out->last_detail));
	out->last_end_real_us = read_int(json, "last-end");
	out->failed = read_bool(json, "failed");
	out->left = read_bool(json, "left");
	read_text(json, "machine", out->machine, sizeof(out->machine));
	read_text(json, "incident", out->incident, sizeof(out->incident));
	read_history(json, &out->history);
	read_tally(json, &out->tally);
	out->fallback = read_bool(json, "fallback");
	out->revert = read_revert(json);
	out->ephemeral = read_bool(json, "ephemeral");
	out->unfinished = read_bool(json, "unfinished");
	out->ports = (unsigned)read_int(json, "ports");
	read_text(json, "accel", out->accel, sizeof(out->accel));
	out->uid = (uint32_t)read_int(json, "uid");
	out->confined = (unsigned)read_int(json, "confined");
	read_slots(json, out);
}

int store_check(const unsigned char slot[SLOT], uint64_t *sequence)
{
	if (memcmp(slot, magic, sizeof(magic)) != 0 ||
		get(slot + AT_SUM, 8) != sum_of(slot))
		return -1;
	*sequence = get(slot + AT_SEQUENCE, 8);
	return 0;
}

uint64_t store_sum(const unsigned char slot[SLOT])
{
	return get(slot + AT_SUM, 8);
}

int store_parse(const unsigned char slot[SLOT], struct record *out)
{
	AUTO_JSON json_t *json = NULL;
	uint64_t len = get(slot + AT_LENGTH, 4);
	struct record record = { .version = 0 };

	record.version = (unsigned)get(slot + AT_VERSION, 4);
	if (record.version <= STORE_VERSION) {
		if (len > SLOT - AT_JSON)
			return -1;
		json = json_loadb(
			(const char *)slot + AT_JSON, (size_t)len, 0, NULL);
		if (!json_is_object(json))
			return -1;
		record_from_json(json, &record);
	}
	*out = record;
	return 0;
}

int store_decode(
	const unsigned char slot[SLOT], struct record *out, uint64_t *sequence)
{
	uint64_t found;

	if (store_check(slot, &found) != 0 || store_parse(slot, out) != 0)
		return -1;
	*sequence = found;
	return 0;
}
