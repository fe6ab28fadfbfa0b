/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A command in the guest, against an agent that says what the test wants. */
#include "supervisor/guest_exec.h"

#include <inttypes.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/sock.h"
#include "supervisor/agent.h"

#include "tests/unit/clock.h"
#include "tests/unit/tap.h"
#include "tests/unit/temp.h"

static struct agent agent;
static int listener = -1;
static char path[128];
static struct err err = ERR_INIT;
static char *const argv[] = { (char *)(uintptr_t) "make",
	(char *)(uintptr_t) "all", NULL };

/* What came out, and how it ended. */
static struct str out = STR_INIT;
static struct guest_exec_end end;
static struct err end_err;
static int ends;
static bool full;
static struct job *job;

static void on_output(void *arg, int fd, const char *bytes, size_t len)
{
	(void)arg;
	str_addf(&out, "%d:%.*s ", fd, (int)len, bytes);
}

static bool is_full(void *arg)
{
	(void)arg;
	return full;
}

static void on_end(struct job *ended, void *arg)
{
	(void)arg;
	ends++;
	end = *guest_exec_end(ended);
	end_err = ended->err;
	job = NULL;
}

static void begin(bool windows, int64_t patience_ms)
{
	struct guest_exec_wish wish = { &agent, path, argv, windows,
		patience_ms, on_output, is_full, NULL, false };

	ends = 0;
	full = false;
	str_cut(&out, 0);
	job = guest_exec_start(&wish, "web", on_end, NULL);
	clock_settle();
}

/* The text of one side, since the last time. */
static const char *heard(int fd)
{
	static char text[4096];
	ssize_t got;

	clock_settle();
	got = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT);
	text[got > 0 ? got : 0] = '\0';
	return text;
}

static void say(int fd, const char *text)
{
	if (send(fd, text, strlen(text), MSG_NOSIGNAL) < 0)
		ok(false, "the agent cannot speak");
	clock_settle();
}

/* One call: the command must have `want` in it; then the reply. */
static void serve(const char *want, const char *reply)
{
	AUTO_CLOSE int fd = -1;
	char sync[64];
	const char *id;
	const char *command;

	clock_settle();
	fd = sys_accept(listener);
	if (!ok(fd >= 0, "a call that asks for %s", want))
		return;
	id = strstr(heard(fd), "\"id\":");
	snprintf(sync, sizeof(sync), "\xff{\"return\": %" PRIu64 "}\n",
		id ? str_digits(id + 5) : 0);
	say(fd, sync);
	command = heard(fd);
	if (!ok(strstr(command, want), "asks for %s", want))
		printf("# %s\n", command);
	if (reply)
		say(fd, reply);
}

static bool is_quiet(void)
{
	AUTO_CLOSE int fd = -1;

	clock_settle();
	fd = sys_accept(listener);
	return fd < 0;
}

static void start_it(bool windows)
{
	begin(windows, 0);
	serve("guest-ping", "{\"return\": {}}\n");
	serve("guest-exec", "{\"return\": {\"pid\": 7}}\n");
}

static void is_end(bool began, bool exited, int status, const char *what)
{
	clock_settle();
	is_int(ends, 1, "%s: it ended", what);
	is_int(end.began, began, "%s: whether it began", what);
	is_int(end.exited, exited, "%s: whether its status is known", what);
	is_int(end.status, status, "%s: its status", what);
}

#define RUNS   "{\"return\": {\"exited\": false}}\n"
#define EXITED "{\"return\": {\"exited\": true, \"exitcode\": 3}}\n"
#define NONE   "{\"error\": {\"desc\": \"no such file\"}}\n"
#define READ0  "{\"return\": {\"count\": 0, \"buf-b64\": \"\"}}\n"

static void close_it(void)
{
	serve("guest-file-close", "{\"return\": {}}\n");
	serve("guest-file-close", "{\"return\": {}}\n");
	serve("\"/bin/rm\"", "{\"return\": {\"pid\": 8}}\n");
}

static void test_stream(void)
{
	begin(false, 0);
	serve("guest-ping", "{\"return\": {}}\n");
	serve("\"make\",\"all\"", "{\"return\": {\"pid\": 7}}\n");
	serve("{\"pid\":7}", RUNS);
	serve(".out", NONE); /* the shell is not that far */
	serve(".err", NONE);
	ok(is_quiet(), "then it rests");
	loop_sim_advance(100);
	serve("guest-exec-status", RUNS);
	serve(".out", "{\"return\": 1000}\n");
	serve("\"handle\":1000", "{\"return\": {\"count\": 2, \"buf-b64\": "
				 "\"aGk=\", \"eof\": false}}\n");
	is_str(str_text(&out), "1:hi ", "its output while it runs");
	full = true;
	serve("\"handle\":1000", READ0);
	ok(is_quiet(), "nobody reads us: nothing is read there");
	full = false;
	loop_sim_advance(20);
	serve(".err", "{\"return\": 1001}\n");
	serve("\"handle\":1001", READ0);
	loop_sim_advance(100);
	serve("guest-exec-status", EXITED);
	serve("\"handle\":1000", "{\"return\": {\"count\": 1, \"buf-b64\": "
				 "\"YQ==\", \"eof\": true}}\n");
	serve("\"handle\":1000", READ0);
	serve("\"handle\":1001", "{\"return\": {\"count\": 1, \"buf-b64\": "
				 "\"Yg==\", \"eof\": true}}\n");
	serve("\"handle\":1001", READ0);
	close_it();
	is_str(str_text(&out), "1:hi 1:a 2:b ", "and what came last");
	is_end(true, true, 3, "a command");
	is_int(end_err.code, ERR_NONE, "without an error");
}

static void test_windows(void)
{
	begin(true, 0);
	serve("guest-ping", "{\"return\": {}}\n");
	serve("\"path\":\"make\",\"arg\":[\"all\"],\"capture-output\":true",
		"{\"return\": {\"pid\": 7}}\n");
	serve("guest-exec-status",
		"{\"return\": {\"exited\": true, \"exitcode\": 0, "
		"\"out-data\": \"aGk=\", \"err-data\": \"Yg==\"}}\n");
	is_str(str_text(&out), "1:hi 2:b ", "its output at its end");
	is_end(true, true, 0, "Windows");
}

static void test_unborn(void)
{
	begin(false, 1000);
	serve("guest-ping", NULL);
	loop_sim_advance(500);
	serve("guest-ping", NULL);
	loop_sim_advance(500);
	serve("guest-ping", NULL);
	is_end(false, false, 0, "no agent");
	is_int(end_err.code, ERR_GUEST, "is the guest's fault");
	begin(false, 0);
	serve("guest-ping", "{\"return\": {}}\n");
	serve("guest-exec", "{\"error\": {\"desc\": \"disabled\"}}\n");
	is_end(false, false, 0, "guest-exec is forbidden");
	ok(strstr(end_err.text, "disabled"), "it says so: %s", end_err.text);
	start_it(false);
	serve("guest-exec-status", EXITED);
	serve(".out", NONE);
	serve(".err", NONE);
	close_it();
	is_end(false, true, 3, "a guest without /tmp");
}

static void test_lost(void)
{
	start_it(true);
	serve("guest-exec-status",
		"{\"error\": {\"desc\": \"PID 7 does not exist\"}}\n");
	is_end(true, false, 0, "an agent that began anew");
	start_it(true);
	serve("guest-exec-status", NULL);
	loop_sim_advance(55000);
	is_int(ends, 0, "silence is waited for");
	loop_sim_advance(10000);
	while (!is_quiet())
		; /* its calls that nobody answered */
	is_end(true, false, 0, "but not for ever");
	start_it(true);
	serve("guest-exec-status",
		"{\"return\": {\"exited\": true, \"signal\": 9}}\n");
	is_end(true, true, 137, "killed");
	start_it(false);
	job_cancel(job);
	close(sys_accept(listener)); /* of the call that was under way */
	serve("kill", "{\"return\": {\"pid\": 8}}\n");
	is_end(true, false, 0, "cancelled");
	is_int(end_err.code, ERR_CANCELLED, "by us");
	ok(!agent.busy, "and the agent is free");
	start_it(true);
	job_cancel(job);
	is_end(true, false, 0, "of Windows no more is asked");
	while (!is_quiet())
		; /* the call that was under way */
}

/* What another job asks the agent meanwhile costs a moment, not the output. */
static void on_other(struct agent *a, json_t *result, const struct err *why)
{
	(void)a;
	(void)result;
	(void)why;
}

static void test_shared(void)
{
	static const struct agent_command ping = {
		"{\"execute\":\"guest-ping\"}", false, 1000
	};

	start_it(true);
	serve("guest-exec-status", RUNS);
	is_int(agent_call(&agent, path, &ping, on_other, NULL, &err), 0,
		"another job asks");
	loop_sim_advance(100);
	is_int(ends, 0, "the command is not lost");
	serve("guest-ping", "{\"return\": {}}\n");
	loop_sim_advance(20);
	serve("guest-exec-status", EXITED);
	is_end(true, true, 3, "its turn came");
}

/* Two jobs that ask without a pause: neither starves the other. */
static void test_turns(void)
{
	struct guest_exec_wish wish = { &agent, path, argv, true, 0, on_output,
		is_full, NULL, false };
	struct job *other;

	start_it(true);
	other = guest_exec_start(&wish, "web", NULL, NULL);
	clock_settle();
	serve("guest-exec-status", NULL);
	ok(is_quiet(), "the other one waits");
	job_cancel(job);
	clock_settle();
	loop_sim_advance(20);
	serve("guest-ping", "{\"return\": {}}\n");
	begin(true, 0);
	serve("guest-exec", "{\"return\": {\"pid\": 9}}\n");
	loop_sim_advance(20);
	serve("guest-ping", "{\"return\": {}}\n");
	job_cancel(other);
	job_cancel(job);
	clock_settle();
	while (!is_quiet())
		;
	is_int((int)agent.waiting, 0, "nobody waits any more");
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	temp_make();
	clock_start();
	snprintf(path, sizeof(path), "%s", temp_path("agent"));
	listener = sock_listen(path, 0600, 8, &err);
	test_stream();
	test_windows();
	test_unborn();
	test_lost();
	test_shared();
	test_turns();
	fd_close(&listener);
	str_fini(&out);
	loop_sim_end();
	return done();
}
