/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * prescan: where values end, whatever the chunks; what they cost; the caps.
 */
#include "base/prescan.h"

#include "base/str.h"
#include "tests/unit/tap.h"

static const struct prescan_limits wide = { 16 << 20, 64 << 20, 512 };

/* Feeds text in chunks of `step`; lists the values, "|" between them. */
static enum prescan_result frame(const char *text, size_t len, size_t step,
	const struct prescan_limits *limits, struct str *out)
{
	struct prescan scan;
	enum prescan_result result = PRESCAN_MORE;
	size_t at = 0;

	prescan_reset(&scan);
	while (at < len) {
		size_t chunk = len - at < step ? len - at : step;
		size_t used = 0;
		bool fresh = !scan.started;

		result = prescan_feed(&scan, text + at, chunk, limits, &used);
		if (used > chunk || (used == 0 && chunk > 0))
			return PRESCAN_TOO_BIG;
		if (!fresh || scan.started)
			str_addn(out, text + at, used);
		at += used;
		if (result == PRESCAN_DONE) {
			str_addc(out, '|');
			prescan_reset(&scan);
			result = PRESCAN_MORE;
		} else if (result != PRESCAN_MORE) {
			return result;
		}
	}
	return result;
}

static void frames(const char *text, const char *want)
{
	for (size_t step = 1; step <= strlen(text); step++) {
		AUTO_STR struct str got = STR_INIT;

		frame(text, strlen(text), step, &wide, &got);
		if (step == 1 || step == strlen(text))
			is_str(str_text(&got), want, "frames by %zu", step);
		else if (!str_eq(str_text(&got), want))
			is_str(str_text(&got), want, "frames by %zu", step);
	}
}

/* The heap one value is thought to need. */
static size_t heap_of(const char *text)
{
	struct prescan scan;
	size_t used;

	prescan_reset(&scan);
	if (prescan_feed(&scan, text, strlen(text), &wide, &used) !=
			PRESCAN_DONE ||
		used != strlen(text))
		return 0;
	return scan.heap;
}

static void test_frames(void)
{
	frames("{}{}", "{}|{}|");
	frames("{\"a\":[1,{\"b\":\"}\"}]}[1]",
		"{\"a\":[1,{\"b\":\"}\"}]}|[1]|");
	frames("{\"a\\\"}\":\"\\\\\"}{}", "{\"a\\\"}\":\"\\\\\"}|{}|");
	frames("{'execute':'a\"}'}{}", "{'execute':'a\"}'}|{}|");
	frames("{\"a\":\"'\"}{}", "{\"a\":\"'\"}|{}|");
	frames("garbage {\"a\":1}\n{}", "garbage {\"a\":1}\n|{}|");
	frames("\"string }\"\n{}", "\"string }\"\n|{}|");
	frames("}}\n{}", "}}\n|{}|");
	frames("{bad json}{}", "{bad json}|{}|");
	frames("{\"a\n{}", "{\"a\n|{}|");
	frames("{\"a\\\n{}", "{\"a\\\n|{}|");
	frames("{\"a\":\xff{}", "{\"a\":\xff|{}|");
	frames("{\"a\xff{}", "{\"a\xff|{}|");
	frames("half\xff{}", "half\xff|{}|");
	/* found by the simulator: it took all that followed for its own */
	frames("{\"a\":\1{}", "{\"a\":\1|{}|");
	frames("{\"a\":\"\1\"}{}", "{\"a\":\"\1\"}|{}|");
	frames("{\"a\":1", "{\"a\":1");
}

static void test_blanks(void)
{
	struct prescan scan;
	size_t used = 0;

	prescan_reset(&scan);
	is_int(prescan_feed(&scan, " \r\n\t\xff\n", 6, &wide, &used),
		PRESCAN_MORE, "blanks are no value");
	ok(!scan.started && scan.bytes == 0 && used == 6, "and cost nothing");
	is_int(prescan_feed(&scan, "\r\n{}\r\n", 6, &wide, &used), PRESCAN_DONE,
		"blanks before a value are skipped");
	is_int((long)used, 4, "up to the end of the value");
	is_int((long)scan.bytes, 2, "and not counted");
}

static void test_heap(void)
{
	is_int((long)heap_of("{}"), 220, "an object");
	is_int((long)heap_of("[]"), 140, "an array");
	ok(heap_of("[1,23,true]") == 140 + 3 * 24, "numbers and words");
	ok(heap_of("[\"abc\"]") >= 140 + 32 + 3 &&
			heap_of("[\"abc\"]") <= 140 + 32 + 4,
		"a string");
	ok(heap_of("{\"a\":{\"b\":[-1.5e3]}}") >= 2 * 220 + 140 + 2 * 33 + 24,
		"nested");
}

/* Little text that needs much memory, whole and piece by piece. */
static void test_heap_limit(void)
{
	static const char text[] = "[[],[],[],[],[],[],[],[],[],[]]";
	static const struct prescan_limits tight = { 1000, 1000, 8 };
	enum prescan_result result = PRESCAN_MORE;
	struct prescan scan;
	size_t used;

	prescan_reset(&scan);
	is_int(prescan_feed(&scan, text, strlen(text), &tight, &used),
		PRESCAN_TOO_BIG, "eleven arrays do not fit in 1,000 bytes");
	prescan_reset(&scan);
	for (size_t i = 0; text[i] && result == PRESCAN_MORE; i++)
		result = prescan_feed(&scan, text + i, 1, &tight, &used);
	is_int(result, PRESCAN_TOO_BIG, "nor one byte at a time");
}

static enum prescan_result bomb(const char *head, const char *unit,
	size_t bytes, const struct prescan_limits *limits)
{
	AUTO_STR struct str text = STR_INIT;
	AUTO_STR struct str out = STR_INIT;

	str_add(&text, head);
	while (text.len < bytes)
		str_add(&text, unit);
	return frame(text.data, text.len, 65536, limits, &out);
}

static void test_caps(void)
{
	AUTO_STR struct str out = STR_INIT;
	char deep[100];

	is_int(bomb("[", "{},", 10 << 20, &prescan_qmp), PRESCAN_TOO_BIG,
		"10 MiB of objects");
	is_int(bomb("", "{},", 10 << 20, &prescan_qmp), PRESCAN_TOO_BIG,
		"10 MiB of objects outside any value");
	is_int(bomb("[", "1,", 1 << 20, &prescan_qmp), PRESCAN_TOO_BIG,
		"numbers");
	is_int(bomb("{\"a\":\"", "x", 2 << 20, &prescan_qmp), PRESCAN_TOO_BIG,
		"one long string");
	is_int(bomb("{", " ", 2 << 20, &prescan_qmp), PRESCAN_TOO_BIG,
		"blanks inside");
	is_int(bomb("{\"a\":\"", "x", 900 << 10, &prescan_qmp), PRESCAN_MORE,
		"900 kB of string are fine");
	is_int(bomb("", "[", 200, &prescan_qmp), PRESCAN_TOO_DEEP, "200 deep");
	is_int(bomb("", "{\"a\":", 200, &prescan_client), PRESCAN_TOO_DEEP,
		"objects as well");
	memset(deep, '[', 32);
	memset(deep + 32, ']', 32);
	is_int(frame(deep, 64, 64, &prescan_qmp, &out), PRESCAN_MORE,
		"32 deep is fine");
	is_int(frame(deep, 64, 64, &prescan_agent, &out), PRESCAN_TOO_DEEP,
		"but not for an agent");
}

int main(void)
{
	test_frames();
	test_blanks();
	test_heap();
	test_heap_limit();
	test_caps();
	return done();
}
