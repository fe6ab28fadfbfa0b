/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which paths somebody else answers for, by a table of mounts of our own. */
#include "base/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"
#include "tests/unit/tap.h"
#include "tests/unit/temp.h"

static uint64_t now_us = 1;

static uint64_t fake_now(void)
{
	return now_us;
}

static int fake_openat(int dirfd, const char *path, int flags, mode_t mode)
{
	bool table = str_eq(path, "/proc/self/mountinfo");

	return sys_real.openat(
		dirfd, table ? temp_path("table") : path, flags, mode);
}

/* The table from now on. */
static void mounts_are(const char *text)
{
	int fd = open(temp_path("table"), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	ok(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text),
		"a table");
	close(fd);
	now_us += 2000000;
}

static const char *far_at(const char *path)
{
	const struct mount *mount = mounts_far(path);

	return mount ? mount->point : "local";
}

static void test_types(void)
{
	static const struct {
		const char *type;
		bool far;
	} types[] = { { "ext4", false }, { "xfs", false }, { "btrfs", false },
		{ "tmpfs", false }, { "zfs", false }, { "overlay", false },
		{ "f2fs", false }, { "nfs", true }, { "nfs4", true },
		{ "cifs", true }, { "smb3", true }, { "9p", true },
		{ "ceph", true }, { "virtiofs", true }, { "autofs", true },
		{ "fuse", true }, { "fuse.sshfs", true },
		{ "fuse.glusterfs", true }, { "fuseblk", true },
		{ "fusectl", false }, { "nfsd", false } };

	for (size_t i = 0; i < NELEMS(types); i++) {
		AUTO_FREE char *text = xasprintf(
			"30 1 8:1 / /srv/x rw - %s x rw\n", types[i].type);

		mounts_are(text);
		ok(!!mounts_far("/srv/x/image") == types[i].far, "%s",
			types[i].type);
	}
}

static void test_places(void)
{
	mounts_are("1 0 8:1 / / rw - ext4 /dev/a rw\n"
		   "2 1 0:5 / /srv rw shared:1 master:2 - nfs4 host:/ rw\n"
		   "3 2 8:2 / /srv/near rw - xfs /dev/b rw\n"
		   "4 1 0:6 / /with\\040blank rw - cifs //x/y rw\n"
		   "a broken line\n"
		   "5 1 0:7 / /twice rw - nfs host:/t rw\n"
		   "6 1 8:3 / /twice rw - ext4 /dev/c rw\n");
	is_str(far_at("/srv"), "/srv", "the point itself");
	is_str(far_at("/srv/a/b.qcow2"), "/srv", "below it");
	is_str(far_at("/srvx/a"), "local", "a name that begins so");
	is_str(far_at("/home/a"), "local", "elsewhere");
	is_str(far_at("/srv/near/a"), "/srv",
		"behind it: the way there leads over it");
	is_str(far_at("/with blank/a"), "/with blank", "a blank in its name");
	is_str(far_at("/twice/a"), "local", "the last one hides the first");
	is_str(far_at("/home/../srv/a"), "/srv", "..");
	is_str(far_at("//./srv//a"), "/srv", "dots and slashes");
	is_str(far_at("srv/a"), "local", "no absolute path");
	mounts_are("1 0 8:1 / / rw - ext4 /dev/a rw\n");
	ok(!mounts_have_far(), "none is left");
	is_str(far_at("/srv/a"), "local", "unmounted");
}

static void test_links(void)
{
	AUTO_FREE char *table = xasprintf(
		"7 1 0:7 / %s rw - nfs host:/ rw\n", temp_path("far"));

	ok(!symlink(temp_path("far"), temp_path("whole")) &&
			!symlink("far/sub", temp_path("beside")) &&
			!symlink("loop", temp_path("loop")),
		"links");
	mounts_are(table);
	is_str(far_at(temp_path("whole/x")), temp_path("far"), "a link to it");
	is_str(far_at(temp_path("beside")), temp_path("far"), "a relative one");
	is_str(far_at(temp_path("loop/x")), "local", "one to itself ends");
}

static void test_gate(void)
{
	struct stat st;

	mounts_are("2 1 0:5 / /srv rw - nfs4 host:/ rw\n");
	sys_set_gate(mounts_may_touch);
	ok(mounts_far("/srv/a") && mounts_may_touch("/srv/a"), "it answers");
	mounts_mark("/srv", true);
	ok(!mounts_may_touch("/srv/a"), "it does not");
	ok(mounts_may_touch("/home"), "others do");
	errno = 0;
	ok(sys_openat(AT_FDCWD, "/srv/a", O_RDONLY, 0) == -1 &&
			errno == EHOSTDOWN,
		"the seam refuses to open there");
	errno = 0;
	ok(sys_fstatat(AT_FDCWD, "/srv/a", &st, 0) == -1 && errno == EHOSTDOWN,
		"and to look");
	is_int(sys_fstatat(AT_FDCWD, "/", &st, 0), 0, "not elsewhere");
	mounts_are("1 0 8:1 / / rw - ext4 /dev/a rw\n"
		   "2 1 0:5 / /srv rw - nfs4 host:/ rw\n");
	ok(!mounts_may_touch("/srv/a"), "it is known in a newer table");
	mounts_mark("/srv", false);
	ok(mounts_may_touch("/srv/a"), "it answers again");
	mounts_mark("/srv", true);
	mounts_are("1 0 8:1 / / rw - ext4 /dev/a rw\n"
		   "9 1 0:9 / /srv rw - nfs4 host:/ rw\n");
	ok(mounts_far("/srv/a") && mounts_may_touch("/srv/a"),
		"another one in its place is not it");
	sys_set_gate(NULL);
}

int main(void)
{
	struct sys_backend backend = sys_real;

	temp_make();
	backend.openat = fake_openat;
	backend.now_us = fake_now;
	sys_use(&backend);
	test_types();
	test_places();
	test_links();
	test_gate();
	mounts_drop();
	sys_use(&sys_real);
	return done();
}
