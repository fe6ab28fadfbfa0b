/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finds where one JSON value ends and what jansson would need to hold it,
 * in one pass and without memory of its own.  It does not judge JSON: what
 * it frames may still be a parse error.
 *
 * A value ends early, so that the next one is found again, where no JSON
 * could go on: at a newline inside a string, at a control byte between the
 * strings, at a 0xFF byte (the guest agent's separator) anywhere.
 */
#include "base/prescan.h"

#include <stdint.h>
#include <string.h>

#define HEAP_OBJECT 220
#define HEAP_ARRAY  140
#define HEAP_STRING 32
#define HEAP_WORD   24

/*
 * Text and heap of a message lie side by side while it is parsed; text that
 * is not dense is one long string, which costs as much again.
 */
const struct prescan_limits prescan_qmp = { 1 << 20, 2 << 20, 32 };
const struct prescan_limits prescan_agent = { 256 << 10, 256 << 10, 16 };
const struct prescan_limits prescan_client = { 256 << 10, 256 << 10, 8 };

enum class {
	C_WORD, /* part of a number, a word, or of garbage */
	C_BLANK,
	C_NEWLINE,
	C_MARK, /* comma, colon */
	C_OPEN,
	C_CLOSE,
	C_QUOTE,
	C_RESET,
};

static const uint8_t class_of[256] = {
	[' '] = C_BLANK,
	['\t'] = C_BLANK,
	['\r'] = C_BLANK,
	['\n'] = C_NEWLINE,
	[','] = C_MARK,
	[':'] = C_MARK,
	['{'] = C_OPEN,
	['['] = C_OPEN,
	['}'] = C_CLOSE,
	[']'] = C_CLOSE,
	['"'] = C_QUOTE,
	['\''] = C_QUOTE,
	[0xff] = C_RESET,
};

/* Bytes that are not simply text inside a string. */
static const uint8_t ends_text[256] = {
	['"'] = 1,
	['\''] = 1,
	['\\'] = 1,
	['\n'] = 1,
	[0xff] = 1,
};

void prescan_reset(struct prescan *scan)
{
	*scan = (struct prescan){ .depth = 0 };
}

/*
 * Goes through text of a string; *at is moved behind it.  Returns true where
 * the value is cut off: newline or separator.
 */
static bool skip_string(
	struct prescan *scan, const uint8_t *bytes, size_t len, size_t *at)
{
	size_t i = *at;
	bool cut = false;

	while (i < len && scan->in_string && !cut) {
		uint8_t c = bytes[i++];

		if (!ends_text[c])
			while (i < len && !ends_text[bytes[i]])
				i++;
		cut = c == '\n' || c == 0xff;
		if (scan->escaped || !ends_text[c])
			scan->escaped = false;
		else if (c == '\\')
			scan->escaped = true;
		else if (c == (uint8_t)scan->quote)
			scan->in_string = false;
	}
	scan->heap += i - *at;
	*at = i;
	return cut;
}

/* Skips what may stand before a value, and starts it. */
static size_t start(struct prescan *scan, const uint8_t *bytes, size_t len)
{
	size_t i = 0;

	while (i < len && (class_of[bytes[i]] == C_BLANK ||
				  class_of[bytes[i]] == C_NEWLINE ||
				  class_of[bytes[i]] == C_RESET))
		i++;
	if (i < len) {
		scan->started = true;
		scan->in_word = class_of[bytes[i]] != C_OPEN;
	}
	return i;
}

/* One byte between the strings of an object or array. */
static void step(struct prescan *scan, uint8_t c)
{
	switch ((enum class)class_of[c]) {
	case C_OPEN:
		scan->heap += c == '{' ? HEAP_OBJECT : HEAP_ARRAY;
		scan->depth++;
		break;
	case C_CLOSE:
		scan->depth--;
		break;
	case C_QUOTE:
		scan->heap += HEAP_STRING;
		scan->in_string = true;
		scan->quote = (char)c;
		break;
	case C_WORD:
		if (!scan->in_word)
			scan->heap += HEAP_WORD;
		scan->in_word = true;
		return;
	case C_BLANK:
	case C_NEWLINE:
	case C_MARK:
	case C_RESET:
		break;
	}
	scan->in_word = false;
}

/* A bare word or string ends at a newline, whatever it holds. */
static bool skip_line(
	struct prescan *scan, const uint8_t *bytes, size_t len, size_t *at)
{
	const uint8_t *p = bytes + *at;
	const uint8_t *end = bytes + len;

	while (p < end && *p != '\n' && *p != 0xff)
		p++;
	scan->heap += (size_t)(p - bytes) - *at;
	*at = (size_t)(p - bytes) + (p < end);
	return p < end;
}

/* A byte that can only stand inside a string, if at all. */
static bool cuts(uint8_t c)
{
	return c == 0xff || (c < ' ' && class_of[c] == C_WORD);
}

static enum prescan_result judge(
	const struct prescan *scan, const struct prescan_limits *limits)
{
	if (scan->depth > limits->depth)
		return PRESCAN_TOO_DEEP;
	if (scan->heap > limits->heap || scan->bytes > limits->bytes)
		return PRESCAN_TOO_BIG;
	return PRESCAN_MORE;
}

enum prescan_result prescan_feed(struct prescan *scan, const char *bytes,
	size_t len, const struct prescan_limits *limits, size_t *used)
{
	const uint8_t *p = (const uint8_t *)bytes;
	size_t first = scan->started ? 0 : start(scan, p, len);
	size_t i = first;
	bool end = false;

	while (i < len && !end) {
		if (scan->in_string) {
			end = skip_string(scan, p, len, &i);
		} else if (scan->depth == 0 && scan->in_word) {
			end = skip_line(scan, p, len, &i);
		} else {
			step(scan, p[i]);
			end = cuts(p[i]) || scan->depth == 0;
			i++;
		}
		if (scan->depth > limits->depth || scan->heap > limits->heap)
			break;
	}
	scan->bytes += i - first;
	*used = i;
	if (judge(scan, limits) != PRESCAN_MORE) {
		*used = len;
		return judge(scan, limits);
	}
	return end ? PRESCAN_DONE : PRESCAN_MORE;
}
