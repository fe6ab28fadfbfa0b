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
	{ "password-file = /etc/pw\nsecret-file=/x",
		"password-file = /etc/pw\nsecret-file=/x" },
	{ "url = https://ann:hunter2@host/x:y@z",
		"url = https://ann:***@host/x:y@z" },
	{ "url = nbd://host:10809/x", "url = nbd://host:10809/x" },
	{ "https://ann@host", "https://ann@host" },
	{ "://", "://" },
	{ "a://b:c@", "a://b:***@" },
	{ "=", "=" },
	{ "data=", "data=" },
};

static void test_json(void)
{
	json_t *in = json_pack("{s:s,s:[s,{s:s}],s:i,s:n}", "text",
		"arg-1 = -object secret,data=hunter2\nx = 1\n", "list",
		"https://a:hunter2@b/", "key", "plain", "n", 3, "none");
	json_t *want = json_pack("{s:s,s:[s,{s:s}],s:i,s:n}", "text",
		"arg-1 = -object secret,data=***\nx = 1\n", "list",
		"https://a:***@b/", "key", "plain", "n", 3, "none");
	json_t *kept = json_deep_copy(in);
	json_t *out = mask_json_steal(json_incref(in));

	ok(json_equal(out, want), "JSON: inside of each text");
	ok(json_equal(in, kept), "and what others hold stays as it is");
	ok(!mask_json_steal(NULL), "nothing is nothing");
	json_decref(in);
	json_decref(want);
	json_decref(kept);
	json_decref(out);
}

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
	test_json();
	return done();
}
