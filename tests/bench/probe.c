/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What `make bench` asks: the supervisor over its control socket, the guest
 * over its console, the kernel about the supervisor's process.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/bench.h"

enum { PATIENCE_MS = 60000 };

static int control = -1;
static char line[1 << 18]; /* what came and is not used yet */
static size_t held;
static int console = -1;

/* ---- the control socket ---- */

static int try_connect(const char *leaf)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/run/vmward/%s",
		lab_root, leaf);
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0)
		return fd;
	close(fd);
	return -1;
}

/* The next message that is a reply; events are passed over. */
static json_t *read_reply(int timeout_ms)
{
	struct pollfd at = { .fd = control, .events = POLLIN };

	for (;;) {
		char *end = memchr(line, '\n', held);

		if (end) {
			size_t used = (size_t)(end - line) + 1;
			json_t *got = json_loadb(line, used, 0, NULL);

			memmove(line, line + used, held -= used);
			if (json_object_get(got, "return") ||
				json_object_get(got, "error"))
				return got;
			json_decref(got);
			continue;
		}
		if (poll(&at, 1, timeout_ms) == 0)
			return NULL;
		ssize_t n = read(control, line + held, sizeof(line) - held);
		if (n <= 0)
			die("the supervisor closed its socket");
		held += (size_t)n;
	}
}

void ask_send(const char *execute, const char *vm, json_t *arguments)
{
	json_t *all = arguments ? arguments : json_object();
	json_t *message =
		json_pack("{s:s,s:o}", "execute", execute, "arguments", all);
	char *text;

	if (vm)
		json_object_set_new(all, "vm", json_string(vm));
	text = json_dumps(message, JSON_COMPACT);
	if (write(control, text, strlen(text)) < 0)
		die("cannot write to the supervisor: %s", strerror(errno));
	free(text);
	json_decref(message);
}

json_t *ask_answer(int timeout_ms)
{
	json_t *reply = read_reply(timeout_ms);
	json_t *out;

	if (!reply)
		return NULL;
	out = json_incref(json_object_get(reply, "return"));
	if (!out)
		die("refused: %s",
			json_string_value(json_object_get(
				json_object_get(reply, "error"), "desc")));
	json_decref(reply);
	return out;
}

json_t *ask(const char *execute, const char *vm, json_t *arguments)
{
	json_t *out;

	ask_send(execute, vm, arguments);
	out = ask_answer(PATIENCE_MS);
	if (!out)
		die("no answer to %s", execute);
	return out;
}

void control_open(void)
{
	double end = now_ms() + PATIENCE_MS;
	struct timespec pause = { 0, 100000 };

	while ((control = try_connect("control.sock")) < 0) {
		if (now_ms() > end)
			die("the supervisor does not listen");
		nanosleep(&pause, NULL);
	}
	held = 0;
	json_decref(ask("qmp_capabilities", NULL, NULL));
}

void control_close(void)
{
	if (control >= 0)
		close(control);
	control = -1;
}

pid_t qemu_pid(const char *vm)
{
	json_t *status = ask("vm-status", vm, NULL);
	json_t *list = json_object_get(status, "vms");
	json_t *first = list ? json_array_get(list, 0) : status;
	pid_t pid = (pid_t)json_integer_value(json_object_get(first, "pid"));

	json_decref(status);
	if (pid <= 1)
		die("%s has no QEMU", vm);
	return pid;
}

/* ---- the guest ---- */

void console_forget(void)
{
	char path[256];

	console_close();
	snprintf(path, sizeof(path), "%s/var/log/vmward/" VM "/console.log",
		lab_root);
	unlink(path);
}

void console_open(void)
{
	console = try_connect(VM "/console.sock");
	if (console < 0)
		die("cannot reach the console: %s", strerror(errno));
}

void console_close(void)
{
	if (console >= 0)
		close(console);
	console = -1;
}

void console_ready(void)
{
	static const char word[] = "READY";
	struct pollfd at = { .fd = console, .events = POLLIN };
	size_t matched = 0;
	char byte;

	while (matched < strlen(word)) {
		if (poll(&at, 1, PATIENCE_MS) == 0)
			die("the guest does not say READY");
		if (read(console, &byte, 1) != 1)
			die("the console was closed");
		matched = byte == word[matched] ? matched + 1 : 0;
	}
}

void console_type(char byte)
{
	if (write(console, &byte, 1) != 1)
		die("cannot type: %s", strerror(errno));
}

/* ---- the supervisor's process ---- */

double daemon_cpu(void)
{
	struct timespec ts;
	clockid_t clock;

	if (clock_getcpuclockid(daemon_pid(), &clock) ||
		clock_gettime(clock, &ts))
		die("cannot read the supervisor's CPU time");
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

long proc_number(const char *file, const char *key)
{
	char path[64], text[8192];
	const char *at;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)daemon_pid(), file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n <= 0)
		die("cannot read '%s': %s", path, strerror(errno));
	close(fd);
	text[n] = '\0';
	at = strstr(text, key);
	if (!at)
		die("no '%s' in '%s'", key, path);
	return strtol(at + strlen(key) + 1, NULL, 10);
}

unsigned daemon_fds(void)
{
	char path[64];
	unsigned n = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)daemon_pid());
	dir = opendir(path);
	while (dir && readdir(dir))
		n++;
	if (dir)
		closedir(dir);
	return n;
}
