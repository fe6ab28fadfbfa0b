/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Eight clients of one control socket that ask whatever comes to their minds
 * about the VMs a to e: storm SOCKET SEED SECONDS.  Each request must be
 * answered once, within 40 seconds, unless its client left.  Says what was
 * asked and answered; exit 1 with the reason otherwise.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"

#define CLIENTS   8
#define IN_FLIGHT 6
#define LATE_MS   40000
#define LINE_MOST (1 << 20)

struct asked {
	unsigned number; /* 0: free */
	int64_t at_ms;
	char text[200];
};

struct client {
	int fd;
	unsigned last;
	struct asked asked[IN_FLIGHT];
	struct str in;
};

static struct client clients[CLIENTS];
static const char *socket_path;
static uint64_t state;
static unsigned long nasked, nanswered, nleft, nerrors;

/* xorshift */
static unsigned pick(unsigned below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (unsigned)((state >> 11) % below);
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static _Noreturn void die(const char *what, const char *text)
{
	fprintf(stderr, "storm: %s: %s\n", what, text);
	exit(1);
}

/* $V a VM, $N a number, $R one of the client's last requests */
static const char *const wishes[] = {
	"vm-start\",\"arguments\":{\"vm\":\"$V\"}",
	"vm-start\",\"arguments\":{\"vm\":\"$V\",\"wait\":\"ready\"}",
	"vm-start\",\"arguments\":{\"vm\":\"$V\",\"paused\":true}",
	"vm-start\",\"arguments\":{\"vm\":\"$V\",\"job\":true}",
	"vm-stop\",\"arguments\":{\"vm\":\"$V\",\"timeout\":1}",
	"vm-stop\",\"arguments\":{\"vm\":\"$V\",\"now\":true}",
	"vm-kill\",\"arguments\":{\"vm\":\"$V\"}",
	"vm-restart\",\"arguments\":{\"vm\":\"$V\",\"timeout\":1}",
	"vm-pause\",\"arguments\":{\"vm\":\"$V\"}",
	"vm-resume\",\"arguments\":{\"vm\":\"$V\"}",
	"vm-reset\",\"arguments\":{\"vm\":\"$V\"}",
	"vm-reboot\",\"arguments\":{\"vm\":\"$V\"}",
	"vm-reset-failed\",\"arguments\":{\"vm\":\"$V\"}",
	"vm-status\",\"arguments\":{\"vm\":\"$V\"}",
	"vm-show\",\"arguments\":{\"vm\":\"$V\"}",
	"vm-plan\",\"arguments\":{\"vm\":\"$V\"}",
	"vm-log\",\"arguments\":{\"vm\":\"$V\",\"console\":true,\"lines\":$N}",
	"vm-wait\",\"arguments\":{\"vm\":\"$V\",\"state\":\"stopped\","
	"\"timeout\":1}",
	"vm-wait\",\"arguments\":{\"vm\":\"$V\",\"state\":\"running\","
	"\"timeout\":1}",
	"vm-set\",\"arguments\":{\"vm\":\"$V\",\"pairs\":"
	"{\"vm.description\":\"$N\"}}",
	"vm-unset\",\"arguments\":{\"vm\":\"$V\",\"keys\":"
	"[\"vm.description\"]}",
	"vm-enable\",\"arguments\":{\"vm\":\"$V\"}",
	"vm-disable\",\"arguments\":{\"vm\":\"$V\"}",
	"vm-disk-list\",\"arguments\":{\"vm\":\"$V\"}",
	"vm-disk-attach\",\"arguments\":{\"vm\":\"$V\",\"disk\":\"d$N\","
	"\"pairs\":{\"size\":\"1M\"}}",
	"vm-disk-detach\",\"arguments\":{\"vm\":\"$V\",\"disk\":\"d$N\","
	"\"timeout\":1}",
	"vm-qmp\",\"arguments\":{\"vm\":\"$V\",\"execute\":\"query-status\"}",
	"vm-qmp\",\"arguments\":{\"vm\":\"$V\",\"execute\":"
	"\"system_powerdown\"}",
	"vm-qmp\",\"arguments\":{\"vm\":\"$V\",\"execute\":\"quit\"}",
	"vm-list\",\"arguments\":{}",
	"vm-check\",\"arguments\":{}",
	"job-list\",\"arguments\":{}",
	"job-cancel\",\"arguments\":{\"request\":\"$R\"}",
	"job-cancel\",\"arguments\":{\"request\":\"$R\"}",
	"reload\",\"arguments\":{}",
	"event-replay\",\"arguments\":{\"since\":$N}",
};

static void fill_in(struct str *out, const char *wish, unsigned last)
{
	for (; *wish; wish++) {
		if (*wish != '$') {
			str_addc(out, *wish);
			continue;
		}
		if (*++wish == 'V')
			str_addc(out, (char)('a' + pick(5)));
		else if (*wish == 'N')
			str_addf(out, "%u", pick(3));
		else
			str_addf(out, "r%u", last - pick(4));
	}
}

static void send_all(struct client *c, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t put = send(c->fd, text, len, MSG_NOSIGNAL);

		if (put < 0)
			die("cannot send", strerror(errno));
		text += put;
		len -= (size_t)put;
	}
}

static void join(struct client *c)
{
	static const char hello[] =
		"{\"execute\":\"qmp_capabilities\",\"id\":\"r0\","
		"\"arguments\":{\"enable\":[\"vmward\"]}}\n";
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", socket_path);
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0 ||
		connect(c->fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		die("cannot connect", strerror(errno));
	send_all(c, hello, sizeof(hello) - 1);
}

static void leave(struct client *c)
{
	for (size_t i = 0; i < IN_FLIGHT; i++) {
		nleft += c->asked[i].number != 0;
		c->asked[i].number = 0;
	}
	close(c->fd);
	str_fini(&c->in);
}

static struct asked *slot_of(struct client *c, unsigned number)
{
	for (size_t i = 0; i < IN_FLIGHT; i++)
		if (c->asked[i].number == number)
			return &c->asked[i];
	return NULL;
}

static void ask(struct client *c)
{
	struct asked *slot = slot_of(c, 0);
	AUTO_STR struct str line = STR_INIT;

	if (!slot)
		return;
	str_add(&line, "{\"execute\":\"");
	fill_in(&line, wishes[pick(NELEMS(wishes))], c->last + 1);
	slot->number = ++c->last;
	slot->at_ms = now_ms();
	str_addf(&line, ",\"id\":\"r%u\"}\n", slot->number);
	snprintf(slot->text, sizeof(slot->text), "%s", str_text(&line));
	send_all(c, line.data, line.len);
	nasked++;
}

static void take_line(struct client *c, const char *line)
{
	const char *id = NULL;
	struct asked *slot;
	unsigned number;

	if (str_starts(line, "{\"timestamp\"") || str_starts(line, "{\"QMP\""))
		return;
	/* the last one: other ids may stand in the result */
	for (const char *at = line; (at = strstr(at, "\"id\":\"r")); at++)
		id = at + strlen("\"id\":\"r");
	if (!id)
		die("a reply without id", line);
	number = (unsigned)strtoul(id, NULL, 10);
	if (number == 0)
		return;
	slot = slot_of(c, number);
	if (!slot)
		die("a second reply", line);
	slot->number = 0;
	nanswered++;
	nerrors += str_starts(line, "{\"error\"");
}

static void take_input(struct client *c)
{
	static char chunk[65536];
	ssize_t got = recv(c->fd, chunk, sizeof(chunk), 0);
	size_t from = 0;

	if (got <= 0)
		die("the supervisor hung up", got ? strerror(errno) : "EOF");
	str_addn(&c->in, chunk, (size_t)got);
	for (char *end;
		(end = memchr(c->in.data + from, '\n', c->in.len - from));
		from = (size_t)(end - c->in.data) + 1) {
		*end = '\0';
		take_line(c, c->in.data + from);
	}
	memmove(c->in.data, c->in.data + from, c->in.len - from);
	str_cut(&c->in, c->in.len - from);
	if (c->in.len > LINE_MOST)
		die("a line without end", "");
}

static unsigned open_requests(void)
{
	unsigned n = 0;

	for (size_t i = 0; i < CLIENTS; i++)
		for (size_t k = 0; k < IN_FLIGHT; k++) {
			const struct asked *a = &clients[i].asked[k];

			n += a->number != 0;
			if (a->number && now_ms() - a->at_ms > LATE_MS)
				die("no answer", a->text);
		}
	return n;
}

static void turn(bool asks)
{
	struct pollfd polled[CLIENTS];

	for (size_t i = 0; i < CLIENTS; i++)
		polled[i] = (struct pollfd){ clients[i].fd, POLLIN, 0 };
	poll(polled, CLIENTS, 5);
	for (size_t i = 0; i < CLIENTS; i++) {
		if (polled[i].revents)
			take_input(&clients[i]);
		if (asks && pick(4000) == 0) {
			leave(&clients[i]);
			join(&clients[i]);
		}
		if (asks && pick(4) == 0)
			ask(&clients[i]);
	}
}

int main(int argc, char **argv)
{
	int64_t until;

	if (argc != 4)
		die("usage", "storm SOCKET SEED SECONDS");
	socket_path = argv[1];
	state = strtoull(argv[2], NULL, 10) * 2654435761u + 1;
	for (size_t i = 0; i < CLIENTS; i++)
		join(&clients[i]);
	until = now_ms() + strtoll(argv[3], NULL, 10) * 1000;
	while (now_ms() < until) {
		turn(true);
		open_requests();
	}
	while (open_requests() > 0)
		turn(false);
	for (size_t i = 0; i < CLIENTS; i++)
		leave(&clients[i]);
	printf("asked %lu answered %lu (errors %lu) left %lu\n", nasked,
		nanswered, nerrors, nleft);
	return nasked == nanswered + nleft ? 0 : 1;
}
