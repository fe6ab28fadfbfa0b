/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qmp/client against the fake QEMU: every script in tests/fake is a story
 * with one right ending, at a bounded cost of memory.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "qmp/client.h"
#include "tests/unit/rss.h"
#include "tests/unit/tap.h"

#define WELL      "S=prelaunch;RESUME;C=ok;D=ok;DEVICE_DELETED;"
#define ALL_GONE  "S:GONE;C:GONE;D:GONE;lost GONE;"
#define ALL_LIMIT "S:LIMIT;C:LIMIT;D:LIMIT;lost LIMIT;"

/* S is query-status, C is cont, D is device_del; sent all at once. */
static const struct story {
	const char *script;
	const char *want;
	int dropped;
	int status; /* of waitpid; -1: it lives until we end it */
	int64_t greeting_ms;
	int64_t command_ms;
} stories[] = {
	{ NULL, "ready;" WELL, 0, -1, 0, 0 },
	{ "eof-in-greeting", ALL_GONE, 0, 1 << 8, 0, 0 },
	{ "late-greeting", "ready;" WELL, 0, -1, 0, 0 },
	{ "no-greeting", "S:TIMEOUT;C:TIMEOUT;D:TIMEOUT;lost TIMEOUT;", 0, -1,
		20, 0 },
	{ "event-before-greeting", "RESUME;ready;" WELL, 0, -1, 0, 0 },
	{ "event-before-reply", "ready;" WELL, 0, -1, 0, 0 },
	{ "wrong-id", "ready;S=right;RESUME;C=ok;D=ok;DEVICE_DELETED;", 3, -1,
		0, 0 },
	{ "reply-twice", "ready;S=first;RESUME;C=ok;D=ok;DEVICE_DELETED;", 1,
		-1, 0, 0 },
	{ "unplug-refused",
		"ready;S=prelaunch;RESUME;C=ok;D=ok;DEVICE_UNPLUG_GUEST_ERROR;",
		0, -1, 0, 0 },
	{ "garbage", "ready;" WELL, 7, -1, 0, 0 },
	{ "flood-no-newline", "ready;" ALL_LIMIT, 0, -1, 0, 0 },
	{ "heap-bomb", "ready;" ALL_LIMIT, 0, -1, 0, 0 },
	{ "depth-bomb", "ready;" ALL_LIMIT, 0, -1, 0, 0 },
	{ "bad-utf8", "ready;" WELL, 5, -1, 0, 0 },
	{ "byte-by-byte", "ready;S=running;RESUME;C=ok;D=ok;DEVICE_DELETED;", 0,
		-1, 0, 0 },
	{ "close-mid-reply", "ready;" ALL_GONE, 0, -1, 0, 0 },
	{ "exit-at-once", ALL_GONE, 0, 1 << 8, 0, 0 },
	{ "sigsys", "ready;" ALL_GONE, 0, SIGSYS, 0, 0 },
	{ "stopped", "ready;S=prelaunch;C:TIMEOUT;D:TIMEOUT;", 0, -1, 0, 1000 },
	{ "reset-storm", "ready;SHUTDOWN;" WELL, 0, -1, 0, 0 },
	{ "panic",
		"ready;S=prelaunch;RESUME;C=ok;GUEST_PANICKED;STOP;D=ok;"
		"DEVICE_DELETED;",
		0, -1, 0, 0 },
	{ "no-oob", "ready;" WELL, 0, -1, 0, 0 },
};

struct request {
	struct qmp_slot slot;
	const char *name;
};

static struct str seen;
static int resets;
static bool too_late;
static char fake[4096];
static char scripts[4096];

static void on_ready(struct qmp_client *at UNUSED)
{
	str_add(&seen, "ready;");
}

static void on_lost(struct qmp_client *at UNUSED, const struct err *err)
{
	str_addf(&seen, "lost %s;", err_code_name(err->code));
}

static const struct qmp_hooks hooks = { on_ready, on_lost };

static void on_reply(
	struct qmp_slot *slot, json_t *result, const struct err *err)
{
	struct request *rq = container_of(slot, struct request, slot);
	json_t *status = json_object_get(result, "status");

	if (result)
		str_addf(&seen, "%s=%s;", rq->name,
			status ? json_string_value(status) : "ok");
	else
		str_addf(&seen, "%s:%s;", rq->name, err_code_name(err->code));
}

static void on_event(struct qmp_sub *sub UNUSED, const struct qmp_event *event)
{
	if (event->type == QMP_EV_RESET)
		resets++;
	else
		str_addf(&seen, "%s;", event->name);
}

static void on_too_late(struct loop_timer *timer UNUSED)
{
	too_late = true;
}

/* Starts the fake with one end of a socket pair; the other end is ours. */
static pid_t start_fake(const char *script, int *fd)
{
	AUTO_FREE char *path =
		script ? xasprintf("%s/%s.qmp", scripts, script) : xstrdup("");
	int fds[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		int quiet = open("/dev/null", O_WRONLY | O_CLOEXEC);

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(quiet, STDERR_FILENO);
		dup2(fds[1], STDIN_FILENO);
		execl(fake, fake, "-S", "-device",
			"{\"driver\":\"virtio-blk-pci\",\"id\":\"disk-data\"}",
			"-chardev", "socket,id=mon-g1,fd=0",
			script ? "-D" : "-S", path, (char *)NULL);
		_exit(127);
	}
	close(fds[1]);
	*fd = fds[0];
	fcntl(*fd, F_SETFL, O_NONBLOCK);
	return pid;
}

static void end_fake(pid_t pid, const struct story *story)
{
	int status = 0;

	if (story->status < 0)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (story->status >= 0)
		is_int(status & 0xff7f, story->status, "%s: how it ended",
			story->script);
}

static void tell(const struct story *story)
{
	const char *name = story->script ? story->script : "well-behaved";
	struct qmp_client client = { .hooks = NULL };
	struct qmp_sub sub = { .on_event = NULL };
	struct loop_timer limit = { .on_timer = NULL };
	struct request rqs[] = { { .name = "S" }, { .name = "C" },
		{ .name = "D" } };
	static const char *const commands[] = { "query-status", "cont",
		"device_del" };
	int fd = -1;
	pid_t pid = start_fake(story->script, &fd);
	long before = rss_kib(), most = 0;

	str_cut(&seen, 0);
	resets = 0;
	qmp_client_open(&client, fd,
		story->greeting_ms ? story->greeting_ms : 10000, &hooks, NULL);
	qmp_subscribe(&client, &sub, on_event);
	for (size_t i = 0; i < NELEMS(rqs); i++)
		qmp_send_steal(&client, &rqs[i].slot,
			QMP_COMMAND_IN(i ? story->command_ms : 0, commands[i],
				i == 2 ? json_pack("{s:s}", "id", "disk-data")
				       : NULL),
			on_reply);
	loop_timer_start(&limit, 20000, on_too_late);
	while (!too_late && !str_eq(str_text(&seen), story->want)) {
		loop_turn(true);
		if (rss_kib() - before > most)
			most = rss_kib() - before;
	}
	loop_timer_stop(&limit);
	is_str(str_text(&seen), story->want, "%s", name);
	is_int((long)client.dropped, story->dropped, "%s: dropped", name);
	ok(resets <= 1000 && client.events >= client.coalesced,
		"%s: %d resets heard", name, resets);
	ok(most < 3072 || !rss_is_exact(), "%s: at the cost of %ld KiB", name,
		most);
	qmp_client_close(&client);
	end_fake(pid, story);
}

int main(void)
{
	struct err err = ERR_INIT;
	char here[] = __FILE__;
	char self[2048] = "";

	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		return 1;
	snprintf(fake, sizeof(fake), "%s/../fake/qemu", dirname(self));
	snprintf(scripts, sizeof(scripts), "%s/../fake", dirname(here));
	signal(SIGPIPE, SIG_IGN);
	if (loop_init(&err) < 0)
		return 1;
	for (size_t i = 0; i < NELEMS(stories) && !too_late; i++)
		tell(&stories[i]);
	str_fini(&seen);
	loop_fini();
	return done();
}
