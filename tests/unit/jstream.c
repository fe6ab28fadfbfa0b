/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * jstream: framing whatever the chunks, fairness, caps, back-pressure,
 * descriptors, and every way a stream may end.
 */
#include "base/jstream.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/sys.h"
#include "tests/unit/tap.h"

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED
#endif
#endif

/* What one stream saw. */
struct seen {
	struct str text; /* messages, "|" behind each; "!why|" for garbage */
	int messages;
	int ends;
	int drained;
	struct err err;
	bool close_at_message;
	bool pause_at_message;
};

static void on_message(struct jstream *js, json_t *message, const char *why)
{
	struct seen *seen = js->owner;
	struct err err = ERR_INIT;

	seen->messages++;
	if (message && jstream_dump(message, &seen->text, &err) < 0)
		return;
	if (!message)
		str_addf(&seen->text, "!%s", why);
	str_addc(&seen->text, '|');
	if (seen->pause_at_message)
		jstream_pause(js, true);
	if (seen->close_at_message) {
		jstream_close(js);
		free(js);
	}
}

static void on_end(struct jstream *js, const struct err *err)
{
	struct seen *seen = js->owner;

	seen->ends++;
	seen->err = *err;
	if (seen->close_at_message)
		free(js);
}

static void on_drained(struct jstream *js)
{
	struct seen *seen = js->owner;

	seen->drained++;
}

static const struct jstream_hooks hooks = { on_message, on_end, on_drained };

static int open_pair(struct jstream *js, struct seen *seen)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) < 0)
		return -1;
	*seen = (struct seen){ .ends = 0 };
	jstream_open(js, fds[0], &prescan_qmp, &hooks, seen);
	return fds[1];
}

static void close_pair(struct jstream *js, struct seen *seen, int peer)
{
	jstream_close(js);
	str_fini(&seen->text);
	close(peer);
}

/* Turns until nothing more happens. */
static void settle(void)
{
	for (int i = 0; i < 20; i++)
		loop_turn(false);
}

static bool put(int fd, const char *text, size_t len)
{
	return write(fd, text, len) == (ssize_t)len;
}

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
	ok(str_ends(str_text(&seen.text), "|{\"x\":1}|"),
		"and the stream goes on");
	ok(str_is_utf8(str_text(&seen.text), seen.text.len),
		"reasons can be shown");
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

static long rss_kib(void)
{
	long pages = 0;
	FILE *file = fopen("/proc/self/statm", "re");

	if (!file || fscanf(file, "%*d %ld", &pages) != 1)
		pages = 0;
	if (file)
		fclose(file);
	return pages * (sysconf(_SC_PAGESIZE) / 1024);
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
#ifndef SANITIZED /* whose shadow memory grows as well */
	ok(most < 3072, "%s: at the cost of %ld KiB", name, most);
#endif
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

static void test_output(void)
{
	struct jstream js;
	struct seen seen;
	struct err err = ERR_INIT;
	AUTO_STR struct str got = STR_INIT;
	AUTO_JSON json_t *message = json_pack("{s:s}", "k", "value");
	static char chunk[65536];
	int peer = open_pair(&js, &seen);
	size_t sent = 0;
	ssize_t len;

	js.line_end = "\r\n";
	while (jstream_send(&js, message, -1, &err) == 0)
		sent++;
	is_int(err.code, ERR_LIMIT, "what waits is capped: %s", err.text);
	ok(js.out.len - js.out_done <= 1 << 20, "at 1 MiB");
	while (seen.drained == 0) {
		len = read(peer, chunk, sizeof(chunk));
		if (len > 0)
			str_addn(&got, chunk, (size_t)len);
		loop_turn(false);
	}
	while ((len = read(peer, chunk, sizeof(chunk))) > 0)
		str_addn(&got, chunk, (size_t)len);
	is_int((long)got.len, (long)(sent * strlen("{\"k\":\"value\"}\r\n")),
		"all %zu messages arrive", sent);
	ok(js.tx_bytes == got.len, "and are counted");
	is_int(seen.drained, 1, "drained is told once");
	is_int((long)js.out.cap, 0, "nothing is kept");
	close_pair(&js, &seen, peer);
	is_int(jstream_send(&js, message, -1, &err), -1, "closed");
	is_int(err.code, ERR_GONE, "is gone");
}

/* Reads one chunk; the descriptor that came with it, or -1. */
static int read_fd(int peer, size_t size, ssize_t *len)
{
	static char chunk[65536];
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov = { chunk, size };
	struct msghdr msg = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes) };
	int fd = -1;

	*len = recvmsg(peer, &msg, 0);
	if (*len > 0 && CMSG_FIRSTHDR(&msg))
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(fd));
	return fd;
}

static void test_send_fd(void)
{
	struct jstream js;
	struct seen seen;
	struct err err = ERR_INIT;
	static char filler[150000];
	int peer = open_pair(&js, &seen);
	size_t at = 0, starts[3] = { 0 };
	int found = 0, right = 0;
	ssize_t len;

	memset(filler, 'x', sizeof(filler));
	for (size_t i = 0; i < 3; i++) {
		AUTO_CLOSE int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

		for (int k = 0; k < 2; k++)
			if (jstream_send_text(
				    &js, filler, sizeof(filler), -1, &err) < 0)
				break;
		starts[i] = js.tx_bytes + js.out.len - js.out_done;
		if (jstream_send_text(&js, "{}", 2, fd, &err) < 0)
			break;
	}
	ok(js.out.len > js.out_done, "descriptors wait with their messages");
	while (at < starts[2] + 2) {
		/* near a message, byte by byte as QEMU reads */
		size_t step =
			found < 3 && starts[found] - at <= 65536 ? 1 : 65536;
		AUTO_CLOSE int fd = read_fd(peer, step, &len);

		loop_turn(false);
		if (fd >= 0 && found < 3)
			right += at == starts[found++];
		at += len > 0 ? (size_t)len : 0;
	}
	is_int(found, 3, "three descriptors arrive");
	is_int(right, 3, "each with the first byte of its message");
	ok(list_is_empty(&js.passing), "none is kept");
	close_pair(&js, &seen, peer);
}

static int send_with_fd(int peer, const char *text, int fd)
{
	struct jstream js;
	struct err err = ERR_INIT;
	static struct seen seen;
	int rc;

	jstream_open(&js, dup(peer), &prescan_qmp, &hooks, &seen);
	rc = jstream_send_text(&js, text, strlen(text), fd, &err);
	jstream_close(&js);
	return rc;
}

static int open_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = 0;

	while (dir && readdir(dir))
		count++;
	if (dir)
		closedir(dir);
	return count;
}

static void test_receive_fd(void)
{
	struct jstream js;
	struct seen seen;
	int peer = open_pair(&js, &seen);
	int before = open_fds();
	int fd;

	send_with_fd(peer, "{}", peer);
	settle();
	is_int(seen.messages, 1, "a message with a descriptor");
	is_int(jstream_take_fd(&js), -1, "which nobody wants");
	is_int(open_fds(), before, "is closed");
	js.want_fds = true;
	for (int i = 0; i < 40; i++)
		send_with_fd(peer, "{}", peer);
	settle();
	ok(open_fds() - before <= 16, "not more than 16 are kept");
	fd = jstream_take_fd(&js);
	ok(fd >= 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC, "one is taken");
	fd_close(&fd);
	jstream_close(&js);
	is_int(open_fds(), before - 1, "the others go with the stream");
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

static void test_ends(void)
{
	struct jstream js;
	struct seen seen;
	struct err err = ERR_INIT;
	int peer = open_pair(&js, &seen);

	put(peer, "{}", 2);
	close(peer);
	settle();
	ok(seen.messages == 1 && seen.ends == 1 && seen.err.code == ERR_NONE,
		"a clean end");
	ok(!jstream_is_open(&js), "is closed already");
	str_fini(&seen.text);

	peer = open_pair(&js, &seen);
	put(peer, "{\"a\"", 4);
	close(peer);
	settle();
	is_int(seen.err.code, ERR_GONE, "an end within a message");

	peer = open_pair(&js, &seen);
	put(peer, "{\"last\":1}", 10);
	close(peer);
	is_int(jstream_send_text(&js, "{}", 2, -1, &err), 0,
		"a failing write fails later");
	is_int(seen.ends, 0, "not within the call");
	is_int(jstream_send_text(&js, "{}", 2, -1, &err), -1,
		"the next one fails at once");
	settle();
	is_str(str_text(&seen.text), "{\"last\":1}|",
		"the peer's last words are read");
	is_int(seen.ends, 1, "then comes the end");
	str_fini(&seen.text);

	peer = open_pair(&js, &seen);
	put(peer, "{}", 2);
	shutdown(peer, SHUT_RD);
	ok(jstream_send_text(&js, "{}", 2, -1, &err) == 0, "deaf peer");
	settle();
	ok(seen.ends == 1 && seen.messages == 1 && seen.err.code == ERR_GONE,
		"a peer that only stopped to read: %s", seen.err.text);
	close_pair(&js, &seen, peer);
}

static void test_finish(void)
{
	struct jstream js;
	struct seen seen;
	struct err err = ERR_INIT;
	static char filler[500000];
	static char chunk[65536];
	int peer = open_pair(&js, &seen);
	size_t got = 0;
	ssize_t len;

	memset(filler, ' ', sizeof(filler));
	ok(jstream_send_text(&js, filler, sizeof(filler), -1, &err) == 0 &&
			js.out.len > 0,
		"a long answer waits");
	jstream_finish(&js);
	put(peer, "{}", 2);
	settle();
	ok(seen.ends == 0 && seen.messages == 0,
		"finishing: nothing more is read");
	while ((len = read(peer, chunk, sizeof(chunk))) != 0) {
		got += len > 0 ? (size_t)len : 0;
		loop_turn(false);
	}
	is_int((long)got, sizeof(filler), "all is written");
	ok(seen.ends == 1 && seen.err.code == ERR_NONE, "then the end");
	close_pair(&js, &seen, peer);

	peer = open_pair(&js, &seen);
	jstream_finish(&js);
	is_int(seen.ends, 0, "never within the call");
	settle();
	is_int(seen.ends, 1, "nothing to write: at once");
	close_pair(&js, &seen, peer);
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

/* A TCP socket whose connect is still going on. */
static int start_connect(bool listening, int *listener)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(addr);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	*listener = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(*listener, (struct sockaddr *)&addr, len) < 0 ||
		getsockname(*listener, (struct sockaddr *)&addr, &len) < 0 ||
		(listening && listen(*listener, 1) < 0))
		return -1;
	if (connect(fd, (struct sockaddr *)&addr, len) < 0 &&
		errno != EINPROGRESS)
		return -1;
	return fd;
}

static void test_connecting(void)
{
	struct jstream js;
	struct seen seen = { .ends = 0 };
	struct err err = ERR_INIT;
	char got[8] = "";
	int listener;
	int fd = start_connect(true, &listener);
	int peer;

	jstream_open(&js, fd, &prescan_qmp, &hooks, &seen);
	ok(jstream_send_text(&js, "{}", 2, -1, &err) == 0,
		"sent while connecting");
	peer = accept(listener, NULL, NULL);
	settle();
	ok(read(peer, got, sizeof(got)) == 2, "arrives");
	put(peer, "{}", 2);
	while (seen.messages == 0)
		loop_turn(true);
	is_int(seen.messages, 1, "and is answered");
	close_pair(&js, &seen, peer);
	close(listener);

	fd = start_connect(false, &listener);
	seen = (struct seen){ .ends = 0 };
	if (fd >= 0)
		jstream_open(&js, fd, &prescan_qmp, &hooks, &seen);
	while (fd >= 0 && seen.ends == 0)
		loop_turn(true);
	ok(fd < 0 || seen.err.code != ERR_NONE, "a refused connect ends: %s",
		seen.err.text);
	close(listener);
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
	test_fairness();
	test_bombs();
	test_large();
	test_output();
	test_send_fd();
	test_receive_fd();
	test_close_inside();
	test_ends();
	test_finish();
	test_pause();
	test_connecting();
	loop_fini();
	return done();
}
