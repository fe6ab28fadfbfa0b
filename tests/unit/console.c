/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A serial port: always drained, kept, replayed, shared, and never blocked. */
#include "supervisor/console.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/sock.h"

#include "tests/unit/clock.h"
#include "tests/unit/tap.h"
#include "tests/unit/temp.h"

static struct console *console;
static int guest = -1; /* QEMU's end of the serial port */

/* ---- both ends ---- */

static void make(uint64_t log_max, const char *socket_path)
{
	struct console_wish wish = { "web", "console", temp_root, log_max,
		socket_path };

	unlink(temp_path("web/console.log"));
	unlink(temp_path("web/console.log.1"));
	console = console_new(&wish, NULL, NULL);
}

static void plug(void)
{
	int fds[2];

	fd_close(&guest);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds))
		abort();
	guest = fds[1];
	console_attach(console, fds[0]);
}

static void unmake(void)
{
	console_free(console);
	fd_close(&guest);
}

/* The guest writes, all that a serial port takes; false: it would stop. */
static bool say_some(const char *bytes, size_t len)
{
	bool all = write(guest, bytes, len) == (ssize_t)len;

	loop_sim_advance(20);
	return all;
}

static bool say(const char *text)
{
	return say_some(text, strlen(text));
}

/* What a reader's other end got since the last time; new. */
static char *heard(int fd)
{
	struct str out = STR_INIT;
	char chunk[65536];

	for (;;) {
		ssize_t got = recv(fd, chunk, sizeof(chunk), MSG_DONTWAIT);

		if (got > 0)
			str_addn(&out, chunk, (size_t)got);
		clock_settle();
		if (got <= 0)
			return out.data ? str_take(&out) : xstrdup("");
	}
}

static void hears(int fd, const char *want, const char *what)
{
	AUTO_FREE char *got = heard(fd);

	is_str(got, want, "%s", what);
}

static void hears_part(int fd, const char *part, const char *what)
{
	AUTO_FREE char *got = heard(fd);

	ok(strstr(got, part) != NULL, "%s", what);
}

/* The other end of a new reader. */
static int join(bool may_write, uint64_t replay)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds))
		abort();
	console_add_reader(console, fds[0], may_write, replay);
	clock_settle();
	return fds[1];
}

static void types(int fd, const char *text)
{
	if (write(fd, text, strlen(text)) < 0)
		ok(false, "cannot type");
	clock_settle();
}

static void log_is(const char *want, const char *what)
{
	AUTO_STR struct str got = STR_INIT;
	struct err err = ERR_INIT;

	if (fd_read_file(AT_FDCWD, temp_path("web/console.log"), 1 << 20, &got,
		    &err))
		str_add(&got, err.text);
	is_str(str_text(&got), want, "%s", what);
}

static off_t size_of(const char *name)
{
	struct stat st;

	return stat(temp_path(name), &st) ? -1 : st.st_size;
}

/* ---- tests ---- */

static void test_drain(void)
{
	AUTO_FREE char *tail = NULL;
	struct stat st;

	make(1 << 20, NULL);
	tail = console_tail(console, 10);
	is_str(tail, "", "nothing said yet");
	plug();
	say("hello\r\n");
	say("login: ");
	log_is("hello\r\nlogin: ", "all of it is in the log");
	ok(stat(temp_path("web/console.log"), &st) == 0 &&
			(st.st_mode & 0777) == 0640,
		"of mode 0640");
	free(tail);
	tail = console_tail(console, 7);
	is_str(tail, "login: ", "the end of it");
	free(tail);
	tail = console_tail(console, 1000);
	is_str(tail, "hello\r\nlogin: ", "or all of it");
	if (write(guest, "last words", 10) != 10)
		ok(false, "write");
	console_detach(console);
	log_is("hello\r\nlogin: last words", "the last words are drained");
	is_int(console->fd, -1, "then the port is closed");
	unmake();
	make(1 << 20, NULL);
	plug();
	say("x");
	shutdown(guest, SHUT_RDWR);
	clock_settle();
	is_int(console->fd, -1, "so it is when QEMU hangs up");
	unmake();
}

static void test_readers(void)
{
	int fds[20];
	unsigned same = 0;

	make(1 << 20, NULL);
	plug();
	say("one two");
	for (int i = 0; i < 20; i++)
		fds[i] = join(false, i == 0 ? 0 : 3);
	hears(fds[0], "", "no replay was asked for");
	hears(fds[1], "two", "the last three bytes are replayed");
	say(" three");
	hears(fds[0], " three", "what is new comes at once");
	for (int i = 2; i < 20; i++) {
		AUTO_FREE char *got = heard(fds[i]);

		same += str_eq(got, "two three");
	}
	is_int(same, 18, "to all of them");
	is_int(console->nreaders, 20, "they are counted");
	for (int i = 0; i < 20; i += 2)
		close(fds[i]);
	clock_settle();
	is_int(console->nreaders, 10, "those who leave are gone");
	console_detach(console);
	plug();
	say("again");
	hears(fds[1], " threeagain", "the others stay for the next QEMU");
	unmake();
	for (int i = 1; i < 20; i += 2)
		close(fds[i]);
}

static void test_writer(void)
{
	int first;
	int second;
	int viewer;

	make(1 << 20, NULL);
	plug();
	first = join(true, 0);
	second = join(true, 0);
	viewer = join(false, 0);
	types(viewer, "x");
	hears(guest, "", "a viewer types in vain");
	hears_part(viewer, "you only read", "and is told so");
	types(first, "root\r");
	hears(guest, "root\r", "the first who types has the keyboard");
	types(second, "rm -rf /");
	hears(guest, "", "the second has not");
	hears_part(second, "somebody else types", "and is told");
	types(second, "x");
	hears(second, "", "once");
	types(first, "ls\r");
	hears(guest, "ls\r", "the first goes on");
	close(first);
	clock_settle();
	types(second, "id\r");
	hears(guest, "id\r", "when he leaves the next one has it");
	console_input(console, "from run", 8);
	hears(guest, "from run", "a terminal of ours types as well");
	console_detach(console);
	console_input(console, "lost", 4);
	types(second, "lost too");
	plug();
	clock_settle();
	hears(guest, "", "what is typed to no QEMU does not wait for one");
	unmake();
	close(second);
	close(viewer);
}

static void test_stuck_guest(void)
{
	AUTO_FREE char *paste = xmalloc(60000);
	AUTO_FREE char *got = NULL;
	int typist;

	make(1 << 20, NULL);
	plug();
	typist = join(true, 0);
	memset(paste, 'p', 60000);
	for (int i = 0; i < 20; i++) {
		if (write(typist, paste, 60000) < 0)
			break;
		clock_settle();
	}
	ok(console->input.len - console->input_done <= 65536,
		"what waits for a guest that does not read is capped");
	say("still drained");
	got = heard(typist);
	is_str(got, "still drained", "its output is read all the while");
	free(got);
	got = heard(guest);
	ok(strlen(got) > 65536, "and what waited comes when it reads");
	is_int(console->input.len, 0, "then nothing is held");
	unmake();
	close(typist);
}

static void test_slow_reader(void)
{
	AUTO_FREE char *line = xmalloc(10001);
	AUTO_FREE char *got = NULL;
	bool all = true;
	int slow;
	int quick;
	size_t quick_len = 0;

	make(8 << 20, NULL);
	plug();
	slow = join(false, 0);
	quick = join(false, 0);
	memset(line, 'l', 10000);
	line[10000] = '\0';
	for (int i = 0; i < 200; i++) {
		AUTO_FREE char *some = NULL;

		all &= say(line);
		some = heard(quick);
		quick_len += strlen(some);
	}
	ok(all, "a reader that does not read stops no guest");
	is_int(quick_len, 2000000, "nor another reader");
	got = heard(slow);
	is_int(strlen(got), 2000000, "and gets it all when he reads");
	unmake();
	close(slow);
	close(quick);
}

static void test_rotation(void)
{
	char line[101];
	AUTO_FREE char *got = NULL;
	int quick;
	int slow;
	size_t quick_len = 0;

	make(20000, NULL);
	plug();
	quick = join(false, 0);
	slow = join(false, 0);
	memset(line, 'r', 100);
	for (int i = 0; i < 20000; i++) {
		AUTO_FREE char *some = NULL;

		snprintf(line + 90, 11, "%09d\n", i);
		say(line);
		some = heard(quick);
		quick_len += strlen(some);
	}
	is_int(quick_len, 2000000, "rotation hides nothing from a reader");
	ok(size_of("web/console.log") <= 20100, "the log is capped");
	ok(size_of("web/console.log.1") >= 20000, "the one before is kept");
	got = heard(slow);
	ok(strlen(got) < 1000000, "what was rotated away is gone");
	ok(str_ends(got, "000019999\n"), "but the end is there");
	free(got);
	got = console_tail(console, 10);
	ok(size_of("web/console.log") == 0 || str_eq(got, "000019999\n"),
		"the tail too");
	unmake();
	close(quick);
	close(slow);
}

static int no_rename(int from, const char *a, int to, const char *b)
{
	(void)from;
	(void)a;
	(void)to;
	(void)b;
	errno = EROFS;
	return -1;
}

static void test_no_rename(void)
{
	int reader;

	make(10, NULL);
	plug();
	reader = join(false, 0);
	clock_sys.renameat = no_rename;
	say("0123456789ab");
	hears(reader, "0123456789ab", "a log that cannot be rotated");
	say("more");
	hears(reader, "more", "begins anew and repeats nothing");
	log_is("more", "in the same file");
	clock_sys.renameat = sys_real.renameat;
	unmake();
	close(reader);
}

/* ---- a full disk, and logs that others touch ---- */

static ssize_t room; /* bytes that the disk still takes */

static ssize_t full_write(int fd, const void *buf, size_t len)
{
	if (fd != console->log_fd)
		return sys_real.write(fd, buf, len);
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
	AUTO_FREE char *fill = xmalloc(400000);
	AUTO_FREE char *got = NULL;
	ssize_t early;
	int live;
	int slow;

	make(8 << 20, NULL);
	plug();
	live = join(false, 0);
	slow = join(false, 0);
	memset(fill, 'f', 400000);
	for (int i = 0; i < 4; i++) {
		AUTO_FREE char *some = NULL;

		say_some(fill, 100000);
		some = heard(live);
	}
	clock_sys.write = full_write;
	room = 4;
	say("disk full");
	is_int(console->lost, 5, "what did not fit is counted");
	hears(live, "disk full", "a reader gets it whole and once");
	early = recv(slow, fill, 400000, MSG_DONTWAIT); /* now it has room */
	say(" all of it");
	is_int(console->lost, 15, "so is the rest");
	hears(live, " all of it", "and goes on");
	got = heard(slow);
	is_int(early + (ssize_t)strlen(got), 400004,
		"who lags behind gets what the log has");
	ok(str_ends(got, "fdisk"), "and no later part before an earlier one");
	clock_sys.write = sys_real.write;
	say(" room");
	hears(live, " room", "with room all is well");
	hears(slow, " room", "for everybody");
	is_int(console->lost, 15, "nothing more is lost");
	unmake();
	close(live);
	close(slow);
}

static int no_open(int dirfd, const char *path, int flags, mode_t mode)
{
	(void)dirfd;
	(void)path;
	(void)flags;
	(void)mode;
	errno = EMFILE;
	return -1;
}

static void test_no_log(void)
{
	int reader;

	make(1 << 20, NULL);
	plug();
	say("before ");
	unmake();
	clock_sys.openat = no_open;
	console = console_new(&(struct console_wish){ "web", "console",
				      temp_root, 1 << 20, NULL },
		NULL, NULL);
	plug();
	reader = join(false, 100);
	say("no fd");
	hears(reader, "no fd", "without a log a reader gets it live");
	is_int(console->lost, 5, "and it is lost");
	clock_sys.openat = sys_real.openat;
	say("after");
	hears(reader, "after", "the log comes back, without its past");
	log_is("before after", "and goes on where it was");
	is_int(truncate(temp_path("web/console.log"), 0), 0, "cut by a person");
	say("new");
	hears(reader, "new", "readers see no gap");
	say(" and newer");
	hears(reader, " and newer", "nor a repetition");
	log_is("new and newer", "and the log begins anew");
	unmake();
	close(reader);
}

/* ---- floods ---- */

static size_t flooded;

static ssize_t endless_read(int fd, void *buf, size_t len)
{
	if (fd != console->fd)
		return sys_real.read(fd, buf, len);
	memset(buf, 'e', len);
	flooded += len;
	return (ssize_t)len;
}

static void test_flood(void)
{
	make(1 << 20, NULL);
	plug();
	clock_sys.read = endless_read;
	if (write(guest, "x", 1) != 1) /* it is readable */
		ok(false, "write");
	loop_sim_turn();
	is_int(flooded, 256 * 1024, "a flood gets 256 KiB of a turn");
	loop_sim_turn();
	loop_sim_turn();
	is_int(flooded, 256 * 1024, "then it rests");
	loop_sim_advance(10);
	ok(flooded > 256 * 1024 && flooded <= 768 * 1024, "for 10 ms");
	flooded = 0;
	console_detach(console);
	ok(flooded <= 1024 * 1024, "the last words have a limit as well");
	clock_sys.read = sys_real.read;
	loop_sim_advance(1000);
	ok(true, "and nothing is left to run");
	unmake();
}

/* ---- the socket for users ---- */

static bool let_in;

static bool may_attach(const struct console *c, int fd, bool *may_write)
{
	*may_write = fd >= 0 && c->owner == &let_in;
	return let_in;
}

static void test_socket(void)
{
	AUTO_FREE char *path = xstrdup(temp_path("web/console.sock"));
	struct console_wish wish = { "web", "console", temp_root, 1 << 20,
		path };
	struct err err = ERR_INIT;
	struct stat st;
	char byte;
	int fds[40];

	console = console_new(&wish, may_attach, &let_in);
	plug();
	say("prompt> ");
	ok(stat(path, &st) == 0 && (st.st_mode & 0777) == 0666,
		"anybody may knock");
	fds[0] = sock_connect(path, &err);
	clock_settle();
	is_int(recv(fds[0], &byte, 1, 0), 0, "who may not is sent away");
	close(fds[0]);
	let_in = true;
	for (int i = 0; i < 40; i++) {
		fds[i] = sock_connect(path, &err);
		clock_settle();
	}
	is_int(console->nreaders, 32, "32 are let in");
	is_int(recv(fds[39], &byte, 1, 0), 0, "the others are not");
	hears_part(fds[0], "prompt> ", "they see what was said last");
	types(fds[3], "ls\r");
	hears(guest, "ls\r", "and may type");
	for (int i = 0; i < 40; i++)
		close(fds[i]);
	clock_settle();
	is_int(console->nreaders, 0, "all may leave");
	unmake();
	ok(stat(path, &st) != 0, "the socket goes with the console");
	console_free(NULL);
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	temp_make();
	clock_start();
	test_drain();
	test_readers();
	test_writer();
	test_stuck_guest();
	test_slow_reader();
	test_rotation();
	test_no_rename();
	test_full_disk();
	test_no_log();
	test_flood();
	test_socket();
	loop_sim_end();
	return done();
}
