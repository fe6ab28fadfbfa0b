/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * jstream, what goes out: back-pressure, descriptors both ways, and every
 * way a stream may end.
 */
#include "base/jstream.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/sys.h"
#include "tests/unit/stream.h"
#include "tests/unit/tap.h"

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

	jstream_open(&js, dup(peer), &prescan_qmp, &seen_hooks, &seen);
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

	jstream_open(&js, fd, &prescan_qmp, &seen_hooks, &seen);
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
		jstream_open(&js, fd, &prescan_qmp, &seen_hooks, &seen);
	while (fd >= 0 && seen.ends == 0)
		loop_turn(true);
	ok(fd < 0 || seen.err.code != ERR_NONE, "a refused connect ends: %s",
		seen.err.text);
	close(listener);
}

/* ---- a turn in one write ---- */

static unsigned writes;

static ssize_t count_sendmsg(int fd, const struct msghdr *msg, int flags)
{
	writes++;
	return sys_real.sendmsg(fd, msg, flags);
}

static void answer(struct jstream *js, json_t *message, const char *why)
{
	struct err err = ERR_INIT;

	(void)why;
	if (jstream_send(js, message, -1, &err) < 0)
		ok(false, "answer: %s", err.text);
	if (json_object_get(message, "bye"))
		jstream_close(js);
	if (json_object_get(message, "finish"))
		jstream_finish(js);
}

static unsigned finished;

static void on_finished(struct jstream *js, const struct err *err)
{
	(void)js;
	(void)err;
	finished++;
}

static void gather(const char *input, const char *want, const char *what)
{
	static const struct jstream_hooks hooks = { .on_message = answer,
		.on_end = on_finished };
	struct jstream js;
	struct err err = ERR_INIT;
	char got[256] = "";
	int fds[2];

	writes = 0;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) < 0)
		return;
	put(fds[1], input, strlen(input));
	jstream_open(&js, fds[0], &prescan_qmp, &hooks, NULL);
	js.gathers = true;
	jstream_hold(&js);
	if (jstream_send_text(&js, "hello\n", 6, -1, &err) < 0)
		ok(false, "hello: %s", err.text);
	is_int(writes, 0, "%s: nothing leaves while it is held", what);
	jstream_turn(&js);
	is_int(writes, 1, "%s: all leaves in one write", what);
	is_int(read(fds[1], got, sizeof(got) - 1), (long)strlen(want),
		"%s: all of it", what);
	is_str(got, want, "%s: in order", what);
	loop_turn(false);
	jstream_close(&js);
	close(fds[1]);
}

/* What a cold command hears wakes it up once. */
static void test_gather(void)
{
	struct sys_backend counting = sys_real;

	counting.sendmsg = count_sendmsg;
	sys_use(&counting);
	gather("{\"a\":1}{\"b\":2}", "hello\n{\"a\":1}\n{\"b\":2}\n",
		"two requests");
	gather("", "hello\n", "none yet");
	is_int(finished, 0, "and they go on");
	gather("{\"bye\":1}", "hello\n{\"bye\":1}\n", "closed at once");
	is_int(finished, 0, "by us");
	gather("{\"finish\":1}", "hello\n{\"finish\":1}\n", "finished");
	is_int(finished, 1, "and told");
	sys_use(&sys_real);
}

int main(void)
{
	struct err err = ERR_INIT;

	signal(SIGPIPE, SIG_IGN);
	if (loop_init(&err) < 0)
		return 1;
	test_output();
	test_send_fd();
	test_receive_fd();
	test_ends();
	test_finish();
	test_connecting();
	test_gather();
	loop_fini();
	return done();
}
