/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Images of strangers: every bit of a qcow2 header changed, one at a time. */
#include "storage/foreign.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "tests/unit/tap.h"
#include "tests/unit/temp.h"

enum { HEADER = 104, ALL = 4096 };

static unsigned char good[ALL];

static void put_big(size_t at, size_t bytes, uint64_t value)
{
	for (size_t i = bytes; i-- > 0; value >>= 8)
		good[at + i] = (unsigned char)value;
}

static void make_good(void)
{
	memcpy(good, "QFI\xfb", 4);
	put_big(4, 4, 3);
	put_big(20, 4, 16);
	put_big(24, 8, 1 << 20);
	put_big(36, 4, 1);
	put_big(40, 8, 0x30000);
	put_big(48, 8, 0x10000);
	put_big(56, 4, 1);
	put_big(96, 4, 4);
	put_big(100, 4, HEADER);
}

static int check(const unsigned char *bytes, size_t len, struct err *err)
{
	int fd = open(temp_path("x"), O_RDWR | O_CREAT | O_TRUNC, 0600);
	int rc;

	if (fd < 0 || write(fd, bytes, len) != (ssize_t)len)
		abort();
	rc = foreign_check(fd, "x", "qcow2", false, err);
	close(fd);
	return rc;
}

/* Bytes of which no bit may be set (or cleared) in what is taken. */
static bool is_fixed(size_t at)
{
	return at < 8 ||                /* magic, version but 2 */
	       (at >= 8 && at < 20) ||  /* the backing file */
	       (at >= 32 && at < 36) || /* encryption */
	       (at >= 60 && at < 64) || /* snapshots */
	       (at >= 72 && at < 79);   /* features that nobody knows */
}

static void test_flips(void)
{
	unsigned wrong = 0;
	unsigned taken = 0;
	unsigned silent = 0;

	for (size_t bit = 0; bit < (size_t)HEADER * 8; bit++) {
		unsigned char bytes[ALL];
		struct err err = ERR_INIT;

		memcpy(bytes, good, sizeof(bytes));
		bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
		if (check(bytes, sizeof(bytes), &err) == 0) {
			taken++;
			/* version 2 has no features that could be wrong */
			wrong += is_fixed(bit / 8) && bytes[7] != 2;
		} else {
			silent +=
				err.code == ERR_NONE || strchr(err.text, '\n');
		}
	}
	is_int(wrong, 0, "no bit that matters is let through");
	is_int(silent, 0, "each refusal has one line");
	ok(taken > 100, "what qemu-img must judge is left to it: %u", taken);
}

static void test_lengths(void)
{
	unsigned crashed = 0;

	for (size_t len = 0; len < 200; len++) {
		struct err err = ERR_INIT;

		crashed += check(good, len, &err) == 0 && len < HEADER - 32;
	}
	is_int(crashed, 0, "cut off anywhere in the header: refused");
}

static void test_extensions(void)
{
	struct err err = ERR_INIT;

	is_int(check(good, ALL, &err), 0, "a good one: %s", err.text);
	put_big(HEADER, 4, 0xe2792aca); /* name of the backing format */
	put_big(HEADER + 4, 4, 5);
	put_big(HEADER + 16, 4, 0x44415441);
	put_big(HEADER + 20, 4, 11);
	memcpy(good + HEADER + 24, "/etc/shadow", 11);
	is_int(check(good, ALL, &err), -1, "a data file behind another");
	ok(strstr(err.text, "names a data file"), "said: %s", err.text);
	put_big(HEADER + 4, 4, 0xfffffff8);
	is_int(check(good, ALL, &err), -1, "one without end");
	memset(good + HEADER, 0, 64);
	put_big(8, 8, 512);
	put_big(16, 4, 9);
	memcpy(good + 512, "a\033[31m\nb\"", 9);
	err_clear(&err);
	is_int(check(good, ALL, &err), -1, "a base");
	ok(!strchr(err.text, '\033') && !strchr(err.text, '\n'),
		"its name is safe on a terminal: %s", err.text);
}

int main(void)
{
	temp_make();
	make_good();
	test_flips();
	test_lengths();
	test_extensions();
	return done();
}
