/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the image on top down, each link of a chain is looked at before the
 * next one is opened: a header can name any file of the host.
 */
#include "storage/chain.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"
#include "storage/format.h"
#include "storage/image.h"
#include "storage/vmdk.h"

struct opening {
	const struct chain_wish *wish;
	struct chain *chain;
	const struct chain *known; /* or NULL: nothing is recorded */
	struct image_head head;    /* of the image opened last */
	struct err *err;
};

char *chain_plain_path(const char *path)
{
	AUTO_STR struct str out = STR_INIT;

	while (*path) {
		size_t len = strcspn(path, "/");

		if (len == 2 && path[0] == '.' && path[1] == '.') {
			const char *slash = strrchr(str_text(&out), '/');
			str_cut(&out, slash ? (size_t)(slash - out.data) : 0);
		} else if (len > 0 && !(len == 1 && *path == '.')) {
			str_addc(&out, '/');
			str_addn(&out, path, len);
		}
		path += len;
		path += *path == '/';
	}
	return out.len ? str_take(&out) : xstrdup("/");
}

struct chain_image *chain_add(
	struct chain *chain, const char *path, const char *format)
{
	struct chain_image *image;

	chain->at = xreallocarray(
		chain->at, chain->n + 1, sizeof(struct chain_image));
	image = &chain->at[chain->n++];
	*image = (struct chain_image){ .path = xstrdup(path),
		.format = format,
		.fd = -1,
		.write_fd = -1,
		.as = -1,
		.write_as = -1,
		.set = -1 };
	return image;
}

void chain_close(struct chain *chain)
{
	for (size_t i = 0; i < chain->n; i++) {
		fd_close(&chain->at[i].fd);
		fd_close(&chain->at[i].write_fd);
	}
	if (chain->secret_fd > 0)
		fd_close(&chain->secret_fd);
	chain->secret_fd = 0;
}

void chain_fini(struct chain *chain)
{
	chain_close(chain);
	for (size_t i = 0; i < chain->n; i++)
		free(chain->at[i].path);
	free(chain->at);
	*chain = (struct chain){ NULL };
}

/* ---- one image ---- */

/* The file's name if it is beside the image on top: messages are short. */
static const char *shown(const struct opening *o, const char *path)
{
	const char *slash = strrchr(o->wish->path, '/');
	size_t len = slash ? (size_t)(slash - o->wish->path) + 1 : 0;

	return len && strncmp(path, o->wish->path, len) == 0 &&
			       !strchr(path + len, '/')
		       ? path + len
		       : path;
}

/* O_NONBLOCK: a FIFO in place of an image must not hold us up. */
static int open_fd(struct opening *o, const struct chain_image *image, int how)
{
	int fd = sys_openat(
		AT_FDCWD, image->path, how | O_NONBLOCK | O_CLOEXEC, 0);

	if (fd >= 0)
		return fd;
	if (errno == ENOENT && o->chain->n > 1)
		err_set(o->err, ERR_NOT_FOUND,
			"no image '%s', which '%s' is on top of: put it back, "
			"or rebase%s",
			image->path,
			shown(o, o->chain->at[o->chain->n - 2].path),
			o->wish->rules ? " with --unsafe" : "");
	else if (errno == ENOENT)
		err_set(o->err, ERR_NOT_FOUND, "no image '%s'", image->path);
	else
		err_os(o->err, "cannot open image '%s'%s", image->path,
			how == O_RDWR ? " for writing" : "");
	return -1;
}

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* It is a file or device, and none of those above it. */
static int check_kind(struct opening *o, struct chain_image *image)
{
	struct stat st, above;

	if (sys_fstat(image->fd, &st))
		return err_os(o->err, "cannot open image '%s'", image->path);
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return err_set(o->err, ERR_CONFIG,
			"'%s' is neither a file nor a block device",
			image->path);
	image->device = S_ISBLK(st.st_mode);
	for (size_t i = 0; i + 1 < o->chain->n; i++)
		if (!sys_fstat(o->chain->at[i].fd, &above) &&
			is_same(&st, &above))
			return err_set(o->err, ERR_CONFIG,
				"'%s' is on top of itself: by their headers "
				"the images below make a circle",
				image->path);
	if (o->wish->rules && o->wish->rules->never &&
		!sys_fstatat(AT_FDCWD, o->wish->rules->never, &above, 0) &&
		is_same(&st, &above))
		return err_set(o->err, ERR_CONFIG,
			"image '%s' would be on top of itself", image->path);
	if (image->write_fd >= 0 &&
		(sys_fstat(image->write_fd, &above) || !is_same(&st, &above)))
		return err_set(o->err, ERR_BUSY,
			"'%s' was replaced while it was opened", image->path);
	return 0;
}

static bool is_cut_off(const struct chain_image *image)
{
	struct stat st;

	return str_eq(image->format, "qcow2") && !sys_fstat(image->fd, &st) &&
	       S_ISREG(st.st_mode) && st.st_size < IMAGE_QCOW2_LEAST;
}

/* Only the image on top may be, and then its password is there. */
static int check_encryption(struct opening *o, const struct chain_image *image)
{
	const struct image_head *head = &o->head;

	if (o->chain->n == 1)
		o->chain->encrypted = head->encrypted;
	if (head->encrypted && o->chain->n > 1 && !o->wish->rules)
		return err_set(o->err, ERR_UNSUPPORTED,
			"'%s' is encrypted, and only the image on top may be: "
			"flatten what is above it",
			image->path);
	if (head->encrypted && !o->wish->secret && !o->wish->look)
		return err_set(o->err, ERR_DENIED,
			"'%s' is encrypted: say secret-file = PATH",
			image->path);
	if (!head->encrypted && o->wish->secret && o->chain->n == 1)
		return err_set(o->err, ERR_CONFIG,
			"'%s' is not encrypted: take secret-file out",
			image->path);
	return 0;
}

/* What QEMU would make of it is what is said of it, and only that. */
static int check_head(struct opening *o, const struct chain_image *image)
{
	const struct image_head *head = &o->head;
	bool contradicts = !str_eq(head->format, image->format) &&
			   !str_eq(head->format, "raw");

	if (contradicts)
		return err_set(o->err, ERR_CONFIG,
			"'%s' is %s by its header, %s says %s", image->path,
			head->format,
			o->chain->n > 1
				? shown(o, o->chain->at[o->chain->n - 2].path)
				: "format",
			image->format);
	if (str_eq(image->format, "qcow2") && !str_eq(head->format, "qcow2"))
		return err_set(o->err, ERR_CONFIG, "'%s' is no qcow2 image",
			image->path);
	if (o->wish->rules && is_cut_off(image))
		return err_set(o->err, ERR_CONFIG,
			"the header of image '%s' is cut off", image->path);
	if (str_eq(image->format, "vmdk") &&
		vmdk_check(image->fd, image->path, o->err))
		return -1;
	if (head->data_file)
		return err_set(o->err, ERR_UNSUPPORTED,
			"'%s' keeps its data in another file: convert it to "
			"an image of its own first",
			image->path);
	if (check_encryption(o, image))
		return -1;
	if (head->corrupt && image->writes)
		return err_set(o->err, ERR_CONFIG,
			"'%s' is marked corrupt: vmward image check --repair",
			image->path);
	return 0;
}

static int open_one(struct opening *o, struct chain_image *image, bool write)
{
	image_head_fini(&o->head);
	image->writes = write;
	if (write && !o->wish->look) {
		image->write_fd = open_fd(o, image, O_RDWR);
		if (image->write_fd < 0)
			return -1;
	}
	image->fd = open_fd(o, image, O_RDONLY);
	if (image->fd < 0 || check_kind(o, image) ||
		image_head_read(image->fd, image->path, &o->head, o->err))
		return -1;
	image->size = o->head.size;
	/* what a guest wrote into a raw image means nothing */
	if (str_eq(image->format, "raw") && image->device) {
		image_head_fini(&o->head);
		o->head = (struct image_head){ .format = "raw" };
	}
	return check_head(o, image);
}

/* ---- the next one below ---- */

static const struct chain_image *known_at(const struct opening *o, size_t i)
{
	return o->known && i < o->known->n ? &o->known->at[i] : NULL;
}

static int differs(struct opening *o, const char *top, const char *found)
{
	const struct chain_image *known = known_at(o, o->chain->n);

	return err_set(o->err, ERR_STATE,
		"by its header '%s' is on top of %s%s%s, but by the record of "
		"%s%s%s: put that right%s%s",
		shown(o, top), found ? "'" : "",
		found ? shown(o, found) : "nothing", found ? "'" : "",
		known ? "'" : "", known ? shown(o, known->path) : "nothing",
		known ? "'" : "",
		o->wish->accept ? ", or take it as it is: " : "",
		str_or(o->wish->accept, ""));
}

/* In the pool, beside (or below) the image that names it, or written. */
static bool is_allowed(
	const struct opening *o, const char *top, const char *path)
{
	const char *slash = strrchr(top, '/');
	size_t dir = (size_t)(slash - top) + 1;
	size_t pool = o->wish->pool ? strlen(o->wish->pool) : 0;
	AUTO_FREE char *base =
		o->wish->base ? chain_plain_path(o->wish->base) : NULL;

	return strncmp(path, top, dir) == 0 ||
	       (pool && strncmp(path, o->wish->pool, pool) == 0 &&
		       path[pool] == '/') ||
	       (base && o->chain->n == 1 && str_eq(path, base));
}

static bool is_plain_text(const char *text)
{
	for (const char *c = text; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			return false;
	return str_is_utf8(text, strlen(text));
}

static int check_name(struct opening *o, const char *top, const char *name)
{
	if (image_is_file_name(name) && is_plain_text(name))
		return 0;
	return err_set(o->err, ERR_CONFIG,
		"by its header '%s' is on top of what is no file: %s",
		shown(o, top),
		o->wish->rules ? "rebase it with --unsafe"
			       : "convert it to an image of its own first");
}

/* Beside the one on top of all, or where the rules say. */
static int check_rules(struct opening *o, const char *top, const char *path)
{
	const struct chain_rules *rules = o->wish->rules;

	if (shown(o, path) != path ||
		(rules->allows && rules->allows(rules->arg, path)))
		return 0;
	return err_set(o->err, ERR_DENIED,
		"image '%s' is on top of '%s', which is neither beside it, nor "
		"in a pool, nor the base of a VM's disk: rebase it with "
		"--unsafe",
		top, path);
}

/* Nothing is recorded: may it be there at all? */
static int check_place(struct opening *o, const char *top, const char *path)
{
	if (o->wish->rules)
		return check_rules(o, top, path);
	if (o->wish->trust || is_allowed(o, top, path))
		return 0;
	return err_set(o->err, ERR_DENIED,
		"by its header '%s' is on top of '%s', neither in the pool "
		"nor beside it%s%s",
		shown(o, top), path,
		o->wish->accept ? ": if that is meant: " : "",
		str_or(o->wish->accept, ""));
}

/* The header's word for the format of what is below, agreed or refused. */
static const char *format_below(struct opening *o, const char *path)
{
	const struct chain_image *known = known_at(o, o->chain->n);
	const char *written = o->head.backing_format;
	const char *format = *written ? format_by_name(written) : NULL;
	const char *want = known ? known->format : NULL;

	if (!want && o->wish->base && o->chain->n == 1)
		want = o->wish->base_format;
	if (*written && !format) {
		err_set(o->err, ERR_UNSUPPORTED,
			"by its header '%s' is on top of an image of format "
			"'%.15s', which no disk may have",
			shown(o, o->chain->at[o->chain->n - 1].path), written);
		return NULL;
	}
	if (want && format && !str_eq(want, format)) {
		err_set(o->err, ERR_CONFIG,
			"the header of '%s' says that '%s' is %s, %s says %s",
			shown(o, o->chain->at[o->chain->n - 1].path),
			shown(o, path), format,
			known ? "the record" : "the VM's file", want);
		return NULL;
	}
	/* qemu-img goes by the header alone */
	if (!want && !format && !o->wish->rules)
		want = format_by_suffix(path);
	format = want ? want : format;
	if (!format)
		err_set(o->err, ERR_CONFIG,
			"nothing says which format '%s' has: rebase '%s' with "
			"one%s",
			path, shown(o, o->chain->at[o->chain->n - 1].path),
			o->wish->rules ? " and --unsafe" : "");
	return format;
}

/* Adds what the last image is on top of: 1; it is the last: 0; -1. */
static int go_down(struct opening *o)
{
	const char *top = o->chain->at[o->chain->n - 1].path;
	const struct chain_image *known = known_at(o, o->chain->n);
	AUTO_FREE char *named = NULL;
	AUTO_FREE char *path = NULL;
	const char *format;

	if (o->wish->rules && o->wish->rules->only_itself)
		return 0;
	if (!o->head.backing)
		return known ? differs(o, top, NULL) : 0;
	if (check_name(o, top, o->head.backing))
		return -1;
	named = image_resolve(top, o->head.backing);
	path = chain_plain_path(named);
	if (o->known && (!known || !str_eq(known->path, path)))
		return differs(o, top, path);
	if (!o->known && check_place(o, top, path))
		return -1;
	if (o->chain->n == CHAIN_MAX)
		return err_set(o->err, ERR_LIMIT,
			"more than %d images are on top of one another: "
			"flatten '%s' first",
			CHAIN_MAX, o->wish->path);
	format = format_below(o, path);
	if (!format)
		return -1;
	chain_add(o->chain, path, format);
	return 1;
}

int chain_open(
	struct chain *chain, const struct chain_wish *wish, struct err *err)
{
	struct opening o = { .wish = wish, .chain = chain, .err = err };
	AUTO_FREE char *top = chain_plain_path(wish->path);
	bool write = wish->write;
	int more = 1;

	*chain = (struct chain){ NULL };
	if (wish->known && wish->known->n &&
		str_eq(wish->known->at[0].path, top))
		o.known = wish->known;
	chain_add(chain, top, wish->format);
	while (more > 0) {
		more = open_one(&o, &chain->at[chain->n - 1], write);
		if (!more)
			more = go_down(&o);
		write = false;
	}
	image_head_fini(&o.head);
	if (more < 0)
		chain_fini(chain);
	return more;
}
