/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The terminal of `run FILE`: pipes, files, raw mode, slow readers. */
#include "supervisor/tty.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"

#include "tests/unit/clock.h"
#include "tests/unit/tap.h"
#include "tests/unit/temp.h"

static struct str input = STR_INIT; /* "bytes" and "^" for escapes */

static void on_input(void *arg, const char *bytes, size_t len)
{
	(void)arg;
	str_addn(&input, bytes, len);
}

static void on_escape(void *arg)
{
	(void)arg;
	str_addc(&input, '^');
}

/* Opens it as if our stdout were fd; what is printed goes on as before. */
static struct tty *open_on(int fd)
{
	int mine = dup(STDOUT_FILENO);
	struct tty *tty;

	fflush(stdout);
	dup2(fd, STDOUT_FILENO);
	tty = tty_open(on_input, on_escape, NULL);
	dup2(mine, STDOUT_FILENO);
	close(mine);
	return tty;
}

static size_t swallow(int fd)
{
	static char chunk[65536];
	size_t all = 0;
	ssize_t got;

	while ((got = read(fd, chunk, sizeof(chunk))) > 0)
		all += (size_t)got;
	return all;
}

static void test_pipe(void)
{
	char got[16] = "";
	int fds[2];
	struct tty *tty;

	if (pipe2(fds, O_NONBLOCK))
		abort();
	tty = open_on(fds[1]);
	close(fds[1]);
	ok(!tty_is_terminal(tty), "a pipe is no terminal");
	tty_write(tty, "hello", 5);
	ok(read(fds[0], got, 15) == 5 && str_eq(got, "hello"), "is written to");
	tty_write(tty, "last", 4);
	tty_close(tty);
	ok(read(fds[0], got, 15) == 4, "its last words too");
	is_int(read(fds[0], got, 15), 0, "then it is closed");
	close(fds[0]);
	tty_close(NULL);
}

static void test_slow_reader(void)
{
	AUTO_FREE char *much = xmalloc(300000);
	size_t all = 0;
	int fds[2];
	struct tty *tty;

	if (pipe2(fds, O_NONBLOCK))
		abort();
	memset(much, 'm', 300000);
	tty = open_on(fds[1]);
	close(fds[1]);
	for (int i = 0; i < 20; i++)
		tty_write(tty, much, 300000);
	while (!clock_poll(fds[0], LOOP_READ))
		clock_settle();
	for (size_t got; (got = swallow(fds[0])) > 0;) {
		all += got;
		clock_settle();
	}
	ok(all >= 900000 && all < 1500000, "1 MiB waits, the rest is dropped");
	all = 0;
	tty_write(tty, much, 300000);
	for (int i = 0; i < 100; i++) {
		char piece[30000];
		ssize_t got;

		tty_write(tty, much, 30000);
		got = read(fds[0], piece, sizeof(piece));
		all += got > 0 ? (size_t)got : 0;
		clock_settle();
	}
	for (size_t got; (got = swallow(fds[0])) > 0;) {
		all += got;
		clock_settle();
	}
	is_int(all, 3300000, "a reader that is only late loses nothing");
	tty_write(tty, much, 300000);
	tty_close(tty);
	ok(swallow(fds[0]) < 300000, "one that never reads is left after 2 s");
	close(fds[0]);
}

/* A reader that comes every 100 ms. */
static struct loop_timer reader;
static int reader_fd;
static size_t reader_got;

static void on_reader(struct loop_timer *timer)
{
	reader_got += swallow(reader_fd);
	loop_timer_start(timer, 100, on_reader);
}

static void test_last_words(void)
{
	AUTO_FREE char *much = xmalloc(300000);
	int fds[2];
	struct tty *tty;

	if (pipe2(fds, O_NONBLOCK))
		abort();
	memset(much, 'm', 300000);
	tty = open_on(fds[1]);
	close(fds[1]);
	reader_fd = fds[0];
	loop_timer_start(&reader, 100, on_reader);
	tty_write(tty, much, 300000);
	tty_close(tty);
	reader_got += swallow(fds[0]);
	loop_timer_stop(&reader);
	is_int(reader_got, 300000, "the last words reach a late reader");
	close(fds[0]);
}

static void test_gone_reader(void)
{
	int fds[2];
	struct tty *tty;

	if (pipe2(fds, O_NONBLOCK))
		abort();
	tty = open_on(fds[1]);
	close(fds[1]);
	close(fds[0]);
	tty_write(tty, "x", 1);
	tty_write(tty, "y", 1);
	tty_close(tty);
	ok(true, "nobody reads: nothing happens");
}

static void test_file(void)
{
	AUTO_STR struct str got = STR_INIT;
	struct err err = ERR_INIT;
	int fd = open(temp_path("out"), O_CREAT | O_RDWR, 0600);
	struct tty *tty;

	if (write(fd, "before ", 7) != 7)
		ok(false, "write");
	tty = open_on(fd);
	tty_write(tty, "during", 6);
	tty_close(tty);
	if (write(fd, " after", 6) != 6)
		ok(false, "write");
	close(fd);
	is_int(fd_read_file(AT_FDCWD, temp_path("out"), 100, &got, &err), 0,
		"a file");
	is_str(str_text(&got), "before during after", "goes on in its place");
}

/* The master of a new terminal that is our stdin; *slave is its other end. */
static int make_terminal(int *slave)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);

	if (master < 0 || grantpt(master) || unlockpt(master))
		abort();
	*slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	dup2(*slave, STDIN_FILENO);
	return master;
}

static void types(int master, const char *text, const char *want)
{
	str_cut(&input, 0);
	if (write(master, text, strlen(text)) < 0)
		ok(false, "cannot type");
	clock_settle();
	is_str(str_text(&input), want, "typed");
}

static void test_terminal(void)
{
	struct termios mode;
	char got[32] = "";
	int slave;
	int master = make_terminal(&slave);
	struct tty *tty = open_on(slave);

	ok(tty_is_terminal(tty), "a terminal");
	ok(tcgetattr(slave, &mode) == 0 && !(mode.c_lflag & (ICANON | ECHO)),
		"is raw");
	types(master, "ls\r", "ls\r");
	types(master, "\003\004\032", "\003\004\032");
	types(master,
		"a\x1d"
		"b",
		"a^b");
	types(master, "\x1d\x1d", "^^");
	types(master, "\x1d", "^");
	types(master, "\xff\xc3\xa9", "\xff\xc3\xa9");
	tty_write(tty, "out\n", 4);
	ok(read(master, got, 31) == 4 && str_eq(got, "out\n"),
		"output comes as it is");
	tty_close(tty);
	ok(tcgetattr(slave, &mode) == 0 && (mode.c_lflag & ICANON) &&
			(mode.c_lflag & ECHO),
		"restored at its end");
	tty = open_on(slave);
	close(master);
	clock_settle();
	ok(true, "a terminal that goes away is no flood");
	tty_close(tty);
	close(slave);
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	temp_make();
	clock_start();
	test_pipe();
	test_slow_reader();
	test_last_words();
	test_gone_reader();
	test_file();
	test_terminal();
	str_fini(&input);
	loop_sim_end();
	return done();
}
