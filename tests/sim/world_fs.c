/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The world's names.  A directory has its entries as everybody sees them,
 * those that are durable, and the list of changes between the two; a power
 * loss keeps some first part of that list.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>

#include "base/log.h"
#include "tests/sim/world_impl.h"

enum { SECTOR = 512 };

struct inode *world_new_inode(enum inode_type type, mode_t mode)
{
	static const mode_t types[] = {
		[INODE_FILE] = S_IFREG,
		[INODE_DIR] = S_IFDIR,
		[INODE_FIFO] = S_IFIFO,
		[INODE_SOCKET] = S_IFSOCK,
		[INODE_NULL] = S_IFCHR,
	};
	struct inode *inode = world_alloc(sizeof *inode);

	inode->type = type;
	inode->mode = types[type] | (mode & 07777);
	inode->number = ++world.last_ino;
	list_add(&world.inodes, &inode->link);
	return inode;
}

/* ---- entries ---- */

static struct entry *find_entry(const struct entries *in, const char *name)
{
	for (size_t i = 0; i < in->n; i++)
		if (str_eq(in->at[i].name, name))
			return &in->at[i];
	return NULL;
}

/* Puts a name in, changes it, or (NULL) takes it out. */
static void set_entry(struct entries *in, const char *name, struct inode *inode)
{
	struct entry *entry = find_entry(in, name);

	if (entry && inode) {
		entry->inode = inode;
	} else if (entry) {
		size_t after = in->n - (size_t)(entry + 1 - in->at);
		memmove(entry, entry + 1, after * sizeof *entry);
		in->n--;
	} else if (inode) {
		if (in->n == in->cap) {
			in->cap = in->cap ? in->cap * 2 : 8;
			struct entry *at = world_alloc(in->cap * sizeof *at);
			if (in->n)
				memcpy(at, in->at, in->n * sizeof *at);
			in->at = at;
		}
		in->at[in->n++] = (struct entry){ name, inode };
	}
}

static void copy_entries(struct entries *to, const struct entries *from)
{
	to->n = 0;
	for (size_t i = 0; i < from->n; i++)
		set_entry(to, from->at[i].name, from->at[i].inode);
}

void world_dir_set(struct inode *dir, const char *name, struct inode *to)
{
	const char *copy = world_strdup(name);

	set_entry(&dir->entries, copy, to);
	if (dir->nedits == dir->cap_edits) {
		dir->cap_edits = dir->cap_edits ? dir->cap_edits * 2 : 8;
		struct edit *edits =
			world_alloc(dir->cap_edits * sizeof *edits);
		if (dir->nedits)
			memcpy(edits, dir->edits, dir->nedits * sizeof *edits);
		dir->edits = edits;
	}
	dir->edits[dir->nedits++] = (struct edit){ .name = copy, .inode = to };
	if (to)
		to->parent = dir;
	world_dir_changed(dir);
}

/* The last change of a directory comes with the next one, or not at all. */
static void join_edits(struct inode *dir)
{
	dir->edits[dir->nedits - 1].joined = true;
}

/* ---- paths ---- */

/* Where a path starts; steps over "/proc/self/fd/N". */
static struct inode *start_of(int dirfd, const char **path)
{
	static const char by_fd[] = "/proc/self/fd/";
	int fd = dirfd;

	if (str_starts(*path, by_fd)) {
		char *end;
		fd = (int)strtol(*path + sizeof by_fd - 1, &end, 10);
		*path = *end == '/' ? end + 1 : end;
	} else if ((*path)[0] == '/' || dirfd == AT_FDCWD) {
		return world.root;
	}
	struct file *file = world_file(fd);
	if (file && file->kind != FILE_INODE) {
		errno = ENOTDIR;
		return NULL;
	}
	return file ? file->inode : NULL;
}

/* One component down (or up); NULL in out->inode if it is not there. */
static int step(struct place *out, const char *name, size_t len)
{
	struct inode *dir = out->inode;

	if (!dir || dir->type != INODE_DIR) {
		errno = dir ? ENOTDIR : ENOENT;
		return -1;
	}
	if (len >= sizeof out->name) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(out->name, name, len);
	out->name[len] = '\0';
	if (str_eq(out->name, "."))
		return 0;
	if (str_eq(out->name, "..")) {
		out->inode = dir->parent ? dir->parent : dir;
		out->dir = NULL;
		return 0;
	}
	const struct entry *entry = find_entry(&dir->entries, out->name);
	out->dir = dir;
	out->inode = entry ? entry->inode : NULL;
	return 0;
}

int world_find(int dirfd, const char *path, struct place *out)
{
	if (!path[0]) {
		errno = ENOENT;
		return -1;
	}
	*out = (struct place){ .inode = start_of(dirfd, &path) };
	if (!out->inode)
		return -1;
	for (path += strspn(path, "/"); *path; path += strspn(path, "/")) {
		size_t len = strcspn(path, "/");
		if (step(out, path, len) < 0)
			return -1;
		path += len;
	}
	return 0;
}

/* What must be there. */
static int find_there(int dirfd, const char *path, struct place *out)
{
	if (world_find(dirfd, path, out) < 0)
		return -1;
	if (out->inode)
		return 0;
	errno = ENOENT;
	return -1;
}

/* What must not be there, in a directory that is. */
static int find_free(int dirfd, const char *path, struct place *out)
{
	if (world_find(dirfd, path, out) < 0)
		return -1;
	if (!out->inode)
		return 0;
	errno = EEXIST;
	return -1;
}

/* ---- calls ---- */

static int open_fifo(struct file *file, struct inode *inode)
{
	int mode = file->flags & O_ACCMODE;

	if (!inode->fifo)
		inode->fifo = world_alloc(sizeof *inode->fifo);
	if (mode == O_WRONLY && inode->fifo->readers == 0) {
		errno = ENXIO;
		return -1;
	}
	file->kind = FILE_STREAM;
	world_stream_open(file, mode == O_WRONLY ? NULL : inode->fifo,
		mode == O_RDONLY ? NULL : inode->fifo);
	return 0;
}

static int check_open(const struct place *place, int flags)
{
	const struct inode *inode = place->inode;

	if (!inode)
		errno = flags & O_CREAT ? EISDIR : ENOENT;
	else if ((flags & O_CREAT) && (flags & O_EXCL))
		errno = EEXIST;
	else if ((flags & O_DIRECTORY) && inode->type != INODE_DIR)
		errno = ENOTDIR;
	else if (inode->type == INODE_DIR && (flags & O_ACCMODE) != O_RDONLY)
		errno = EISDIR;
	else if (inode->type == INODE_SOCKET)
		errno = ENXIO;
	else
		return 0;
	return -1;
}

int world_openat(int dirfd, const char *path, int flags, mode_t mode)
{
	struct place place;

	if (world_find(dirfd, path, &place) < 0)
		return -1;
	if (!place.inode && (flags & O_CREAT) && place.dir) {
		place.inode = world_new_inode(INODE_FILE, mode);
		world_dir_set(place.dir, place.name, place.inode);
	} else if (check_open(&place, flags) < 0) {
		return -1;
	}
	struct inode *inode = place.inode;
	if (inode->type == INODE_FILE && (flags & O_TRUNC))
		world_bytes_cut(&inode->now, 0);
	struct file *file = world_new_file(FILE_INODE);
	file->inode = inode;
	file->flags = flags;
	if (inode->type == INODE_FIFO && open_fifo(file, inode) < 0) {
		list_del(&file->link);
		return -1;
	}
	return world_add_fd(file);
}

static void fill_stat(const struct inode *inode, struct stat *st)
{
	const size_t len = inode->now.len;

	memset(st, 0, sizeof *st);
	st->st_dev = 1;
	st->st_ino = inode->number;
	st->st_mode = inode->mode;
	st->st_nlink = 1;
	st->st_size = (off_t)len;
	st->st_blksize = 4096;
	st->st_blocks = (blkcnt_t)((len + SECTOR - 1) / SECTOR);
}

int world_fstatat(
	int dirfd, const char *path, struct stat *st, int flags UNUSED)
{
	struct place place;

	if (find_there(dirfd, path, &place) < 0)
		return -1;
	fill_stat(place.inode, st);
	return 0;
}

int world_fstat(int fd, struct stat *st)
{
	const struct file *file = world_file(fd);

	if (!file)
		return -1;
	memset(st, 0, sizeof *st);
	if (file->inode)
		fill_stat(file->inode, st);
	else if (file->kind == FILE_STREAM)
		st->st_mode = file->is_socket ? S_IFSOCK : S_IFIFO;
	else if (file->kind == FILE_SOCKET)
		st->st_mode = S_IFSOCK;
	return 0;
}

/* A new nameable thing. */
static int make(int dirfd, const char *path, enum inode_type type, mode_t mode)
{
	struct place place;

	if (find_free(dirfd, path, &place) < 0)
		return -1;
	world_dir_set(place.dir, place.name, world_new_inode(type, mode));
	return 0;
}

int world_mkdirat(int dirfd, const char *path, mode_t mode)
{
	return make(dirfd, path, INODE_DIR, mode);
}

int world_mkfifoat(int dirfd, const char *path, mode_t mode)
{
	return make(dirfd, path, INODE_FIFO, mode);
}

int world_fchmodat(int dirfd, const char *path, mode_t mode)
{
	struct place place;

	if (find_there(dirfd, path, &place) < 0)
		return -1;
	place.inode->mode = (place.inode->mode & S_IFMT) | (mode & 07777);
	return 0;
}

int world_unlinkat(int dirfd, const char *path, int flags)
{
	struct place place;

	if (find_there(dirfd, path, &place) < 0)
		return -1;
	bool is_dir = place.inode->type == INODE_DIR;
	if (is_dir != ((flags & AT_REMOVEDIR) != 0)) {
		errno = is_dir ? EISDIR : ENOTDIR;
		return -1;
	}
	if (!place.dir || place.inode->entries.n > 0) {
		errno = place.dir ? ENOTEMPTY : EBUSY;
		return -1;
	}
	world_dir_set(place.dir, place.name, NULL);
	return 0;
}

static int check_rename(const struct place *a, const struct place *b)
{
	bool dir_a = a->inode->type == INODE_DIR;

	if (!a->dir || !b->dir) {
		errno = EBUSY;
		return -1;
	}
	if (!b->inode)
		return 0;
	bool dir_b = b->inode->type == INODE_DIR;
	if (dir_a == dir_b && b->inode->entries.n == 0)
		return 0;
	errno = dir_a != dir_b ? (dir_b ? EISDIR : ENOTDIR) : ENOTEMPTY;
	return -1;
}

/* Two names change at once; durable together if in one directory. */
static void set_both(const struct place *a, struct inode *to_a,
	const struct place *b, struct inode *to_b)
{
	world_dir_set(b->dir, b->name, to_b);
	if (a->dir == b->dir)
		join_edits(b->dir);
	world_dir_set(a->dir, a->name, to_a);
}

int world_renameat2(
	int from, const char *a, int to, const char *b, unsigned flags)
{
	struct place old;
	struct place new;

	if (flags & ~(unsigned)(RENAME_NOREPLACE | RENAME_EXCHANGE)) {
		errno = EINVAL;
		return -1;
	}
	if (find_there(from, a, &old) < 0)
		return -1;
	if (flags & RENAME_EXCHANGE) {
		if (find_there(to, b, &new) < 0)
			return -1;
		set_both(&old, new.inode, &new, old.inode);
		return 0;
	}
	int found = flags & RENAME_NOREPLACE ? find_free(to, b, &new)
					     : world_find(to, b, &new);
	if (found < 0 || check_rename(&old, &new) < 0)
		return -1;
	if (old.inode != new.inode)
		set_both(&old, NULL, &new, old.inode);
	return 0;
}

int world_renameat(int from, const char *a, int to, const char *b)
{
	return world_renameat2(from, a, to, b, 0);
}

int world_listdir(int dirfd, const char *path,
	void (*each)(void *arg, const char *name), void *arg)
{
	struct entries copy = { NULL, 0, 0 };
	struct place place;

	if (find_there(dirfd, path, &place) < 0)
		return -1;
	if (place.inode->type != INODE_DIR) {
		errno = ENOTDIR;
		return -1;
	}
	copy_entries(&copy, &place.inode->entries);
	for (size_t i = 0; i < copy.n; i++)
		each(arg, copy.at[i].name);
	return 0;
}

int world_fsync_file(struct file *file)
{
	struct inode *inode = file->inode;

	if (file->kind != FILE_INODE) {
		errno = EINVAL;
		return -1;
	}
	if (inode->type == INODE_FILE && !world.lies) {
		world_bytes_copy(&inode->kept, &inode->now);
	} else if (inode->type == INODE_DIR) {
		copy_entries(&inode->kept_entries, &inode->entries);
		inode->nedits = 0;
	}
	return 0;
}

/* ---- power loss ---- */

/* Each sector and the length may be old or new. */
static void tear(struct inode *inode)
{
	size_t len = world_random(2) ? inode->now.len : inode->kept.len;
	size_t both = inode->now.len < inode->kept.len ? inode->now.len
						       : inode->kept.len;

	for (size_t at = 0; at < both; at += SECTOR) {
		size_t n = both - at < SECTOR ? both - at : SECTOR;
		if (world_random(2))
			memcpy(inode->kept.data + at, inode->now.data + at, n);
	}
	/* beyond the old end: the new bytes, or zeros */
	if (len > inode->kept.len) {
		size_t old = inode->kept.len;
		bool written = world_random(2);
		world_bytes_write(&inode->kept, old,
			written ? inode->now.data + old : NULL, len - old);
	}
	world_bytes_cut(&inode->kept, len);
}

/* Some first part of the changes is durable. */
static void keep_some_edits(struct inode *dir)
{
	size_t n = world_random((uint32_t)dir->nedits + 1);

	while (n > 0 && n < dir->nedits && dir->edits[n - 1].joined)
		n--;
	for (size_t i = 0; i < n; i++)
		set_entry(&dir->kept_entries, dir->edits[i].name,
			dir->edits[i].inode);
}

void world_fs_lose_power(bool partly)
{
	list_each(&world.inodes, at, next) {
		struct inode *inode = list_entry(at, struct inode, link);
		if (partly && inode->type == INODE_FILE)
			tear(inode);
		if (partly && inode->type == INODE_DIR)
			keep_some_edits(inode);
		world_bytes_copy(&inode->now, &inode->kept);
		copy_entries(&inode->entries, &inode->kept_entries);
		inode->nedits = 0;
		inode->listener = NULL;
		inode->fifo = NULL;
	}
}

/* ---- what tests do from outside ---- */

static void make_durable(struct inode *inode)
{
	struct file file = { .kind = FILE_INODE, .inode = inode };

	world_fsync_file(&file);
}

/* A directory of the path, made if it is missing. */
static struct inode *durable_dir(const char *path)
{
	struct inode *dir = world.root;

	for (path += strspn(path, "/"); *path; path += strspn(path, "/")) {
		char name[256];
		size_t len = strcspn(path, "/");
		BUG_ON(len >= sizeof name);
		memcpy(name, path, len);
		name[len] = '\0';
		path += len;
		const struct entry *entry = find_entry(&dir->entries, name);
		struct inode *next = entry ? entry->inode : NULL;
		if (!next) {
			next = world_new_inode(INODE_DIR, 0755);
			world_dir_set(dir, name, next);
			make_durable(dir);
		}
		dir = next;
	}
	return dir;
}

/* Puts an inode at a path, durably. */
static void place_at(const char *path, struct inode *inode)
{
	const char *slash = strrchr(path, '/');
	AUTO_FREE char *parent = xstrndup(path, (size_t)(slash - path));
	struct inode *dir = durable_dir(parent);

	world_dir_set(dir, slash + 1, inode);
	make_durable(inode);
	make_durable(dir);
}

void world_put_file(
	const char *path, const char *bytes, size_t len, mode_t mode)
{
	struct inode *inode = world_new_inode(INODE_FILE, mode);

	BUG_ON(path[0] != '/');
	world_bytes_write(&inode->now, 0, bytes, len);
	place_at(path, inode);
}

void world_wipe(const char *path)
{
	struct inode *dir = durable_dir(path);

	dir->entries.n = 0;
	make_durable(dir);
}

/* Like find_entry(), for a name that goes on behind its length. */
static struct inode *look(
	const struct entries *in, const char *name, size_t len)
{
	for (size_t i = 0; i < in->n; i++)
		if (!strncmp(in->at[i].name, name, len) &&
			in->at[i].name[len] == '\0')
			return in->at[i].inode;
	return NULL;
}

const struct bytes *world_bytes_of(const char *path, bool durable)
{
	const struct inode *inode = world.root;

	for (path += strspn(path, "/"); *path; path += strspn(path, "/")) {
		size_t len = strcspn(path, "/");
		inode = look(durable ? &inode->kept_entries : &inode->entries,
			path, len);
		if (!inode)
			return NULL;
		path += len;
	}
	if (inode->type != INODE_FILE)
		return NULL;
	return durable ? &inode->kept : &inode->now;
}

bool world_get_file(const char *path, bool durable, struct str *out)
{
	const struct bytes *bytes = world_bytes_of(path, durable);

	if (!bytes)
		return false;
	str_cut(out, 0);
	str_addn(out, bytes->data ? bytes->data : "", bytes->len);
	return true;
}

void world_fs_start(void)
{
	world.root = world_new_inode(INODE_DIR, 0755);
	place_at("/dev/null", world_new_inode(INODE_NULL, 0666));
	durable_dir("/tmp");
	durable_dir("/run");
	make_durable(world.root);
}
