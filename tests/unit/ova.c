/* SPDX-License-Identifier: GPL-2.0-or-later */
/* OVA archives: sizes in each of tar's ways, and every byte of a header. */
#include "storage/ova.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "tests/unit/tap.h"
#include "tests/unit/temp.h"

enum { BLOCK = 512, FILES = 3, ALL = (FILES * 2 + 2) * BLOCK };

static unsigned char good[ALL];

static void sum_up(unsigned char *head)
{
	unsigned sum = 0;

	memset(head + 148, ' ', 8);
	for (int i = 0; i < BLOCK; i++)
		sum += head[i];
	snprintf((char *)head + 148, 8, "%06o", sum & 0777777u);
}

static void put(unsigned char *head, const char *name, const char *size)
{
	snprintf((char *)head, 100, "%s", name);
	snprintf((char *)head + 124, 12, "%s", size);
	head[156] = '0';
	sum_up(head);
}

static int find(const unsigned char *bytes, struct ova_disk *disk)
{
	struct err err = ERR_INIT;
	int fd = open(temp_path("x"), O_RDWR | O_CREAT | O_TRUNC, 0600);
	int rc;

	if (fd < 0 || write(fd, bytes, ALL) != ALL)
		abort();
	rc = ova_find(fd, "x", "", disk, &err);
	close(fd);
	return rc;
}

static void test_good(void)
{
	struct ova_disk disk;

	put(good, "x.ovf", "00000000010");
	put(good + 2 * BLOCK, "x.vmdk", "00000000777");
	ok(!find(good, &disk), "an archive");
	is_str(disk.name, "x.vmdk", "its disk");
	is_int((long)disk.offset, 3 * BLOCK, "where it begins");
	is_int((long)disk.bytes, BLOCK, "whole blocks of it");
	ova_disk_fini(&disk);
}

/* The size of the disk, as bytes of its field. */
static void sized(const char *bytes, size_t len, bool fits)
{
	AUTO_FREE unsigned char *all = xcalloc(1, ALL);
	struct ova_disk disk;
	int rc;

	memcpy(all, good, ALL);
	memset(all + 2 * BLOCK + 124, 0, 12);
	memcpy(all + 2 * BLOCK + 124, bytes, len);
	sum_up(all + 2 * BLOCK);
	rc = find(all, &disk);
	ok((rc == 0) == fits, "a size of %zu bytes fits: %d", len, fits);
	if (!rc)
		ova_disk_fini(&disk);
}

static void test_sizes(void)
{
	sized("777 ", 4, true);
	sized("  10", 4, true);
	sized("77777777777", 11, false);
	sized("777777777777", 12, false);
	sized("-1", 2, false);
	sized("8", 1, false);
	sized("1x", 2, false);
	sized("", 1, false);
	sized("\x80\0\0\0\0\0\0\0\0\0\0\x40", 12, true);
	sized("\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff", 12, false);
	sized("\x80\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 12, false);
	sized("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 12, false);
}

/* Whatever is changed, what is found lies within the file. */
static void test_changed(void)
{
	AUTO_FREE unsigned char *all = xcalloc(1, ALL);
	unsigned wrong = 0;

	for (size_t at = 0; at < BLOCK * 2; at++) {
		size_t head = at < BLOCK ? 0 : 2 * BLOCK;
		struct ova_disk disk;

		memcpy(all, good, ALL);
		all[head + at % BLOCK] ^= (unsigned char)(1 + at * 7);
		if (at % 2)
			sum_up(all + head);
		if (find(all, &disk))
			continue;
		wrong += disk.offset + disk.bytes > ALL || !disk.bytes;
		ova_disk_fini(&disk);
	}
	is_int(wrong, 0, "no disk leads out of its file");
}

/* The same archive with a manifest behind: its text, or a file's name. */
static int find_said(const char *name, const char *text, struct ova_disk *disk)
{
	AUTO_FREE unsigned char *all = xcalloc(1, ALL);
	char size[12];

	memcpy(all, good, ALL);
	snprintf(size, sizeof(size), "%011o", (unsigned)strlen(text));
	put(all + 4 * BLOCK, name, size);
	memcpy(all + 5 * BLOCK, text, strlen(text));
	return find(all, disk);
}

static void test_manifest(void)
{
	static const char ovf[] =
		"SHA1(x.ovf)= 0123456789012345678901234567890123456789\n";
	static const char disks[] =
		"SHA1(x.vmdk)= 9876543210987654321098765432109876543210\n";
	AUTO_FREE char *both = xasprintf("%s%s", disks, ovf);
	struct ova_disk disk;

	ok(!find_said("x.mf", both, &disk), "a manifest");
	is_int(disk.n_sums, 2, "is of the description and the disk");
	is_str(disk.sums[0].name, "x.ovf", "the description");
	is_int((long)disk.sums[0].offset, BLOCK, "where it begins");
	is_int((long)disk.sums[0].bytes, 010, "as long as it is");
	is_str(disk.sums[1].name, "x.vmdk", "the disk");
	is_int((long)disk.sums[1].offset, 3 * BLOCK, "where it begins");
	is_int((long)disk.sums[1].bytes, 0777, "not rounded");
	ova_disk_fini(&disk);
	ok(find_said("x.mf", ovf, &disk), "one that leaves the disk out");
	ok(find_said("x.mf", disks, &disk), "or the description");
	ok(find_said("x.mf", "", &disk), "or all");
	ok(!find_said("x.txt", ovf, &disk), "another file says nothing");
	is_int(disk.n_sums, 0, "no digests");
	ova_disk_fini(&disk);
}

int main(void)
{
	temp_make();
	test_good();
	test_sizes();
	test_changed();
	test_manifest();
	return done();
}
