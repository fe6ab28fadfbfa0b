/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whole files and directories, in a private directory. */
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sys.h"
#include "tests/unit/tap.h"

static char dir[64];
static int dirfd_;

static void test_write_and_read(void)
{
	AUTO_STR struct str out = STR_INIT;
	struct err err = ERR_INIT;
	struct stat st;

	umask(022);
	str_add(&out, "old");
	is_int(fd_write_file(dirfd_, "a", "hello", 5, 0640, true, &err), 0,
		"write");
	is_int(fd_read_file(dirfd_, "a", 100, &out, &err), 0, "read");
	is_str(str_text(&out), "hello", "what was written, and only that");
	fstatat(dirfd_, "a", &st, 0);
	is_int(st.st_mode & 07777, 0640, "mode");
	is_int(fd_read_file(dirfd_, "a", 5, &out, &err), 0, "just fits");
	is_int(fd_read_file(dirfd_, "a", 4, &out, &err), -1, "too large");
	is_int(err.code, ERR_LIMIT, "a limit");
	is_str(err.text, "'a' is larger than 4 bytes", "its text");
	is_int(fd_read_file(dirfd_, "none", 4, &out, &err), -1, "missing");
	is_str(err.text, "cannot open 'none': No such file or directory",
		"its text");
}

static void test_replace(void)
{
	AUTO_STR struct str out = STR_INIT;
	struct err err = ERR_INIT;
	struct stat st;

	/* a rest of a crash, and a link that somebody planted there */
	fd_close(&(int){ openat(dirfd_, "victim", O_CREAT | O_WRONLY, 0600) });
	is_int(symlinkat("victim", dirfd_, "a.tmp"), 0, "planted link");
	is_int(fd_write_file(dirfd_, "a", "new", 3, 0600, false, &err), 0,
		"replaced: %s", err.text);
	fstatat(dirfd_, "victim", &st, 0);
	is_int(st.st_size, 0, "the link was not followed");
	is_int(fd_read_file(dirfd_, "a", 100, &out, &err), 0, "read");
	is_str(str_text(&out), "new", "the new text");
	is_int(faccessat(dirfd_, "a.tmp", F_OK, AT_SYMLINK_NOFOLLOW), -1,
		"no temporary file is left");
	is_int(mkdirat(dirfd_, "d", 0700), 0, "a directory in its place");
	is_int(fd_write_file(dirfd_, "d", "x", 1, 0600, false, &err), -1,
		"cannot be replaced");
	is_int(faccessat(dirfd_, "d.tmp", F_OK, AT_SYMLINK_NOFOLLOW), -1,
		"and no temporary file is left");
	unlinkat(dirfd_, "d", AT_REMOVEDIR);
	is_int(fd_write_file(dirfd_, "no/a", "x", 1, 0600, false, &err), -1,
		"no directory");
	is_str(err.text, "cannot write 'no/a': No such file or directory",
		"its text");
}

static void test_odd_files(void)
{
	AUTO_STR struct str out = STR_INIT;
	struct err err = ERR_INIT;

	mkfifoat(dirfd_, "fifo", 0600);
	is_int(fd_read_file(dirfd_, "fifo", 4, &out, &err), -1,
		"a FIFO does not hang");
	is_int(err.code, ERR_CONFIG, "but is refused");
	is_str(err.text, "'fifo' is not a regular file", "its text");
	is_int(fd_read_file(dirfd_, ".", 4, &out, &err), -1, "a directory");
	is_int(err.code, ERR_CONFIG, "is refused too");
}

static void test_make_dirs(void)
{
	struct err err = ERR_INIT;
	char path[128];
	struct stat st;

	snprintf(path, sizeof path, "%s/x//y/z", dir);
	is_int(fd_make_dirs(path, 0711, &err), 0, "with parents");
	ok(stat(path, &st) == 0 && S_ISDIR(st.st_mode), "is there");
	is_int(fd_make_dirs(path, 0711, &err), 0, "again");
	snprintf(path, sizeof path, "%s/x/w/", dir);
	is_int(fd_make_dirs(path, 0711, &err), 0, "with a slash behind");
	snprintf(path, sizeof path, "%s/a/b", dir);
	is_int(fd_make_dirs(path, 0711, &err), -1, "below a file");
	ok(str_ends(err.text, "/a': Not a directory"), "says which: %s",
		err.text);
	is_int(fd_make_dirs("/", 0700, &err), 0, "the root is there");
	is_int(fd_make_dirs("", 0700, &err), -1, "an empty name");
}

static void test_close(void)
{
	int fd = dup(dirfd_);
	int copy = fd;

	errno = EXDEV;
	fd_close(&fd);
	is_int(fd, -1, "set to -1");
	is_int(errno, EXDEV, "errno survives");
	is_int(fcntl(copy, F_GETFD), -1, "closed");
	fd_close(&fd);
	int given = dup(dirfd_);
	int mine = TAKE_FD(given);
	ok(given == -1 && mine >= 0, "given away");
	fd_close(&mine);
}

static void remove_all(void)
{
	static const char *const files[] = { "a", "victim", "fifo" };
	static const char *const dirs[] = { "x/y/z", "x/y", "x/w", "x" };

	for (size_t i = 0; i < NELEMS(files); i++)
		unlinkat(dirfd_, files[i], 0);
	for (size_t i = 0; i < NELEMS(dirs); i++)
		unlinkat(dirfd_, dirs[i], AT_REMOVEDIR);
	is_int(rmdir(dir), 0, "nothing else was left in the directory");
}

int main(void)
{
	snprintf(dir, sizeof dir, "/tmp/vmward-fd-XXXXXX");
	if (!mkdtemp(dir))
		return 1;
	dirfd_ = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	test_write_and_read();
	test_replace();
	test_odd_files();
	test_make_dirs();
	test_close();
	remove_all();
	close(dirfd_);
	return done();
}
