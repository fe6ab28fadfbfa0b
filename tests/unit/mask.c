/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Secrets do not get into what is kept. */
#include <string.h>

#include "base/mem.h"
#include "supervisor/mask.h"
#include "tests/unit/tap.h"

static const struct {
	const char *in;
	const char *out;
} rows[] = {
	{ "{\"execute\":\"cont\",\"id\":3}",
		"{\"execute\":\"cont\",\"id\":3}" },
	{ "{\"execute\":\"object-add\",\"arguments\":{\"qom-type\":\"secret\","
	  "\"id\":\"s\",\"data\":\"hunter2\"}}",
		"{\"execute\":\"object-add\",\"arguments\":{\"qom-type\":"
		"\"secret\",\"id\":\"s\",\"data\":\"***\"}}" },
	{ "{\"password\" : \"a\\\"b\", \"x\":1}",
		"{\"password\" : \"***\", \"x\":1}" },
	{ "{\"Password\":12,\"x\":1}", "{\"Password\":\"***\",\"x\":1}" },
	{ "{\"execute\":\"guest-set-user-password\",\"arguments\":"
	  "{\"username\":\"a\",\"password\":\"aHVudGVyMg==\"}}",
		"{\"execute\":\"guest-set-user-password\",\"arguments\":"
		"{\"username\":\"a\",\"password\":\"***\"}}" },
	{ "{\"event\":\"X\",\"data\":{\"device\":\"d\",\"data\":\"y\"}}",
		"{\"event\":\"X\",\"data\":{\"device\":\"d\","
		"\"data\":\"***\"}}" },
	{ "{\"keys\":[{\"data\":\"a\"},[\"]\"]],\"x\":2}",
		"{\"keys\":\"***\",\"x\":2}" },
	{ "{\"command-line\":\"set_password vnc hunter2\"}",
		"{\"command-line\":\"***\"}" },
	{ "{\"command-line\":\"info usernet\"}",
		"{\"command-line\":\"info usernet\"}" },
	{ "{\"password\":\"hunt", "{\"password\":\"***\"" },
	{ "{\"password\":", "{\"password\":" },
	{ "{\"passw", "{\"passw" },
	{ "\"", "\"" },
	{ "\"a\\", "\"a\\" },
	{ "", "" },
	{ "-object secret,id=s,data=hunter2,format=raw",
		"-object secret,id=s,data=***,format=raw" },
	{ "password = hunter2\nx = 1\n", "password = ***\nx = 1\n" },
	{ "cmdline = root=/dev/vda password=hunter2 quiet",
		"cmdline = root=/dev/vda password=*** quiet" },
	{ "=", "=" },
	{ "data=", "data=" },
};

int main(void)
{
	for (size_t i = 0; i < NELEMS(rows); i++) {
		AUTO_STR struct str out = STR_INIT;

		mask_secrets(rows[i].in, strlen(rows[i].in), &out);
		is_str(str_text(&out), rows[i].out, "row %zu", i);
	}
	/* cut anywhere: no part of a secret comes out, nothing is overrun */
	for (size_t len = 0; len <= strlen(rows[1].in); len++) {
		AUTO_STR struct str out = STR_INIT;
		AUTO_FREE char *copy = xstrndup(rows[1].in, len);

		mask_secrets(copy, len, &out);
		if (strstr(str_text(&out), "hunt"))
			ok(false, "cut at %zu", len);
	}
	return done();
}
