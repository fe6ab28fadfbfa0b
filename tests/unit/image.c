/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Images made by the real qemu-img, headers, and what a crash leaves. */
#include "storage/image.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <inttypes.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/sys.h"

#include "tests/unit/tap.h"
#include "tests/unit/temp.h"

#define MIB (UINT64_C(1) << 20)

static struct {
	unsigned count;
	struct err err;
	struct err undo_err;
} ended;

static void on_end(struct job *job, void *arg)
{
	(void)arg;
	ended.count++;
	ended.err = job->err;
	ended.undo_err = job->undo_err;
}

static struct image_create *start(const char *tool, const char *path,
	const char *format, const char *base, uint64_t size)
{
	const struct image_wish wish = { .path = path,
		.format = format,
		.base = base,
		.base_format = "qcow2",
		.size = size };

	memset(&ended, 0, sizeof(ended));
	return image_create_start(tool, &wish, "web", NULL, on_end, NULL);
}

static enum err_code create(
	const char *path, const char *format, const char *base, uint64_t size)
{
	start("qemu-img", path, format, base, size);
	loop_run();
	if (ended.count != 1 || ended.undo_err.code != ERR_NONE)
		ok(false, "ended %u times, undo: %s", ended.count,
			ended.undo_err.text);
	return ended.err.code;
}

static size_t files_like(const char *pattern)
{
	glob_t found;
	size_t n;

	n = glob(temp_path(pattern), 0, NULL, &found) == 0 ? found.gl_pathc : 0;
	globfree(&found);
	return n;
}

static void put_file(const char *name, const void *bytes, size_t len, off_t at)
{
	int fd = open(temp_path(name), O_WRONLY | O_CREAT, 0600);

	if (fd < 0 || pwrite(fd, bytes, len, at) != (ssize_t)len)
		ok(false, "put_file %s", name);
	close(fd);
}

/* ---- headers ---- */

static struct {
	int rc;
	const char *format;
	uint64_t size;
	bool backing;
	struct err err;
} seen;

static const char *look(const char *name)
{
	seen.format = "?";
	seen.rc = image_header(temp_path(name), &seen.format, &seen.size,
		&seen.backing, &seen.err);
	return seen.format;
}

static void test_header(void)
{
	put_file("raw", "boot", 4, 3000);
	is_str(look("raw"), "raw", "no mark: raw");
	is_int(seen.size, 3004, "of its length");
	put_file("empty", "", 0, 0);
	is_str(look("empty"), "raw", "an empty file is raw");
	put_file("short", "QFI", 3, 0);
	is_str(look("short"), "raw", "half a mark is none");
	put_file("v1", "QFI\xfb\0\0\0\1", 8, 0);
	is_str(look("v1"), "qcow", "qcow of version 1");
	put_file("vmdk", "KDMV", 4, 0);
	is_str(look("vmdk"), "vmdk", "vmdk");
	put_file("desc", "# Disk DescriptorFile\n", 22, 0);
	is_str(look("desc"), "vmdk", "vmdk by its text");
	put_file("vdi", "\x7f\x10\xda\xbe", 4, 64);
	is_str(look("vdi"), "vdi", "vdi");
	put_file("vhdx", "vhdxfile", 8, 0);
	is_str(look("vhdx"), "vhdx", "vhdx");
	put_file("vpc", "conectix", 8, 8192);
	if (truncate(temp_path("vpc"), 8192 + 512) != 0)
		ok(false, "truncate");
	is_str(look("vpc"), "vpc", "a fixed vpc by its end");
	look("nowhere");
	is_int(seen.err.code, ERR_NOT_FOUND, "%s", seen.err.text);
	look(".");
	is_int(seen.err.code, ERR_CONFIG, "%s", seen.err.text);
	if (mkfifo(temp_path("fifo"), 0600) != 0)
		ok(false, "mkfifo");
	look("fifo");
	is_int(seen.err.code, ERR_CONFIG, "%s", seen.err.text);
}

/* ---- creating ---- */

static void test_create(void)
{
	char base[128];
	struct stat st;

	snprintf(base, sizeof(base), "%s", temp_path("base.qcow2"));
	is_int(create(base, "qcow2", NULL, 64 * MIB), ERR_NONE, "create: %s",
		ended.err.text);
	is_str(look("base.qcow2"), "qcow2", "it is qcow2");
	is_int(seen.size, 64 * MIB, "of the size");
	ok(!seen.backing, "without a base");
	ok(stat(base, &st) == 0 && (st.st_mode & 0777) == 0600, "mode 0600");
	is_int(create(temp_path("o.qcow2"), "qcow2", base, 0), ERR_NONE,
		"overlay: %s", ended.err.text);
	look("o.qcow2");
	ok(seen.backing && seen.size == 64 * MIB, "of the base's size");
	is_int(create(temp_path("big.qcow2"), "qcow2", base, 80 * MIB),
		ERR_NONE, "a larger overlay: %s", ended.err.text);
	look("big.qcow2");
	ok(seen.backing && seen.size == 80 * MIB, "of its own size");
	is_int(create(temp_path("r.raw"), "raw", NULL, 5 * MIB), ERR_NONE,
		"raw: %s", ended.err.text);
	look("r.raw");
	is_int(seen.size, 5 * MIB, "of the size");
	is_int(files_like("*.tmp.*"), 0, "no temporary is left");
}

static void test_refused(void)
{
	is_int(create(temp_path("base.qcow2"), "qcow2", NULL, MIB), ERR_EXISTS,
		"%s", ended.err.text);
	look("base.qcow2");
	is_int(seen.size, 64 * MIB, "what exists is left alone");
	is_int(create(temp_path("no/such.qcow2"), "qcow2", NULL, MIB), ERR_OS,
		"%s", ended.err.text);
	is_int(create(temp_path("x.qcow2"), "qcow2", temp_path("gone"), 0),
		ERR_OS, "%s", ended.err.text);
	ok(!strstr(ended.err.text, ".tmp."), "without the temporary's name");
	ok(strstr(ended.err.text, "gone': No such file") != NULL,
		"with qemu-img's reason");
	is_int(create(temp_path("x.qcow2"), "qcow2", temp_path("r.raw"), 0),
		ERR_OS, "%s", ended.err.text);
	is_int(create(temp_path("x.foo"), "foo", NULL, MIB), ERR_OS, "%s",
		ended.err.text);
	start("/no/such/qemu-img", temp_path("x.raw"), "raw", NULL, MIB);
	loop_run();
	is_int(ended.err.code, ERR_UNSUPPORTED, "%s", ended.err.text);
	is_int(files_like("*.tmp.*"), 0, "no temporary is left");
	is_int(files_like("x.*"), 0, "and no image");
}

static void test_cancel(void)
{
	struct image_create *op =
		start("qemu-img", temp_path("c.qcow2"), "qcow2", NULL, MIB);

	loop_turn(false);
	job_cancel(&op->job);
	loop_run();
	is_int(ended.count, 1, "ended once");
	is_int(ended.err.code, ERR_CANCELLED, "cancelled");
	is_int(files_like("c.qcow2*"), 0, "nothing is left");
	op = start("qemu-img", temp_path("race.qcow2"), "qcow2", NULL, MIB);
	loop_turn(false);
	put_file("race.qcow2", "mine", 4, 0);
	loop_run();
	is_int(ended.err.code, ERR_EXISTS, "taken meanwhile: %s",
		ended.err.text);
	is_str(look("race.qcow2"), "raw", "the stranger's file is untouched");
	is_int(files_like("*.tmp.*"), 0, "no temporary is left");
}

/* ---- file systems that fail ---- */

static int fail_fsync_at;

static int counted_fsync(int fd)
{
	(void)fd;
	if (--fail_fsync_at == 0) {
		errno = EIO;
		return -1;
	}
	return 0;
}

static int no_aio(unsigned n, unsigned long *context)
{
	(void)n;
	(void)context;
	errno = ENOSYS;
	return -1;
}

static int no_rename2(
	int from, const char *a, int to, const char *b, unsigned flags)
{
	(void)from;
	(void)a;
	(void)to;
	(void)b;
	(void)flags;
	errno = EINVAL;
	return -1;
}

static void test_failing(void)
{
	struct sys_backend odd = sys_real;

	odd.io_setup = no_aio;
	odd.fsync = counted_fsync;
	odd.renameat2 = no_rename2;
	aio_fini();
	sys_use(&odd);
	for (int i = 1; i <= 2; i++) {
		fail_fsync_at = i;
		is_int(create(temp_path("f.qcow2"), "qcow2", NULL, MIB), ERR_OS,
			"fsync %d fails: %s", i, ended.err.text);
		is_int(files_like("f.qcow2*"), 0, "nothing is left");
	}
	fail_fsync_at = 0;
	is_int(create(temp_path("f.qcow2"), "qcow2", NULL, MIB), ERR_NONE,
		"without RENAME_NOREPLACE: %s", ended.err.text);
	is_int(create(temp_path("f.qcow2"), "qcow2", NULL, MIB), ERR_EXISTS,
		"but not over a file");
	sys_use(&sys_real);
	aio_fini();
}

static void test_sweep(void)
{
	int fd;

	put_file("a.qcow2.tmp.0123abcd", "", 0, 0);
	put_file("b.qcow2.tmp.0123abcd", "", 0, 0);
	put_file("c.qcow2.tmp.0123abcx", "", 0, 0);
	put_file("c.tmp.12", "", 0, 0);
	put_file(".tmp.0123abcd", "", 0, 0);
	fd = open(temp_path("b.qcow2.tmp.0123abcd"), O_RDONLY);
	if (flock(fd, LOCK_EX) != 0 ||
		symlink("/etc/passwd", temp_path("l.tmp.0123abcd")) != 0)
		ok(false, "flock, symlink");
	image_sweep(temp_root);
	is_int(files_like("a.qcow2.tmp.*"), 0, "an orphan is removed");
	is_int(files_like("b.qcow2.tmp.*"), 1, "one in use is kept");
	is_int(files_like("c.*tmp.*"), 2, "other names are kept");
	is_int(files_like("l.tmp.*"), 1, "and what is no file");
	close(fd);
	image_sweep(temp_root);
	is_int(files_like("b.qcow2.tmp.*"), 0, "removed when it is free");
	image_sweep("/no/such/directory");
	ok(true, "a directory that is not there");
}

int main(void)
{
	struct err err = ERR_INIT;
	AUTO_FREE char *tool = spawn_find("qemu-img");

	temp_make();
	log_set_level(LOG_ERROR);
	if (loop_init(&err) != 0)
		return 1;
	test_header();
	if (tool) {
		test_create();
		test_refused();
		test_cancel();
		test_failing();
	} else {
		ok(true, "images # SKIP no qemu-img");
	}
	test_sweep();
	aio_fini();
	loop_fini();
	return done();
}
