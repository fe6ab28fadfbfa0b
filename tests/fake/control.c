/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A stand-in for vmwardd's control socket: control SOCKET SCRIPT.  It
 * listens, prints its pid, goes to the background and ends with SIGTERM.
 * Each request is appended to SOCKET.log.  The script's lines:
 *   > {...}         rule for a request with at least these members; the
 *                   first that fits is played, again and again
 *   < {...}         of a rule: a line to send; $ID is the request's id
 *   ~ 50            of a rule: wait so many milliseconds
 *   ! close         of a rule: close the connection
 *   ! raw TEXT      of a rule: send TEXT as it is
 *   = silent        no greeting, no answers
 *   = deaf          accepts no connection
 *   = console PATH TEXT   a console at PATH that says TEXT, then echoes;
 *                         the log tells each greeting
 * The negotiation is answered by itself; what fits no rule is an error.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/jstream.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/str.h"

#define LINES_MAX 512

static const char greeting[] =
	"{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 0, \"minor\": 1, "
	"\"major\": 0}, \"package\": \"vmwardd 0.1\"}, \"capabilities\": "
	"[\"vmward\"]}}\r\n";

struct peer {
	struct jstream stream;
	int fd; /* of a console */
	struct loop_io io;
};

/* The rest of a rule, played after a delay. */
struct play {
	struct loop_timer timer;
	struct peer *peer;
	size_t at;
	char *id;
};

static struct {
	char *lines[LINES_MAX];
	size_t n;
	bool silent;
	bool deaf;
	const char *greets; /* of the console */
	FILE *log;
	struct loop_io control;
	struct loop_io console;
} fake;

static _Noreturn void die(const char *what, const char *why)
{
	fprintf(stderr, "control: %s: %s\n", what, why);
	exit(70);
}

static void send_text(struct peer *peer, const char *text, size_t len)
{
	struct err err = ERR_INIT;

	if (jstream_is_open(&peer->stream) &&
		jstream_send_text(&peer->stream, text, len, -1, &err) < 0)
		die("send", err.text);
}

/* A line with $ID replaced. */
static void send_line(struct peer *peer, const char *line, const char *id)
{
	AUTO_STR struct str out = STR_INIT;

	for (const char *c = line; *c;) {
		size_t len = strcspn(c, "$");

		str_addn(&out, c, len);
		c += len;
		if (str_starts(c, "$ID")) {
			str_add(&out, id);
			c += 3;
		} else if (*c) {
			str_addc(&out, *c++);
		}
	}
	str_add(&out, "\r\n");
	send_text(peer, str_text(&out), out.len);
}

static void run_rule(struct peer *peer, size_t at, const char *id);

static void on_delay(struct loop_timer *timer)
{
	struct play *play = container_of(timer, struct play, timer);

	run_rule(play->peer, play->at, play->id);
	free(play->id);
	free(play);
}

/* Plays the lines of a rule from one on. */
static void run_rule(struct peer *peer, size_t at, const char *id)
{
	for (; at < fake.n; at++) {
		const char *line = fake.lines[at];

		if (str_starts(line, "< ")) {
			send_line(peer, line + 2, id);
		} else if (str_starts(line, "! raw ")) {
			send_text(peer, line + 6, strlen(line + 6));
		} else if (str_eq(line, "! close")) {
			jstream_finish(&peer->stream);
		} else if (str_starts(line, "~ ")) {
			struct play *play = NEW(struct play);

			play->peer = peer;
			play->at = at + 1;
			play->id = xstrdup(id);
			loop_timer_start(&play->timer,
				strtol(line + 2, NULL, 10), on_delay);
			return;
		} else {
			return;
		}
	}
}

/* Whether a request has at least the members of the pattern. */
static bool fits(json_t *pattern, const json_t *value)
{
	const char *key;
	json_t *item;

	if (!json_is_object(pattern))
		return json_equal(pattern, value);
	json_object_foreach(pattern, key, item)
	{
		if (!fits(item, json_object_get(value, key)))
			return false;
	}
	return true;
}

static bool rule_fits(const char *line, const json_t *request)
{
	json_t *pattern = json_loads(line, 0, NULL);
	bool result;

	if (!pattern)
		die("bad rule", line);
	result = fits(pattern, request);
	json_decref(pattern);
	return result;
}

static void write_log(const json_t *request)
{
	json_dumpf(request, fake.log, JSON_COMPACT);
	fputc('\n', fake.log);
	fflush(fake.log);
}

static void on_request(struct jstream *js, json_t *request, const char *why)
{
	struct peer *peer = js->owner;
	const char *name;
	AUTO_FREE char *id = NULL;

	if (!request)
		die("not JSON", why);
	write_log(request);
	if (fake.silent)
		return;
	id = json_dumps(json_object_get(request, "id"), JSON_ENCODE_ANY);
	name = json_string_value(json_object_get(request, "execute"));
	for (size_t i = 0; i < fake.n; i++)
		if (str_starts(fake.lines[i], "> ") &&
			rule_fits(fake.lines[i] + 2, request)) {
			run_rule(peer, i + 1, id);
			return;
		}
	if (name && str_eq(name, "qmp_capabilities"))
		send_line(peer, "{\"return\": {}, \"id\": $ID}", id);
	else
		send_line(peer,
			"{\"error\": {\"class\": \"CommandNotFound\", "
			"\"desc\": \"no rule for this\"}, \"id\": $ID}",
			id);
}

static void on_end(struct jstream *js, const struct err *err)
{
	(void)js; /* a play may still point to it: it is never freed */
	(void)err;
}

static const struct jstream_hooks hooks = {
	.on_message = on_request,
	.on_end = on_end,
};

static void on_client(struct loop_io *io, int events)
{
	int fd = accept4(io->ev.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct peer *peer;

	(void)events;
	if (fd < 0)
		return;
	peer = NEW(struct peer);
	jstream_open(&peer->stream, fd, &prescan_client, &hooks, peer);
	if (!fake.silent)
		send_text(peer, greeting, sizeof(greeting) - 1);
}

/* ---- the console ---- */

static void on_typed(struct loop_io *io, int events)
{
	struct peer *peer = container_of(io, struct peer, io);
	char buf[512];
	ssize_t n = read(peer->fd, buf, sizeof(buf));

	(void)events;
	if (n > 0 && write(peer->fd, buf, (size_t)n) == n)
		return;
	loop_io_stop(io);
	close(peer->fd);
}

static void on_console(struct loop_io *io, int events)
{
	struct peer *peer = NEW(struct peer);

	(void)events;
	peer->fd = accept4(io->ev.fd, NULL, NULL, SOCK_CLOEXEC);
	if (peer->fd < 0)
		return;
	if (write(peer->fd, fake.greets, strlen(fake.greets)) < 0)
		return;
	fputs("console greeted\n", fake.log);
	fflush(fake.log);
	loop_io_start(&peer->io, peer->fd, LOOP_READ, on_typed);
}

/* ---- start ---- */

static int listen_at(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof(addr.sun_path))
		die(path, "too long");
	memcpy(addr.sun_path, path, strlen(path) + 1);
	unlink(path);
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 ||
		listen(fd, 64) < 0)
		die(path, "cannot listen");
	return fd;
}

static void read_setting(char *line)
{
	if (str_eq(line, "= silent")) {
		fake.silent = true;
	} else if (str_eq(line, "= deaf")) {
		fake.deaf = true;
	} else if (str_starts(line, "= console ")) {
		char *path = line + 10;
		char *text = strchr(path, ' ');

		if (!text)
			die("bad line", line);
		*text = '\0';
		fake.greets = text + 1;
		loop_io_start(
			&fake.console, listen_at(path), LOOP_READ, on_console);
	} else {
		die("bad line", line);
	}
}

static void read_script(const char *path)
{
	FILE *file = fopen(path, "r");
	char *line = NULL;
	size_t size = 0;

	if (!file)
		die(path, "cannot open");
	while (getline(&line, &size, file) > 0) {
		line[strcspn(line, "\n")] = '\0';
		if (line[0] == '\0' || line[0] == '#')
			continue;
		if (fake.n == LINES_MAX)
			die(path, "too long");
		fake.lines[fake.n] = xstrdup(line);
		if (line[0] == '=')
			read_setting(fake.lines[fake.n]);
		else
			fake.n++;
	}
	free(line);
	fclose(file);
}

static void go_to_background(void)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork", "failed");
	if (pid > 0) {
		printf("%d\n", (int)pid);
		exit(0);
	}
	setsid();
	signal(SIGPIPE, SIG_IGN);
	if (!freopen("/dev/null", "r", stdin) ||
		!freopen("/dev/null", "w", stdout))
		die("/dev/null", "cannot open");
}

int main(int argc, char **argv)
{
	struct err err = ERR_INIT;
	AUTO_FREE char *log = NULL;
	int fd;

	if (argc != 3)
		die("usage", "control SOCKET SCRIPT");
	log = xasprintf("%s.log", argv[1]);
	fake.log = fopen(log, "ae");
	fd = listen_at(argv[1]);
	if (!fake.log)
		die(log, "cannot open");
	/* the loop's descriptors must be the child's */
	go_to_background();
	if (loop_init(&err) < 0)
		die("loop", err.text);
	read_script(argv[2]);
	if (!fake.deaf)
		loop_io_start(&fake.control, fd, LOOP_READ, on_client);
	loop_run();
	/* nothing is watched: deaf */
	pause();
	return 0;
}
