/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Images of a running VM that become bases: what may, and what is undone. */
#include "supervisor/live_link.h"

#include "tests/unit/livekit.h"

#define OK "{\"return\":{}}"

static struct err ended_by;
static bool is_over;

static void on_end(struct job *job, void *arg UNUSED)
{
	ended_by = job->err;
	is_over = true;
}

static void test_may(void)
{
	static const char *const none[] = { NULL };

	live_up("", none);
	ok(live_link_may(live_vm, "root"), "an overlay more");
	ok(!live_link_may(live_vm, "data"), "of no disk that runs");
	spec_disk_of(live_vm->running, "root")->layers = 99;
	ok(!live_link_may(live_vm, "root"), "not of one that has 99");
	live_down();
}

static void test_entry(void)
{
	static const char *const none[] = { NULL };
	const struct live_link_wish wish = { "root", "/i/web-root.qcow2",
		"/i/web-root.base.qcow2", "/i/two-root.qcow2" };
	struct live_link *link;
	json_t *entry;
	char *text;

	live_up("", none);
	link = live_link_new(live_vm, "two");
	entry = live_link_add(link, &wish);
	text = json_dumps(entry, JSON_COMPACT | JSON_SORT_KEYS);
	is_str(text,
		"{\"base\":\"/i/web-root.base.qcow2\",\"disk\":\"root\","
		"\"image\":\"/i/web-root.qcow2\",\"live\":\"web\","
		"\"node\":\"disk-root.s1\"}",
		"what a successor must know");
	free(text);
	json_decref(entry);
	live_link_free(link);
	live_down();
}

/* Before anything changed by name. */
static void fails(const char *nodes, enum err_code code, const char *why)
{
	const char *const lines[] = { OK, nodes, OK, OK, OK, NULL };
	AUTO_FREE char *image = xstrdup(temp_path("web-root.qcow2"));
	AUTO_FREE char *base = xstrdup(temp_path("web-root.base.qcow2"));
	AUTO_FREE char *copy = xstrdup(temp_path("two-root.qcow2"));
	const struct live_link_wish wish = { "root", image, base, copy };
	struct live_link *link;

	live_up("", lines);
	link = live_link_new(live_vm, "two");
	json_decref(live_link_add(link, &wish));
	live_link_start(link, NULL, on_end, NULL);
	for (is_over = false; !is_over;)
		loop_turn(true);
	is_int(ended_by.code, code, "%s", why);
	ok(strstr(ended_by.text, why), "it says so: %s", ended_by.text);
	ok(!strstr(str_text(&peer_heard), "transaction"), "no swap");
	ok(access(base, F_OK) && access(copy, F_OK), "nothing is left");
	ok(!live_settle_is_marked(live_vm), "nor for a successor");
	live_down();
}

int main(void)
{
	live_start();
	kit.qemu_img = xstrdup("/nonexistent/qemu-img");
	test_may();
	test_entry();
	fails("{\"return\":[]}", ERR_NOT_FOUND, "QEMU has no disk 'root'");
	fails("{\"error\":{\"desc\":\"not now\"}}", ERR_QMP, "not now");
	fails("{\"return\":[{\"node-name\":\"disk-root\",\"image\":"
	      "{\"virtual-size\":1048576}}]}",
		ERR_UNSUPPORTED, "qemu-img");
	free(kit.qemu_img);
	live_end();
	return done();
}
