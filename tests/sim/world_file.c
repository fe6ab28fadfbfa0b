/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The world's descriptors: what can be done with an fd of any kind. */
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>

#include "base/log.h"
#include "tests/sim/world_impl.h"

static void touch(struct bytes *b)
{
	static unsigned long last;

	b->version = ++last;
}

void world_bytes_write(struct bytes *b, size_t at, const void *from, size_t len)
{
	size_t end = at + len;

	touch(b);
	if (end > b->cap) {
		size_t cap = b->cap ? b->cap : 64;
		while (cap < end)
			cap *= 2;
		char *data = world_alloc(cap);
		if (b->len)
			memcpy(data, b->data, b->len);
		b->data = data;
		b->cap = cap;
	}
	if (at > b->len)
		memset(b->data + b->len, 0, at - b->len);
	if (len && from)
		memcpy(b->data + at, from, len);
	else if (len)
		memset(b->data + at, 0, len);
	if (end > b->len)
		b->len = end;
}

void world_bytes_cut(struct bytes *b, size_t len)
{
	touch(b);
	if (len < b->len)
		b->len = len;
	else if (len > b->len)
		world_bytes_write(b, b->len, NULL, len - b->len);
}

void world_bytes_copy(struct bytes *to, const struct bytes *from)
{
	to->len = 0;
	world_bytes_write(to, 0, from->data, from->len);
}

struct file *world_new_file(enum file_kind kind)
{
	struct file *file = world_alloc(sizeof *file);

	file->kind = kind;
	list_add(&world.files, &file->link);
	return file;
}

struct file *world_file(int fd)
{
	struct file *file = NULL;

	if (fd >= 0 && fd < WORLD_FDS)
		file = world.current->fds[fd];
	if (!file)
		errno = EBADF;
	return file;
}

int world_add_fd(struct file *file)
{
	for (int fd = 0; fd < WORLD_FDS; fd++) {
		if (world.current->fds[fd])
			continue;
		world.current->fds[fd] = file;
		file->refs++;
		return fd;
	}
	if (file->refs == 0) {
		file->refs++;
		world_put(file);
	}
	errno = EMFILE;
	return -1;
}

void world_put(struct file *file)
{
	BUG_ON(file->refs == 0);
	if (--file->refs > 0)
		return;
	list_del(&file->link);
	if (file->kind == FILE_INODE && (file->flags & O_ACCMODE) != O_RDONLY)
		world_dir_changed(file->inode->parent);
	if (file->kind == FILE_STREAM) {
		if (file->in)
			file->in->readers--;
		if (file->out)
			file->out->writers--;
	}
	if (file->kind == FILE_SOCKET)
		world_socket_closed(file);
}

int world_dup(int fd)
{
	struct file *file = world_file(fd);

	return file ? world_add_fd(file) : -1;
}

int world_close(int fd)
{
	struct file *file = world_file(fd);

	if (!file)
		return -1;
	world.current->fds[fd] = NULL;
	world_put(file);
	return 0;
}

/* The file behind an fd; -1 with EBADF, EISDIR or ESPIPE. */
static struct file *regular(int fd)
{
	struct file *file = world_file(fd);

	if (!file)
		return NULL;
	if (file->kind == FILE_INODE && file->inode->type == INODE_FILE)
		return file;
	errno = file->kind != FILE_INODE         ? ESPIPE
		: file->inode->type == INODE_DIR ? EISDIR
						 : EINVAL;
	return NULL;
}

static bool may(const struct file *file, int how)
{
	int mode = file->flags & O_ACCMODE;

	if (mode == O_RDWR || mode == how)
		return true;
	errno = EBADF;
	return false;
}

ssize_t world_pread(int fd, void *buf, size_t len, off_t at)
{
	struct file *file = regular(fd);

	if (!file || !may(file, O_RDONLY))
		return -1;
	const struct bytes *now = &file->inode->now;
	if ((size_t)at >= now->len)
		return 0;
	size_t n = now->len - (size_t)at < len ? now->len - (size_t)at : len;
	memcpy(buf, now->data + at, n);
	return (ssize_t)n;
}

ssize_t world_pwrite(int fd, const void *buf, size_t len, off_t at)
{
	struct file *file = regular(fd);

	if (!file || !may(file, O_WRONLY))
		return -1;
	world_bytes_write(&file->inode->now, (size_t)at, buf, len);
	return (ssize_t)len;
}

/* An eventfd gives its count and is empty then. */
static ssize_t read_event(struct file *file, void *buf, size_t len)
{
	if (len < sizeof file->count) {
		errno = EINVAL;
		return -1;
	}
	if (file->count == 0) {
		errno = EAGAIN;
		return -1;
	}
	memcpy(buf, &file->count, sizeof file->count);
	file->count = 0;
	return (ssize_t)sizeof file->count;
}

ssize_t world_read(int fd, void *buf, size_t len)
{
	struct file *file = world_file(fd);

	if (!file)
		return -1;
	if (file->kind == FILE_STREAM)
		return world_stream_read(file, buf, len);
	if (file->kind == FILE_EVENT || file->kind == FILE_INOTIFY)
		return read_event(file, buf, len);
	if (file->kind == FILE_INODE && file->inode->type == INODE_NULL)
		return 0;
	if (file->kind != FILE_INODE) {
		errno = EINVAL;
		return -1;
	}
	ssize_t n = world_pread(fd, buf, len, file->at);
	if (n > 0)
		file->at += n;
	return n;
}

ssize_t world_write(int fd, const void *buf, size_t len)
{
	struct file *file = world_file(fd);

	if (!file)
		return -1;
	if (file->kind == FILE_LOG) {
		str_addn(&world.log, buf, len);
		return (ssize_t)len;
	}
	if (file->kind == FILE_STREAM)
		return world_stream_write(file, buf, len);
	if (file->kind == FILE_INODE && file->inode->type == INODE_NULL)
		return (ssize_t)len;
	if (file->kind != FILE_INODE) {
		errno = EINVAL;
		return -1;
	}
	if (file->flags & O_APPEND)
		file->at = (off_t)file->inode->now.len;
	ssize_t n = world_pwrite(fd, buf, len, file->at);
	if (n > 0)
		file->at += n;
	return n;
}

int world_free_space(const char *path UNUSED, uint64_t *bytes)
{
	*bytes = world.space;
	return 0;
}

int world_whole_space(const char *path UNUSED, uint64_t *bytes)
{
	*bytes = world.space;
	return 0;
}

/* This world has no links, and pools are flat. */
int world_open_beneath(int dirfd, const char *name, int flags)
{
	if (strchr(name, '/') || !strcmp(name, "..")) {
		errno = EXDEV;
		return -1;
	}
	return world_openat(dirfd, name, flags, 0);
}

void world_set_space(uint64_t bytes)
{
	world.space = bytes;
}

void world_lie(void)
{
	world.lies = true;
}

uint64_t world_space(void)
{
	return world.space;
}

int world_ftruncate(int fd, off_t len)
{
	struct file *file = regular(fd);

	if (!file || !may(file, O_WRONLY))
		return -1;
	world_bytes_cut(&file->inode->now, (size_t)len);
	return 0;
}

int world_fallocate(int fd, int mode, off_t at, off_t len)
{
	struct file *file = regular(fd);

	if (!file || !may(file, O_WRONLY))
		return -1;
	if (mode != 0 && mode != FALLOC_FL_KEEP_SIZE) {
		errno = EOPNOTSUPP;
		return -1;
	}
	size_t end = (size_t)(at + len);
	if (mode == 0 && end > file->inode->now.len)
		world_bytes_cut(&file->inode->now, end);
	return 0;
}

int world_fsync(int fd)
{
	struct file *file = world_file(fd);

	return file ? world_fsync_file(file) : -1;
}

/* Is there another description whose lock excludes this one? */
static bool is_locked(const struct file *mine, int want)
{
	list_each(&world.files, at, next) {
		struct file *other = list_entry(at, struct file, link);
		if (other == mine || other->kind != FILE_INODE ||
			other->inode != mine->inode || !other->lock)
			continue;
		if (want == LOCK_EX || other->lock == LOCK_EX)
			return true;
	}
	return false;
}

/* All is one user's here. */
int world_give(const char *path UNUSED, uid_t uid UNUSED)
{
	return 0;
}

int world_flock(int fd, int operation)
{
	struct file *file = world_file(fd);
	int want = operation & ~LOCK_NB;

	if (!file)
		return -1;
	if (file->kind != FILE_INODE) {
		errno = EBADF;
		return -1;
	}
	if (want == LOCK_UN) {
		file->lock = 0;
		return 0;
	}
	if (is_locked(file, want)) {
		errno = EWOULDBLOCK;
		return -1;
	}
	file->lock = want;
	return 0;
}

int world_eventfd(unsigned value)
{
	struct file *file = world_new_file(FILE_EVENT);

	file->count = value;
	return world_add_fd(file);
}

int world_poll(pid_t pid, int fd, int wanted)
{
	const struct proc *proc = world_proc_of(pid);

	if (!proc || fd < 0 || fd >= WORLD_FDS || !proc->fds[fd])
		return 0;
	return world_file_events(proc->fds[fd], wanted);
}

/* No device of this world takes one. */
int world_ioctl(int fd UNUSED, unsigned long request UNUSED, void *arg UNUSED)
{
	errno = ENOTTY;
	return -1;
}

/* ---- inotify ---- */

int world_inotify_init(void)
{
	return world_add_fd(world_new_file(FILE_INOTIFY));
}

static bool watches(const struct file *file, const struct inode *dir)
{
	for (unsigned i = 0; i < file->nwatched; i++)
		if (file->watched[i] == dir)
			return true;
	return false;
}

int world_inotify_add_watch(int fd, const char *path, uint32_t mask UNUSED)
{
	struct file *file = world_file(fd);
	struct place place;

	if (!file || world_find(AT_FDCWD, path, &place) < 0)
		return -1;
	if (!place.inode || place.inode->type != INODE_DIR) {
		errno = place.inode ? ENOTDIR : ENOENT;
		return -1;
	}
	if (watches(file, place.inode))
		return 1;
	if (file->nwatched == WORLD_WATCHES) {
		errno = ENOSPC;
		return -1;
	}
	file->watched[file->nwatched++] = place.inode;
	return 1;
}

void world_dir_changed(const struct inode *dir)
{
	list_each(&world.files, at, next) {
		struct file *file = list_entry(at, struct file, link);
		if (file->kind == FILE_INOTIFY && watches(file, dir))
			file->count++;
	}
}
