/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A plain peer of a control socket or monitor: talk SOCKET STEP...
 *   '>TEXT'    send (\n \r \xNN in it), as it stands
 *   '1TEXT'    send byte by byte, each after the other side took the last
 *   '*N TEXT'  send N times; a peer that hangs up ends it
 *   '<TEXT'    the next line has this text
 *   '?TEXT'    lines come until one has it
 *   qmp        take the greeting, negotiate; `events`: with our events
 *   crowd N    N more connections; says "greeted G refused R"
 *   half, eof  shut down writing; expect the end
 *   ms N       at most N ms went by since the last line was sent
 *   least N    at least N ms
 *   as UID     connect as this user from here on
 *   notes PATH TEXT  receive datagrams there until one has the text
 *   hold       until killed
 *   gone PID   wait for the end of a process
 *   grows FILE TEXT  wait until the file has the text
 * All lines that come are printed.  What is not as expected, or takes ten
 * seconds (TALK_MS), is told on stderr: exit 1.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"

static struct {
	const char *path;
	int fd;
	struct str in;
	int64_t sent_ms;
	int patience_ms;
} talk = { .fd = -1, .in = STR_INIT, .patience_ms = 10000 };

static _Noreturn void die(const char *what, const char *text)
{
	fprintf(stderr, "talk: %s: %s\n", what, text);
	exit(1);
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int connect_to(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&addr, sizeof(addr)))
		die(path, strerror(errno));
	return fd;
}

/* The connection is made when it is first used. */
static int stream(void)
{
	if (talk.fd < 0)
		talk.fd = connect_to(talk.path);
	return talk.fd;
}

/* Waits for input; false at the end of patience. */
static bool await_input(int fd, int64_t until)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int64_t left = until - now_ms();

	return poll(&p, 1, left > 0 ? (int)left : 0) > 0;
}

/* Reads once; 0 at the end. */
static ssize_t take_some(const char *wish, int64_t until)
{
	char chunk[65536];
	ssize_t got;

	if (!await_input(stream(), until))
		die("nothing came in time", wish);
	got = read(talk.fd, chunk, sizeof(chunk));
	if (got > 0)
		str_addn(&talk.in, chunk, (size_t)got);
	return got > 0 ? got : 0;
}

/* The next line, new; NULL at the end of the stream. */
static char *take_line(const char *wish)
{
	int64_t until = now_ms() + talk.patience_ms;
	char *end;
	char *line;
	size_t len;

	while (!talk.in.len || !(end = memchr(talk.in.data, '\n', talk.in.len)))
		if (!take_some(wish, until))
			return NULL;
	len = (size_t)(end - talk.in.data);
	line = xstrndup(talk.in.data, len);
	line[strcspn(line, "\r")] = '\0';
	memmove(talk.in.data, end + 1, talk.in.len - len - 1);
	str_cut(&talk.in, talk.in.len - len - 1);
	puts(line);
	fflush(stdout);
	return line;
}

static void expect(const char *wish)
{
	AUTO_FREE char *line = take_line(wish);

	if (!line || !strstr(line, wish))
		die("not what came", wish);
}

static void seek(const char *wish)
{
	for (;;) {
		AUTO_FREE char *line = take_line(wish);

		if (!line)
			die("the end came before", wish);
		if (strstr(line, wish))
			return;
	}
}

static void unescape(struct str *out, const char *text)
{
	for (; *text; text++) {
		if (*text != '\\' || !strchr("nrx", text[1]) || !text[1]) {
			str_addc(out, *text);
		} else if (*++text == 'x') {
			char digits[3] = { text[1], text[1] ? text[2] : 0, 0 };

			str_addc(out, (char)strtol(digits, NULL, 16));
			text += strlen(digits);
		} else {
			str_addc(out, *text == 'n' ? '\n' : '\r');
		}
	}
}

/* False if the other side hung up. */
static bool put(const char *bytes, size_t len)
{
	while (len) {
		ssize_t done = send(stream(), bytes, len, MSG_NOSIGNAL);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return false;
		bytes += done;
		len -= (size_t)done;
	}
	talk.sent_ms = now_ms();
	return true;
}

static void say(const char *text)
{
	AUTO_STR struct str out = STR_INIT;

	unescape(&out, text);
	if (!put(out.data, out.len))
		die("cannot send", text);
}

/* The kernel knows how much the other side has not read yet. */
static void await_taken(void)
{
	int64_t until = now_ms() + talk.patience_ms;
	int left = 0;

	while (!ioctl(talk.fd, SIOCOUTQ, &left) && left > 0) {
		if (now_ms() > until)
			die("nobody reads", "");
		poll(NULL, 0, 1);
	}
}

static void say_bytes(const char *text)
{
	AUTO_STR struct str out = STR_INIT;

	unescape(&out, text);
	for (size_t i = 0; i < out.len; i++) {
		if (!put(out.data + i, 1))
			die("cannot send", text);
		await_taken();
	}
}

static void say_often(const char *text)
{
	AUTO_STR struct str unit = STR_INIT;
	AUTO_STR struct str out = STR_INIT;
	char *end;
	unsigned long count = strtoul(text, &end, 10);

	unescape(&unit, *end ? end + 1 : "");
	while (count) {
		str_cut(&out, 0);
		for (; count && out.len < 65536; count--)
			str_addn(&out, unit.data, unit.len);
		if (!put(out.data, out.len))
			return;
	}
}

static void negotiate(bool events)
{
	expect("{\"QMP\":");
	say(events ? "{\"execute\":\"qmp_capabilities\",\"arguments\":"
		     "{\"enable\":[\"vmward\"]}}"
		   : "{\"execute\":\"qmp_capabilities\"}");
	seek("\"return\"");
}

/* The connections stay open to the end of the program. */
static void crowd(unsigned long count)
{
	int *fds = xcalloc(count, sizeof(int));
	int64_t until = now_ms() + talk.patience_ms;
	unsigned greeted = 0, refused = 0;
	char text[512];

	for (unsigned long i = 0; i < count; i++)
		fds[i] = connect_to(talk.path);
	for (unsigned long i = 0; i < count; i++) {
		ssize_t got = 0;

		if (await_input(fds[i], until))
			got = read(fds[i], text, sizeof(text) - 1);
		text[got > 0 ? got : 0] = '\0';
		greeted += strstr(text, "\"QMP\"") != NULL;
		refused += strstr(text, "too many clients") != NULL;
	}
	printf("greeted %u refused %u\n", greeted, refused);
	fflush(stdout);
	free(fds);
}

static void await_end_of(pid_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	if (fd < 0 && errno == ESRCH)
		return;
	if (fd < 0 || !await_input(fd, now_ms() + talk.patience_ms))
		die("process lives on", "");
	close(fd);
}

/* A service manager's end of NOTIFY_SOCKET. */
static void take_notes(const char *path, const char *wish)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int64_t until = now_ms() + talk.patience_ms;
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char note[4096] = "";

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)))
		die(path, strerror(errno));
	puts("bound");
	fflush(stdout);
	while (!strstr(note, wish)) {
		ssize_t len;

		if (!await_input(fd, until))
			die("no such note", wish);
		len = read(fd, note, sizeof(note) - 1);
		note[len > 0 ? len : 0] = '\0';
		puts(note);
		fflush(stdout);
	}
	close(fd);
}

static bool file_has(const char *path, const char *wish)
{
	AUTO_STR struct str text = STR_INIT;
	struct err err = ERR_INIT;

	return !fd_read_file(AT_FDCWD, path, 64 << 20, &text, &err) &&
	       text.len && memmem(text.data, text.len, wish, strlen(wish));
}

/* The watch comes first: what is written between is seen as well. */
static void await_growth(const char *path, const char *wish)
{
	int64_t until = now_ms() + talk.patience_ms;
	int fd = inotify_init1(IN_CLOEXEC);
	char events[4096];

	if (fd < 0 || inotify_add_watch(fd, path, IN_MODIFY) < 0)
		die(path, strerror(errno));
	while (!file_has(path, wish))
		if (!await_input(fd, until) ||
			read(fd, events, sizeof(events)) < 0)
			die("the file does not have it", wish);
	close(fd);
}

static void expect_eof(void)
{
	int64_t until = now_ms() + talk.patience_ms;

	while (take_some("the end of the stream", until))
		str_cut(&talk.in, 0);
}

/* The uid of a connection is the effective one of its connect(). */
static void become(uid_t uid)
{
	if (talk.fd >= 0)
		close(talk.fd);
	talk.fd = -1;
	if (seteuid(0) || seteuid(uid))
		die("cannot become another user", strerror(errno));
	str_cut(&talk.in, 0);
}

/* Steps of one word and perhaps a number; how many words were used. */
static int do_word(const char *word, const char *arg)
{
	long number = arg ? strtol(arg, NULL, 10) : 0;
	int64_t passed = now_ms() - talk.sent_ms;

	if (str_eq(word, "qmp") || str_eq(word, "events")) {
		negotiate(*word == 'e');
	} else if (str_eq(word, "half")) {
		shutdown(stream(), SHUT_WR);
	} else if (str_eq(word, "eof")) {
		expect_eof();
	} else if (str_eq(word, "hold")) {
		pause();
	} else if (!arg) {
		die("unknown step", word);
	} else if (str_eq(word, "crowd")) {
		crowd((unsigned long)number);
		return 2;
	} else if (str_eq(word, "gone")) {
		await_end_of((pid_t)number);
		return 2;
	} else if (str_eq(word, "as")) {
		become((uid_t)number);
		return 2;
	} else if (str_eq(word, "ms") || str_eq(word, "least")) {
		if (*word == 'm' ? passed > number : passed < number) {
			fprintf(stderr, "talk: %lld ms\n", (long long)passed);
			exit(1);
		}
		return 2;
	} else {
		die("unknown step", word);
	}
	return 1;
}

static int do_step(char **words)
{
	if (str_eq(words[0], "notes") && words[1] && words[2]) {
		take_notes(words[1], words[2]);
		return 3;
	}
	if (str_eq(words[0], "grows") && words[1] && words[2]) {
		await_growth(words[1], words[2]);
		return 3;
	}
	switch (*words[0]) {
	case '>':
		say(words[0] + 1);
		return 1;
	case '1':
		say_bytes(words[0] + 1);
		return 1;
	case '*':
		say_often(words[0] + 1);
		return 1;
	case '<':
		expect(words[0] + 1);
		return 1;
	case '?':
		seek(words[0] + 1);
		return 1;
	default:
		return do_word(words[0], words[1]);
	}
}

int main(int argc, char **argv)
{
	const char *patience = getenv("TALK_MS");

	if (argc < 2)
		die("usage", "talk SOCKET STEP...");
	if (patience)
		talk.patience_ms = (int)strtol(patience, NULL, 10);
	talk.path = argv[1];
	signal(SIGPIPE, SIG_IGN);
	talk.sent_ms = now_ms();
	for (int i = 2; i < argc;)
		i += do_step(argv + i);
	str_fini(&talk.in);
	/* LeakSanitizer traces only who is dumpable */
	if (geteuid() != getuid() && !seteuid(getuid()))
		prctl(PR_SET_DUMPABLE, 1);
	return 0;
}
