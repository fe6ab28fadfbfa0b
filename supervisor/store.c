/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records on disk.  A write goes into the slot that does not hold the newest
 * record, and only after the fsync of the write before it: at each instant
 * one slot is good and quiet.  Writes that come meanwhile are merged; their
 * waiters are told by the sync that carries the last of them.
 *
 * The newest slot of a life before ours may be read and yet not be on disk:
 * in the same boot it is synced before the first write, and where that write
 * says the same, the sync is all of it.
 *
 * The first record of a new file is written twice, once per slot, so that
 * from then on damage to one slot leaves a record.
 */
#include "supervisor/store.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/aio.h"
#include "base/atom.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/slab.h"
#include "base/str.h"
#include "base/sys.h"
#include "supervisor/store_dir.h"

enum { SLOT = 4096, SLOTS = 2 };

struct store {
	int dir_fd;
	char *dir;
	struct list files; /* store_file.link */
};

struct store_file {
	struct list link; /* store.files */
	struct store *store;
	const char *name;
	uint64_t sequence; /* of the newest slot; valid if known */
	unsigned newest;   /* index of the newest slot */
	uint64_t sum;      /* of that slot, while it is not settled */
	bool known;
	bool fresh;    /* made by us, no sync has succeeded so far */
	bool settled;  /* the newest slot is on disk */
	bool settling; /* the sync under way is to make it so, no write */
	bool named;    /* its name is on disk: we synced the directory */
	bool removed;
	int fd;                /* -1: nothing under way */
	struct record *queued; /* to write next, or NULL */
	bool queued_is_copy;   /* of what is being synced: for the other slot */
	struct list waits;     /* store_wait.link: of the sync under way */
	struct list queued_waits; /* store_wait.link */
	struct aio_sync sync;
	struct aio_sync dir_sync;
	unsigned syncing; /* of the two */
	int error;        /* the first of them that failed */
};

static char boot_id[37]; /* "" before store_open() */

/* One that cannot be read is not another boot; "" is that of no /proc. */
static int learn_boot_id(struct err *err)
{
	static const char path[] = "/proc/sys/kernel/random/boot_id";
	AUTO_CLOSE int fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
	ssize_t n;

	boot_id[0] = '\0';
	if (fd < 0 && errno == ENOENT)
		return 0;
	n = fd >= 0 ? sys_read(fd, boot_id, sizeof(boot_id) - 1) : -1;
	boot_id[n > 0 ? n : 0] = '\0';
	return n < 0 ? err_os(err, "cannot read '%s'", path) : 0;
}

int store_open(struct store **out, const char *dir, struct err *err)
{
	struct store *store;
	int fd;

	if (learn_boot_id(err))
		return -1;
	if (store_dir_make(dir, err) != 0)
		return -1;
	fd = sys_openat(AT_FDCWD, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	if (fd < 0)
		return err_os(err, "cannot open directory '%s'", dir);
	store = NEW(struct store);
	store->dir_fd = fd;
	store->dir = xstrdup(dir);
	list_init(&store->files);
	*out = store;
	return 0;
}

static void forget_waits(struct list *waits)
{
	list_each(waits, it, next)
		list_del(it);
}

static void record_free(struct record *record)
{
	if (record)
		record_fini(record);
	free(record);
}

static void file_free(struct store_file *file)
{
	aio_cancel(&file->sync);
	aio_cancel(&file->dir_sync);
	forget_waits(&file->waits);
	forget_waits(&file->queued_waits);
	fd_close(&file->fd);
	list_del(&file->link);
	record_free(file->queued);
	atom_drop(file->name);
	slab_put(file);
}

void store_free(struct store *store)
{
	if (!store)
		return;
	list_each(&store->files, it, next)
		file_free(list_entry(it, struct store_file, link));
	fd_close(&store->dir_fd);
	free(store->dir);
	free(store);
}

static struct store_file *file_of(struct store *store, const char *name)
{
	struct store_file *file;

	list_each(&store->files, it, next) {
		file = list_entry(it, struct store_file, link);
		if (!file->removed && strcmp(file->name, name) == 0)
			return file;
	}
	file = SLAB_NEW(struct store_file);
	file->store = store;
	file->name = atom_get(name);
	file->fd = -1;
	list_init(&file->waits);
	list_init(&file->queued_waits);
	list_add(&store->files, &file->link);
	return file;
}

/* ---- reading ---- */

struct slots {
	struct record record; /* of the newest; valid if any_good */
	uint64_t sequence;    /* likewise */
	uint64_t sum;         /* likewise */
	unsigned newest;      /* likewise */
	bool any_good;
	bool blank; /* one of them is all zeros: never written */
};

static bool is_blank(const unsigned char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (bytes[i] != 0)
			return false;
	return true;
}

/* Takes the newest slot whose sum is right and whose text can be read. */
static void choose_slot(unsigned char bytes[SLOTS][SLOT], struct slots *out)
{
	uint64_t sequence[SLOTS];
	bool good[SLOTS];

	for (unsigned i = 0; i < SLOTS; i++) {
		good[i] = store_check(bytes[i], &sequence[i]) == 0;
		out->blank |= !good[i] && is_blank(bytes[i], SLOT);
	}
	while (!out->any_good && (good[0] || good[1])) {
		unsigned i = !good[0] || (good[1] && sequence[1] > sequence[0]);

		out->any_good = store_parse(bytes[i], &out->record) == 0;
		out->sequence = sequence[i];
		out->sum = store_sum(bytes[i]);
		out->newest = i;
		good[i] = false;
	}
}

/* What is missing at the end of a short file counts as zeros. */
static int slots_read(int fd, struct slots *out)
{
	unsigned char bytes[SLOTS][SLOT];
	ssize_t n = sys_pread(fd, bytes, sizeof(bytes), 0);

	memset(out, 0, sizeof(*out));
	if (n < 0)
		return -1;
	memset((unsigned char *)bytes + n, 0, sizeof(bytes) - (size_t)n);
	choose_slot(bytes, out);
	return 0;
}

static int open_slots(struct store *store, const char *name, int flags)
{
	return sys_openat(store->dir_fd, name,
		flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
}

/* Keeps the bytes for a person to look at; a new record can be made. */
static int set_aside(struct store *store, const char *name, struct err *err)
{
	AUTO_FREE char *bad = xasprintf("%s.bad", name);

	if (sys_renameat(store->dir_fd, name, store->dir_fd, bad) != 0)
		return err_os(err,
			"record '%s/%s' is damaged; cannot rename it",
			store->dir, name);
	return err_set(err, ERR_OS, "record '%s/%s' is damaged, kept as '%s'",
		store->dir, name, bad);
}

static int is_regular(int fd)
{
	struct stat st;

	if (sys_fstat(fd, &st) != 0)
		return -1;
	/* with a second name it may be a stranger's file */
	return S_ISREG(st.st_mode) && st.st_nlink < 2;
}

/* What another boot wrote was read from the disk, not from memory. */
static bool is_settled(const struct record *record)
{
	return boot_id[0] && record->boot_id[0] &&
	       !str_eq(record->boot_id, boot_id);
}

static void learn(struct store_file *file, const struct slots *slots)
{
	file->sequence = slots->sequence;
	file->newest = slots->newest;
	file->sum = slots->sum;
	file->settled = is_settled(&slots->record);
	file->known = true;
}

/* Nobody else writes here: the next write need not look again. */
static void remember(
	struct store *store, const char *name, const struct slots *slots)
{
	struct store_file *file = file_of(store, name);

	if (file->fd < 0 && !file->known)
		learn(file, slots); /* else what was written knows better */
}

int store_read(struct store *store, const char *name, struct record *out,
	struct err *err)
{
	struct slots slots;
	AUTO_CLOSE int fd = open_slots(store, name, O_RDONLY);

	memset(out, 0, sizeof(*out));
	if (fd < 0 && errno == ENOENT)
		return 1;
	if (fd < 0 && errno == ELOOP)
		return set_aside(store, name, err);
	if (fd < 0)
		return err_os(
			err, "cannot open record '%s/%s'", store->dir, name);
	if (is_regular(fd) == 0)
		return set_aside(store, name, err);
	if (slots_read(fd, &slots) != 0)
		return err_os(
			err, "cannot read record '%s/%s'", store->dir, name);
	if (slots.any_good) {
		*out = slots.record;
		if (out->version > STORE_VERSION)
			return err_set(err, ERR_UNSUPPORTED,
				"record '%s/%s' has the newer format %u",
				store->dir, name, out->version);
		remember(store, name, &slots);
		return 0;
	}
	/* a first write that was never acknowledged leaves one slot blank */
	if (slots.blank)
		return 1;
	return set_aside(store, name, err);
}

/* ---- writing ---- */

static int write_all(int fd, const unsigned char *bytes, off_t at)
{
	ssize_t n = sys_pwrite(fd, bytes, SLOT, at);

	if (n == SLOT)
		return 0;
	if (n >= 0)
		errno = ENOSPC;
	return -1;
}

/* Takes the space now, so that later writes in place need none. */
static int preallocate(int fd)
{
	static const unsigned char zeros[SLOT];

	if (sys_fallocate(fd, 0, 0, SLOT * SLOTS) != 0 && errno == ENOSPC)
		return -1;
	for (unsigned i = 0; i < SLOTS; i++)
		if (write_all(fd, zeros, (off_t)i * SLOT) != 0)
			return -1;
	return 0;
}

static bool is_whole(int fd)
{
	struct stat st;

	return sys_fstat(fd, &st) == 0 && st.st_size >= SLOT * SLOTS;
}

/* Of a file that is somebody else's too only this name goes. */
static int open_own(struct store_file *file)
{
	int fd = open_slots(file->store, file->name, O_RDWR | O_CREAT);

	if (fd < 0 || is_regular(fd) != 0)
		return fd;
	fd_close(&fd);
	file->named = false;
	sys_unlinkat(file->store->dir_fd, file->name, 0);
	return open_slots(file->store, file->name, O_RDWR | O_CREAT | O_EXCL);
}

/* Learns where the newest slot is; fills a file that has none. */
static int look_up(struct store_file *file)
{
	struct slots slots;
	unsigned version;

	if (file->known && is_whole(file->fd))
		return 0;
	if (slots_read(file->fd, &slots) != 0)
		return -1;
	version = slots.record.version;
	if (slots.any_good && version <= STORE_VERSION)
		learn(file, &slots);
	record_fini(&slots.record);
	if (slots.any_good && version > STORE_VERSION) {
		errno = ENOTSUP;
		return -1;
	}
	if (slots.any_good)
		return 0;
	if (preallocate(file->fd) != 0)
		return -1;
	file->sequence = 0;
	file->newest = SLOTS - 1;
	file->fresh = file->settled = file->known = true;
	return 0;
}

static void on_synced(struct aio_sync *sync, int error);
static void on_dir_synced(struct aio_sync *sync, int error);

static void queue(
	struct store_file *file, const struct record *record, bool is_copy)
{
	if (!file->queued)
		file->queued = NEW(struct record);
	record_copy(file->queued, record);
	file->queued_is_copy = is_copy;
}

static void start_sync(struct store_file *file)
{
	file->error = 0;
	file->syncing = 1;
	/* whoever made it may have died before its name was on disk */
	if (!file->named) {
		file->syncing++;
		aio_fsync(&file->dir_sync, file->store->dir_fd, on_dir_synced);
	}
	aio_fsync(&file->sync, file->fd, on_synced);
}

/* Before it is written for the first time; the record waits, if it is new. */
static void settle(struct store_file *file, const struct record *record)
{
	unsigned char slot[SLOT];

	store_encode(record, file->sequence, slot);
	if (store_sum(slot) != file->sum)
		queue(file, record, false);
	file->settling = true;
	start_sync(file);
}

static int begin(struct store_file *file, const struct record *record)
{
	unsigned char slot[SLOT];
	unsigned next;

	if (file->fd < 0)
		file->fd = open_own(file);
	if (file->fd < 0 || look_up(file) != 0)
		return -1;
	if (!file->settled) {
		settle(file, record);
		return 0;
	}
	next = (file->newest + 1) % SLOTS;
	store_encode(record, file->sequence + 1, slot);
	if (write_all(file->fd, slot, (off_t)next * SLOT) != 0)
		return -1;
	file->newest = next;
	file->sequence++;
	start_sync(file);
	return 0;
}

static int start(
	struct store_file *file, const struct record *record, struct err *err)
{
	if (begin(file, record) == 0)
		return 0;
	err_os(err, "cannot write record '%s/%s'", file->store->dir,
		file->name);
	fd_close(&file->fd);
	return -1;
}

static void move_waits(struct list *from, struct list *to)
{
	list_each(from, it, next) {
		list_del(it);
		list_add(to, it);
	}
}

static void tell(struct list *waits, const struct err *err)
{
	struct list told;

	/* on_stored may write again and so add to `waits` */
	list_init(&told);
	move_waits(waits, &told);
	while (!list_is_empty(&told)) {
		struct store_wait *wait =
			list_entry(told.next, struct store_wait, link);

		list_del(&wait->link);
		wait->on_stored(wait, err);
	}
}

/* Goes on with what was asked for during the sync; it has the last word. */
static void start_queued(struct store_file *file)
{
	struct err err = ERR_INIT;
	struct record *record = TAKE(file->queued);
	int rc;

	move_waits(&file->queued_waits, &file->waits);
	rc = start(file, record, &err);
	record_free(record);
	if (rc == 0)
		return;
	if (list_is_empty(&file->waits))
		log_error(file->name, "%s", err.text);
	tell(&file->waits, &err);
}

/*
 * A failed sync left its slot in doubt: the next record goes there again,
 * and the other slot keeps the last one that is surely on disk.  When it is
 * not known which one is, nothing is written.
 */
static void give_up_slot(struct store_file *file, struct err *err)
{
	errno = file->error;
	err_os(err, "cannot sync record '%s/%s'", file->store->dir, file->name);
	if (file->settling)
		move_waits(&file->queued_waits, &file->waits);
	else
		file->newest = (file->newest + 1) % SLOTS;
	if (file->settling || file->queued_is_copy) {
		record_free(TAKE(file->queued));
		file->queued_is_copy = false;
	}
}

static void finish(struct store_file *file)
{
	struct err err = ERR_INIT;
	struct list waits;

	if (file->removed) {
		file_free(file);
		return;
	}
	if (file->error != 0) {
		give_up_slot(file, &err);
	} else {
		file->fresh = false;
		file->named = file->settled = true;
	}
	file->settling = false;
	if (!file->queued)
		fd_close(&file->fd);
	list_init(&waits);
	move_waits(&file->waits, &waits);
	if (file->queued)
		start_queued(file);
	tell(&waits, &err);
}

static void sync_ended(struct store_file *file, int error)
{
	if (file->error == 0)
		file->error = error;
	if (--file->syncing == 0)
		finish(file);
}

static void on_synced(struct aio_sync *sync, int error)
{
	sync_ended(container_of(sync, struct store_file, sync), error);
}

static void on_dir_synced(struct aio_sync *sync, int error)
{
	sync_ended(container_of(sync, struct store_file, dir_sync), error);
}

int store_write(struct store *store, const char *name,
	const struct record *record, struct store_wait *wait, struct err *err)
{
	struct store_file *file = file_of(store, name);

	if (file->fd >= 0) {
		queue(file, record, false);
		if (wait)
			list_add(&file->queued_waits, &wait->link);
		return 0;
	}
	if (start(file, record, err) != 0)
		return -1;
	if (wait)
		list_add(file->queued ? &file->queued_waits : &file->waits,
			&wait->link);
	if (file->fresh)
		queue(file, record, true);
	return 0;
}

void store_cancel(struct store_wait *wait)
{
	if (wait->link.next)
		list_del(&wait->link);
}

void store_remove(struct store *store, const char *name)
{
	struct store_file *file = file_of(store, name);

	if (sys_unlinkat(store->dir_fd, name, 0) != 0 && errno != ENOENT)
		log_error(name, "cannot remove record '%s/%s': %s", store->dir,
			name, strerror(errno));
	forget_waits(&file->waits);
	forget_waits(&file->queued_waits);
	if (file->fd < 0)
		file_free(file);
	else
		file->removed = true; /* freed at the end of its sync */
}

bool store_is_idle(const struct store *store)
{
	list_each(&store->files, it, next) {
		if (list_entry(it, struct store_file, link)->fd >= 0)
			return false;
	}
	return true;
}

const char *store_boot_id(void)
{
	return boot_id;
}
