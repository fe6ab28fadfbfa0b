/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The log of a VM: lines kept, rotated, read by offset, lost and counted. */
#include "supervisor/vmlog.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/jstream.h"
#include "supervisor/events.h"

#include "tests/unit/clock.h"
#include "tests/unit/tap.h"
#include "tests/unit/temp.h"

static struct vmlog vmlog;
static int64_t next_at; /* of the last read */

/* Most tests say more than a second has room for. */
#define vmlog_line(log, ...) \
	((log)->spent = 0, (vmlog_line)((log), __VA_ARGS__))

/* The texts of what a read gives: "a|b|"; new. */
static char *texts(size_t lines, int64_t after, int64_t since_us)
{
	AUTO_JSON json_t *got = vmlog_read(&vmlog, lines, after, since_us);
	struct str out = STR_INIT;
	json_t *line;
	size_t i;

	next_at = json_integer_value(json_object_get(got, "next"));
	json_array_foreach(json_object_get(got, "lines"), i, line) str_addf(
		&out, "%s|", json_string_value(json_object_get(line, "text")));
	return out.data ? str_take(&out) : xstrdup("");
}

static void reads(
	size_t lines, int64_t after, const char *want, const char *what)
{
	AUTO_FREE char *got = texts(lines, after, 0);

	is_str(got, want, "%s", what);
}

static off_t size_of(const char *name)
{
	struct stat st;

	return stat(temp_path(name), &st) ? -1 : st.st_size;
}

static void test_lines(void)
{
	AUTO_JSON json_t *all = NULL;
	AUTO_JSON json_t *kept = NULL;
	json_t *line;
	struct stat st;

	reads(10, -1, "", "no file yet");
	is_int(next_at, 0, "begins at its start");
	vmlog_line(&vmlog, LOG_INFO, "%s", "one");
	vmlog_line(&vmlog, LOG_WARN, "two\nlines \x1b[31m \xff");
	vmlog_line(&vmlog, LOG_ERROR, "%s", "");
	ok(stat(temp_path("web/vm.log"), &st) == 0 &&
			(st.st_mode & 0777) == 0640,
		"the file was made, 0640");
	reads(10, -1, "one|two\\nlines \\x1b[31m \\xff||", "three lines");
	reads(2, -1, "two\\nlines \\x1b[31m \\xff||", "the last two");
	reads(0, -1, "", "none");
	all = vmlog_read(&vmlog, 1, 0, 0);
	line = json_array_get(json_object_get(all, "lines"), 1);
	is_str(json_string_value(json_object_get(line, "level")), "warn",
		"with their level");
	is_str(json_string_value(json_object_get(line, "time")),
		"2023-11-14T22:30:00.000Z", "and time");
	kept = events_since(0);
	is_int(json_array_size(kept), 3, "each is an event too");
}

static void test_offsets(void)
{
	int64_t at;

	reads(10, 0, "one|two\\nlines \\x1b[31m \\xff||", "from the start");
	at = next_at;
	is_int(at, size_of("web/vm.log"), "up to the end");
	reads(10, at, "", "nothing new");
	is_int(next_at, at, "the place stays");
	vmlog_line(&vmlog, LOG_INFO, "four");
	reads(0, at, "four|", "what is new, whatever the number");
	reads(10, next_at + 999, "one|two\\nlines \\x1b[31m \\xff||four|",
		"past the end: the file was replaced");
}

static void test_since(void)
{
	clock_offset_us = 60 * 1000000;
	vmlog_line(&vmlog, LOG_INFO, "later");
	AUTO_FREE char *got = texts(10, -1, clock_realtime() - 1000000);
	is_str(got, "later|", "only lines since then");
	clock_offset_us = 0;
}

/* More than one read's worth comes in pieces, without a line cut. */
static void test_pieces(void)
{
	AUTO_FREE char *long_text = xmalloc(1001);
	int64_t at = size_of("web/vm.log");
	unsigned n = 0;
	unsigned whole = 0;

	for (int i = 0; i < 1000; i++)
		long_text[i] = "words "[i % 6];
	long_text[1000] = '\0';
	for (int i = 0; i < 200; i++)
		vmlog_line(&vmlog, LOG_INFO, "%s", long_text);
	for (int turn = 0; turn < 20 && at < size_of("web/vm.log"); turn++) {
		AUTO_JSON json_t *got = vmlog_read(&vmlog, 0, at, 0);
		json_t *line;
		size_t i;

		json_array_foreach(json_object_get(got, "lines"), i, line)
		{
			n++;
			whole += str_eq(json_string_value(
						json_object_get(line, "text")),
				long_text);
		}
		at = json_integer_value(json_object_get(got, "next"));
	}
	is_int(n, 200, "all lines come in pieces");
	is_int(whole, 200, "and each of them whole");
	AUTO_JSON json_t *tail = vmlog_read(&vmlog, 1000, -1, 0);
	json_t *lines = json_object_get(tail, "lines");
	ok(json_array_size(lines) > 30, "the end comes in one piece");
	is_str(json_string_value(
		       json_object_get(json_array_get(lines, 0), "text")),
		long_text, "its first line is whole too");
}

static void put_file(const char *text, size_t len)
{
	struct err err = ERR_INIT;

	if (fd_write_file(AT_FDCWD, temp_path("web/vm.log"), text, len, 0640,
		    false, &err))
		ok(false, "%s", err.text);
}

static void test_strange_files(void)
{
	static const char zeros[] = "t info a\n\0\0\0\0\nt info b\nt info c";
	static const char odd[] = "\n \n  \nt\nt info \xff\nt info ok\n";
	AUTO_FREE char *endless = xmalloc(100000);

	put_file(zeros, sizeof(zeros) - 1);
	reads(10, -1, "a|b|", "zeros of a power cut hide nothing");
	is_int(next_at, sizeof(zeros) - 1 - 8, "an unfinished line is left");
	put_file(odd, sizeof(odd) - 1);
	reads(10, -1, "|ok|", "lines that are none of ours are left out");
	memset(endless, 'y', 100000);
	put_file(endless, 100000);
	reads(10, 0, "", "a line without end");
	ok(next_at > 0, "does not stop the reader");
	unlink(temp_path("web/vm.log"));
	if (symlink("/etc/passwd", temp_path("web/vm.log")))
		ok(false, "symlink");
	reads(10, -1, "", "no link is read");
	vmlog_line(&vmlog, LOG_INFO, "x");
	is_int(vmlog.lost, 1, "nor written");
	vmlog.lost = 0;
	unlink(temp_path("web/vm.log"));
}

/* After a burst one line a second; the others are counted. */
static void test_room(void)
{
	int64_t at = size_of("web/vm.log");

	if (at < 0)
		at = 0;
	vmlog.spent = 0;
	for (int i = 0; i < 500; i++)
		(vmlog_line)(&vmlog, LOG_INFO, "storm");
	AUTO_JSON json_t *got = vmlog_read(&vmlog, 0, at, 0);
	is_int(json_array_size(json_object_get(got, "lines")), 60,
		"a storm of 500 lines is 60");
	at = json_integer_value(json_object_get(got, "next"));
	loop_sim_advance(2000);
	for (int i = 0; i < 5; i++)
		(vmlog_line)(&vmlog, LOG_INFO, "later");
	reads(0, at, "later (440 more lines before it were left out)|later|",
		"then one for each second");
	loop_sim_advance(1000000);
	at = next_at;
	for (int i = 0; i < 3; i++)
		(vmlog_line)(&vmlog, LOG_INFO, "calm");
	reads(0, at, "calm (3 more lines before it were left out)|calm|calm|",
		"and after a while a burst again");
}

static void test_rotation(void)
{
	AUTO_FREE char *text = xmalloc(1001);
	off_t old;

	memset(text, 'z', 1000);
	text[1000] = '\0';
	for (int i = 0; size_of("web/vm.log.1") < 0 && i < 2000; i++)
		vmlog_line(&vmlog, LOG_INFO, "%s", text);
	old = size_of("web/vm.log.1");
	ok(old > 1024 * 1024 && old < 1030 * 1024, "at 1 MiB it is older");
	is_int(size_of("web/vm.log"), -1, "and a new one begins");
	vmlog_line(&vmlog, LOG_INFO, "new");
	reads(10, -1, "new|", "with the next line");
	reads(10, old, "new|", "a reader of the old one goes on there");
	for (int i = 0; size_of("web/vm.log") >= 0 && i < 2000; i++)
		vmlog_line(&vmlog, LOG_INFO, "%s", text);
	ok(size_of("web/vm.log.1") > 1024 * 1024, "the oldest one goes");
	is_int(vmlog.lost, 0, "no line was lost");
}

/* ---- a full disk ---- */

static ssize_t room; /* bytes that the disk still takes */

static ssize_t full_write(int fd, const void *buf, size_t len)
{
	if (room <= 0) {
		errno = ENOSPC;
		return -1;
	}
	if (len > (size_t)room)
		len = (size_t)room;
	room -= (ssize_t)len;
	return sys_real.write(fd, buf, len);
}

static void test_full_disk(void)
{
	put_file("t info before\n", 14);
	clock_sys.write = full_write;
	room = 10;
	vmlog_line(&vmlog, LOG_INFO, "half a line");
	is_int(vmlog.lost, 1, "a line that does not fit is lost");
	vmlog_line(&vmlog, LOG_INFO, "none of it");
	is_int(vmlog.lost, 2, "so is the next one");
	clock_sys.write = sys_real.write;
	vmlog_line(&vmlog, LOG_INFO, "after");
	reads(10, -1, "before|after|", "no half lines are left behind");
	is_int(size_of("web/vm.log"), 14 + 36, "not a byte of them");
	vmlog.lost = 0;
}

/* ---- QEMU's stderr ---- */

static void test_stderr(void)
{
	AUTO_FREE char *got = NULL;

	vmlog.spent = 0;
	put_file("", 0);
	for (int i = 0; i < 50; i++) {
		char line[16];

		snprintf(line, sizeof(line), "n%d", i);
		vmlog_stderr(&vmlog, line);
	}
	got = texts(100, -1, 0);
	ok(strstr(got, "qemu: n0|") && strstr(got, "qemu: n19|") &&
			!strstr(got, "n20"),
		"20 lines a second are kept");
	loop_sim_advance(1000);
	vmlog_stderr(&vmlog, "later");
	free(got);
	got = texts(2, -1, 0);
	is_str(got, "qemu: 30 more lines in one second|qemu: later|",
		"the others are counted");
	loop_sim_advance(1000);
	vmlog_stderr(&vmlog, "last");
	reads(2, -1, "qemu: later|qemu: last|", "one a second is no flood");
}

static void test_time(void)
{
	char text[32];

	vmlog_time(0, text);
	is_str(text, "1970-01-01T00:00:00.000Z", "the beginning");
	vmlog_time(INT64_C(1732061045678901), text);
	is_str(text, "2024-11-20T00:04:05.678Z", "with milliseconds");
}

int main(void)
{
	temp_make();
	clock_start();
	vmlog_init(&vmlog, temp_root, "web");
	is_str(vmlog.object, "vm=web", "its lines name the VM");
	test_lines();
	test_offsets();
	test_since();
	test_pieces();
	test_strange_files();
	test_room();
	unlink(temp_path("web/vm.log"));
	test_rotation();
	test_full_disk();
	test_stderr();
	test_time();
	vmlog_fini(&vmlog);
	events_fini();
	loop_sim_end();
	return done();
}
