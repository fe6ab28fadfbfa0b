/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Structs as JSON objects, descriptors as numbers; see handover.h. */
#include "base/handover.h"

#include <string.h>

#include "base/atom.h"
#include "base/jstream.h"
#include "base/sys_exec.h"

void handover_init(struct handover *h)
{
	*h = (struct handover){ .root = json_pack(
					"{s:i}", "version", HANDOVER_VERSION) };
}

void handover_fini(struct handover *h)
{
	json_decref(h->root);
	free(h->fds);
	*h = (struct handover){ .root = NULL };
}

/* ---- bytes: text if they are text, else hexadecimal ---- */

static json_t *put_bytes(const char *bytes, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	AUTO_STR struct str hex = STR_INIT;

	if (str_is_utf8(bytes, len) && !memchr(bytes, 0, len))
		return json_stringn(bytes, len);
	for (size_t i = 0; i < len; i++) {
		unsigned char byte = (unsigned char)bytes[i];

		str_addc(&hex, digits[byte >> 4]);
		str_addc(&hex, digits[byte & 15]);
	}
	return json_pack("{s:s}", "hex", str_text(&hex));
}

static int digit_of(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

static int get_bytes(const json_t *value, struct str *out)
{
	const char *hex = json_string_value(json_object_get(value, "hex"));

	if (json_is_string(value)) {
		str_addn(out, json_string_value(value),
			json_string_length(value));
		return 0;
	}
	if (!hex || strlen(hex) % 2)
		return -1;
	for (; *hex; hex += 2) {
		int high = digit_of(hex[0]);
		int low = digit_of(hex[1]);

		if (high < 0 || low < 0)
			return -1;
		str_addc(out, (char)(high << 4 | low));
	}
	return 0;
}

/* ---- descriptors ---- */

static json_t *put_fd(struct handover *h, int fd)
{
	if (fd < 0)
		return json_null();
	h->fds = xreallocarray(h->fds, h->nfds + 1, sizeof(int));
	h->fds[h->nfds++] = fd;
	return json_integer(fd);
}

void handover_keep_fds(const struct handover *h, bool keep)
{
	for (size_t i = 0; i < h->nfds; i++)
		exec_keep(h->fds[i], keep);
}

/* ---- fields ---- */

static json_t *put_value(
	struct handover *h, const struct handover_field *field, const void *at)
{
	const struct str *str = at;
	const char *word;

	switch (field->type) {
	case HAND_BOOL:
		return json_boolean(*(const bool *)at);
	case HAND_INT:
		return json_integer(*(const int *)at);
	case HAND_I64:
		return json_integer((json_int_t) * (const int64_t *)at);
	case HAND_TEXT:
		return put_bytes(at, strnlen(at, field->size));
	case HAND_WORD:
	case HAND_ATOM:
		word = *(const char *const *)at;
		return word ? put_bytes(word, strlen(word)) : json_null();
	case HAND_BYTES:
		return put_bytes(str_text(str), str->len);
	case HAND_FD:
		break;
	}
	return put_fd(h, *(const int *)at);
}

void handover_put(struct handover *h, json_t *to,
	const struct handover_field *fields, size_t n, const void *from)
{
	for (size_t i = 0; i < n; i++)
		json_object_set_new(to, fields[i].name,
			put_value(h, &fields[i],
				(const char *)from + fields[i].offset));
}

static bool is_number(const json_t *value, json_int_t min, json_int_t max)
{
	return json_is_integer(value) && json_integer_value(value) >= min &&
	       json_integer_value(value) <= max;
}

static bool is_right(const struct handover_field *field, const json_t *value)
{
	AUTO_STR struct str bytes = STR_INIT;
	bool null = json_is_null(value);

	switch (field->type) {
	case HAND_BOOL:
		return json_is_boolean(value);
	case HAND_INT:
		return is_number(value, INT32_MIN, UINT32_MAX);
	case HAND_I64:
		return json_is_integer(value);
	case HAND_FD:
		return null || is_number(value, 0, 1 << 24);
	case HAND_WORD:
	case HAND_ATOM:
		return null || get_bytes(value, &bytes) == 0;
	case HAND_TEXT:
	case HAND_BYTES:
		break;
	}
	return get_bytes(value, &bytes) == 0 &&
	       (field->type != HAND_TEXT || bytes.len < field->size);
}

static void get_value(
	const struct handover_field *field, const json_t *value, void *at)
{
	AUTO_STR struct str bytes = STR_INIT;

	if (get_bytes(value, &bytes))
		str_cut(&bytes, 0);
	switch (field->type) {
	case HAND_BOOL:
		*(bool *)at = json_is_true(value);
		break;
	case HAND_INT:
		*(int *)at = (int)json_integer_value(value);
		break;
	case HAND_I64:
		*(int64_t *)at = json_integer_value(value);
		break;
	case HAND_TEXT:
		memset(at, 0, field->size);
		memcpy(at, str_text(&bytes), bytes.len);
		break;
	case HAND_WORD:
		*(char **)at =
			json_is_null(value) ? NULL : xstrdup(str_text(&bytes));
		break;
	case HAND_ATOM:
		atom_set(at, json_is_null(value) ? NULL : str_text(&bytes));
		break;
	case HAND_BYTES:
		*(struct str *)at = bytes;
		bytes = (struct str)STR_INIT;
		break;
	case HAND_FD:
		*(int *)at = json_is_null(value)
				     ? -1
				     : (int)json_integer_value(value);
		exec_keep(*(int *)at, false);
		break;
	}
}

int handover_get(const json_t *from, const struct handover_field *fields,
	size_t n, void *to, struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		const json_t *value = json_object_get(from, fields[i].name);

		if (!value ? !fields[i].optional : !is_right(&fields[i], value))
			return err_set(err, ERR_CONFIG,
				"the state's '%s' is %s", fields[i].name,
				value ? "wrong" : "missing");
	}
	for (size_t i = 0; to && i < n; i++) {
		const json_t *value = json_object_get(from, fields[i].name);

		if (value)
			get_value(&fields[i], value,
				(char *)to + fields[i].offset);
	}
	return 0;
}

json_t *handover_need(
	const json_t *from, const char *name, bool array, struct err *err)
{
	json_t *value = json_object_get(from, name);

	if (array ? json_is_array(value) : json_is_object(value))
		return value;
	err_set(err, ERR_CONFIG, "the state's '%s' is %s", name,
		value ? "wrong" : "missing");
	return NULL;
}

/* ---- all of it ---- */

char *handover_text(const struct handover *h)
{
	return jstream_text(h->root, JSON_COMPACT);
}

int handover_parse(
	struct handover *h, const char *text, size_t len, struct err *err)
{
	json_error_t why;
	json_int_t version;

	*h = (struct handover){ .root = json_loadb(text, len, 0, &why) };
	if (!json_is_object(h->root)) {
		handover_fini(h);
		return err_set(err, ERR_CONFIG, "the state is no JSON object");
	}
	version = json_integer_value(json_object_get(h->root, "version"));
	if (version == HANDOVER_VERSION)
		return 0;
	handover_fini(h);
	return err_set(err, ERR_UNSUPPORTED,
		"the state has format %lld, and this version reads %d",
		(long long)version, HANDOVER_VERSION);
}
