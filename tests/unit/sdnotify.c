/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sd_notify messages: whole, in pieces, of several lines, and bad ones. */
#include "supervisor/sdnotify.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/tap.h"

static struct sdnotify n;

static void message(const char *text, size_t len)
{
	n = (struct sdnotify){ .ready = false };
	sdnotify_feed(&n, text, len);
	sdnotify_end(&n);
}

#define SAYS(text) message((text), sizeof(text) - 1)

static void test_good(void)
{
	SAYS("READY=1");
	ok(n.ready && n.ignored == 0, "READY=1 without a newline");
	SAYS("READY=1\n");
	ok(n.ready && n.ignored == 0, "and with one");
	SAYS("STATUS=Starting up\nREADY=1\nEXTEND_TIMEOUT_USEC=2500000\n");
	ok(n.ready, "several lines");
	is_str(n.status, "Starting up", "with a status");
	is_int(n.extend_ms, 2500, "and more time");
	SAYS("RELOADING=1\nSTATUS=again");
	ok(n.reloading && !n.ready, "RELOADING=1");
	sdnotify_feed(&n, "READY=1", 7);
	sdnotify_end(&n);
	ok(n.ready && !n.reloading, "until READY=1 of the next message");
	is_str(n.status, "again", "which says nothing else");
	sdnotify_feed(&n, "STATUS=", 7);
	sdnotify_end(&n);
	is_str(n.status, "", "an empty status takes it back");
	SAYS("STOPPING=1\nERRNO=0\nEXIT_STATUS=0");
	ok(n.stopping && !n.failed, "STOPPING=1, and all is well");
	SAYS("ERRNO=2");
	ok(n.failed, "ERRNO=");
	SAYS("");
	is_int(n.ignored, 0, "nothing says nothing");
	SAYS("\n\n\n");
	is_int(n.ignored, 0, "nor do empty lines");
}

/* Cut at every place, it says the same. */
static void test_pieces(void)
{
	static const char text[] = "STATUS=a b\nEXTEND_TIMEOUT_USEC=1000\n"
				   "X_MINE=1\nREADY=1";
	unsigned wrong = 0;

	for (size_t cut = 0; cut < sizeof(text); cut++) {
		n = (struct sdnotify){ .ready = false };
		sdnotify_feed(&n, text, cut);
		wrong += n.ready;
		sdnotify_feed(&n, text + cut, sizeof(text) - 1 - cut);
		wrong += n.ready;
		sdnotify_end(&n);
		wrong += !n.ready || n.extend_ms != 1 || n.ignored != 1 ||
			 strcmp(n.status, "a b") != 0;
	}
	is_int(wrong, 0, "a message in two pieces, cut anywhere");
	n = (struct sdnotify){ .ready = false };
	for (size_t i = 0; i + 1 < sizeof(text); i++)
		sdnotify_feed(&n, text + i, 1);
	sdnotify_end(&n);
	ok(n.ready && n.ignored == 1, "byte by byte");
}

static void test_bad(void)
{
	static const char *const none[] = { "READY=0", "READY=", "READY=11",
		"READY=yes", "READY", "ready=1", " READY=1", "READY =1",
		"READY=1 ", "READY=1\r", "NOT_READY=1", "EXTEND_TIMEOUT_USEC=x",
		"EXTEND_TIMEOUT_USEC=-1", "EXTEND_TIMEOUT_USEC=", "ERRNO=-1",
		"ERRNO=99999999999", "STOPPING=0", "RELOADING=2", "=1", "=",
		"WATCHDOG=1", "\xff\xfe", "{\"ready\": true}" };

	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		message(none[i], strlen(none[i]));
		ok(!n.ready && !n.reloading && !n.stopping && !n.failed &&
				n.extend_ms == 0 && n.ignored == 1,
			"line %zu says nothing", i);
	}
	SAYS("READY=1\0\n");
	ok(!n.ready && n.ignored == 1, "a NUL is no text");
	SAYS("REA\0DY=1\nREADY=1");
	ok(n.ready && n.ignored == 1, "what follows it counts");
	SAYS("EXTEND_TIMEOUT_USEC=18446744073709551615");
	is_int(n.extend_ms, 24 * 3600 * 1000, "no more than a day more");
	SAYS("STATUS=\x1b[2Jbell\a\tend");
	ok(!strchr(n.status, '\x1b') && !strchr(n.status, '\a'),
		"a status cannot drive a terminal (%s)", n.status);
}

static void test_floods(void)
{
	static char much[100000];

	memset(much, 'x', sizeof(much));
	message(much, sizeof(much));
	ok(!n.ready && n.ignored == 1, "a line without end");
	memcpy(much, "STATUS=", 7);
	message(much, 400);
	is_int(strlen(n.status), sizeof(n.status) - 1, "a long status is cut");
	memset(much, '\n', sizeof(much));
	memcpy(much + SDNOTIFY_MAX, "READY=1", 7);
	message(much, sizeof(much));
	ok(!n.ready, "what is beyond the message's most is not heard");
	memcpy(much + SDNOTIFY_MAX - 6, "READY=11", 8);
	message(much, sizeof(much));
	ok(!n.ready, "nor a value that is cut there");
	sdnotify_feed(&n, "READY=1", 7);
	sdnotify_end(&n);
	ok(n.ready, "the next message is another one");
	srand(1);
	for (int round = 0; round < 2000; round++) {
		size_t len = (size_t)rand() % 300;

		for (size_t i = 0; i < len; i++)
			much[i] = (char)rand();
		message(much, len);
	}
	ok(n.len == 0 && n.bytes == 0, "noise");
}

static void test_host(void)
{
	struct err err = ERR_INIT;
	int rc = sdnotify_check_host(&err);

	ok(rc == 0 || strstr(err.text, "modprobe"),
		"what the host has not is named (%s)", err.text);
}

int main(void)
{
	test_good();
	test_pieces();
	test_bad();
	test_floods();
	test_host();
	return done();
}
