/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * OVA archives; see ova.h.  Only headers are read, each is checked by its own
 * sum, and no length is believed that leads out of the file.
 */
#include "storage/ova.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"
#include "storage/ovf.h"

/* A header of POSIX ustar, and of the tars before it. */
enum {
	BLOCK = 512,
	NAME_BYTES = OVA_NAME_SIZE - 1,
	SIZE_AT = 124,
	SIZE_BYTES = 12,
	SUM_AT = 148,
	SUM_BYTES = 8,
	TYPE_AT = 156,
	MAGIC_AT = 257,
	MOST_MEMBERS = 64,
	NAME_SHOWN = 60,
	MANIFEST_MOST = 65536,
	NONE = -1,
};

struct archive {
	const char *path;
	int fd;
	uint64_t size;
	unsigned char head[BLOCK];
	const char *wanted; /* "": the only disk */
	struct ova_disk found;
	unsigned disks;
	struct str names; /* of the disks, for people */
	/* The plain files, and which of them are what; NONE. */
	struct ova_member *members;
	size_t n_members;
	int description, disk, manifest;
	struct err *err;
};

static int refuse(struct archive *a, const char *why)
{
	return err_set(a->err, ERR_CONFIG, "'%s' is refused: %s", a->path, why);
}

/* As GNU writes what octal digits cannot say: above 8 GiB. */
static int64_t big_number(const unsigned char *at, size_t len)
{
	int64_t value = 0;

	for (size_t i = 1; i < len; i++) {
		if (value > INT64_MAX >> 8)
			return -1;
		value = value << 8 | at[i];
	}
	return value;
}

/* Octal digits up to a blank or NUL; -1: it is none. */
static int64_t number(const unsigned char *at, size_t len)
{
	int64_t value = 0;
	size_t i = 0;

	if (at[0] == 0x80)
		return big_number(at, len);

	while (i < len && at[i] == ' ')
		i++;
	if (i == len || at[i] < '0' || at[i] > '7')
		return -1;
	for (; i < len && at[i] >= '0' && at[i] <= '7'; i++)
		value = value * 8 + (at[i] - '0');
	return i == len || at[i] == ' ' || at[i] == '\0' ? value : -1;
}

/* The sum of its bytes, its own field taken for blanks. */
static bool is_header(const struct archive *a)
{
	int64_t sum = 0;

	for (size_t i = 0; i < BLOCK; i++)
		sum += i >= SUM_AT && i < SUM_AT + SUM_BYTES ? ' ' : a->head[i];
	return number(a->head + SUM_AT, SUM_BYTES) == sum;
}

static bool is_end(const struct archive *a)
{
	for (size_t i = 0; i < BLOCK; i++)
		if (a->head[i])
			return false;
	return true;
}

static void take_disk(struct archive *a, size_t i)
{
	const char *name = a->members[i].name;
	bool chosen = *a->wanted ? str_eq(a->wanted, name) : a->disks == 0;

	a->disks++;
	if (a->names.len < 100) {
		str_add(&a->names, a->names.len ? ", " : "");
		str_add_visible(&a->names, name, strnlen(name, NAME_SHOWN));
	}
	if (chosen && a->disk == NONE)
		a->disk = (int)i;
}

/* A plain file, by its suffix. */
static int take(struct archive *a, uint64_t offset, uint64_t bytes)
{
	size_t i = a->n_members++;
	struct ova_member *member = &a->members[i];

	memcpy(member->name, a->head, NAME_BYTES);
	member->offset = offset;
	member->bytes = bytes;
	if (str_ends(member->name, ".vmdk"))
		take_disk(a, i);
	else if (str_ends(member->name, ".ovf") && a->description == NONE)
		a->description = (int)i;
	else if (str_ends(member->name, ".mf") && a->manifest != NONE)
		return refuse(a, "it has two manifests (.mf)");
	else if (str_ends(member->name, ".mf"))
		a->manifest = (int)i;
	return 0;
}

/* One member, whose contents begin at offset; its bytes in *bytes. */
static int look(struct archive *a, uint64_t offset, uint64_t *bytes)
{
	unsigned char type = a->head[TYPE_AT];
	int64_t size = number(a->head + SIZE_AT, SIZE_BYTES);

	if (!is_header(a))
		return refuse(a, "it is no tar archive");
	if (size < 0 || (uint64_t)size > a->size ||
		offset > a->size - (uint64_t)size)
		return refuse(a, "a file in it is longer than it all");
	*bytes = (uint64_t)size;
	if (type == 'x' || type == 'g' || type == 'L' || type == 'K')
		return refuse(a,
			"it is a tar of a kind that no OVA is: take it apart, "
			"and import the .vmdk");
	if (type != '0' && type != '\0')
		return 0; /* links and directories have no contents */
	return take(a, offset, *bytes);
}

static int walk(struct archive *a)
{
	uint64_t at = 0;
	uint64_t bytes = 0;

	for (unsigned i = 0; at + BLOCK <= a->size; i++) {
		if (sys_pread(a->fd, a->head, BLOCK, (off_t)at) != BLOCK)
			return err_os(a->err, "cannot read '%s'", a->path);
		if (is_end(a))
			break;
		if (i == MOST_MEMBERS)
			return refuse(a, "it has too many files");
		if (look(a, at + BLOCK, &bytes))
			return -1;
		at += BLOCK + (bytes + BLOCK - 1) / BLOCK * BLOCK;
	}
	return 0;
}

static int choose(struct archive *a)
{
	const struct ova_member *text, *disk;

	if (a->description == NONE)
		return refuse(a, "it has no description (.ovf): it is no OVA");
	if (a->disks == 0)
		return refuse(a, "it has no disk (.vmdk)");
	if (a->disks > 1 && !*a->wanted)
		return err_set(a->err, ERR_USAGE,
			"'%s' has %u disks: say --disk with one of %s", a->path,
			a->disks, str_text(&a->names));
	if (a->disk == NONE)
		return err_set(a->err, ERR_NOT_FOUND,
			"'%s' has no disk '%s', but %s", a->path, a->wanted,
			str_text(&a->names));
	text = &a->members[a->description];
	if (text->bytes > OVF_MOST_BYTES)
		return refuse(a, "its .ovf is too long");
	a->found.text_offset = text->offset;
	a->found.text_bytes = text->bytes;
	disk = &a->members[a->disk];
	a->found.name = xstrdup(disk->name);
	a->found.offset = disk->offset;
	a->found.bytes = (disk->bytes + BLOCK - 1) / BLOCK * BLOCK;
	if (a->found.offset + a->found.bytes > a->size)
		return refuse(a, "its last file is cut off");
	return 0;
}

/* ---- its manifest ---- */

static int read_manifest(struct archive *a)
{
	const struct ova_member *at = &a->members[a->manifest];
	AUTO_FREE char *text = NULL;

	if (at->bytes > MANIFEST_MOST)
		return refuse(a, "its .mf is too long");
	text = xcalloc(1, at->bytes + 1);
	if (sys_pread(a->fd, text, at->bytes, (off_t)at->offset) !=
		(ssize_t)at->bytes)
		return err_os(a->err, "cannot read '%s'", a->path);
	if (strlen(text) != at->bytes)
		return refuse(a, "its .mf is no text");
	return ova_manifest_note(
		text, a->path, a->members, a->n_members, a->err);
}

/* A manifest is of all files, or it proves nothing. */
static int take_sum(struct archive *a, int i)
{
	const struct ova_member *member = &a->members[i];

	if (!member->program)
		return ova_manifest_refuse(
			a->path, member->name, "has no digest of", a->err);
	a->found.sums[a->found.n_sums++] = *member;
	return 0;
}

static int take_sums(struct archive *a)
{
	if (a->manifest == NONE)
		return 0;
	return read_manifest(a) || take_sum(a, a->description) ||
			       take_sum(a, a->disk)
		       ? -1
		       : 0;
}

static int look_at_file(struct archive *a)
{
	struct stat st;

	if (sys_fstat(a->fd, &st))
		return err_os(a->err, "cannot look at '%s'", a->path);
	if (!S_ISREG(st.st_mode))
		return refuse(a, "it is no plain file");
	a->size = (uint64_t)st.st_size;
	return a->size < BLOCK ? refuse(a, "it is no tar archive") : 0;
}

int ova_find(int fd, const char *path, const char *name, struct ova_disk *out,
	struct err *err)
{
	struct archive a = { .path = path,
		.fd = fd,
		.wanted = name,
		.err = err,
		.members = xcalloc(MOST_MEMBERS, sizeof(*a.members)),
		.description = NONE,
		.disk = NONE,
		.manifest = NONE };
	int rc = look_at_file(&a) || walk(&a) || choose(&a) || take_sums(&a)
			 ? -1
			 : 0;

	free(a.members);
	str_fini(&a.names);
	if (rc)
		ova_disk_fini(&a.found);
	else
		*out = a.found;
	return rc;
}

void ova_disk_fini(struct ova_disk *disk)
{
	free(disk->name);
	*disk = (struct ova_disk){ NULL };
}
