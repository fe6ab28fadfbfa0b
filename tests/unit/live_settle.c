/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What became of a clone of a running VM, by what QEMU says. */
#include "supervisor/live_settle.h"

#include "supervisor/journal.h"
#include "tests/unit/livekit.h"

#define OK "{\"return\":{}}"
#define ON_IT                                                        \
	"{\"return\":[{\"device\":\"\",\"inserted\":{\"node-name\":" \
	"\"disk-root.s1\"}}]}"
#define ON_ANOTHER                                                   \
	"{\"return\":[{\"device\":\"\",\"inserted\":{\"node-name\":" \
	"\"disk-root\"}}]}"
#define KNOWN                                         \
	"{\"return\":[{\"node-name\":\"disk-root\"}," \
	"{\"node-name\":\"disk-root.s1\"}]}"
#define UNKNOWN "{\"return\":[{\"node-name\":\"disk-root\"}]}"

static bool is_over;

static void on_end(struct job *job UNUSED, void *arg UNUSED)
{
	is_over = true;
}

static void run(void)
{
	for (is_over = false; !is_over;)
		loop_turn(true);
}

static void write_entries(void)
{
	json_t *entries = json_pack("[s,{s:s,s:s,s:s,s:s,s:s}]",
		"/images/two-root.qcow2", "live", "web", "disk", "root", "base",
		"/images/b", "image", "/images/i", "node", "disk-root.s1");
	struct err err = ERR_INIT;

	ok(!journal_write(&kit, "two", entries, &err), "its journal");
	json_decref(entries);
}

static enum live_end ask(const char *blocks, const char *nodes)
{
	const char *const lines[] = { OK, blocks, nodes, OK, OK, NULL };
	enum live_end end = LIVE_UNDONE;

	live_up("", lines);
	live_settle_ask_start(live_vm, "two", &end, NULL, on_end, NULL);
	run();
	return end;
}

static unsigned layers(void)
{
	return spec_disk_of(live_vm->running, "root")->layers;
}

static void test_ask(void)
{
	static const char refused[] = "{\"error\":{\"desc\":\"no\"}}";

	write_entries();
	is_int(ask(ON_IT, KNOWN), LIVE_DONE, "it writes to the overlay");
	is_int((int)layers(), 1, "what runs has a layer more");
	live_down();
	is_int(ask(ON_ANOTHER, KNOWN), LIVE_UNDONE, "it has it, unused");
	is_int((int)layers(), 0, "nothing changed");
	live_down();
	is_int(ask(ON_ANOTHER, UNKNOWN), LIVE_DONE,
		"it is a later one, and opened them by itself");
	live_down();
	is_int(ask(refused, UNKNOWN), LIVE_DONE,
		"no answer, and its lock is free: it is gone");
	live_down();
}

static void test_mark(void)
{
	static const char *const none[] = { NULL };
	struct err err = ERR_INIT;

	live_up("", none);
	ok(!live_settle_is_marked(live_vm), "no clone is under way");
	ok(!live_settle_mark(live_vm, "two", &err), "one is");
	ok(live_settle_is_marked(live_vm), "a successor sees that");
	live_settle_unmark(live_vm);
	ok(!live_settle_is_marked(live_vm), "no longer");
	AUTO_FREE char *first = live_settle_node(live_vm, "root");
	is_str(first, "disk-root.s1", "the first overlay");
	spec_disk_of(live_vm->running, "root")->layers = 3;
	AUTO_FREE char *next = live_settle_node(live_vm, "root");
	is_str(next, "disk-root.s4", "the fourth");
	live_down();
}

static void test_close(void)
{
	static const char *const lines[] = { OK, OK,
		"{\"error\":{\"desc\":\"no such node\"}}",
		"{\"return\":["
		"{\"fdset-id\":1,\"fds\":[{\"opaque\":\"disk-root:/i\"}]},"
		"{\"fdset-id\":2,\"fds\":[{\"opaque\":\"disk-root.s1:/b\"}]},"
		"{\"fdset-id\":3,\"fds\":[]}]}",
		OK, NULL };
	const char *heard;

	live_up("[disk.data]\nsize = 1G\n", lines);
	live_settle_close_start(live_vm, NULL, on_end, NULL);
	run();
	heard = strstr(str_text(&peer_heard), "blockdev-del");
	is_str(heard,
		"blockdev-del{\"node-name\":\"disk-data.s1\"} "
		"blockdev-del{\"node-name\":\"disk-root.s1\"} "
		"query-fdsets remove-fd{\"fdset-id\":2} ",
		"the overlays go, and nothing of the disks' own");
	live_down();
}

int main(void)
{
	live_start();
	test_mark();
	test_ask();
	test_close();
	live_end();
	return done();
}
