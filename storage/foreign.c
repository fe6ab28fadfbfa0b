/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Images that strangers made; see foreign.h.  Nothing here believes a length
 * or an offset: what lies outside of the bytes that were read is an error.
 */
#include "storage/foreign.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"
#include "storage/image.h"

enum {
	HEAD = 65536, /* all headers and descriptors are in here */
	FOOTER = 512, /* of a VHD */
	NAME_SHOWN = 60,
};

/* ---- qcow2: https://gitlab.com/qemu-project/qemu docs/interop/qcow2.txt */
enum {
	QCOW2_BACKING = 8,
	QCOW2_BACKING_LEN = 16,
	QCOW2_CLUSTER_BITS = 20,
	QCOW2_SIZE = 24,
	QCOW2_CRYPT = 32,
	QCOW2_SNAPSHOTS = 60,
	QCOW2_INCOMPATIBLE = 72,
	QCOW2_LENGTH = 100,
	QCOW2_V2_LENGTH = 72,
	BIT_CORRUPT = 1 << 1,
	BIT_DATA_FILE = 1 << 2,
	BITS_KNOWN = 0x1f,
};
#define EXTENSION_DATA_FILE 0x44415441
#define EXTENSION_LUKS      0x0537be77

struct foreign {
	const char *path;
	unsigned char head[HEAD];
	size_t len;
	struct stat st;
	int fd;
	off_t from; /* where in the file it begins */
	bool snapshots;
};

static uint64_t big(const struct foreign *f, size_t at, size_t bytes)
{
	uint64_t value = 0;

	for (size_t i = 0; i < bytes; i++)
		value = value << 8 | (at + i < f->len ? f->head[at + i] : 0);
	return value;
}

static uint64_t little(const struct foreign *f, size_t at, size_t bytes)
{
	uint64_t value = 0;

	for (size_t i = bytes; i-- > 0;)
		value = value << 8 | (at + i < f->len ? f->head[at + i] : 0);
	return value;
}

static int refuse(const struct foreign *f, struct err *err, const char *why,
	const char *what)
{
	AUTO_STR struct str shown = STR_INIT;

	str_add_visible(&shown, what, strnlen(what, NAME_SHOWN));
	return err_set(err, ERR_CONFIG, "'%s' is refused: %s%s%s", f->path, why,
		*what ? " " : "", str_text(&shown));
}

/* The name at an offset, as far as it was read. */
static void name_at(const struct foreign *f, uint64_t at, uint64_t len,
	char out[NAME_SHOWN + 1])
{
	size_t n = len < NAME_SHOWN ? (size_t)len : NAME_SHOWN;

	memset(out, 0, NAME_SHOWN + 1);
	if (at < f->len)
		memcpy(out, f->head + at, n < f->len - at ? n : f->len - at);
}

static int check_size(const struct foreign *f, uint64_t size, struct err *err)
{
	AUTO_STR struct str text = STR_INIT;

	if (size > 0 && size <= FOREIGN_MOST)
		return 0;
	str_add_bytes(&text, size);
	return refuse(f, err, "it says that its size is", str_text(&text));
}

static int check_extensions(const struct foreign *f, struct err *err)
{
	size_t at = (size_t)big(f, QCOW2_LENGTH, 4);

	while (at + 8 <= f->len && big(f, at, 4) != 0) {
		uint64_t type = big(f, at, 4);
		uint64_t len = big(f, at + 4, 4);

		if (type == EXTENSION_DATA_FILE)
			return refuse(f, err, "it names a data file", "");
		if (type == EXTENSION_LUKS)
			return refuse(f, err, "it is encrypted", "");
		if (len > HEAD)
			return refuse(f, err, "its header makes no sense", "");
		at += 8 + (size_t)((len + 7) / 8 * 8);
	}
	return 0;
}

static int check_version_3(const struct foreign *f, struct err *err)
{
	uint64_t bits = big(f, QCOW2_INCOMPATIBLE, 8);
	uint64_t length = big(f, QCOW2_LENGTH, 4);

	if (bits & BIT_DATA_FILE)
		return refuse(f, err, "its data is in another file", "");
	if (bits & BIT_CORRUPT)
		return refuse(f, err, "it is marked as corrupt", "");
	if (bits & ~(uint64_t)BITS_KNOWN)
		return refuse(f, err, "it has features that are not known", "");
	if (length < QCOW2_LENGTH + 4 || length > HEAD / 2 || length % 8)
		return refuse(f, err, "its header makes no sense", "");
	return check_extensions(f, err);
}

static int check_qcow2(const struct foreign *f, struct err *err)
{
	uint64_t version = big(f, 4, 4);
	uint64_t bits = big(f, QCOW2_CLUSTER_BITS, 4);
	uint64_t backing = big(f, QCOW2_BACKING, 8);
	uint64_t len = big(f, QCOW2_BACKING_LEN, 4);
	char name[NAME_SHOWN + 1];

	if (version != 2 && version != 3)
		return refuse(f, err, "it is of no known version", "");
	if (f->len < QCOW2_V2_LENGTH || bits < 9 || bits > 21)
		return refuse(f, err, "its header makes no sense", "");
	if (backing || len) {
		name_at(f, backing, len, name);
		return refuse(f, err, "it is on top of another file,", name);
	}
	if (big(f, QCOW2_CRYPT, 4))
		return refuse(f, err, "it is encrypted", "");
	if (big(f, QCOW2_SNAPSHOTS, 4) && !f->snapshots)
		return refuse(f, err,
			"it has snapshots inside; --with-snapshots takes its "
			"present state alone",
			"");
	if (version == 3 && check_version_3(f, err))
		return -1;
	return check_size(f, big(f, QCOW2_SIZE, 8), err);
}

/* ---- vmdk ---- */

enum { VMDK_CAPACITY = 12, VMDK_DESC = 28, VMDK_DESC_SIZE = 36, SECTOR = 512 };

/* The value of a line "key=..." of the descriptor is one of the good ones. */
static bool says(
	const char *text, const char *key, const char *a, const char *b)
{
	const char *at = strstr(text, key);
	bool one = at && (at == text || at[-1] == '\n') && !strstr(at + 1, key);

	return one && (str_starts(at + strlen(key), a) ||
			      str_starts(at + strlen(key), b));
}

/* Lines of extents: exactly one, which is this very file. */
static unsigned extents(const char *text)
{
	unsigned n = 0;

	for (const char *at = text; at; at = strchr(at, '\n')) {
		at += *at == '\n';
		n += str_starts(at, "RW ") || str_starts(at, "RDONLY ") ||
		     str_starts(at, "NOACCESS ");
	}
	return n;
}

static int check_vmdk(const struct foreign *f, struct err *err)
{
	uint64_t at = little(f, VMDK_DESC, 8) * SECTOR;
	uint64_t len = little(f, VMDK_DESC_SIZE, 8) * SECTOR;
	uint64_t capacity = little(f, VMDK_CAPACITY, 8);
	AUTO_FREE char *text = NULL;

	if (memcmp(f->head, "KDMV", 4) != 0)
		return refuse(f, err,
			"it is a list of other files; only a vmdk of one file "
			"is taken",
			"");
	if (capacity == 0 || at < SECTOR || at >= f->len || len == 0 ||
		len > HEAD - at || capacity > FOREIGN_MOST / SECTOR)
		return refuse(f, err, "its header makes no sense", "");
	text = xstrndup((const char *)f->head + at,
		strnlen((const char *)f->head + at,
			len < f->len - at ? (size_t)len
					  : (size_t)(f->len - at)));
	if (!says(text, "parentCID=", "ffffffff", "FFFFFFFF") ||
		strstr(text, "parentFileNameHint"))
		return refuse(f, err, "it is on top of another file", "");
	if (!says(text, "createType=", "\"monolithicSparse\"",
		    "\"streamOptimized\"") ||
		extents(text) != 1)
		return refuse(f, err, "its data is in other files", "");
	return 0;
}

/* ---- vdi, vpc, vhdx, raw ---- */

enum { VDI_TYPE = 76, VDI_SIZE = 368, VPC_SIZE = 48, VPC_TYPE = 60 };

static int check_vdi(const struct foreign *f, struct err *err)
{
	uint64_t type = little(f, VDI_TYPE, 4);

	if (type != 1 && type != 2)
		return refuse(f, err, "it is on top of another file", "");
	return check_size(f, little(f, VDI_SIZE, 8), err);
}

/* A fixed one has its header at its end. */
static int check_vpc(struct foreign *f, struct err *err)
{
	off_t at = f->st.st_size - FOOTER;

	if (memcmp(f->head, "conectix", 8) != 0 && at > 0) {
		ssize_t n = sys_pread(f->fd, f->head, FOOTER, at);

		f->len = n < 0 ? 0 : (size_t)n;
	}
	if (big(f, VPC_TYPE, 4) != 2 && big(f, VPC_TYPE, 4) != 3)
		return refuse(f, err, "it is on top of another file", "");
	return check_size(f, big(f, VPC_SIZE, 8), err);
}

static int check_raw(const struct foreign *f, struct err *err)
{
	return check_size(f, (uint64_t)f->st.st_size, err);
}

/* ---- all of them ---- */

static int read_head(struct foreign *f, struct err *err)
{
	ssize_t n;

	if (sys_fstat(f->fd, &f->st))
		return err_os(err, "cannot look at '%s'", f->path);
	if (!S_ISREG(f->st.st_mode))
		return refuse(f, err, "it is no plain file", "");
	n = sys_pread(f->fd, f->head, HEAD, f->from);
	if (n < 0)
		return err_os(err, "cannot read '%s'", f->path);
	f->len = (size_t)n;
	return f->len ? 0 : refuse(f, err, "it is empty", "");
}

static int check_format(
	const struct foreign *f, const char *format, struct err *err)
{
	struct image_head head;
	const char *found;

	if (image_head_read(f->fd, f->path, &head, err)) {
		image_head_fini(&head);
		return -1;
	}
	found = head.format;
	image_head_fini(&head);
	if (str_eq(found, format))
		return 0;
	if (str_eq(found, "raw"))
		return refuse(f, err, "by its header it is no image of format",
			format);
	return err_set(err, ERR_CONFIG,
		"'%s' is refused: it is %s by its header, but its format is "
		"said to be %s",
		f->path, found, format);
}

static int check_one(struct foreign *f, const char *format, struct err *err)
{
	if (read_head(f, err) || check_format(f, format, err))
		return -1;
	if (str_eq(format, "qcow2"))
		return check_qcow2(f, err);
	if (str_eq(format, "vmdk"))
		return check_vmdk(f, err);
	if (str_eq(format, "vdi"))
		return check_vdi(f, err);
	if (str_eq(format, "vpc"))
		return check_vpc(f, err);
	return str_eq(format, "raw") ? check_raw(f, err) : 0;
}

int foreign_check(int fd, const char *path, const char *format, bool snapshots,
	struct err *err)
{
	struct foreign *f = NEW(struct foreign);
	int rc;

	f->path = path;
	f->fd = fd;
	f->snapshots = snapshots;
	rc = check_one(f, format, err);
	free(f);
	return rc;
}

int foreign_check_part(int fd, const char *path, uint64_t offset,
	uint64_t bytes, struct err *err)
{
	struct foreign *f = NEW(struct foreign);
	int rc;

	f->path = path;
	f->fd = fd;
	f->from = (off_t)offset;
	rc = read_head(f, err);
	if (!rc && f->len > bytes)
		f->len = (size_t)bytes;
	if (!rc)
		rc = check_vmdk(f, err);
	free(f);
	return rc;
}

int foreign_open(const char *path, struct err *err)
{
	struct stat st;
	int fd;

	/* before it is opened: a FIFO or a tape would do something */
	if (sys_fstatat(AT_FDCWD, path, &st, 0)) {
		if (errno == ENOENT)
			return err_set(
				err, ERR_NOT_FOUND, "no file '%s'", path);
		return err_os(err, "cannot look at '%s'", path);
	}
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_CONFIG,
			"'%s' is refused: it is no plain file", path);
	fd = sys_openat(AT_FDCWD, path,
		O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0);
	return fd < 0 ? err_os(err, "cannot open '%s'", path) : fd;
}
