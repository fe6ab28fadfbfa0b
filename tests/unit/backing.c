/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Headers that lead elsewhere are refused before anything opens them. */
#include "storage/backing.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/str.h"

#include "tests/unit/tap.h"
#include "tests/unit/temp.h"

static struct err err;

static void put(const char *name, const void *bytes, size_t len, off_t at)
{
	int fd = open(temp_path(name), O_WRONLY | O_CREAT, 0600);

	if (fd < 0 || pwrite(fd, bytes, len, at) != (ssize_t)len)
		ok(false, "cannot write %s", name);
	close(fd);
}

static void put_word(unsigned char *at, unsigned value)
{
	at[0] = (unsigned char)(value >> 24);
	at[1] = (unsigned char)(value >> 16);
	at[2] = (unsigned char)(value >> 8);
	at[3] = (unsigned char)value;
}

/* A version 3 header; backing or format may be NULL. */
static void put_qcow2(const char *name, const char *backing, const char *format,
	unsigned features)
{
	unsigned char head[4096] = "QFI\xfb\0\0\0\3";

	head[30] = 1; /* size: 64 KiB */
	put_word(head + 76, features);
	put_word(head + 100, 104);
	if (format) {
		put_word(head + 104, 0xe2792acau);
		put_word(head + 108, (unsigned)strlen(format));
		memcpy(head + 112, format, strlen(format));
	}
	if (backing) {
		put_word(head + 12, 1024);
		put_word(head + 16, (unsigned)strlen(backing));
		memcpy(head + 1024, backing, strlen(backing));
	}
	put(name, head, sizeof(head), 0);
}

static bool allow(void *arg, const char *path)
{
	return str_eq(path, arg);
}

static enum err_code check(
	const char *name, const char *format, const char *allowed)
{
	const struct chain_rules rules = {
		.allows = allowed ? allow : NULL,
		.arg = (void *)(uintptr_t)allowed,
	};

	err = (struct err)ERR_INIT;
	return backing_check(temp_path(name), format, &rules, &err) ? err.code
								    : ERR_NONE;
}

static void test_read(void)
{
	struct backing at;
	AUTO_FREE char *full = xasprintf("%s/b.raw", temp_root);

	put_qcow2("r.qcow2", "b.raw", "raw", 0);
	is_int(backing_read(temp_path("r.qcow2"), "qcow2", &at, &err), 0,
		"a header");
	is_str(at.path, full, "the name, made absolute");
	is_str(at.format, "raw", "its format");
	ok(at.is_file && !at.has_data_file, "a file");
	backing_fini(&at);
	put_qcow2("r.qcow2", "nbd://x/y", "raw", 4);
	is_int(backing_read(temp_path("r.qcow2"), "qcow2", &at, &err), 0,
		"another");
	ok(!at.is_file && at.has_data_file, "no file, and a data file");
	backing_fini(&at);
	put("cut.qcow2", "QFI\xfb\0\0\0\3", 8, 0);
	is_int(backing_read(temp_path("cut.qcow2"), "qcow2", &at, &err), -1,
		"cut off: %s", err.text);
	backing_fini(&at);
}

static void test_places(void)
{
	put("b.raw", "text", 4, 0);
	put_qcow2("a.qcow2", "b.raw", "raw", 0);
	is_int(check("a.qcow2", "qcow2", NULL), ERR_NONE, "beside it");
	put_qcow2("a.qcow2", "/etc/passwd", "raw", 0);
	is_int(check("a.qcow2", "qcow2", NULL), ERR_DENIED, "%s", err.text);
	is_int(check("a.qcow2", "qcow2", "/etc/passwd"), ERR_NONE, "allowed");
	is_int(check("a.qcow2", "raw", NULL), ERR_CONFIG, "%s", err.text);
	put_qcow2("a.qcow2", "b.raw", NULL, 0);
	is_int(check("a.qcow2", "qcow2", NULL), ERR_CONFIG, "%s", err.text);
	put_qcow2("a.qcow2", "b.raw", "luks", 0);
	is_int(check("a.qcow2", "qcow2", NULL), ERR_UNSUPPORTED, "%s",
		err.text);
	put_qcow2("a.qcow2", "b.raw", "qcow2", 0);
	is_int(check("a.qcow2", "qcow2", NULL), ERR_CONFIG, "%s", err.text);
	put_qcow2("a.qcow2", "json:{\"driver\":\"file\"}", "raw", 0);
	is_int(check("a.qcow2", "qcow2", NULL), ERR_CONFIG, "%s", err.text);
	put_qcow2("a.qcow2", "nbd://127.0.0.1/x", "raw", 0);
	is_int(check("a.qcow2", "qcow2", NULL), ERR_CONFIG, "%s", err.text);
	put_qcow2("a.qcow2", "gone.raw", "raw", 0);
	is_int(check("a.qcow2", "qcow2", NULL), ERR_NOT_FOUND, "%s", err.text);
	put_qcow2("a.qcow2", NULL, NULL, 4);
	is_int(check("a.qcow2", "qcow2", NULL), ERR_UNSUPPORTED, "%s",
		err.text);
	if (mkfifo(temp_path("fifo"), 0600))
		ok(false, "mkfifo");
	put_qcow2("a.qcow2", "fifo", "raw", 0);
	is_int(check("a.qcow2", "qcow2", NULL), ERR_CONFIG, "%s", err.text);
}

static void test_chains(void)
{
	const struct chain_rules alone = { .only_itself = true };
	struct chain_rules never = { .never = temp_path("2.qcow2") };
	char name[32], below[32];

	put_qcow2("1.qcow2", "2.qcow2", "qcow2", 0);
	put_qcow2("2.qcow2", "3.qcow2", "qcow2", 0);
	put_qcow2("3.qcow2", NULL, NULL, 0);
	is_int(check("1.qcow2", "qcow2", NULL), ERR_NONE, "three");
	is_int(backing_check(temp_path("1.qcow2"), "qcow2", &never, &err), -1,
		"%s", err.text);
	put_qcow2("3.qcow2", "1.qcow2", "qcow2", 0);
	is_int(check("1.qcow2", "qcow2", NULL), ERR_CONFIG, "%s", err.text);
	is_int(backing_check(temp_path("1.qcow2"), "qcow2", &alone, &err), 0,
		"a circle, but only itself is looked at");
	for (int i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "d%d.qcow2", i);
		snprintf(below, sizeof(below), "d%d.qcow2", i + 1);
		put_qcow2(name, i < 39 ? below : NULL, "qcow2", 0);
	}
	is_int(check("d0.qcow2", "qcow2", NULL), ERR_LIMIT, "%s", err.text);
	is_int(check("d20.qcow2", "qcow2", NULL), ERR_NONE, "twenty");
}

static void test_vmdk(void)
{
	unsigned char head[2048] = "KDMV\1";

	put("t.vmdk", "# Disk DescriptorFile\nRW 1 FLAT \"/etc/passwd\" 0\n",
		48, 0);
	is_int(check("t.vmdk", "vmdk", NULL), ERR_UNSUPPORTED, "%s", err.text);
	put("s.vmdk", head, sizeof(head), 0);
	is_int(check("s.vmdk", "vmdk", NULL), ERR_UNSUPPORTED,
		"a stream of extents: %s", err.text);
	head[12] = 8; /* its capacity */
	put("s.vmdk", head, sizeof(head), 0);
	is_int(check("s.vmdk", "vmdk", NULL), ERR_NONE, "one file");
	put("s.vmdk", "parentFileNameHint=\"/etc/passwd\"", 32, 700);
	is_int(check("s.vmdk", "vmdk", NULL), ERR_UNSUPPORTED, "%s", err.text);
}

int main(void)
{
	temp_make();
	test_read();
	test_places();
	test_chains();
	test_vmdk();
	return done();
}
