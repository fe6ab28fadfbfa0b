/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Command lines made anew. */
#include "base/words.h"

#include "base/mem.h"
#include "tests/unit/tap.h"

static void test_argv(void)
{
	char *old[] = { (char[]){ "vmwardd" }, (char[]){ "--a" },
		(char[]){ "1" }, (char[]){ "--ab" }, (char[]){ "--b=2" },
		(char[]){ "word" }, (char[]){ "--a" }, NULL };
	static const char *const drop[] = { "--a", "--b", NULL };
	static const char *const add[] = { "--c", "3", NULL };
	static const char *const want[] = { "vmwardd", "--c", "3", "--ab",
		"word", NULL };
	AUTO_FREE char **argv = words_anew(old, drop, add);
	size_t n = 0;

	for (; want[n]; n++)
		is_str(argv[n], want[n], "word %zu", n);
	is_str(argv[n], NULL, "and no more");
}

int main(void)
{
	test_argv();
	return done();
}
