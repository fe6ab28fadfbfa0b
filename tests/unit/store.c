/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Records: what was acknowledged survives torn slots, flips, power cuts. */
#include "supervisor/store.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

#include "base/aio.h"
#include "base/fd.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/sys.h"

#include "tests/unit/tap.h"
#include "tests/unit/temp.h"

enum { SLOT = 4096, FILE_LEN = 8192, SECTOR = 512 };

static struct err err = ERR_INIT;
static struct store *store;

#define FOUR ",,,,"

static char slots[] = "disk-root" FOUR FOUR FOUR FOUR FOUR FOUR FOUR
		      ",,,net-abcdefghijklmno"; /* in port 31 */

static struct record sample(uint64_t generation)
{
	struct record r = { .version = STORE_VERSION,
		.desired = DESIRED_UP,
		.generation = generation,
		.paused = generation % 2,
		.uuid = "6e0a3f7e-0000-4000-8000-000000000001",
		.pid = 4711,
		.pid_start = UINT64_C(123456789012),
		.started_real_us = INT64_C(1700000000000000),
		.started_mono_ms = 987654321,
		.last_cause = CAUSE_QEMU_SIGNAL,
		.last_detail = "11 \"quoted\"",
		.last_end_real_us = INT64_C(1700000001000000),
		.failed = generation % 3 == 0,
		.history = { .restarts = 7, .n = 2, .at_ms = { 5, 900 } },
		.tally = { .restarts = 4000000000000,
			.ends = { [CAUSE_PANIC] = 3, [CAUSE_HANG] = 9 } },
		.fallback = true,
		.revert = REVERT_DUE,
		.machine = "pc-q35-7.2" };

	r.slots = slots;
	snprintf(r.boot_id, sizeof(r.boot_id), "%s", store_boot_id());
	return r;
}

/* Member by member; where holes cannot be filled, by what would be written. */
static bool same(const struct record *a, const struct record *b)
{
	if (!str_eq(a->slots, b->slots))
		return false;
#if __has_builtin(__builtin_clear_padding)
	struct record one = *a, other = *b;

	one.slots = other.slots;
	__builtin_clear_padding(&one);
	__builtin_clear_padding(&other);
	return memcmp(&one, &other, sizeof(one)) == 0;
#else
	unsigned char one[SLOT], other[SLOT];

	store_encode(a, 1, one);
	store_encode(b, 1, other);
	return memcmp(one, other, SLOT) == 0;
#endif
}

/* ---- the codec ---- */

static void test_codec(void)
{
	unsigned char slot[SLOT];
	struct record in;
	AUTO_RECORD struct record out = { 0 };
	uint64_t sequence = 0;

	memset(&in, 0, sizeof(in));
	in = sample(17);
	store_encode(&in, 99, slot);
	is_int(store_decode(slot, &out, &sequence), 0, "a slot is read back");
	is_int(sequence, 99, "with its sequence");
	is_int(out.generation, 17, "and its generation");
	is_str(out.last_detail, in.last_detail, "and its text");
	is_str(out.slots, slots, "and its ports");
	is_int(out.history.at_ms[1], 900, "and its history");
	is_int(out.pid_start, in.pid_start, "and its numbers");
	ok(same(&in, &out), "and all the rest");
	snprintf(in.last_detail, sizeof(in.last_detail), "\xff\xfe");
	store_encode(&in, 1, slot);
	record_fini(&out);
	is_int(store_decode(slot, &out, &sequence), 0, "text of no encoding");
	is_str(out.last_detail, "", "is dropped");
}

static void test_flips(void)
{
	unsigned char slot[SLOT];
	struct record in = sample(1);
	struct record out;
	uint64_t sequence;
	unsigned seen = 0;

	store_encode(&in, 5, slot);
	for (unsigned i = 0; i < SLOT; i++)
		for (unsigned bit = 0; bit < 8; bit++) {
			slot[i] ^= (unsigned char)(1U << bit);
			seen += store_decode(slot, &out, &sequence) == -1;
			slot[i] ^= (unsigned char)(1U << bit);
		}
	is_int(seen, SLOT * 8, "each flipped bit is seen");
}

static void test_torn_slots(void)
{
	unsigned char old[SLOT];
	unsigned char new[SLOT];
	unsigned char torn[SLOT];
	struct record a = sample(1);
	struct record b = sample(2);
	struct record out;
	uint64_t sequence;
	unsigned wrong = 0;

	store_encode(&a, 5, old);
	store_encode(&b, 7, new);
	for (unsigned i = 0; i <= SLOT; i++) {
		memcpy(torn, new, i);
		memcpy(torn + i, old + i, SLOT - i);
		if (memcmp(torn, old, SLOT) == 0 ||
			memcmp(torn, new, SLOT) == 0)
			continue;
		wrong += store_decode(torn, &out, &sequence) != -1;
	}
	is_int(wrong, 0, "each torn prefix is seen");
}

/* ---- the store ---- */

struct waiter {
	struct store_wait wait;
	unsigned told;
	enum err_code code;
};

static void on_stored(struct store_wait *wait, const struct err *why)
{
	struct waiter *w = container_of(wait, struct waiter, wait);

	w->told++;
	w->code = why->code;
}

static struct waiter waiter(void)
{
	return (struct waiter){ .wait.on_stored = on_stored };
}

static int put(const char *name, uint64_t generation, struct waiter *w)
{
	struct record r = sample(generation);

	return store_write(store, name, &r, w ? &w->wait : NULL, &err);
}

/* The generation that is read, or minus the failure (1 none). */
static int64_t get(const char *name)
{
	AUTO_RECORD struct record r = { 0 };
	int rc = store_read(store, name, &r, &err);

	return rc == 0 ? (int64_t)r.generation : -rc - 100;
}

enum { NONE = -101, DAMAGED = -99 };

static void test_life(void)
{
	struct waiter w = waiter();
	struct waiter w2 = waiter();
	struct waiter w3 = waiter();
	struct stat st;

	is_int(get("web"), NONE, "no record yet");
	is_int(put("web", 1, &w), 0, "write the first");
	is_int(w.told, 0, "nobody is told inside the call");
	loop_run();
	is_int(w.told, 1, "told once");
	is_int(w.code, ERR_NONE, "of success");
	is_int(get("web"), 1, "read it");
	ok(stat(temp_path("s/web"), &st) == 0 && st.st_size == FILE_LEN &&
			st.st_blocks * 512 >= FILE_LEN,
		"8 KiB are taken");
	ok((st.st_mode & 0777) == 0600, "mode 0600");
	w = waiter();
	is_int(put("web", 2, &w), 0, "one write");
	is_int(put("web", 3, &w2), 0, "two more during its sync");
	is_int(put("web", 4, &w3), 0, "are merged");
	loop_run();
	is_int(w.told + w2.told + w3.told, 3, "all are told");
	is_int(get("web"), 4, "the last one is there");
	w = waiter();
	is_int(put("web", 5, &w), 0, "a cancelled wish");
	store_cancel(&w.wait);
	store_cancel(&w.wait);
	loop_run();
	is_int(w.told, 0, "is not told");
	is_int(get("web"), 5, "but written");
	store_free(store);
	if (store_open(&store, temp_path("s"), &err) != 0)
		ok(false, "open: %s", err.text);
	is_int(get("web"), 5, "a successor reads it");
	is_int(put("web", 6, NULL), 0, "and goes on");
	loop_run();
	is_int(get("web"), 6, "with the sequence");
	is_int(put("web", 7, &w), 0, "removed while it is written");
	store_remove(store, "web");
	is_int(put("web", 8, NULL), 0, "and made anew at once");
	loop_run();
	is_int(w.told, 0, "the old wish is not told");
	is_int(get("web"), 8, "the new record is there");
	store_remove(store, "web");
	is_int(get("web"), NONE, "removed");
	ok(strlen(store_boot_id()) == 36, "the boot has an id");
}

/* ---- a second start ---- */

static unsigned fsyncs, preads;

static int count_fsync(int fd)
{
	fsyncs++;
	return sys_real.fsync(fd);
}

static ssize_t count_pread(int fd, void *buf, size_t len, off_t at)
{
	preads++;
	return sys_real.pread(fd, buf, len, at);
}

/* Adoption of fifty VMs: nothing is synced or read twice. */
static void test_second_start(void)
{
	struct sys_backend counting = sys_real;

	is_int(put("web", 9, NULL), 0, "a record");
	loop_run();
	store_free(store);
	counting.fsync = count_fsync;
	counting.pread = count_pread;
	sys_use(&counting);
	if (store_open(&store, temp_path("s"), &err) != 0)
		ok(false, "open: %s", err.text);
	is_int(fsyncs, 1, "an old directory: only its own name is synced");
	is_int(get("web"), 9, "its record is read");
	is_int(put("web", 10, NULL), 0, "and written");
	loop_run();
	is_int(preads, 1, "after one look at the file");
	sys_use(&sys_real);
	is_int(get("web"), 10, "the new one is there");
	store_remove(store, "web");
}

/* ---- damage ---- */

static void load(const char *name, unsigned char bytes[FILE_LEN])
{
	int fd = open(temp_path(name), O_RDONLY);

	if (fd < 0 || read(fd, bytes, FILE_LEN) != FILE_LEN)
		ok(false, "load %s", name);
	close(fd);
}

static void save(const char *name, const unsigned char *bytes, size_t len)
{
	int fd = open(temp_path(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || write(fd, bytes, len) != (ssize_t)len)
		ok(false, "save %s", name);
	close(fd);
}

static void test_damage(void)
{
	unsigned char good[FILE_LEN];
	unsigned char bad[FILE_LEN];
	unsigned lost = 0;

	put("d", 1, NULL);
	loop_run();
	load("s/d", good);
	for (unsigned i = 0; i < FILE_LEN; i += 7) {
		memcpy(bad, good, FILE_LEN);
		bad[i] ^= 0x10;
		save("s/d", bad, FILE_LEN);
		lost += get("d") != 1;
	}
	is_int(lost, 0, "any one byte may change, also after the first write");
	memcpy(bad, good, FILE_LEN);
	bad[100] ^= 1;
	bad[SLOT + 100] ^= 1;
	save("s/d", bad, FILE_LEN);
	is_int(get("d"), DAMAGED, "both slots damaged");
	ok(strstr(err.text, "damaged") != NULL, "%s", err.text);
	ok(access(temp_path("s/d.bad"), F_OK) == 0, "is kept as .bad");
	is_int(get("d"), NONE, "and out of the way");
	save("s/d", good, 300);
	is_int(get("d"), NONE, "a short file is a first write not done");
	save("s/d", good, SLOT + 10);
	is_int(get("d"), 1, "half a file has a record");
	store_remove(store, "d");
	if (mkfifo(temp_path("s/f"), 0600) != 0 ||
		symlink("/dev/zero", temp_path("s/l")) != 0 ||
		mkdir(temp_path("s/e"), 0700) != 0)
		ok(false, "odd files");
	is_int(get("f"), DAMAGED, "a FIFO is set aside");
	is_int(get("l"), DAMAGED, "a symbolic link is set aside");
	is_int(get("e"), DAMAGED, "a directory is set aside");
}

/* A name that a stranger's file has as well: it is never written to. */
static void test_second_name(void)
{
	AUTO_FREE char *outside = xstrdup(temp_path("outside"));
	AUTO_STR struct str theirs = STR_INIT;

	save("outside", (const unsigned char *)"theirs", 6);
	if (link(outside, temp_path("s/h")) || link(outside, temp_path("s/w")))
		ok(false, "links");
	is_int(get("h"), DAMAGED, "a second name is set aside");
	is_int(put("w", 2, NULL), 0, "one is replaced by what is written");
	is_int(get("w"), 2, "which is there");
	if (fd_read_file(AT_FDCWD, outside, 100, &theirs, &err))
		ok(false, "%s", err.text);
	is_str(str_text(&theirs), "theirs", "the stranger has what he had");
	store_remove(store, "w");
}

static void test_newer(void)
{
	unsigned char bytes[FILE_LEN];
	struct record r = sample(3);
	uint64_t sum;

	memset(bytes, 0, sizeof(bytes));
	store_encode(&r, 9, bytes);
	bytes[24] = STORE_VERSION + 1;
	memset(bytes + 8, 0, 8);
	sum = hash_add(HASH_START, bytes, SLOT);
	memcpy(bytes + 8, &sum, 8);
	save("s/n", bytes, FILE_LEN);
	is_int(store_read(store, "n", &r, &err), -1, "a newer format");
	is_int(err.code, ERR_UNSUPPORTED, "is said: %s", err.text);
	is_int(r.version, STORE_VERSION + 1, "with its version");
	is_int(put("n", 4, NULL), -1, "and not overwritten");
	is_int(store_read(store, "n", &r, &err), -1, "it is still there");
	is_int(r.version, STORE_VERSION + 1, "as it was");
}

/* ---- a disk that loses power and fails ---- */

static struct {
	unsigned char durable[FILE_LEN];
	unsigned char volatile_[FILE_LEN];
	uint64_t random;
	uint64_t acked;
	uint64_t newest; /* given to store_write */
	unsigned cuts;
	unsigned lost;
	int fail_pwrite; /* errno */
	int fail_fsync;
	bool dies; /* who wrote, before its sync: nothing is synced */
	unsigned writes;
	unsigned syncs;
} disk;

static unsigned chance(unsigned n)
{
	disk.random ^= disk.random << 13;
	disk.random ^= disk.random >> 7;
	disk.random ^= disk.random << 17;
	return (unsigned)(disk.random >> 33) % n;
}

/* Any sectors of what is not synced may have reached the disk. */
static void cut_power(void)
{
	unsigned char image[FILE_LEN];
	int64_t found;

	for (unsigned at = 0; at < FILE_LEN; at += SECTOR)
		memcpy(image + at,
			(chance(2) ? disk.volatile_ : disk.durable) + at,
			SECTOR);
	save("s/cut", image, FILE_LEN);
	found = get("cut");
	disk.cuts++;
	if (disk.acked == 0 && found == NONE)
		return;
	if (found < (int64_t)disk.acked || found > (int64_t)disk.newest) {
		disk.lost++;
		printf("# acked %" PRIu64 ", found %" PRId64 "\n", disk.acked,
			found);
	}
}

static ssize_t disk_pwrite(int fd, const void *buf, size_t len, off_t at)
{
	if (disk.fail_pwrite) {
		errno = disk.fail_pwrite;
		return -1;
	}
	memcpy(disk.volatile_ + at, buf, len);
	disk.writes++;
	return sys_real.pwrite(fd, buf, len, at);
}

static int disk_fsync(int fd)
{
	struct stat st;

	for (int i = 0; i < 20; i++)
		cut_power();
	if (disk.fail_fsync) {
		errno = disk.fail_fsync;
		return -1;
	}
	if (disk.dies || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return 0;
	disk.syncs++;
	memcpy(disk.durable, disk.volatile_, FILE_LEN);
	return 0;
}

static int disk_io_setup(unsigned n, unsigned long *context)
{
	(void)n;
	(void)context;
	errno = ENOSYS;
	return -1;
}

/* One write, its acknowledgement awaited or not. */
static void step(bool wait, int want)
{
	struct waiter w = waiter();

	disk.newest++;
	if (put("p", disk.newest, &w) != 0) {
		disk.newest--;
		if (want == ERR_NONE)
			ok(false, "put: %s", err.text);
		return;
	}
	if (!wait) {
		store_cancel(&w.wait);
		return;
	}
	loop_run();
	if (w.told != 1 || w.code != (enum err_code)want)
		ok(false, "told %u times, code %d", w.told, (int)w.code);
	if (w.code == ERR_NONE)
		disk.acked = disk.newest;
}

/* The next life of the supervisor. */
static void live_again(void)
{
	AUTO_FREE char *dir = xstrdup(temp_path("s"));
	struct store *next;

	if (store_open(&next, dir, &err) != 0)
		ok(false, "open: %s", err.text);
	store_free(store);
	store = next;
	disk.writes = disk.syncs = 0;
}

/*
 * The bug: a life that died between the write and the sync of a record left
 * its successor a newest slot that was not on disk, and the other one, the
 * only one that was, was the next to be written over.
 */
static void test_death_before_sync(void)
{
	struct waiter w = waiter();

	for (int i = 0; i < 20; i++) {
		step(true, ERR_NONE);
		disk.dies = true;
		step(false, ERR_NONE);
		live_again();
		disk.dies = false;
		is_int(get("p"), disk.newest,
			"a successor reads what is not on disk");
		step(true, ERR_NONE);
		is_int(disk.syncs, 2, "syncs it before it writes");
	}
	is_int(disk.lost, 0, "and no power cut loses what was acknowledged");
	live_again();
	is_int(put("p", disk.newest, &w), 0, "the same record as is there");
	loop_run();
	is_int(w.told + disk.syncs, 2, "is acknowledged by that sync");
	is_int(disk.writes, 0, "and not written");
	step(true, ERR_NONE);
	is_int(disk.syncs, 2, "which is needed but once");
	live_again();
	disk.fail_fsync = EIO;
	step(true, ERR_OS);
	is_int(disk.writes, 0, "where it fails, nothing is written");
	disk.fail_fsync = 0;
	step(true, ERR_NONE);
	is_int(disk.lost, 0, "and nothing is lost");
}

/* What was written before a boot was read from the disk. */
static void test_other_boot(void)
{
	struct record r = sample(++disk.newest);
	struct waiter w = waiter();

	r.boot_id[0] ^= 1;
	is_int(store_write(store, "p", &r, &w.wait, &err), 0,
		"of another boot");
	loop_run();
	live_again();
	is_int(get("p"), disk.newest, "is read");
	step(true, ERR_NONE);
	is_int(disk.syncs, 1, "and not synced before the first write");
}

static void test_power(void)
{
	struct sys_backend fake = sys_real;

	fake.pwrite = disk_pwrite;
	fake.fsync = disk_fsync;
	fake.io_setup = disk_io_setup;
	aio_fini();
	sys_use(&fake);
	disk.random = 88172645463325252ULL;
	for (int i = 0; i < 60; i++)
		step(chance(3) != 0, ERR_NONE);
	loop_run();
	ok(disk.cuts > 1000, "%u power cuts", disk.cuts);
	is_int(disk.lost, 0, "lost nothing acknowledged");
	for (int i = 0; i < 60; i++) {
		disk.fail_fsync = chance(2) ? EIO : 0;
		step(true, disk.fail_fsync ? ERR_OS : ERR_NONE);
		disk.fail_pwrite = chance(2) ? ENOSPC : 0;
		if (disk.fail_pwrite)
			step(true, ERR_OS);
		disk.fail_pwrite = 0;
	}
	is_int(disk.lost, 0, "nor did a failing disk");
	disk.fail_fsync = 0;
	test_death_before_sync();
	test_other_boot();
	sys_use(&sys_real);
	aio_fini();
}

int main(void)
{
	temp_make();
	log_set_level(LOG_ERROR);
	if (loop_init(&err) != 0 ||
		store_open(&store, temp_path("s"), &err) != 0)
		return 1;
	test_codec();
	test_flips();
	test_torn_slots();
	test_life();
	test_second_start();
	test_damage();
	test_newer();
	test_second_name();
	test_power();
	store_free(store);
	aio_fini();
	loop_fini();
	return done();
}
