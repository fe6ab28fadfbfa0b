/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Chains of images: opened against record and place, and all refusals. */
#include "storage/chain.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "supervisor/chains.h"

#include "tests/unit/tap.h"
#include "tests/unit/temp.h"

enum { HEAD = 4096, NAME_AT = 1024 };

/* A qcow2 header of version 3: backing and its format, or ""; features. */
static void put_qcow2(const char *file, const char *backing, const char *format,
	unsigned char features)
{
	unsigned char head[HEAD] = "QFI\xfb\0\0\0\3";
	unsigned char *ext = head + 104;
	int fd = open(temp_path(file), O_RDWR | O_CREAT | O_TRUNC, 0600);

	head[27] = 0x10; /* size */
	head[79] = features;
	head[103] = 104;
	if (*backing) {
		head[14] = NAME_AT >> 8;
		head[18] = (unsigned char)(strlen(backing) >> 8);
		head[19] = (unsigned char)strlen(backing);
		memcpy(head + NAME_AT, backing, strlen(backing));
	}
	if (*format) {
		memcpy(ext, "\xe2\x79\x2a\xca\0\0\0", 7);
		ext[7] = (unsigned char)strlen(format);
		memcpy(ext + 8, format, strlen(format));
	}
	if (fd < 0 || write(fd, head, HEAD) != HEAD)
		ok(false, "cannot write %s", file);
	close(fd);
}

static void put_raw(const char *file)
{
	int fd = open(temp_path(file), O_RDWR | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || ftruncate(fd, 65536))
		ok(false, "cannot write %s", file);
	close(fd);
}

/* Every PATH/ of the text is the directory of this test. */
static char *named(const char *text)
{
	AUTO_STR struct str out = STR_INIT;
	const char *at;

	while ((at = strstr(text, "PATH/")) != NULL) {
		str_addn(&out, text, (size_t)(at - text));
		str_add(&out, temp_path(""));
		text = at + strlen("PATH/");
	}
	str_add(&out, text);
	return str_take(&out);
}

/* What was opened, as text, or the error with PATH/ for the directory. */
static char *opened(const struct chain_wish *wish, const char *known)
{
	struct err err = ERR_INIT;
	AUTO_FREE char *record = named(known);
	AUTO_FREE char *path = named(wish->path);
	AUTO_FREE char *base = wish->base ? named(wish->base) : NULL;
	AUTO_STR struct str out = STR_INIT;
	struct chain before = { NULL };
	struct chain chain;
	struct chain_wish real = *wish;

	real.path = path;
	real.base = base;
	real.pool = "/pool";
	if (chains_parse(record, "root", path, &before))
		real.known = &before;
	if (chain_open(&chain, &real, &err))
		str_add(&out, err.text);
	else
		chains_add_text(&out, "root", &chain);
	if (!err.code)
		is_int(chain.at[0].write_fd >= 0, wish->write && !wish->look,
			"the top is open to be written");
	chain_fini(&chain);
	chain_fini(&before);
	return str_take(&out);
}

static void opens(const struct chain_wish *wish, const char *known,
	const char *want, const char *what)
{
	AUTO_FREE char *got = opened(wish, known);
	AUTO_FREE char *full = named(want);

	is_str(got, full, "%s", what);
}

static void test_good(void)
{
	put_raw("base.raw");
	put_qcow2("mid.qcow2", "base.raw", "raw", 0);
	put_qcow2("top.qcow2", "./x/../mid.qcow2", "qcow2", 0);
	put_qcow2("alone.qcow2", "", "", 0);
	const struct chain_wish top = {
		.path = "PATH/top.qcow2", .format = "qcow2", .write = true
	};
	const struct chain_wish raw = { .path = "PATH/base.raw",
		.format = "raw" };
	const struct chain_wish alone = { .path = "PATH//./alone.qcow2",
		.format = "qcow2",
		.write = true,
		.look = true };
	static const char lines[] = "root 0 qcow2 PATH/top.qcow2\n"
				    "root 1 qcow2 PATH/mid.qcow2\n"
				    "root 2 raw PATH/base.raw\n";

	opens(&top, "", lines, "a chain of three");
	opens(&top, lines, lines, "as it is recorded");
	opens(&raw, "", "root 0 raw PATH/base.raw\n", "a raw image");
	opens(&alone, lines, "root 0 qcow2 PATH/alone.qcow2\n",
		"another image than the record's is not in it");
}

static const struct {
	const char *what;
	const char *backing, *format;
	unsigned char features;
	const char *known;
	const char *want;
} refusals[] = {
	{ "a place that is not allowed", "/etc/shadow", "raw", 0, "",
		"by its header 'bad.qcow2' is on top of '/etc/shadow', "
		"neither in the pool nor beside it: if that is meant: ACCEPT" },
	{ "the same by dots", "x/../../../../../../../../etc/shadow", "raw", 0,
		"",
		"by its header 'bad.qcow2' is on top of '/etc/shadow', "
		"neither in the pool nor beside it: if that is meant: ACCEPT" },
	{ "json", "json:{\"driver\":\"raw\"}", "", 0, "",
		"by its header 'bad.qcow2' is on top of what is no file: "
		"convert it to an image of its own first" },
	{ "a network name", "nbd://localhost/x", "raw", 0, "",
		"by its header 'bad.qcow2' is on top of what is no file: "
		"convert it to an image of its own first" },
	{ "a name with a newline", "a\nb", "raw", 0, "",
		"by its header 'bad.qcow2' is on top of what is no file: "
		"convert it to an image of its own first" },
	{ "missing", "gone.qcow2", "qcow2", 0, "",
		"no image 'PATH/gone.qcow2', which 'bad.qcow2' is on top of: "
		"put it back, or rebase" },
	{ "itself", "bad.qcow2", "qcow2", 0, "",
		"'PATH/bad.qcow2' is on top of itself: by their headers the "
		"images below make a circle" },
	{ "the base is qcow2, not raw", "alone.qcow2", "raw", 0, "",
		"'PATH/alone.qcow2' is qcow2 by its header, bad.qcow2 says "
		"raw" },
	{ "the base is raw, not qcow2", "base.raw", "qcow2", 0, "",
		"'PATH/base.raw' is no qcow2 image" },
	{ "a format of no disk", "base.raw", "luks", 0, "",
		"by its header 'bad.qcow2' is on top of an image of format "
		"'luks', which no disk may have" },
	{ "no format at all", "noname", "", 0, "",
		"nothing says which format 'PATH/noname' has: rebase "
		"'bad.qcow2' with one" },
	{ "a data file", "", "", 4, "",
		"'PATH/bad.qcow2' keeps its data in another file: convert it "
		"to an image of its own first" },
	{ "marked corrupt", "", "", 2, "",
		"'PATH/bad.qcow2' is marked corrupt: vmward image check "
		"--repair" },
	{ "a directory", "dir", "raw", 0, "",
		"'PATH/dir' is neither a file nor a block device" },
	{ "a FIFO", "fifo", "raw", 0, "",
		"'PATH/fifo' is neither a file nor a block device" },
	{ "another backing than recorded", "mid.qcow2", "qcow2", 0,
		"root 0 qcow2 PATH/bad.qcow2\nroot 1 raw PATH/base.raw\n",
		"by its header 'bad.qcow2' is on top of 'mid.qcow2', but by "
		"the record of 'base.raw': put that right, or take it as it "
		"is: ACCEPT" },
	{ "none, one recorded", "", "", 0,
		"root 0 qcow2 PATH/bad.qcow2\nroot 1 raw PATH/base.raw\n",
		"by its header 'bad.qcow2' is on top of nothing, but by the "
		"record of 'base.raw': put that right, or take it as it is: "
		"ACCEPT" },
	{ "one, none recorded", "base.raw", "raw", 0,
		"root 0 qcow2 PATH/bad.qcow2\n",
		"by its header 'bad.qcow2' is on top of 'base.raw', but by "
		"the record of nothing: put that right, or take it as it is: "
		"ACCEPT" },
	{ "another format than recorded", "base.raw", "raw", 0,
		"root 0 qcow2 PATH/bad.qcow2\nroot 1 vmdk PATH/base.raw\n",
		"the header of 'bad.qcow2' says that 'base.raw' is raw, the "
		"record says vmdk" },
};

static void test_refusals(void)
{
	const struct chain_wish bad = { .path = "PATH/bad.qcow2",
		.format = "qcow2",
		.write = true,
		.accept = "ACCEPT" };

	mkdir(temp_path("dir"), 0700);
	mkfifo(temp_path("fifo"), 0600);
	put_raw("noname");
	for (size_t i = 0; i < NELEMS(refusals); i++) {
		put_qcow2("bad.qcow2", refusals[i].backing, refusals[i].format,
			refusals[i].features);
		opens(&bad, refusals[i].known, refusals[i].want,
			refusals[i].what);
	}
}

/* What the VM's file says is allowed, wherever it is. */
static void test_base(void)
{
	AUTO_FREE char *base = named("PATH/base.raw");
	const struct chain_wish wish = { .path = "PATH/dir/over.qcow2",
		.format = "qcow2",
		.base = "PATH/base.raw",
		.base_format = "raw" };
	const struct chain_wish other = { .path = "PATH/dir/over.qcow2",
		.format = "qcow2",
		.base = "PATH/base.raw",
		.base_format = "qcow2" };

	put_qcow2("dir/over.qcow2", base, "raw", 0);
	opens(&wish, "",
		"root 0 qcow2 PATH/dir/over.qcow2\nroot 1 raw PATH/base.raw\n",
		"the base that is written is allowed");
	opens(&other, "",
		"the header of 'over.qcow2' says that 'PATH/base.raw' is raw, "
		"the VM's file says qcow2",
		"but only in its format");
}

static void test_deep(void)
{
	const struct chain_wish top = { .path = "PATH/deep0.qcow2",
		.format = "qcow2" };
	char name[32] = "";

	for (int i = CHAIN_MAX; i >= 0; i--) {
		char file[32];

		snprintf(file, sizeof(file), "deep%d.qcow2", i);
		put_qcow2(file, name, *name ? "qcow2" : "", 0);
		snprintf(name, sizeof(name), "%s", file);
	}
	opens(&top, "",
		"more than 32 images are on top of one another: flatten "
		"'PATH/deep0.qcow2' first",
		"a chain that is too long");
}

static void test_text(void)
{
	static const char text[] = "junk\nroot 0 qcow2 /a b\nroot 1 raw /c\n"
				   "root x\ndata 0 raw /c\nroot 0 raw /d\n";
	struct chain chain;
	const char *rest = text;
	struct chains_line line;
	unsigned n = 0;

	ok(chains_parse(text, "root", "/a b", &chain), "a chain is found");
	is_int((int)chain.n, 2, "with both its images");
	is_str(chain.at[1].path, "/c", "the lower one");
	chain_fini(&chain);
	ok(!chains_parse(text, "root", "/c", &chain), "not by another top");
	while (chains_next(&rest, &line))
		n += !line.top;
	is_int((int)n, 1, "one line is that of a base");
}

static void test_numbers(void)
{
	struct chains chains;
	struct err err = ERR_INIT;
	struct chain *root;

	chains_init(&chains);
	root = chains_add(&chains, "root");
	chain_add(root, "/a", "qcow2")->writes = true;
	chain_add(root, "/b", "qcow2");
	chain_add(chains_add(&chains, "data"), "/c", "raw");
	is_int(chains_number(&chains, 12, &err), 0, "numbered");
	AUTO_FREE char *words = chains_name_sets(
		&chains, "image [/dev/fdset/3] and /dev/fdset/1, /dev/fdset/9");
	is_str(words, "image [/c] and /a, /dev/fdset/9",
		"QEMU's words name the images");
	for (int i = 0; i < 100; i++)
		chain_add(root, "/x", "qcow2")->writes = true;
	is_int(chains_number(&chains, 12, &err), -1, "too many: %s", err.text);
	chains_fini(&chains);
}

int main(void)
{
	temp_make();
	test_good();
	test_refusals();
	test_base();
	test_deep();
	test_text();
	test_numbers();
	return done();
}
