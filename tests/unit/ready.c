/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Readiness: each kind of probe passes when it should, and not before. */
#include "supervisor/ready.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/sock.h"
#include "supervisor/console.h"

#include "tests/unit/vmkit.h"

static struct vm *vm;

static void no_event(struct machine *m, const struct qmp_event *ev)
{
	(void)m;
	(void)ev;
}

static const struct machine_hooks hooks = { no_event, NULL, NULL, NULL };

/* A VM whose guest runs since now. */
static void fresh(const char *spec)
{
	struct err err = ERR_INIT;

	if (vm) {
		ready_stop(vm);
		vm->running = NULL;
	}
	vm_free(vm);
	vm = vm_new(&kit, "web", &hooks, kit_post);
	AUTO_FREE char *priv = xasprintf("%s/web/priv", kit.paths.run);
	AUTO_FREE char *mark = xasprintf("%s/ready", priv);
	if (fd_make_dirs(priv, 0700, &err))
		ok(false, "%s", err.text);
	unlink(mark);
	vm->spec = kit_spec(spec);
	vm->running = vm->spec;
	vm->state = VM_RUNNING;
	vm->record.generation = 7;
	vm_make_consoles(vm, vm->running);
	ready_begin(vm);
}

static void is_ready(enum vm_ready want, const char *what)
{
	is_int(vm->ready, want, "%s", what);
}

static void test_at_once(void)
{
	fresh("");
	is_ready(VM_READY_YES, "without a probe it is ready when it runs");
	ok(kit_logged(vm, "ready"), "which is logged");
	ready_begin(vm);
	ready_stop(vm);
	is_ready(VM_READY_YES, "again: nothing to do");
}

/* ---- serial ---- */

static int plug(void)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds))
		abort();
	console_attach(vm_console(vm, NULL), fds[0]);
	return fds[1];
}

static void say(int guest, const char *text)
{
	if (write(guest, text, strlen(text)) < 0)
		ok(false, "cannot say");
	loop_sim_advance(20);
}

#define SERIAL                                                           \
	"[serial.console]\n[start]\nready = serial:^(web|db) login: $\n" \
	"ready-timeout = 1min\n"

static void test_serial(void)
{
	AUTO_STR struct str text = STR_INIT;
	int guest;

	fresh(SERIAL);
	guest = plug();
	is_ready(VM_READY_NO, "not before the line");
	ready_describe(vm, &text);
	is_str(str_text(&text), "waiting for serial, 0s of 1m", "it says so");
	say(guest, "booting\nthe web login: \n");
	say(guest, "web login: x\nweb");
	is_ready(VM_READY_NO, "nor at others");
	say(guest, " log");
	is_ready(VM_READY_NO, "nor at half of it");
	say(guest, "in: ");
	is_ready(VM_READY_YES, "a prompt without an end of line");
	ok(!vm->probe, "the probe is over");
	ok(!vm_console(vm, NULL)->on_output, "and listens no more");
	str_cut(&text, 0);
	ready_describe(vm, &text);
	is_str(str_text(&text), "", "and has nothing to say");
	close(guest);

	fresh(SERIAL);
	guest = plug();
	say(guest, "noise\r\r\n");
	say(guest, "db login: \r\nmore");
	is_ready(VM_READY_YES, "a line among others in one piece");
	close(guest);

	fresh(SERIAL);
	guest = plug();
	for (int i = 0; i < 100; i++)
		say(guest, "no end of line, no end of line, no end of line, "
			   "no end of line, no end of line, no end of line, ");
	say(guest, "\nweb login: ");
	is_ready(VM_READY_YES, "after a line of any length");
	close(guest);
}

static void test_time_limit(void)
{
	int guest;

	fresh(SERIAL);
	guest = plug();
	loop_sim_advance(59999);
	ok(vm->probe != NULL, "it waits its time");
	loop_sim_advance(1);
	ok(!vm->probe, "and no longer");
	is_ready(VM_READY_NO, "it is not ready");
	is_str(vm->note, "not ready after 1m", "says the note");
	ok(kit_logged(vm, "not ready after 1m"), "and the log");
	say(guest, "web login: ");
	is_ready(VM_READY_NO, "later lines do not count");
	close(guest);
}

static void test_no_limit(void)
{
	AUTO_STR struct str text = STR_INIT;

	fresh("[serial.console]\n[start]\nready = serial:x\n"
	      "ready-timeout = infinity\n");
	loop_sim_advance(3600 * 1000);
	ok(vm->probe != NULL, "without a limit it waits on");
	ready_describe(vm, &text);
	is_str(str_text(&text), "waiting for serial, 1h", "and says how long");
}

/* ---- what a successor of the supervisor finds ---- */

static void test_marks(void)
{
	int guest;

	fresh(SERIAL);
	guest = plug();
	say(guest, "web login: ");
	is_ready(VM_READY_YES, "it passes");
	vm->ready = VM_READY_NONE;
	ready_begin(vm);
	is_ready(VM_READY_YES, "which a successor need not see again");
	ok(!vm->probe, "no probe runs");
	vm->ready = VM_READY_NONE;
	vm->record.generation = 8;
	ready_begin(vm);
	is_ready(VM_READY_NO, "the next QEMU must pass again");
	close(guest);
}

/* ---- tcp ---- */

static int listener_on(const char *addr, uint16_t *port)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	inet_pton(AF_INET, addr, &at.sin_addr);
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) || listen(fd, 8) ||
		getsockname(fd, (struct sockaddr *)&at, &len))
		abort();
	*port = ntohs(at.sin_port);
	return fd;
}

static void fresh_tcp(const char *addr, uint16_t port)
{
	AUTO_FREE char *text = xasprintf("[net.lan]\nuser = yes\nforward = "
					 "udp:%u:22, %s%u:22\n"
					 "[start]\nready = tcp:22\n",
		port, addr, port);

	fresh(text);
	clock_settle();
}

#define USERNET                                                                \
	"Hub -1 (netdev-lan):\r\n  Protocol[State]    FD  Source Address\r\n"  \
	"  TCP[HOST_FORWARD]  20       127.0.0.1 18080       10.0.2.15    80 " \
	"    0     0\r\n"
#define SYN "  TCP[SYN_SENT]      25       127.0.0.1 18080  10.0.2.15  80 0\r\n"
#define ESTB \
	"  TCP[ESTABLISHED]   26       127.0.0.1 18080  10.0.2.15  80 0\r\n"

/* slirp accepts in the guest's name, before there is one. */
static void test_usernet(void)
{
	ok(!ready_waits_for_guest("", 18080), "no table: nothing waits");
	ok(!ready_waits_for_guest(USERNET, 18080), "the forward itself");
	ok(ready_waits_for_guest(USERNET SYN, 18080), "no answer yet");
	ok(!ready_waits_for_guest(USERNET SYN, 1808), "of another port");
	ok(!ready_waits_for_guest(USERNET SYN ESTB, 18080), "an answer");
	ok(!ready_waits_for_guest(USERNET ESTB SYN, 18080), "in any order");
}

static void test_tcp(void)
{
	uint16_t port;
	AUTO_CLOSE int listener = listener_on("127.0.0.1", &port);
	int fd;

	fresh_tcp("", port);
	fd = sys_accept(listener);
	ok(fd >= 0, "the forwarded port is connected");
	is_ready(VM_READY_NO, "an open port alone is slirp");
	close(fd);
	clock_settle();
	loop_sim_advance(199);
	is_ready(VM_READY_NO, "a closed one is the guest's refusal");
	is_int(sys_accept(listener), -1, "a rest");
	loop_sim_advance(1);
	fd = sys_accept(listener);
	ok(fd >= 0, "and another try");
	loop_sim_advance(299);
	is_ready(VM_READY_NO, "it must stay open");
	loop_sim_advance(1);
	is_ready(VM_READY_YES, "for 300 ms");
	close(fd);
	fresh_tcp("", port);
	fd = sys_accept(listener);
	say(fd, "SSH-2.0\r\n");
	is_ready(VM_READY_YES, "or say something");
	close(fd);
	fd_close(&listener);
	fresh_tcp("", port);
	loop_sim_advance(1000);
	is_ready(VM_READY_NO, "nobody listens");
	ok(vm->probe != NULL, "it goes on trying");
	ready_stop(vm);
	loop_sim_advance(100000);
	is_ready(VM_READY_NO, "until it is ended");
}

static void test_tcp_addresses(void)
{
	uint16_t port;
	AUTO_CLOSE int listener = listener_on("127.0.0.7", &port);
	int fd;

	fresh_tcp("127.0.0.7:", port);
	fd = sys_accept(listener);
	ok(fd >= 0, "a forward of another address is connected there");
	close(fd);
	fresh_tcp("0.0.0.0:", port);
	loop_sim_advance(1000);
	is_ready(VM_READY_NO, "(nobody is there)");
	fresh("[net.lan]\nuser = yes\n[start]\nready = exec:/bin/true\n");
	vm->running->start.ready.kind = READY_TCP; /* without a forward */
	ready_stop(vm);
	vm->ready = VM_READY_NONE;
	ready_begin(vm);
	loop_sim_advance(1000);
	is_ready(VM_READY_NO, "no forward, no way to see it");
}

/* ---- agent ---- */

static void answer(int guest, const char *reply)
{
	char text[512];
	ssize_t got;
	const char *id;

	clock_settle();
	got = recv(guest, text, sizeof(text) - 1, MSG_DONTWAIT);
	text[got > 0 ? got : 0] = '\0';
	id = strstr(text, "\"id\":");
	dprintf(guest, "\xff{\"return\": %llu}\n",
		id ? (unsigned long long)str_digits(id + 5) : 0);
	clock_settle();
	dprintf(guest, "%s\n", reply);
	clock_settle();
}

static void test_agent(void)
{
	AUTO_FREE char *path = NULL;
	AUTO_CLOSE int listener = -1;
	struct err err = ERR_INIT;
	int fd;

	fresh("[start]\nready = agent\n");
	path = machine_priv_path(&vm->machine, "agent");
	is_ready(VM_READY_NO, "no agent yet");
	listener = sock_listen(path, 0600, 4, &err);
	loop_sim_advance(500);
	fd = sys_accept(listener);
	ok(fd >= 0, "it is tried again");
	loop_sim_advance(5500);
	is_ready(VM_READY_NO, "silence is none");
	close(fd);
	fd = sys_accept(listener);
	ok(fd >= 0, "and again");
	answer(fd, "{\"return\": {}}");
	is_ready(VM_READY_YES, "a ping that is answered");
	ok(!vm->agent.busy, "leaves the agent to others");
	close(fd);
	vm->ready = VM_READY_NONE;
	vm->record.generation++;
	ready_begin(vm);
	ok(vm->agent.busy, "a probe under way");
	ready_stop(vm);
	ok(!vm->agent.busy, "is ended with its call");
}

/* ---- exec ---- */

/* The program has ended and the loop has seen it. */
static void exec_ends(void)
{
	siginfo_t info;

	waitid(P_ALL, 0, &info, WEXITED | WNOWAIT);
	for (int i = 0; i < 100; i++)
		clock_settle();
}

static void test_exec(void)
{
	AUTO_FREE char *flag = xstrdup(temp_path("flag"));
	AUTO_FREE char *text = xasprintf(
		"[start]\nready = exec:/usr/bin/test   -e %s\n", flag);

	fresh(text);
	exec_ends();
	is_ready(VM_READY_NO, "a program that fails");
	close(open(flag, O_CREAT | O_WRONLY, 0600));
	loop_sim_advance(1000);
	exec_ends();
	is_ready(VM_READY_YES, "and a second later does not");
	fresh("[start]\nready = exec:/no/such/program\n");
	loop_sim_advance(5000);
	is_ready(VM_READY_NO, "a program that is not there");
	ok(strstr(vm->note, "/no/such/program"), "is noted: %s", vm->note);
	fresh("[start]\nready = exec:/bin/sleep 1000\n");
	ready_stop(vm);
	exec_ends();
	is_ready(VM_READY_NO, "one under way is killed with the probe");
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	kit_start();
	test_at_once();
	test_serial();
	test_time_limit();
	test_no_limit();
	test_marks();
	test_usernet();
	test_tcp();
	test_tcp_addresses();
	test_agent();
	test_exec();
	ready_stop(vm);
	vm->running = NULL;
	vm_free(vm);
	kit_end();
	return done();
}
