/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Error values: texts, truncation, the table of codes. */
#include "base/err.h"

#include <errno.h>

#include "base/str.h"
#include "tests/unit/tap.h"

static void test_texts(void)
{
	struct err err = ERR_INIT;

	is_int(err_set(&err, ERR_STATE, "%s is off", "web"), -1, "set");
	is_int(err.code, ERR_STATE, "code");
	is_str(err.text, "web is off", "text");
	errno = EACCES;
	is_int(err_os(&err, "cannot open '%s'", "/x"), -1, "os");
	is_int(errno, EACCES, "errno survives");
	is_int(err.code, ERR_OS, "a kernel's refusal replaces the code");
	is_int(err.os, EACCES, "errno is kept");
	is_str(err.text, "cannot open '/x': Permission denied", "reason last");
	is_int(err_wrap(&err, "vm '%s': ", "web"), -1, "wrap");
	is_str(err.text, "vm 'web': cannot open '/x': Permission denied",
		"object first");
	is_int(err.os, EACCES, "wrap keeps errno");
	err_set(&err, ERR_QMP, "no");
	is_int(err.os, 0, "set forgets errno");
	err_clear(&err);
	is_int(err.code, ERR_NONE, "clear");
	is_str(err.text, "", "clear forgets the text");
}

static void test_long(void)
{
	struct err err = ERR_INIT;
	char path[2000];

	memset(path, 'a', sizeof path);
	path[sizeof path - 1] = '\0';
	errno = ENOENT;
	err_os(&err, "cannot open '%s'", path);
	ok(str_starts(err.text, "cannot open 'aaa"), "beginning is kept");
	ok(str_ends(err.text, ": No such file or directory"), "reason is kept");
	is_int(strlen(err.text), sizeof err.text - 1, "the room is used");
	for (size_t i = 0; i + 3 < sizeof path; i += 3)
		memcpy(path + i, "\xe2\x82\xac", 3);
	for (int shift = 0; shift < 3; shift++) {
		err_set(&err, ERR_OS, "%.*s%.900s", shift, "xy", path);
		ok(str_is_utf8(err.text, strlen(err.text)),
			"no character is cut, shift %d", shift);
	}
	err_set(&err, ERR_OS, "%s", "tail");
	err_wrap(&err, "%.600s: ", path);
	ok(str_ends(err.text, ": tail"), "wrap keeps what was there");
}

static void test_codes(void)
{
	is_str(err_code_name(ERR_NOT_FOUND), "NOT_FOUND", "name");
	is_int(err_code_of("NOT_FOUND"), ERR_NOT_FOUND, "code of a name");
	is_int(err_code_of("nonsense"), ERR_OS, "a name that is none");
	is_int(err_code_status(ERR_STATE), 3, "status");
	is_int(err_code_status(ERR_NCODES), 1, "status of nonsense");
	ok(err_code_text(ERR_TIMEOUT)[0] != '\0', "text");
	for (int i = 0; i < ERR_NCODES; i++)
		is_int(err_code_of(err_code_name((enum err_code)i)), i,
			"there and back: %s", err_code_name((enum err_code)i));
}

int main(void)
{
	test_texts();
	test_long();
	test_codes();
	return done();
}
