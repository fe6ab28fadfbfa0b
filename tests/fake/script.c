/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scripts of the fake QEMU, one step a line:
 *   > {...}          wait for a command with at least these members
 *   ? {...}          behave (greet as well) until such a command comes
 *   < {...}          send a line; $ID is the id of the command last matched
 *   ~ 50ms           wait
 *   = greet | reply | loop     greet, answer that command, behave from here
 *   ! close | exit N | kill SIG | stop
 *   ! garbage TEXT | raw TEXT | repeat N TEXT | flood N | drip MS TEXT
 *   ! stderr TEXT | serial TEXT | fd {...}     (\n \r \xNN in each TEXT)
 *   ! agent TEXT   the agent says it all the time
 * At its end it reads on and says nothing.  A command that does not match
 * ends the process with status 70.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "tests/fake/fake.h"

enum state { RUNS, WAITS, EXPECTS, SEEKS, BEHAVES, SILENT };

static struct {
	const char *path;
	char **lines;
	size_t nlines;
	size_t at; /* of the next line */
	enum state state;
	struct port *port;
	struct loop_timer timer;
	json_t *last; /* the command last matched */
	/* text sent piece by piece */
	struct str unit;
	size_t left;
	int64_t pause_ms;
} script;

static void run(void);

static _Noreturn void die(const char *what, const char *text)
{
	fprintf(stderr, "fake-qemu: %s:%zu: %s: %s\n", script.path, script.at,
		what, text);
	exit(70);
}

void script_load(const char *path)
{
	AUTO_STR struct str text = STR_INIT;
	struct err err = ERR_INIT;
	char *rest;

	script.path = path ? path : "";
	script.state = path ? RUNS : BEHAVES;
	if (!path)
		return;
	if (fd_read_file(AT_FDCWD, path, 16 << 20, &text, &err) < 0)
		die("cannot load", err.text);
	rest = str_take(&text); /* the lines point into it */
	for (char *line; (line = strsep(&rest, "\n"));) {
		script.lines = xreallocarray(
			script.lines, script.nlines + 1, sizeof(*script.lines));
		script.lines[script.nlines++] = line;
	}
}

/* ---- text ---- */

static int digit(char c)
{
	const char *digits = "0123456789abcdef";
	const char *at = c ? strchr(digits, c | 0x20) : NULL;

	return at ? (int)(at - digits) : 0;
}

static void unescape(struct str *out, const char *text)
{
	for (; *text; text++) {
		if (*text != '\\' || !text[1]) {
			str_addc(out, *text);
			continue;
		}
		switch (*++text) {
		case 'n':
			str_addc(out, '\n');
			break;
		case 'r':
			str_addc(out, '\r');
			break;
		case 'x':
			str_addc(out,
				(char)(digit(text[1]) * 16 + digit(text[2])));
			text += 2;
			break;
		default:
			str_addc(out, *text);
			break;
		}
	}
}

/* $ID becomes the id of the last command. */
static void fill_in(struct str *out, const char *text)
{
	json_t *id = json_object_get(script.last, "id");
	AUTO_FREE char *shown = id ? json_dumps(id, JSON_ENCODE_ANY) : NULL;

	for (; *text; text++) {
		if (str_starts(text, "$ID")) {
			str_add(out, shown ? shown : "null");
			text += 2;
		} else {
			str_addc(out, *text);
		}
	}
}

/* ---- sending ---- */

static void send_text(const struct str *text, int fd)
{
	port_send(script.port, text->data, text->len, fd);
}

/* Goes on with text that is sent in pieces; true when all is sent. */
static bool send_pieces(void)
{
	while (script.left > 0 && port_is_connected(script.port)) {
		if (script.port->stream.out.len > 0)
			return false; /* script_drained() goes on */
		if (script.pause_ms > 0) {
			size_t at = script.unit.len - script.left--;

			port_send(script.port, script.unit.data + at, 1, -1);
			return false;
		}
		AUTO_STR struct str chunk = STR_INIT;

		while (script.left > 0 && chunk.len < 65536) {
			str_addn(&chunk, script.unit.data, script.unit.len);
			script.left--;
		}
		send_text(&chunk, -1);
	}
	script.left = 0;
	return true;
}

static void on_time(struct loop_timer *timer UNUSED)
{
	script.state = RUNS;
	run();
}

static void sleep_for(int64_t ms)
{
	script.state = WAITS;
	loop_timer_start(&script.timer, ms, on_time);
}

static void start_pieces(size_t count, const char *text, int64_t pause_ms)
{
	str_cut(&script.unit, 0);
	unescape(&script.unit, text);
	script.left = pause_ms ? script.unit.len : count;
	script.pause_ms = pause_ms;
}

static int signal_of(const char *name)
{
	static const struct {
		const char *name;
		int number;
	} known[] = { { "KILL", SIGKILL }, { "TERM", SIGTERM },
		{ "SEGV", SIGSEGV }, { "ABRT", SIGABRT }, { "SYS", SIGSYS },
		{ "BUS", SIGBUS } };

	for (size_t i = 0; i < NELEMS(known); i++)
		if (str_eq(known[i].name, name))
			return known[i].number;
	return (int)strtol(name, NULL, 10);
}

/* ---- steps ---- */

/* The argument behind a word, or NULL if the line has another word. */
static const char *after(const char *line, const char *word)
{
	size_t len = strlen(word);

	if (!str_starts(line, word) || (line[len] != ' ' && line[len]))
		return NULL;
	return line + len + (line[len] == ' ');
}

/* "! raw TEXT" and its kin; false if it is none. */
static bool do_text(const char *line)
{
	AUTO_STR struct str text = STR_INIT;
	char *end = NULL;
	const char *arg;

	if ((arg = after(line, "raw")) || (arg = after(line, "garbage"))) {
		unescape(&text, arg);
		if (*line == 'g')
			str_add(&text, "\r\n");
		send_text(&text, -1);
	} else if ((arg = after(line, "stderr"))) {
		unescape(&text, arg);
		fprintf(stderr, "%s\n", str_text(&text));
	} else if ((arg = after(line, "serial"))) {
		unescape(&text, arg);
		serial_write(text.data, text.len);
	} else if ((arg = after(line, "agent"))) {
		unescape(&text, arg);
		agent_chatter(text.data, text.len);
	} else if ((arg = after(line, "fd"))) {
		fill_in(&text, arg);
		str_add(&text, "\r\n");
		send_text(&text, STDIN_FILENO);
	} else if ((arg = after(line, "flood"))) {
		start_pieces(strtoul(arg, NULL, 10), "x", 0);
	} else if ((arg = after(line, "repeat"))) {
		size_t count = strtoul(arg, &end, 10);

		start_pieces(count, end + (*end == ' '), 0);
	} else if ((arg = after(line, "drip"))) {
		int64_t ms = strtol(arg, &end, 10);

		start_pieces(0, end + (*end == ' '), ms > 0 ? ms : 1);
	} else {
		return false;
	}
	return true;
}

static void do_deed(const char *line)
{
	const char *arg;

	if (do_text(line))
		return;
	if (after(line, "close"))
		port_drop(script.port);
	else if ((arg = after(line, "exit")))
		exit((int)strtol(arg, NULL, 10));
	else if ((arg = after(line, "kill")))
		kill(getpid(), signal_of(arg));
	else if (after(line, "stop"))
		kill(getpid(), SIGSTOP);
	else
		die("unknown step", line);
}

static void do_known(const char *line)
{
	if (after(line, "greet")) {
		port_greet(script.port);
	} else if (after(line, "reply")) {
		if (str_eq("qmp_capabilities",
			    json_string_value(
				    json_object_get(script.last, "execute"))))
			script.port->negotiated = false;
		port_answer(script.port, script.last);
	} else if (after(line, "loop")) {
		script.state = BEHAVES;
	} else {
		die("unknown step", line);
	}
}

void script_line(const char *line)
{
	AUTO_STR struct str text = STR_INIT;

	switch (*line) {
	case '<':
		fill_in(&text, line + 2);
		str_add(&text, "\r\n");
		send_text(&text, -1);
		break;
	case '!':
		do_deed(line + 2);
		break;
	case '=':
		do_known(line + 2);
		break;
	case '~':
		sleep_for(strtol(line + 2, NULL, 10));
		break;
	case '>':
		script.state = EXPECTS;
		break;
	case '?':
		script.state = SEEKS;
		break;
	case '#':
	case '\0':
		break;
	default:
		die("unknown step", line);
	}
}

/* Steps that need nobody at the other end. */
static bool is_alone(const char *line)
{
	static const char *const words[] = { "! exit", "! kill", "! stop",
		"! stderr", "! serial", "! agent", "= loop", "~", "#" };

	for (size_t i = 0; i < NELEMS(words); i++)
		if (str_starts(line, words[i]))
			return true;
	return !*line;
}

/* Goes on until the script has to wait. */
static void run(void)
{
	while (script.state == RUNS) {
		if (!send_pieces()) {
			if (script.pause_ms > 0)
				sleep_for(script.pause_ms);
			break;
		}
		if (script.at == script.nlines) {
			script.state = SILENT;
			break;
		}
		if (!is_alone(script.lines[script.at]) &&
			!port_is_connected(script.port))
			break;
		script_line(script.lines[script.at++]);
	}
	jstream_pause(&script.port->stream,
		script.state == RUNS || script.state == WAITS);
}

void script_start(struct port *monitor)
{
	script.port = monitor;
	run();
}

void script_connected(void)
{
	script.port->stream.out_max = 64 << 20;
	if (script.state == BEHAVES ||
		(script.at < script.nlines && *script.lines[script.at] == '?'))
		port_greet(script.port);
	run();
}

void script_disconnected(void)
{
	if (script.state == EXPECTS || script.state == SEEKS) {
		script.at--; /* of the next client */
		script.state = RUNS;
	}
}

void script_drained(void)
{
	run();
}

/* ---- commands ---- */

static bool has_all(json_t *pattern, json_t *message)
{
	const char *key;
	json_t *value;

	if (!json_is_object(pattern))
		return json_equal(pattern, message);
	json_object_foreach(pattern, key, value)
	{
		json_t *mine = json_object_get(message, key);

		if (!mine || !has_all(value, mine))
			return false;
	}
	return true;
}

bool script_command(json_t *message)
{
	const char *line;
	json_error_t error;

	if (script.state == BEHAVES)
		return false;
	if (script.state != EXPECTS && script.state != SEEKS)
		return true;
	line = script.lines[script.at - 1] + 1;
	AUTO_JSON json_t *pattern =
		json_loads(line[strspn(line, " ")] ? line : "{}", 0, &error);
	AUTO_FREE char *shown = json_dumps(message, JSON_COMPACT);

	if (!pattern)
		die("bad pattern", error.text);
	if (!has_all(pattern, message) && script.state == SEEKS)
		return false;
	if (!has_all(pattern, message))
		die("unexpected command", shown);
	if (str_eq("qmp_capabilities",
		    json_string_value(json_object_get(message, "execute"))))
		script.port->negotiated = true;
	json_decref(script.last);
	script.last = json_incref(message);
	script.state = RUNS;
	run();
	return true;
}
