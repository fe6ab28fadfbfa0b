/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A file system of a process, by the kernel's FUSE: slowfs POINT FILE... has
 * those files, to read, by their last names.  Stopped (SIGSTOP), it is what
 * a server is that does not answer any more.  Says "ready" once it is
 * mounted; exit 77 where it may not mount.  Whoever starts it unmounts.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { BUFFER = 256 * 1024, FILES = 16, FIRST = 2 };

static int device;
static int files[FILES];
static const char *names[FILES];
static unsigned nfiles;

static void reply(
	const struct fuse_in_header *in, int error, const void *data, size_t n)
{
	struct fuse_out_header out = { .len = (unsigned)(sizeof(out) + n),
		.error = -error,
		.unique = in->unique };
	struct iovec parts[] = { { &out, sizeof(out) },
		{ (void *)(size_t)data, n } };

	if (writev(device, parts, n ? 2 : 1) < 0 && errno != ENOENT)
		perror("slowfs: writev");
}

static bool fill(struct fuse_attr *attr, unsigned long node)
{
	struct stat st = { .st_mode = S_IFDIR | 0755, .st_nlink = 2 };

	if (node != FUSE_ROOT_ID &&
		(node - FIRST >= nfiles || fstat(files[node - FIRST], &st)))
		return false;
	*attr = (struct fuse_attr){ .ino = node,
		.size = (unsigned long)st.st_size,
		.blocks = (unsigned long)st.st_blocks,
		.mode = st.st_mode,
		.nlink = 1,
		.blksize = 4096 };
	return true;
}

static void lookup(const struct fuse_in_header *in, const char *name)
{
	struct fuse_entry_out out = { 0 };

	for (unsigned i = 0; i < nfiles; i++) {
		if (strcmp(names[i], name) != 0)
			continue;
		out.nodeid = i + FIRST;
		fill(&out.attr, out.nodeid);
		reply(in, 0, &out, sizeof(out));
		return;
	}
	reply(in, ENOENT, NULL, 0);
}

static void read_file(
	const struct fuse_in_header *in, const struct fuse_read_in *want)
{
	static char data[BUFFER];
	unsigned n = want->size < BUFFER ? want->size : BUFFER;
	ssize_t got =
		pread(files[in->nodeid - FIRST], data, n, (off_t)want->offset);

	reply(in, got < 0 ? EIO : 0, data, got < 0 ? 0 : (size_t)got);
}

static void read_names(
	const struct fuse_in_header *in, const struct fuse_read_in *want)
{
	char data[4096];
	size_t used = 0;

	for (unsigned i = (unsigned)want->offset; i < nfiles; i++) {
		struct fuse_dirent entry = { .ino = i + FIRST,
			.off = i + 1,
			.namelen = (unsigned)strlen(names[i]),
			.type = S_IFREG >> 12 };
		size_t size = FUSE_DIRENT_ALIGN(
			offsetof(struct fuse_dirent, name) + entry.namelen);

		if (used + size > sizeof(data) || used + size > want->size)
			break;
		memset(data + used, 0, size);
		memcpy(data + used, &entry, offsetof(struct fuse_dirent, name));
		memcpy(data + used + offsetof(struct fuse_dirent, name),
			names[i], entry.namelen);
		used += size;
	}
	reply(in, 0, data, used);
}

static void answer(const struct fuse_in_header *in, const void *body)
{
	struct fuse_init_out init = {
		.major = FUSE_KERNEL_VERSION, .minor = 31, .max_write = 4096
	};
	struct fuse_open_out opened = { 0 };
	struct fuse_attr_out attr = { 0 };
	struct fuse_statfs_out space = { .st = { .blocks = 1 << 20,
						 .bfree = 1 << 19,
						 .bavail = 1 << 19,
						 .bsize = 4096,
						 .frsize = 4096,
						 .namelen = 255 } };

	switch (in->opcode) {
	case FUSE_INIT:
		reply(in, 0, &init, sizeof(init));
		break;
	case FUSE_LOOKUP:
		lookup(in, body);
		break;
	case FUSE_GETATTR:
		if (fill(&attr.attr, in->nodeid))
			reply(in, 0, &attr, sizeof(attr));
		else
			reply(in, ENOENT, NULL, 0);
		break;
	case FUSE_OPEN:
	case FUSE_OPENDIR:
		reply(in, 0, &opened, sizeof(opened));
		break;
	case FUSE_READ:
		read_file(in, body);
		break;
	case FUSE_READDIR:
		read_names(in, body);
		break;
	case FUSE_STATFS:
		reply(in, 0, &space, sizeof(space));
		break;
	case FUSE_RELEASE:
	case FUSE_RELEASEDIR:
	case FUSE_FLUSH:
	case FUSE_FSYNC:
		reply(in, 0, NULL, 0);
		break;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		break;
	default:
		reply(in, ENOSYS, NULL, 0);
	}
}

int main(int argc, char **argv)
{
	static char buffer[BUFFER]
		__attribute__((aligned(__alignof__(struct fuse_in_header))));
	char options[128];
	ssize_t got;

	if (argc < 2)
		return 2;
	for (int i = 2; i < argc && nfiles < FILES; i++) {
		const char *slash = strrchr(argv[i], '/');

		names[nfiles] = slash ? slash + 1 : argv[i];
		files[nfiles++] = open(argv[i], O_RDONLY | O_CLOEXEC);
	}
	device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	snprintf(options, sizeof(options),
		"fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other",
		device);
	if (device < 0 ||
		mount("slowfs", argv[1], "fuse", MS_NOSUID | MS_NODEV, options))
		return 77;
	puts("ready");
	fflush(stdout);
	while ((got = read(device, buffer, sizeof(buffer))) > 0 ||
		errno == EINTR || errno == ENOENT)
		if (got > 0)
			answer((const void *)buffer,
				buffer + sizeof(struct fuse_in_header));
	return 0;
}
