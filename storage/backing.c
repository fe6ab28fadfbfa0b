/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an image is on top of; see backing.h. */
#include "storage/backing.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"
#include "storage/format.h"
#include "storage/image.h"

enum {
	QCOW2_LEAST = 72, /* bytes of a header */
	VMDK_CAPACITY = 12,
	VMDK_TEXT = 512, /* its description begins there */
	VMDK_TEXT_LEN = 20 * 512
};

static int unsound(const char *path, const char *what, struct err *err)
{
	return err_set(
		err, ERR_CONFIG, "the header of image '%s' %s", path, what);
}

static int open_it(const char *path, struct err *err)
{
	/* O_NONBLOCK: a FIFO in place of an image must not hold us up */
	int fd = sys_openat(
		AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0);

	if (fd < 0)
		err_os(err, "cannot open image '%s'", path);
	return fd;
}

/* ---- what a header says ---- */

int backing_read(const char *path, const char *format, struct backing *backing,
	struct err *err)
{
	AUTO_CLOSE int fd = -1;
	struct image_head head = { NULL };
	struct stat st;

	*backing = (struct backing){ NULL };
	err_clear(err);
	if (!str_eq(format, "qcow2"))
		return 0;
	fd = open_it(path, err);
	if (fd < 0)
		return -1;
	if (!sys_fstat(fd, &st) && S_ISREG(st.st_mode) &&
		st.st_size < QCOW2_LEAST)
		return unsound(path, "is cut off", err);
	if (!image_head_read(fd, path, &head, err) && head.backing) {
		backing->path = image_resolve(path, head.backing);
		backing->is_file = *backing->path == '/' &&
				   image_is_file_name(head.backing);
	}
	if (strlen(head.backing_format) < sizeof(backing->format))
		memcpy(backing->format, head.backing_format,
			strlen(head.backing_format));
	backing->has_data_file = head.data_file;
	backing->encrypted = head.encrypted;
	image_head_fini(&head);
	return err->code ? -1 : 0;
}

void backing_fini(struct backing *backing)
{
	free(TAKE(backing->path));
}

/* ---- vmdk ---- */

/*
 * QEMU opens the extents that a description names, and as what it is on top
 * of what "parentFileNameHint" says, whatever that is.
 */
static int check_vmdk(const char *path, struct err *err)
{
	static const char hint[] = "parentFileNameHint";
	unsigned char head[VMDK_CAPACITY + 8] = { 0 };
	AUTO_FREE char *text = xcalloc(1, VMDK_TEXT_LEN + 1);
	AUTO_CLOSE int fd = open_it(path, err);
	uint64_t capacity = 0;

	if (fd < 0)
		return -1;
	if (sys_pread(fd, head, sizeof(head), 0) < (ssize_t)sizeof(head))
		return unsound(path, "is cut off", err);
	memcpy(&capacity, head + VMDK_CAPACITY, sizeof(capacity));
	if (memcmp(head, "KDMV", 4) != 0 || !capacity)
		return err_set(err, ERR_UNSUPPORTED,
			"image '%s' names other files as its parts", path);
	if (sys_pread(fd, text, VMDK_TEXT_LEN, VMDK_TEXT) < 0)
		return err_os(err, "cannot read image '%s'", path);
	if (memmem(text, VMDK_TEXT_LEN, hint, strlen(hint)))
		return err_set(err, ERR_UNSUPPORTED,
			"image '%s' is on top of another vmdk image", path);
	return 0;
}

/* ---- the chain ---- */

struct walk {
	const struct backing_rules *rules;
	const char *top;
	struct stat seen[BACKING_DEEPEST];
	unsigned depth;
};

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static int check_kind(
	struct walk *walk, const char *path, const char *above, struct err *err)
{
	struct stat *st = &walk->seen[walk->depth];
	struct stat never;

	if (sys_fstatat(AT_FDCWD, path, st, 0) != 0) {
		if (errno != ENOENT)
			return err_os(err, "cannot open image '%s'", path);
		if (!above)
			return err_set(
				err, ERR_NOT_FOUND, "no image '%s'", path);
		return err_set(err, ERR_NOT_FOUND,
			"no image '%s', which '%s' is on top of: put it back, "
			"or rebase with --unsafe",
			path, above);
	}
	if (!S_ISREG(st->st_mode) && !S_ISBLK(st->st_mode))
		return err_set(err, ERR_CONFIG,
			"'%s' is neither a file nor a block device", path);
	for (unsigned i = 0; i < walk->depth; i++)
		if (is_same(st, &walk->seen[i]))
			return err_set(err, ERR_CONFIG,
				"image '%s' is on top of itself", path);
	if (walk->rules->never &&
		sys_fstatat(AT_FDCWD, walk->rules->never, &never, 0) == 0 &&
		is_same(st, &never))
		return err_set(err, ERR_CONFIG,
			"image '%s' would be on top of itself", path);
	return 0;
}

static int check_format(const char *path, const char *format, struct err *err)
{
	const char *found;
	uint64_t size;
	bool backed;

	if (image_header(path, &found, &size, &backed, err))
		return -1;
	/* a raw image holds what its guest wrote: that is no contradiction */
	if (str_eq(found, format) ||
		(str_eq(found, "raw") && !str_eq(format, "qcow2")))
		return str_eq(format, "vmdk") ? check_vmdk(path, err) : 0;
	if (str_eq(found, "raw"))
		return err_set(
			err, ERR_CONFIG, "'%s' is no %s image", path, format);
	return err_set(err, ERR_CONFIG,
		"'%s' is %s by its header, but its format is said to be %s",
		path, found, format);
}

/* The header's own word for where the next image is. */
static int check_place(const struct walk *walk, const char *path,
	const struct backing *below, struct err *err)
{
	const char *slash = strrchr(walk->top, '/');
	size_t len = slash ? (size_t)(slash - walk->top) + 1 : 0;

	if (!below->is_file)
		return err_set(err, ERR_CONFIG,
			"image '%s' is on top of '%s', which is no file: "
			"rebase it with --unsafe",
			path, below->path);
	if (!format_by_name(below->format))
		return err_set(err, ERR_CONFIG,
			"image '%s' does not tell the format of '%s', which "
			"it is on top of: rebase it with --unsafe",
			path, below->path);
	if ((strncmp(below->path, walk->top, len) == 0 &&
		    !strchr(below->path + len, '/')) ||
		(walk->rules->allows &&
			walk->rules->allows(walk->rules->arg, below->path)))
		return 0;
	return err_set(err, ERR_DENIED,
		"image '%s' is on top of '%s', which is neither beside it, nor "
		"in a pool, nor the base of a VM's disk: rebase it with "
		"--unsafe",
		path, below->path);
}

static int check_one(struct walk *walk, const char *path, const char *format,
	struct backing *below, struct err *err)
{
	if (check_format(path, format, err) ||
		backing_read(path, format, below, err))
		return -1;
	if (below->has_data_file)
		return err_set(err, ERR_UNSUPPORTED,
			"image '%s' keeps its data in another file", path);
	return !below->path || walk->rules->only_itself
		       ? 0
		       : check_place(walk, path, below, err);
}

int backing_check(const char *path, const char *format,
	const struct backing_rules *rules, struct err *err)
{
	struct walk walk = { .rules = rules, .top = path };
	struct backing at = { .path = xstrdup(path) };
	AUTO_FREE char *above = NULL;
	int rc = 0;

	snprintf(at.format, sizeof(at.format), "%s", format);
	for (; !rc && at.path; walk.depth++) {
		struct backing below = { NULL };

		rc = walk.depth < BACKING_DEEPEST
			     ? check_kind(&walk, at.path, above, err)
			     : err_set(err, ERR_LIMIT,
				       "image '%s' is on top of more than %d "
				       "others",
				       path, BACKING_DEEPEST - 1);
		if (!rc)
			rc = check_one(&walk, at.path, at.format, &below, err);
		free(above);
		above = TAKE(at.path);
		at = below;
		if (rules->only_itself)
			break;
	}
	backing_fini(&at);
	return rc;
}
