/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The flight recorder: what it keeps, what it counts, where it ends. */
#include "supervisor/recorder.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "tests/unit/clock.h"
#include "tests/unit/tap.h"
#include "tests/unit/temp.h"

static struct recorder rec;

static void fresh(void)
{
	unlink(temp_path("recorder"));
	unlink(temp_path("recorder.1"));
	recorder_init(&rec, xstrdup(temp_path("recorder")));
}

static bool kept(const char *part)
{
	AUTO_FREE char *all = recorder_tail(&rec, 1 << 20);

	return strstr(all, part) != NULL;
}

static unsigned count(const char *part)
{
	AUTO_FREE char *all = recorder_tail(&rec, 1 << 20);
	unsigned n = 0;

	for (const char *at = all; (at = strstr(at, part)); at++)
		n++;
	return n;
}

static void received(const char *text)
{
	json_t *message = json_loads(text, 0, NULL);

	recorder_received(&rec, message);
	json_decref(message);
}

static off_t size_of(const char *name)
{
	struct stat st;

	return stat(temp_path(name), &st) ? -1 : st.st_size;
}

static void test_lines(void)
{
	fresh();
	recorder_line(&rec, "state", "running -> stopping");
	is_int(size_of("recorder"), -1, "nothing is written at once");
	clock_settle();
	ok(size_of("recorder") > 0, "but at the end of the turn");
	ok(kept(" state running -> stopping\n"), "with its kind");
	recorder_sent(&rec, "{\"execute\":\"qom-set\",\"arguments\":"
			    "{\"value\":\"hunter2\"},\"id\":1}\n");
	received("{\"return\":{\"password\":\"hunter2\"},\"id\":1}");
	ok(kept(" > {\"execute\":\"qom-set\""), "what was sent");
	ok(kept(" < {\"return\":{\"password\":\"***\"},\"id\":1}"),
		"what came");
	ok(!kept("hunter"), "without secrets");
	recorder_received(&rec, NULL);
	ok(kept(" < text that is no JSON"), "garbage is named");
	recorder_line(&rec, "info", "qemu: \x1b[31m");
	ok(!kept("\x1b"), "control characters are made visible");
	recorder_fini(&rec);
	recorder_init(&rec, xstrdup(temp_path("recorder")));
	ok(kept("stopping"), "a successor reads it");
	recorder_fini(&rec);
}

/* A poll each second for an hour, and a guest that resets all the time. */
static void test_floods(void)
{
	char text[64];

	fresh();
	recorder_line(&rec, "state", "the beginning");
	for (int i = 1; i <= 3600; i++) {
		snprintf(text, sizeof(text),
			"{\"execute\":\"query-stats\",\"id\":%d}", i);
		recorder_sent(&rec, text);
		snprintf(text, sizeof(text), "{\"return\":[%d],\"id\":%d}", i,
			i);
		received(text);
		loop_sim_advance(1000);
	}
	is_int(count("query-stats\""), 61 * 6, "six polls a minute");
	is_int(count("{\"return\""), 61 * 6, "with their replies");
	ok(kept("54 more of it in its last minute: query-stats"),
		"the others are counted");
	for (int i = 0; i < 20000; i++)
		received("{\"event\":\"RESET\",\"data\":{}}");
	is_int(count("RESET\""), 6, "a storm is six lines");
	ok(kept("the beginning"), "and drives nothing out");
	recorder_fini(&rec);
}

static void test_cap(void)
{
	char text[2000];

	fresh();
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	recorder_line(&rec, "info", text);
	ok(kept("xxx...\n"), "a long line is cut");
	for (int i = 0; i < 4000; i++) {
		recorder_line(&rec, "info", text);
		if (i % 30 == 0)
			loop_sim_advance(1000);
	}
	recorder_flush(&rec);
	ok(size_of("recorder") < 40 * 1024, "the file has an end");
	ok(size_of("recorder.1") < 40 * 1024, "so has the older one");
	for (int i = 0; i < 1000; i++)
		recorder_line(&rec, "info", "y");
	ok(!kept("lines left out"), "too many in one second");
	loop_sim_advance(1000);
	recorder_line(&rec, "info", "z");
	ok(kept("lines left out\n"), "are counted");
	recorder_fini(&rec);
}

static void test_places(void)
{
	recorder_init(&rec, xstrdup("/nonexistent/recorder"));
	recorder_line(&rec, "info", "early");
	clock_settle();
	ok(rec.pending.len > 0, "without a directory it waits");
	for (int i = 0; i < 1000; i++) {
		recorder_line(&rec, "info", "more and more and more");
		loop_sim_advance(100);
	}
	ok(rec.pending.len < 4200, "but not without end");
	recorder_fini(&rec);
	fresh();
	ok(symlink("/etc/passwd", temp_path("recorder")) == 0, "a link");
	recorder_line(&rec, "info", "x");
	clock_settle();
	ok(rec.pending.len == 0, "is not followed, and nothing piles up");
	recorder_fini(&rec);
}

int main(void)
{
	temp_make();
	clock_start();
	test_lines();
	test_floods();
	test_cap();
	test_places();
	loop_sim_end();
	return done();
}
