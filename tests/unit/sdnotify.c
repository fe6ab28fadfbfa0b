/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sd_notify messages: whole, in pieces, of several lines, and bad ones. */
#include "supervisor/sdnotify.h"

#include <errno.h>
#include <linux/vm_sockets.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/sys.h"
#include "supervisor/vsock.h"
#include "tests/unit/tap.h"
#include "tests/unit/temp.h"

static struct sdnotify n;

static void message(const char *text, size_t len)
{
	n = (struct sdnotify){ .ready = false };
	sdnotify_feed(&n, text, len);
	sdnotify_end(&n);
}

#define SAYS(text) message((text), sizeof(text) - 1)

static void test_good(void)
{
	SAYS("READY=1");
	ok(n.ready && n.ignored == 0, "READY=1 without a newline");
	SAYS("READY=1\n");
	ok(n.ready && n.ignored == 0, "and with one");
	SAYS("STATUS=Starting up\nREADY=1\nEXTEND_TIMEOUT_USEC=2500000\n");
	ok(n.ready, "several lines");
	is_str(n.status, "Starting up", "with a status");
	is_int(n.extend_ms, 2500, "and more time");
	SAYS("RELOADING=1\nSTATUS=again");
	ok(n.reloading && !n.ready, "RELOADING=1");
	sdnotify_feed(&n, "READY=1", 7);
	sdnotify_end(&n);
	ok(n.ready && !n.reloading, "until READY=1 of the next message");
	is_str(n.status, "again", "which says nothing else");
	sdnotify_feed(&n, "STATUS=", 7);
	sdnotify_end(&n);
	is_str(n.status, "", "an empty status takes it back");
	SAYS("STOPPING=1\nERRNO=0\nEXIT_STATUS=0");
	ok(n.stopping && !n.failed, "STOPPING=1, and all is well");
	SAYS("ERRNO=2");
	ok(n.failed, "ERRNO=");
	SAYS("");
	is_int(n.ignored, 0, "nothing says nothing");
	SAYS("\n\n\n");
	is_int(n.ignored, 0, "nor do empty lines");
}

/* Cut at every place, it says the same. */
static void test_pieces(void)
{
	static const char text[] = "STATUS=a b\nEXTEND_TIMEOUT_USEC=1000\n"
				   "X_MINE=1\nREADY=1";
	unsigned wrong = 0;

	for (size_t cut = 0; cut < sizeof(text); cut++) {
		n = (struct sdnotify){ .ready = false };
		sdnotify_feed(&n, text, cut);
		wrong += n.ready;
		sdnotify_feed(&n, text + cut, sizeof(text) - 1 - cut);
		wrong += n.ready;
		sdnotify_end(&n);
		wrong += !n.ready || n.extend_ms != 1 || n.ignored != 1 ||
			 strcmp(n.status, "a b") != 0;
	}
	is_int(wrong, 0, "a message in two pieces, cut anywhere");
	n = (struct sdnotify){ .ready = false };
	for (size_t i = 0; i + 1 < sizeof(text); i++)
		sdnotify_feed(&n, text + i, 1);
	sdnotify_end(&n);
	ok(n.ready && n.ignored == 1, "byte by byte");
}

static void test_bad(void)
{
	static const char *const none[] = { "READY=0", "READY=", "READY=11",
		"READY=yes", "READY", "ready=1", " READY=1", "READY =1",
		"READY=1 ", "READY=1\r", "NOT_READY=1", "EXTEND_TIMEOUT_USEC=x",
		"EXTEND_TIMEOUT_USEC=-1", "EXTEND_TIMEOUT_USEC=", "ERRNO=-1",
		"ERRNO=99999999999", "STOPPING=0", "RELOADING=2", "=1", "=",
		"WATCHDOG=1", "\xff\xfe", "{\"ready\": true}" };

	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		message(none[i], strlen(none[i]));
		ok(!n.ready && !n.reloading && !n.stopping && !n.failed &&
				n.extend_ms == 0 && n.ignored == 1,
			"line %zu says nothing", i);
	}
	SAYS("READY=1\0\n");
	ok(!n.ready && n.ignored == 1, "a NUL is no text");
	SAYS("REA\0DY=1\nREADY=1");
	ok(n.ready && n.ignored == 1, "what follows it counts");
	SAYS("EXTEND_TIMEOUT_USEC=18446744073709551615");
	is_int(n.extend_ms, 24 * 3600 * 1000, "no more than a day more");
	SAYS("STATUS=\x1b[2Jbell\a\tend");
	ok(!strchr(n.status, '\x1b') && !strchr(n.status, '\a'),
		"a status cannot drive a terminal (%s)", n.status);
}

static void test_floods(void)
{
	static char much[100000];

	memset(much, 'x', sizeof(much));
	message(much, sizeof(much));
	ok(!n.ready && n.ignored == 1, "a line without end");
	memcpy(much, "STATUS=", 7);
	message(much, 400);
	is_int(strlen(n.status), sizeof(n.status) - 1, "a long status is cut");
	memset(much, '\n', sizeof(much));
	memcpy(much + SDNOTIFY_MAX, "READY=1", 7);
	message(much, sizeof(much));
	ok(!n.ready, "what is beyond the message's most is not heard");
	memcpy(much + SDNOTIFY_MAX - 6, "READY=11", 8);
	message(much, sizeof(much));
	ok(!n.ready, "nor a value that is cut there");
	sdnotify_feed(&n, "READY=1", 7);
	sdnotify_end(&n);
	ok(n.ready, "the next message is another one");
	srand(1);
	for (int round = 0; round < 2000; round++) {
		size_t len = (size_t)rand() % 300;

		for (size_t i = 0; i < len; i++)
			much[i] = (char)rand();
		message(much, len);
	}
	ok(n.len == 0 && n.bytes == 0, "noise");
}

/*
 * ---- who is heard: UNIX sockets stand in for vsock ----
 */

static const char uuid[] = "6e0a3f7e-0000-4000-8000-000000000001";
static struct sockaddr_vm bound; /* what was asked for */
static unsigned caller;          /* the CID of who calls */
static struct sdnotify_ear ear;
static unsigned told;
static bool was_ready;
static char status[128];

static int stand_in_socket(int domain, int type, int protocol)
{
	if (domain != AF_VSOCK)
		return sys_real.socket(domain, type, protocol);
	return sys_real.socket(AF_UNIX, type, protocol);
}

static struct sockaddr_un where(void)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };

	snprintf(un.sun_path, sizeof(un.sun_path), "%s", temp_path("vsock"));
	return un;
}

static int stand_in_bind(int fd, const struct sockaddr *addr, socklen_t len)
{
	struct sockaddr_un un = where();

	if (addr->sa_family != AF_VSOCK || len != sizeof(bound)) {
		errno = EINVAL;
		return -1;
	}
	memcpy(&bound, addr, sizeof(bound));
	unlink(un.sun_path);
	return sys_real.bind(fd, (struct sockaddr *)&un, sizeof(un));
}

static int stand_in_name(int fd, struct sockaddr *addr, socklen_t *len)
{
	struct sockaddr_vm vm = { .svm_family = AF_VSOCK, .svm_cid = caller };

	(void)fd;
	memcpy(addr, &vm, sizeof(vm));
	*len = sizeof(vm);
	return 0;
}

static bool full; /* of descriptors */
static unsigned accepts;

static int stand_in_accept(int fd)
{
	accepts += full || accepts > 0;
	if (!full)
		return sys_real.accept(fd);
	errno = EMFILE;
	return -1;
}

static void on_said(struct sdnotify_ear *from, const struct sdnotify *said)
{
	told++;
	was_ready |= said->ready;
	snprintf(status, sizeof(status), "%s", said->status);
	if (said->stopping)
		sdnotify_stop(from);
}

static void turn(void)
{
	for (int i = 0; i < 3; i++)
		loop_turn(false);
}

/* A guest connects; what it says is sent at once or later. */
static int call_in(unsigned cid)
{
	struct sockaddr_un un = where();
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	caller = cid;
	if (fd < 0 || connect(fd, (struct sockaddr *)&un, sizeof(un)) != 0)
		ok(false, "connect");
	turn();
	return fd;
}

static void says(int fd, const char *text)
{
	if (write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		ok(false, "write");
	turn();
}

static void ends(int fd)
{
	close(fd);
	turn();
}

static void listen_again(void)
{
	struct err err = ERR_INIT;

	told = 0;
	was_ready = false;
	is_int(sdnotify_listen(&ear, uuid, on_said, &err), 0, "listen");
}

static void test_ear(void)
{
	unsigned cid = vsock_cid(uuid);
	int fds[6];
	int fd;

	listen_again();
	ok(bound.svm_cid == VMADDR_CID_ANY && bound.svm_port == cid,
		"on the port that is the VM's own");
	fd = call_in(cid);
	says(fd, "STATUS=Star");
	says(fd, "ting\nREADY=");
	is_str(status, "Starting", "a status, when its line has ended");
	ok(!was_ready, "not ready so far");
	says(fd, "1");
	ok(!was_ready, "nor when it may go on");
	ends(fd);
	ok(was_ready, "ready at the end of the message");
	was_ready = false;
	fd = call_in(cid + 1);
	send(fd, "READY=1\n", 8, MSG_NOSIGNAL);
	ends(fd);
	ok(!was_ready && ear.refused == 1, "another guest is not heard");
	full = true;
	fd = call_in(cid);
	is_int(accepts, 1,
		"no descriptor is left: tried once, not at once again");
	full = false;
	while (accepts < 2)
		loop_turn(true);
	says(fd, "READY=1\n");
	ends(fd);
	ok(was_ready, "and later");
	was_ready = false;
	for (int i = 0; i < 6; i++)
		fds[i] = call_in(cid);
	is_int(ear.refused, 3, "four talk at a time");
	ends(fds[0]);
	fd = call_in(cid);
	says(fd, "READY=1\n");
	ok(was_ready, "the next one when one has ended");
	says(fd, "STOPPING=1\n");
	is_int(ear.fd, -1, "it may be stopped by what it heard");
	close(fd);
	for (int i = 1; i < 6; i++)
		close(fds[i]);
	listen_again();
	sdnotify_stop(&ear);
	sdnotify_stop(&ear);
	turn();
	is_int(told, 0, "and stopped twice");
}

static void test_names(void)
{
	AUTO_STR struct str text = STR_INIT;
	json_auto_t *device = vsock_device(MACHINE_Q35, uuid);
	AUTO_FREE char *want = xasprintf(
		"type=11,value=io.systemd.credential:vmm.notify_socket="
		"vsock-stream:2:%u",
		vsock_cid(uuid));

	vsock_tell_systemd(uuid, &text);
	is_str(str_text(&text), want, "where systemd is told to go");
	ok(vsock_cid(uuid) > VMADDR_CID_HOST && vsock_cid(uuid) > 1024 &&
			vsock_cid(uuid) != VMADDR_CID_ANY,
		"a number that a guest may have");
	ok(vsock_cid(uuid) != vsock_cid("another"), "each VM its own");
	is_str(json_string_value(json_object_get(device, "driver")),
		"vhost-vsock-pci", "its device");
	is_int(json_integer_value(json_object_get(device, "guest-cid")),
		vsock_cid(uuid), "with its number");
}

static void test_host(void)
{
	struct err err = ERR_INIT;
	int rc = vsock_check_host(&err);

	ok(rc == 0 || strstr(err.text, "modprobe"),
		"what the host has not is named (%s)", err.text);
}

int main(void)
{
	struct sys_backend stand_in = sys_real;
	struct err err = ERR_INIT;

	temp_make();
	if (loop_init(&err))
		return 1;
	test_good();
	test_pieces();
	test_bad();
	test_floods();
	test_host();
	test_names();
	stand_in.socket = stand_in_socket;
	stand_in.bind = stand_in_bind;
	stand_in.accept = stand_in_accept;
	stand_in.getpeername = stand_in_name;
	sys_use(&stand_in);
	test_ear();
	sys_use(&sys_real);
	loop_fini();
	return done();
}
