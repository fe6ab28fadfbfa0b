/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For tests/unit/keeper.c: requests as a brain makes them, and a table of
 * what no brain says.
 */
#ifndef TESTS_UNIT_KEEPER_NONSENSE_H
#define TESTS_UNIT_KEEPER_NONSENSE_H

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/confine.h"
#include "base/sys_exec.h"
#include "supervisor/host_net.h"
#include "supervisor/keeper_wire.h"

/* ---- the brain: what it says ---- */

static struct keeper_request rq;
static struct keeper_fds fds;
static size_t length = sizeof(rq);

static void ask_for(enum keeper_verb verb)
{
	keeper_request_init(&rq, verb);
	rq.serial = 1;
}

static void with_path(const char *path)
{
	ask_for(KEEPER_OPEN);
	snprintf(rq.path, sizeof(rq.path), "%s", path);
}

static void with_name(enum keeper_verb verb, const char *name)
{
	ask_for(verb);
	snprintf(rq.name, sizeof(rq.name), "%s", name);
}

static void add_fd(int fd)
{
	fds.at[fds.n++] = fd;
}

static void add_null(void)
{
	add_fd(open("/dev/null", O_RDWR));
}

/* The words of a program whose descriptors 5 and 6 are /dev/null. */
static void add_batch(const char *const *argv, const char *const *env, int to)
{
	const struct spawn_fd two[] = { { 0, 5 }, { 0, to } };
	const struct spawn_plan plan = { .path = "/bin/true",
		.argv = argv,
		.env = env,
		.fds = two,
		.nfds = 2 };
	struct err err = ERR_INIT;

	add_fd(keeper_batch_write(&plan, &err));
	add_null();
	add_null();
}

static const char *const just_true[] = { "/bin/true", NULL };

static void with_qemu(uint32_t parts, uint32_t uid, uint32_t group)
{
	ask_for(KEEPER_QEMU);
	snprintf(rq.path, sizeof(rq.path), "/bin/true");
	rq.shut = (struct keeper_shut){
		.parts = parts, .uid = uid, .group = group
	};
	add_batch(just_true, NULL, 6);
}

#define BOTH (CONFINE_BIT(CONFINE_USER) | CONFINE_BIT(CONFINE_PRIVILEGES))

static void with_net(const struct host_net_request *net, size_t size)
{
	struct err err = ERR_INIT;

	ask_for(KEEPER_NET);
	add_fd(exec_memfd((const char *)net, size, &err));
}

static void with_group(const struct keeper_group *group, int pidfd)
{
	struct err err = ERR_INIT;

	ask_for(KEEPER_GROUP);
	add_fd(exec_memfd((const char *)group, sizeof(*group), &err));
	if (pidfd >= 0)
		add_fd(pidfd);
}

static void with_helper(const char *name, uint32_t uid)
{
	with_qemu(BOTH, uid, 0);
	rq.verb = KEEPER_HELPER;
	memset(rq.path, 0, sizeof(rq.path));
	snprintf(rq.name, sizeof(rq.name), "%s", name);
	rq.number = 5;
}

/* ---- what is no request ---- */

static void short_one(void)
{
	length = sizeof(rq) - 1;
}
static void long_one(void)
{
	length = sizeof(rq) + 1;
}
static void empty_one(void)
{
	length = 0;
}
static void no_magic(void)
{
	rq.magic = 0;
}
static void other_version(void)
{
	rq.version++;
}
static void no_verb(void)
{
	rq.verb = KEEPER_NVERBS;
}
static void out_of_turn(void)
{
	rq.serial = 2;
}
static void turn_zero(void)
{
	rq.serial = 0;
}
static void padded(void)
{
	rq.pad = 1;
}
static void relative(void)
{
	with_path("etc/passwd");
}
static void upwards(void)
{
	with_path("/var/../etc/shadow");
}
static void only_up(void)
{
	with_path("/..");
}
static void doubled(void)
{
	with_path("//etc/shadow");
}
static void controls(void)
{
	with_path("/tmp/a\nb");
}
static void no_path(void)
{
	with_path("");
}
static void kill_nobody(void)
{
	ask_for(KEEPER_KILL);
}
static void sealed_name(void)
{
	with_name(KEEPER_CREATE, "../web.ini");
}
static void deep_name(void)
{
	with_name(KEEPER_CREATE, "a.ini.d/b/c.ini");
}
static void hidden_name(void)
{
	with_name(KEEPER_CREATE, ".web.ini");
}
static void hidden_part(void)
{
	with_name(KEEPER_REMOVE, "a.ini.d/..");
}
static void no_ini(void)
{
	with_name(KEEPER_MAKE_DIR, "authorized");
}
static void deep_dir(void)
{
	with_name(KEEPER_MAKE_DIR, "web.ini.d/b.ini.d");
}

static void qemu_of_root(void)
{
	with_qemu(BOTH, 0, 0);
}
static void qemu_of_people(void)
{
	with_qemu(BOTH, 1000, 0);
}
static void qemu_of_group(void)
{
	with_qemu(BOTH, KEEPER_UID_FIRST, 42);
}
static void qemu_at_large(void)
{
	with_qemu(0, KEEPER_UID_FIRST, 0);
}

static void unended(void)
{
	with_path("/");
	memset(rq.path, 'a', sizeof(rq.path));
	rq.path[0] = '/';
}

static void behind_the_end(void)
{
	with_path("/etc/passwd");
	rq.path[sizeof(rq.path) - 1] = 'x';
}

static void field_too_many(void)
{
	with_path("/etc/passwd");
	rq.number = 9;
}

static void fd_too_many(void)
{
	with_path("/etc/passwd");
	add_null();
}

static void qemu_with_more(void)
{
	with_qemu(BOTH | 1U << 30, KEEPER_UID_FIRST, 0);
}

static void wrong_signal(void)
{
	ask_for(KEEPER_KILL);
	rq.number = 64;
	add_fd((int)syscall(SYS_pidfd_open, getpid(), 0));
}

static void rename_away(void)
{
	with_name(KEEPER_RENAME, "a.ini");
	snprintf(rq.other, sizeof(rq.other), "../../passwd");
}

/* A link of the brain's would come to where root's files are. */
static void rename_up(void)
{
	with_name(KEEPER_RENAME, "a.ini.d/b.ini.d");
	snprintf(rq.other, sizeof(rq.other), "b.ini.d");
}

static void rename_down(void)
{
	with_name(KEEPER_RENAME, "web.ini");
	snprintf(rq.other, sizeof(rq.other), "a.ini.d/web.ini");
}

static void remove_flags(void)
{
	with_name(KEEPER_REMOVE, "a.ini");
	rq.flags = 1;
}

static void other_tool(void)
{
	with_name(KEEPER_TOOL, "sh");
	add_batch(just_true, NULL, 6);
}

static void tool_elsewhere(void)
{
	with_name(KEEPER_TOOL, "/tmp/nft");
	add_batch(just_true, NULL, 6);
}

static void unsealed(void)
{
	int fd = memfd_create("batch", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	with_name(KEEPER_TOOL, "nft");
	if (ftruncate(fd, 64) == 0)
		add_fd(fd);
}

static void no_batch(void)
{
	with_name(KEEPER_TOOL, "nft");
	add_null();
}

static void one_place_twice(void)
{
	with_name(KEEPER_TOOL, "nft");
	add_batch(just_true, NULL, 5);
}

static void no_such_place(void)
{
	with_name(KEEPER_TOOL, "nft");
	add_batch(just_true, NULL, -1);
}

static void lost_words(void)
{
	static const uint32_t head[] = { 4, 0, 0, 0x41414141 };
	struct err err = ERR_INIT;

	with_name(KEEPER_TOOL, "nft");
	add_fd(exec_memfd((const char *)head, sizeof(head), &err));
}

static void many_words(void)
{
	static const uint32_t head[] = { 1U << 31, 1U << 31, 0, 0 };
	struct err err = ERR_INIT;

	with_name(KEEPER_TOOL, "nft");
	add_fd(exec_memfd((const char *)head, sizeof(head), &err));
}

static void preload(void)
{
	static const char *const env[] = { "LD_PRELOAD=/tmp/x.so", NULL };

	ask_for(KEEPER_HOOK);
	add_batch(just_true, env, 6);
}

static void other_path(void)
{
	static const char *const env[] = { "PATH=/tmp:/usr/bin", NULL };

	ask_for(KEEPER_HOOK);
	add_batch(just_true, env, 6);
}

static void qemu_in_a_path(void)
{
	with_qemu(BOTH, KEEPER_UID_FIRST, 0);
	snprintf(rq.name, sizeof(rq.name), "../system.slice");
}

static void other_helper(void)
{
	with_helper("sh", KEEPER_UID_FIRST);
}

static void helper_of_root(void)
{
	with_helper("swtpm", 0);
}

static void group_verb(void)
{
	with_group(&(struct keeper_group){ .op = 99, .vm = "web" }, -1);
}

static void group_of_a_path(void)
{
	with_group(&(struct keeper_group){ .op = KEEPER_GROUP_REMOVE,
			   .vm = "../x" },
		-1);
}

static void group_unended(void)
{
	struct keeper_group group = { .op = KEEPER_GROUP_REMOVE };

	memset(group.vm, 'a', sizeof(group.vm));
	with_group(&group, -1);
}

static void group_of_nobody(void)
{
	with_group(
		&(struct keeper_group){ .op = KEEPER_GROUP_SET, .vm = "web" },
		-1);
}

static void group_words(void)
{
	with_group(&(struct keeper_group){ .op = KEEPER_GROUP_MAKE,
			   .vm = "web",
			   .limits = { .cpuset = "0\nx" } },
		-1);
}

static void group_score(void)
{
	with_group(
		&(struct keeper_group){
			.op = KEEPER_GROUP_SCORE, .vm = "web", .score = -1001 },
		(int)syscall(SYS_pidfd_open, getpid(), 0));
}

static void fd_below(void)
{
	ask_for(KEEPER_GETFD);
	rq.number = -1;
	add_fd((int)syscall(SYS_pidfd_open, getpid(), 0));
}

static void give_to_root(void)
{
	ask_for(KEEPER_GIVE);
	add_null();
}

static void net_markless(void)
{
	struct host_net_request net = { .verb = HOST_NET_REMOVE,
		.name = "docker0" };

	with_net(&net, sizeof(net));
}

static void net_short(void)
{
	struct host_net_request net = { .verb = HOST_NET_UP };

	with_net(&net, sizeof(net) - 1);
}

static void net_verb(void)
{
	struct host_net_request net = { .verb = HOST_NET_NVERBS,
		.name = "vwk0" };

	with_net(&net, sizeof(net));
}

static void net_name(void)
{
	struct host_net_request net = { .verb = HOST_NET_LOCAL,
		.name = "../../../x" };

	with_net(&net, sizeof(net));
}

static void net_tap(void)
{
	struct host_net_request net = {
		.verb = HOST_NET_TAP, .name = "eth0", .queues = 1
	};

	with_net(&net, sizeof(net));
}

static void net_mark(void)
{
	struct host_net_request net = { .verb = HOST_NET_REMOVE,
		.name = "docker0",
		.alias = "somebody's" };

	with_net(&net, sizeof(net));
}

static void net_kept(void)
{
	struct host_net_request net = {
		.verb = HOST_NET_RESTORE, .name = "vwk0", .kept = "/etc/passwd"
	};

	with_net(&net, sizeof(net));
}

static void net_unended(void)
{
	struct host_net_request net = { .verb = HOST_NET_UP };

	memset(net.name, 'a', sizeof(net.name));
	with_net(&net, sizeof(net));
}

static void other_tap(void)
{
	with_name(KEEPER_TAP_AGAIN, "eth0");
	rq.number = 10;
	add_null();
}

static void other_socket(void)
{
	ask_for(KEEPER_LISTEN_RULES);
	add_fd(socket(AF_UNIX, SOCK_DGRAM, 0));
}

/* clang-format off: a table */
static const struct {
	const char *name;
	void (*say)(void);
} nonsense[] = {
	{ "one byte less", short_one },
	{ "one byte more", long_one },
	{ "no byte at all", empty_one },
	{ "no magic", no_magic },
	{ "another version", other_version },
	{ "no verb", no_verb },
	{ "a number skipped", out_of_turn },
	{ "a number again", turn_zero },
	{ "padding in use", padded },
	{ "a relative path", relative },
	{ "a path with ..", upwards },
	{ "a path that is ..", only_up },
	{ "a path with //", doubled },
	{ "a newline in a path", controls },
	{ "no path", no_path },
	{ "a path without end", unended },
	{ "bytes behind an end", behind_the_end },
	{ "a field too many", field_too_many },
	{ "a descriptor too many", fd_too_many },
	{ "a descriptor missing", kill_nobody },
	{ "a signal that is none", wrong_signal },
	{ "a file outside vms", sealed_name },
	{ "a file too deep", deep_name },
	{ "a hidden file", hidden_name },
	{ "a part that is ..", hidden_part },
	{ "no INI file", no_ini },
	{ "a directory too deep", deep_dir },
	{ "a new name outside", rename_away },
	{ "a new name above", rename_up },
	{ "a new name below", rename_down },
	{ "other flags", remove_flags },
	{ "a QEMU of root", qemu_of_root },
	{ "a QEMU of a person", qemu_of_people },
	{ "a QEMU in group shadow", qemu_of_group },
	{ "a QEMU at large", qemu_at_large },
	{ "a QEMU with an unknown part", qemu_with_more },
	{ "another tool", other_tool },
	{ "a tool elsewhere", tool_elsewhere },
	{ "a batch that can change", unsealed },
	{ "a batch that is none", no_batch },
	{ "one place twice", one_place_twice },
	{ "a place below 0", no_such_place },
	{ "words without end", lost_words },
	{ "2^31 words", many_words },
	{ "a hook with LD_PRELOAD", preload },
	{ "a hook with another PATH", other_path },
	{ "a QEMU in a group with a slash", qemu_in_a_path },
	{ "another helper", other_helper },
	{ "a helper of root", helper_of_root },
	{ "a group's verb that is none", group_verb },
	{ "a group of a path", group_of_a_path },
	{ "a group without end", group_unended },
	{ "limits of nobody", group_of_nobody },
	{ "a limit with a newline", group_words },
	{ "a score below all", group_score },
	{ "a descriptor below 0", fd_below },
	{ "a gift to root", give_to_root },
	{ "a device without a mark", net_markless },
	{ "a network request too short", net_short },
	{ "a network's verb that is none", net_verb },
	{ "a device with a slash", net_name },
	{ "a tap called eth0", net_tap },
	{ "a foreign mark", net_mark },
	{ "addresses out of /etc/passwd", net_kept },
	{ "a device without end", net_unended },
	{ "another tap again", other_tap },
	{ "another socket", other_socket },
};
/* clang-format on */

#endif
