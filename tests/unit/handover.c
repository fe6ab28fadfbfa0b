/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Structs through JSON and back; consoles and monitors that move. */
#include "base/handover.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/sys_exec.h"
#include "qmp/handover.h"
#include "supervisor/console.h"
#include "tests/unit/tap.h"
#include "tests/unit/temp.h"

/* What exec does to watchers; what they were for is left as it was. */
static void new_image(void)
{
	struct err err = ERR_INIT;

	loop_fini();
	BUG_ON(loop_init(&err));
}

struct thing {
	bool yes;
	int number;
	int64_t big;
	char text[8];
	char *word;
	char *none;
	struct str bytes;
	int fd;
	int no_fd;
};

static const struct handover_field fields[] = {
	HAND(HAND_BOOL, struct thing, yes),
	HAND(HAND_INT, struct thing, number),
	HAND(HAND_I64, struct thing, big),
	HAND(HAND_TEXT, struct thing, text),
	HAND(HAND_WORD, struct thing, word),
	HAND(HAND_WORD, struct thing, none),
	HAND(HAND_BYTES, struct thing, bytes),
	HAND(HAND_FD, struct thing, fd),
	HAND(HAND_FD, struct thing, no_fd),
};

/* What comes out of the text of h. */
static struct handover again(struct handover *h)
{
	AUTO_FREE char *text = handover_text(h);
	struct handover out;
	struct err err = ERR_INIT;

	ok(!handover_parse(&out, text, strlen(text), &err), "reads again %s",
		err.text);
	handover_fini(h);
	return out;
}

static void test_fields(void)
{
	struct thing from = { true, -7, INT64_MIN, "seven77", NULL, NULL,
		STR_INIT, 2, -1 };
	struct thing to = { .fd = 0 };
	struct handover h;
	struct err err = ERR_INIT;
	char word[] = "caf\xc3\xa9";

	from.word = word;
	str_addn(&from.bytes, "\0\xff\n", 3);
	handover_init(&h);
	handover_put(&h, h.root, fields, NELEMS(fields), &from);
	is_int(h.nfds, 1, "one descriptor");
	h = again(&h);
	ok(!handover_get(h.root, fields, NELEMS(fields), &to, &err),
		"all of it");
	ok(to.yes && to.number == -7 && to.big == INT64_MIN, "numbers");
	is_str(to.text, "seven77", "a text that fills its place");
	is_str(to.word, word, "a word");
	ok(!to.none && to.no_fd == -1 && to.fd == 2, "none, and descriptors");
	ok(to.bytes.len == 3 && !memcmp(to.bytes.data, "\0\xff\n", 3),
		"bytes that are no text");
	exec_keep(2, true);
	free(to.word);
	str_fini(&to.bytes);
	str_fini(&from.bytes);
	handover_fini(&h);
}

static void test_bad(void)
{
	static const char *const bad[] = { "{}", "{\"yes\":1,\"number\":1}",
		"{\"yes\":true,\"number\":1.5}",
		"{\"yes\":true,\"number\":1,\"big\":2,\"text\":\"much too long\","
		"\"word\":null,\"none\":null,\"bytes\":\"\",\"fd\":null,"
		"\"no_fd\":null}",
		"{\"yes\":true,\"number\":1,\"big\":2,\"text\":\"\","
		"\"word\":{\"hex\":\"0\"},\"none\":null,\"bytes\":\"\","
		"\"fd\":null,\"no_fd\":null}",
		"{\"yes\":true,\"number\":1,\"big\":2,\"text\":\"\","
		"\"word\":null,\"none\":null,\"bytes\":\"\","
		"\"fd\":-2,\"no_fd\":null}" };
	static const char *const states[] = { "", "[]", "{", "{\"version\":0}",
		"{\"version\":2}", "{\"version\":\"1\"}" };
	struct thing to = { .number = 42 };
	struct handover h;

	for (size_t i = 0; i < NELEMS(bad); i++) {
		json_t *from = json_loads(bad[i], 0, NULL);
		struct err err = ERR_INIT;

		ok(handover_get(from, fields, NELEMS(fields), &to, &err) &&
				to.number == 42 && err.text[0],
			"bad %zu: %s", i, err.text);
		json_decref(from);
	}
	for (size_t i = 0; i < NELEMS(states); i++) {
		struct err err = ERR_INIT;

		ok(handover_parse(&h, states[i], strlen(states[i]), &err),
			"bad state %zu: %s", i, err.text);
	}
}

/* ---- a monitor with half a message in its buffer ---- */

static unsigned events_seen;

static void on_event(struct qmp_sub *sub, const struct qmp_event *event)
{
	(void)sub;
	events_seen += event->type == QMP_EV_STOP;
}

static void on_ready(struct qmp_client *client)
{
	(void)client;
}

static void on_lost(struct qmp_client *client, const struct err *err)
{
	(void)client;
	ok(false, "lost: %s", err->text);
}

static const struct qmp_hooks qmp_hooks = { on_ready, on_lost };

static void say(int fd, const char *text)
{
	if (write(fd, text, strlen(text)) < 0)
		ok(false, "write");
	for (int i = 0; i < 5; i++)
		loop_turn(false);
}

static void test_monitor(void)
{
	static struct qmp_client one;
	struct qmp_client other = { .owner = NULL };
	struct qmp_sub sub = { .on_event = NULL };
	struct handover h;
	struct err err = ERR_INIT;
	json_t *part;
	int fds[2];

	BUG_ON(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds));
	qmp_client_open(&one, fds[0], 1000, &qmp_hooks, NULL);
	ok(!qmp_can_move(&one), "not before it is greeted");
	say(fds[1], "{\"QMP\":{\"version\":{\"qemu\":{\"major\":7,\"minor\":2,"
		    "\"micro\":0}},\"capabilities\":[\"oob\"]}}\n"
		    "{\"return\":{},\"id\":1}\n{\"event\":\"ST");
	ok(qmp_can_move(&one), "ready, with half an event");
	handover_init(&h);
	json_object_set_new(h.root, "qmp", json_object());
	part = json_object_get(h.root, "qmp");
	qmp_put(&h, part, &one);
	h = again(&h);
	part = json_object_get(h.root, "qmp");
	new_image();
	ok(!qmp_get(part, NULL, &qmp_hooks, NULL, &err), "it is right");
	ok(!qmp_get(part, &other, &qmp_hooks, NULL, &err), "it goes on");
	qmp_subscribe(&other, &sub, on_event);
	is_int(other.version, 70200, "the same QEMU");
	is_int(other.next_id, 1, "the next id");
	say(fds[1], "OP\"}\n{\"event\":\"STOP\"}\n");
	is_int(events_seen, 2, "the cut event and the next one");
	qmp_client_close(&other);
	handover_fini(&h);
	close(fds[1]);
}

/* ---- a console with two readers ---- */

static char *drained(int fd)
{
	static char text[4096];
	ssize_t got;

	for (int i = 0; i < 5; i++)
		loop_turn(false);
	got = read(fd, text, sizeof(text) - 1);
	text[got > 0 ? got : 0] = '\0';
	return text;
}

static void test_console(void)
{
	const struct console_wish wish = { "web", "console", temp_root, 65536,
		NULL };
	static struct console *old;
	struct console *c = console_new(&wish, NULL, NULL);
	struct handover h;
	struct err err = ERR_INIT;
	int qemu[2];
	int user[2];

	BUG_ON(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, qemu) ||
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, user));
	console_attach(c, qemu[0]);
	console_add_reader(c, user[0], true, 100);
	say(qemu[1], "before ");
	say(user[1], "x");
	is_str(drained(user[1]), "before ", "the reader reads");
	handover_init(&h);
	console_put(&h, h.root, c);
	is_int(h.nfds, 3, "log, guest and reader");
	h = again(&h);
	ok(!console_check(h.root, &err), "it is right %s", err.text);
	old = c;
	new_image();
	c = console_get(h.root, &err);
	ok(c && c != old && c->nreaders == 1 && c->writer, "it goes on");
	say(qemu[1], "after");
	is_str(drained(user[1]), "after", "nothing twice, nothing lost");
	say(user[1], "y");
	is_str(drained(qemu[1]), "xy", "the keyboard is still his");
	AUTO_FREE char *tail = console_tail(c, 100);
	is_str(tail, "before after", "the log has it all");
	json_object_del(h.root, "readers");
	ok(console_check(h.root, &err), "a state without readers: %s",
		err.text);
	console_free(c);
	handover_fini(&h);
}

int main(void)
{
	struct err err = ERR_INIT;

	temp_make();
	BUG_ON(loop_init(&err));
	test_fields();
	test_bad();
	test_monitor();
	test_console();
	return done();
}
