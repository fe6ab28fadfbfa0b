/* SPDX-License-Identifier: GPL-2.0-or-later */
/* URLs of disks: what QEMU is told, and what is refused. */
#include "storage/remote.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/tap.h"

static void becomes(const char *url, const char *want)
{
	const struct remote_wish wish = { url, "n", "s", 1500 };
	struct err err = ERR_INIT;
	json_t *node = remote_node(&wish, &err);
	char *text =
		node ? json_dumps(node, JSON_COMPACT | JSON_SORT_KEYS) : NULL;

	is_str(text ? text : err.text, want, "%s", url);
	free(text);
	json_decref(node);
}

static void test_good(void)
{
	becomes("nbd://h", "{\"driver\":\"nbd\",\"export\":\"\","
			   "\"node-name\":\"n\",\"open-timeout\":2,"
			   "\"reconnect-delay\":2,\"server\":{\"host\":\"h\","
			   "\"port\":\"10809\",\"type\":\"inet\"}}");
	becomes("nbd://[::1]:5/a/b%20c",
		"{\"driver\":\"nbd\",\"export\":\"a/b c\",\"node-name\":\"n\","
		"\"open-timeout\":2,\"reconnect-delay\":2,\"server\":{"
		"\"host\":\"::1\",\"port\":\"5\",\"type\":\"inet\"}}");
	becomes("nbd+unix:///e?socket=/run/a,b%3D",
		"{\"driver\":\"nbd\",\"export\":\"e\",\"node-name\":\"n\","
		"\"open-timeout\":2,\"reconnect-delay\":2,\"server\":{"
		"\"path\":\"/run/a,b=\",\"type\":\"unix\"}}");
	becomes("iscsi://h/iqn.2026-01.org:d/7",
		"{\"driver\":\"iscsi\",\"lun\":7,\"node-name\":\"n\","
		"\"password-secret\":\"s\",\"portal\":\"h:3260\","
		"\"target\":\"iqn.2026-01.org:d\",\"timeout\":2,"
		"\"transport\":\"tcp\"}");
	becomes("iscsi://u@[fe80::1]:1/t/0?initiator=iqn.me",
		"{\"driver\":\"iscsi\",\"initiator-name\":\"iqn.me\",\"lun\":0,"
		"\"node-name\":\"n\",\"password-secret\":\"s\","
		"\"portal\":\"[fe80::1]:1\",\"target\":\"t\",\"timeout\":2,"
		"\"transport\":\"tcp\",\"user\":\"u\"}");
	becomes("ssh://u@h/a%2Cb.raw",
		"{\"driver\":\"ssh\",\"host-key-check\":{\"mode\":"
		"\"known_hosts\"},\"node-name\":\"n\",\"path\":\"/a,b.raw\","
		"\"server\":{\"host\":\"h\",\"port\":\"22\"},\"user\":\"u\"}");
	becomes("ssh://h:2222/x?host-key=sha256:0aff",
		"{\"driver\":\"ssh\",\"host-key-check\":{\"hash\":\"0aff\","
		"\"mode\":\"hash\",\"type\":\"sha256\"},\"node-name\":\"n\","
		"\"path\":\"/x\",\"server\":{\"host\":\"h\",\"port\":"
		"\"2222\"}}");
	becomes("rbd:p/i?user=admin&conf=/etc/ceph/c.conf",
		"{\"conf\":\"/etc/ceph/c.conf\",\"driver\":\"rbd\",\"image\":"
		"\"i\",\"key-secret\":\"s\",\"node-name\":\"n\",\"pool\":"
		"\"p\",\"user\":\"admin\"}");
	becomes("rbd:p/ns/i", "{\"driver\":\"rbd\",\"image\":\"i\","
			      "\"key-secret\":\"s\",\"namespace\":\"ns\","
			      "\"node-name\":\"n\",\"pool\":\"p\"}");
}

static void test_bad(void)
{
	static const char *const bad[] = { "", "x", "/a/b", "http://h/x",
		"json:{}", "nbd:", "nbd://", "nbd:///x", "nbd://h:0/x",
		"nbd://h:65536/x", "nbd://h:1x/x", "nbd://[::1/x",
		"nbd://[::1]x/x", "nbd://u@h/x", "nbd://h/x?y=1", "nbd://h/%0a",
		"nbd://h/%zz", "nbd://h/%4", "nbd://h/%", "nbd://h/\n",
		"nbd://h/\xff", "nbd://h/%ff", "nbd+unix:///x",
		"nbd+unix:///x?socket=rel", "nbd+unix://h/x?socket=/s",
		"nbd+unix:///x?socket=/s&socket=/t", "nbd+unix:///x?socket",
		"iscsi://h", "iscsi://h/t", "iscsi://h/t/", "iscsi://h/t/x",
		"iscsi://h//1", "iscsi://h/t/123456", "iscsi://u:pw@h/t/1",
		"iscsi://@h/t/1", "ssh://h", "ssh://h/", "ssh:///x",
		"ssh://u:pw@h/x",
		"ssh://h/x?host-key=", "ssh://h/x?host-key=none",
		"ssh://h/x?host-key=sha256:0G", "ssh://h/x?host-key=sha3:00",
		"rbd:", "rbd:p", "rbd:p/", "rbd:/i", "rbd:p//i", "rbd:p/a/b/c",
		"rbd:p/i?conf=rel", "rbd:p/i?key=x", "rbd:p/i?user=%0a",
		"rbd:p/i?user=a&user=b" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct err err = ERR_INIT;

		ok(remote_check(bad[i], &err) && err.code == ERR_CONFIG,
			"refused: %s (%s)", bad[i], err.text);
		ok(!strstr(err.text, "pw@"), "no password is said again");
	}
}

static void test_secrets(void)
{
	ok(remote_takes_secret("iscsi://u@h/t/1"), "a user has a password");
	ok(!remote_takes_secret("iscsi://h/t/1"), "nobody has none");
	ok(!remote_takes_secret("iscsi://h/u@t/1"), "nor a name of a target");
	ok(remote_takes_secret("rbd:p/i"), "rbd has a key");
	ok(!remote_takes_secret("nbd://h/x"), "nbd has none");
	ok(!remote_takes_secret("ssh://u@h/x"), "ssh asks an agent");
}

int main(void)
{
	test_good();
	test_bad();
	test_secrets();
	return done();
}
