/* SPDX-License-Identifier: GPL-2.0-or-later */
/* QEMU's stderr: lines, last words, and the trace lines that tell ends. */
#include "supervisor/stderr.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/jstream.h"
#include "base/mem.h"
#include "supervisor/events.h"

#include "tests/unit/clock.h"
#include "tests/unit/tap.h"
#include "tests/unit/temp.h"

#define REQUEST "qemu_system_shutdown_request reason="
#define RUNSTATE                                                  \
	"812@1690000000.123456:runstate_set current_run_state 9 " \
	"(running) new_state "

static struct stderr_pipe errors = { .fd = -1 };
static struct cause_inputs seen;
static struct vmlog vmlog;
static int qemu = -1; /* the end that QEMU writes to */

static void say(const char *text)
{
	if (write(qemu, text, strlen(text)) < 0)
		ok(false, "cannot write");
	clock_settle();
}

static char *logged(void)
{
	AUTO_JSON json_t *got = vmlog_read(&vmlog, 100, -1, 0);
	struct str out = STR_INIT;
	json_t *line;
	size_t i;

	json_array_foreach(json_object_get(got, "lines"), i, line) str_addf(
		&out, "%s|", json_string_value(json_object_get(line, "text")));
	return out.data ? str_take(&out) : xstrdup("");
}

/* A new QEMU: nothing seen, nothing said, the log empty. */
static void begin(void)
{
	int fd;

	loop_sim_advance(2000);
	unlink(temp_path("web/vm.log"));
	unlink(temp_path("fifo"));
	if (mkfifo(temp_path("fifo"), 0600))
		ok(false, "mkfifo");
	fd_close(&qemu);
	fd = open(temp_path("fifo"), O_RDWR | O_NONBLOCK | O_CLOEXEC);
	qemu = open(temp_path("fifo"), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	seen = (struct cause_inputs){ 0 };
	stderr_open(&errors, fd, &seen, &vmlog);
	str_fini(&errors.last_words);
}

static void test_lines(void)
{
	AUTO_FREE char *got = NULL;

	begin();
	say("qemu-system-x86_64: -device x: no such device\nplain ");
	say("line\n\n");
	say("unfinished");
	got = logged();
	is_str(got, "qemu: -device x: no such device|qemu: plain line|",
		"whole lines go to the log, without QEMU's name");
	stderr_drain(&errors);
	free(got);
	got = logged();
	is_str(got,
		"qemu: -device x: no such device|qemu: plain line|"
		"qemu: unfinished|",
		"a drain takes the unfinished one");
	is_str(str_text(&errors.last_words),
		"-device x: no such device\nplain line\nunfinished\n",
		"the last words are kept");
	stderr_drain(&errors);
	is_str(str_text(&errors.last_words),
		"-device x: no such device\nplain line\nunfinished\n",
		"a second drain adds nothing");
	stderr_close(&errors);
	stderr_drain(&errors);
	stderr_close(&errors);
	ok(errors.last_words.len > 0, "they outlive the pipe");
}

/* What a dead QEMU left in the FIFO is read by who opens it next. */
static void test_left_behind(void)
{
	static const char words[] = REQUEST "6\nlast words";

	begin();
	if (write(qemu, words, strlen(words)) < 0)
		ok(false, "cannot write");
	fd_close(&qemu);
	stderr_drain(&errors);
	is_str(seen.shutdown_reason, "guest-shutdown", "the reason");
	is_str(str_text(&errors.last_words), "last words\n", "and the words");
	ok(errors.fd >= 0, "no end of file");
}

static void traces(
	const char *text, const char *reason, bool shutdown, bool panicked)
{
	AUTO_FREE char *got = NULL;

	begin();
	say(text);
	got = logged();
	is_str(got, "", "%.*s: not logged", (int)strcspn(text, "\n"), text);
	is_str(seen.shutdown_reason, reason, "its reason");
	is_int(seen.shutdown_seen, shutdown, "a shutdown or none");
	is_int(seen.panicked, panicked, "a panic or none");
	is_str(str_text(&errors.last_words), "", "it is no last word");
}

static void test_traces(void)
{
	traces(REQUEST "6\n", "guest-shutdown", true, false);
	traces("812@1690000000.123456:" REQUEST "2\n", "host-qmp-quit", true,
		false);
	traces(REQUEST "4\n", "host-signal", true, false);
	traces(REQUEST "7\n", "guest-reset", true, false);
	traces(REQUEST "8\n", "guest-panic", true, false);
	traces(REQUEST "0\n", "none", true, false);
	traces(REQUEST "10\n", "snapshot-load", true, false);
	traces(REQUEST "11\n", "", true, false);
	traces(REQUEST "99999999999999999999999\n", "", true, false);
	traces(REQUEST "\n", "none", true, false);
	traces(RUNSTATE "11 (shutdown)\n", "", true, false);
	traces(RUNSTATE "14 (guest-panicked)\n", "", false, true);
	traces(RUNSTATE "4 (paused)\n", "", false, false);
	traces("runstate_set current_run_state 11 (shutdown) new_state 6 "
	       "(prelaunch)\n",
		"", false, false);
	traces("runstate_set current_run_state\n", "", false, false);
	/* poweroff: the reason first, then the state */
	traces(REQUEST "6\n" RUNSTATE "11 (shutdown)\n", "guest-shutdown", true,
		false);
	/* the first reason is the one */
	traces(REQUEST "6\n" REQUEST "2\n", "guest-shutdown", true, false);
}

/* What paused the guest, until it runs again. */
static void test_pauses(void)
{
	begin();
	say(RUNSTATE "15 (watchdog)\n");
	ok(seen.watchdog, "a watchdog that paused");
	say(RUNSTATE "4 (io-error)\n");
	ok(seen.io_error, "a disk error");
	say(RUNSTATE "14 (guest-panicked)\n" RUNSTATE "9 (running)\n");
	ok(!seen.watchdog && !seen.io_error && !seen.panicked,
		"a guest that goes on has forgotten them");
}

static void test_cut_trace(void)
{
	begin();
	say("qemu_system_shut");
	say("down_request reas");
	is_int(seen.shutdown_seen, false, "half a trace line says nothing");
	say("on=6\n");
	is_str(seen.shutdown_reason, "guest-shutdown", "the whole one does");
	begin();
	say(REQUEST "6");
	stderr_drain(&errors);
	is_str(seen.shutdown_reason, "guest-shutdown", "even unfinished");
}

static void test_flood(void)
{
	AUTO_FREE char *line = xmalloc(1002);
	AUTO_FREE char *got = NULL;
	struct stat st;
	unsigned n = 0;

	memset(line, 'f', 1000);
	line[1000] = '\n';
	line[1001] = '\0';
	begin();
	for (int i = 0; i < 2000; i++)
		say(line);
	say("the end\n");
	ok(errors.last_words.len <= 2048, "the last words stay small");
	ok(str_ends(str_text(&errors.last_words), "the end\n"),
		"and are the last ones");
	got = logged();
	for (const char *at = got; (at = strchr(at, '|')) != NULL; at++)
		n++;
	is_int(n, 20, "20 lines of it are logged");
	ok(stat(temp_path("web/vm.log"), &st) == 0 && st.st_size < 32768,
		"2 MB are a small file");
	begin();
	for (int i = 0; i < 100; i++)
		say("no end of line at all, 40 bytes long... ");
	ok(errors.line.len <= 1024, "a line without end is cut");
	stderr_drain(&errors);
	ok(errors.last_words.len > 1000, "and kept in parts");
	begin();
	for (int i = 0; i < 3; i++)
		say("\xff\x1b[2J\x01\n");
	free(got);
	got = logged();
	ok(strstr(got, "qemu: \\xff\\x1b[2J\\x01|"), "escaped in the log");
}

/* What a person reads of QEMU's last words. */
static void test_readable(void)
{
	static const char *const cases[][2] = {
		{ "", "" },
		{ "plain\n", "plain" },
		{ "2026-11-21T01:01:16.840279Z qemu-system-x86_64: -device "
		  "{\"driver\":\"virtio-blk-pci\",\"id\":\"disk-root\"}: "
		  "Failed to get lock\nIs another one using it?\n",
			"disk-root: Failed to get lock; Is another one using "
			"it?" },
		{ "qemu-system-x86_64: -blockdev {\"node-name\":\"disk-a\","
		  "\"file\":{\"x\":1}}: Could not open 'a'",
			"disk-a: Could not open 'a'" },
		{ "qemu: -M nope: unsupported machine type",
			"-M nope: unsupported machine type" },
		{ "-device {\"id\":\"cut", "-device {\"id\":\"cut" },
		{ "-device {\"id\":\"}: x", "x" },
		{ "2026-11-21T01:01:16.840279Z",
			"2026-11-21T01:01:16.840279Z" },
		{ "\n\nqemu-system-x86_64: \n", "" },
	};

	for (size_t i = 0; i < NELEMS(cases); i++) {
		AUTO_FREE char *got = stderr_readable(cases[i][0]);

		is_str(got, cases[i][1], "readable: %s", cases[i][0]);
	}
}

int main(void)
{
	temp_make();
	clock_start();
	vmlog_init(&vmlog, temp_root, "web");
	test_lines();
	test_left_behind();
	test_traces();
	test_pauses();
	test_cut_trace();
	test_flood();
	test_readable();
	stderr_close(&errors);
	str_fini(&errors.last_words);
	fd_close(&qemu);
	vmlog_fini(&vmlog);
	events_fini();
	loop_sim_end();
	return done();
}
