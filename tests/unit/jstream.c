/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * jstream, what comes in: framing whatever the chunks, fairness, caps, and
 * callbacks that pause or close.
 */
#include "base/jstream.h"

#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/rss.h"
#include "tests/unit/stream.h"
#include "tests/unit/tap.h"

static void test_splits(void)
{
	static const char text[] = "{\"a\":\"}\\\"\"}\r\n{\"b\":[1]}{\"c\":0}"
				   "nonsense\n\xff{\"d\":{}}";
	int wrong = 0;

	for (size_t at = 1; at < sizeof(text) - 1; at++) {
		struct jstream js;
		struct seen seen;
		int peer = open_pair(&js, &seen);

		put(peer, text, at);
		settle();
		put(peer, text + at, sizeof(text) - 1 - at);
		settle();
		wrong += !str_eq(str_text(&seen.text),
			"{\"a\":\"}\\\"\"}|{\"b\":[1]}|{\"c\":0}|"
			"!JSON parse error, invalid token near "
			"'nonsense'|{\"d\":{}}|");
		wrong += js.in.cap != 0;
		close_pair(&js, &seen, peer);
	}
	is_int(wrong, 0, "split at every byte, five values arrive");
}

static void test_garbage(void)
{
	struct jstream js;
	struct seen seen;
	int peer = open_pair(&js, &seen);
	const char *text = "[1]\n\"s\"\n{bad}{\"a\":1,\"a\":2}{'a':1}"
			   "{\"\xc3(\":1}\n{\"x\":1}\n";

	put(peer, text, strlen(text));
	settle();
	is_int(seen.messages, 7, "each piece of garbage is one value");
	ok(str_starts(str_text(&seen.text),
		   "!input must be a JSON object|!input must be a JSON "
		   "object|!JSON parse error, "),
		"with its reason");
	ok(strstr(str_text(&seen.text), "|!JSON parse error, duplicate") !=
			NULL,
		"a key twice is garbage too");
	ok(str_ends(str_text(&seen.text), "|{\"x\":1}|"),
		"and the stream goes on");
	ok(str_is_utf8(str_text(&seen.text), seen.text.len),
		"reasons can be shown");
	close_pair(&js, &seen, peer);
}

/* The balloon's "unknown" is 2^64-1, and once cost the whole reply. */
static void test_huge_numbers(void)
{
	static const char *const text =
		"{\"n\":18446744073709551615,\"m\":-7,\"t\":\"\\\"99999999999"
		"999999999\",\"r\":0.5,\"k\":9223372036854775807}\n"
		"{\"a\":-18446744073709551615}{\"b\":1e99999}{\"c\":1}";
	struct jstream js;
	struct seen seen;
	int peer = open_pair(&js, &seen);

	put(peer, text, strlen(text));
	settle();
	is_str(str_text(&seen.text),
		"{\"n\":1.8446744073709552e19,\"m\":-7,\"t\":\"\\\"999999"
		"99999999999999\",\"r\":0.5,\"k\":9223372036854775807}|"
		"{\"a\":-1.8446744073709552e19}|!JSON parse error, real "
		"number overflow near '1e99999'|{\"c\":1}|",
		"whole numbers beyond 64 bits become reals");
	close_pair(&js, &seen, peer);
}

static void test_fairness(void)
{
	struct jstream a, b;
	struct seen seen_a, seen_b;
	AUTO_STR struct str many = STR_INIT;
	int peer_a = open_pair(&a, &seen_a);
	int peer_b = open_pair(&b, &seen_b);
	int most = 0;

	for (int i = 0; i < 2000; i++)
		str_add(&many, "{\"event\":\"RESET\"}\r\n");
	put(peer_a, many.data, many.len);
	put(peer_b, "{}", 2);
	while (seen_b.messages == 0)
		loop_turn(true);
	ok(seen_a.messages <= 64, "another stream gets its turn after %d",
		seen_a.messages);
	while (seen_a.messages < 2000) {
		int before = seen_a.messages;

		loop_turn(true);
		if (seen_a.messages - before > most)
			most = seen_a.messages - before;
	}
	is_int(most, 32, "at most 32 messages a turn");
	settle();
	is_int((long)a.in.cap, 0, "nothing is kept");
	close_pair(&a, &seen_a, peer_a);
	close_pair(&b, &seen_b, peer_b);
}

/* Writes `unit` over and over, as far as the stream lives. */
static void bomb(
	const char *name, const char *head, const char *unit, size_t total)
{
	struct jstream js;
	struct seen seen;
	AUTO_STR struct str chunk = STR_INIT;
	int peer = open_pair(&js, &seen);
	long before, most = 0;
	size_t sent = 0;

	while (chunk.len < 32768)
		str_add(&chunk, unit);
	put(peer, head, strlen(head));
	settle();
	before = rss_kib();
	while (seen.ends == 0 && sent < total) {
		ssize_t len = write(peer, chunk.data, chunk.len);

		sent += len > 0 ? (size_t)len : 0;
		loop_turn(false);
		if (rss_kib() - before > most)
			most = rss_kib() - before;
	}
	ok(seen.ends == 1 && seen.err.code == ERR_LIMIT,
		"%s: rejected after %zu KiB: %s", name, sent >> 10,
		seen.err.text);
	ok(most < 3072 || !rss_is_exact(), "%s: at the cost of %ld KiB", name,
		most);
	close_pair(&js, &seen, peer);
}

static void test_bombs(void)
{
	bomb("objects", "[", "{},", 10 << 20);
	bomb("objects after one another", "", "{},", 10 << 20);
	bomb("no newline", "", "x", 64 << 20);
	bomb("long string", "{\"a\":\"", "x", 64 << 20);
	bomb("depth", "{\"a\":", "[[[[[[[[", 1 << 20);
	bomb("blanks inside", "{", "    ", 64 << 20);
}

static void test_large(void)
{
	struct jstream js;
	struct seen seen;
	AUTO_STR struct str text = STR_INIT;
	int peer = open_pair(&js, &seen);
	size_t at = 0;

	str_add(&text, "{\"a\":\"");
	while (text.len < 900 << 10)
		str_add(&text, "0123456789");
	str_add(&text, "\"}\r\n");
	while (at < text.len) {
		ssize_t len = write(peer, text.data + at, text.len - at);

		at += len > 0 ? (size_t)len : 0;
		loop_turn(false);
	}
	while (seen.messages == 0)
		loop_turn(true);
	settle();
	is_int((long)seen.text.len, (long)text.len - 1, "900 kB arrive");
	is_int((long)(js.in.cap + js.out.cap), 0, "and are not kept");
	ok(js.rx_bytes == text.len, "but counted");
	close_pair(&js, &seen, peer);
}

static void test_close_inside(void)
{
	struct jstream *js = NEW(struct jstream);
	struct seen seen;
	int peer = open_pair(js, &seen);

	seen.close_at_message = true;
	put(peer, "{}{}{}", 6);
	settle();
	is_int(seen.messages, 1, "a stream freed inside a message");
	is_int(seen.ends, 0, "has no end");
	str_fini(&seen.text);
	close(peer);

	js = NEW(struct jstream);
	peer = open_pair(js, &seen);
	seen.close_at_message = true;
	close(peer);
	settle();
	is_int(seen.ends, 1, "a stream may be freed at its end");
	str_fini(&seen.text);
}

static void test_pause(void)
{
	struct jstream js;
	struct seen seen;
	int peer = open_pair(&js, &seen);

	seen.pause_at_message = true;
	put(peer, "{}{}{}", 6);
	settle();
	is_int(seen.messages, 1, "paused after the first of three");
	jstream_pause(&js, false);
	is_int(seen.messages, 1, "nothing within the call");
	settle();
	is_int(seen.messages, 2, "the next one was kept");
	seen.pause_at_message = false;
	jstream_pause(&js, false);
	settle();
	is_int(seen.messages, 3, "and the last");
	close_pair(&js, &seen, peer);
}

int main(void)
{
	struct err err = ERR_INIT;
	struct jstream never = { .fd = 0 };

	signal(SIGPIPE, SIG_IGN);
	if (loop_init(&err) < 0)
		return 1;
	jstream_close(&never);
	ok(!jstream_is_open(&never), "a zeroed stream is closed");
	test_splits();
	test_garbage();
	test_huge_numbers();
	test_fairness();
	test_bombs();
	test_large();
	test_close_inside();
	test_pause();
	loop_fini();
	return done();
}
