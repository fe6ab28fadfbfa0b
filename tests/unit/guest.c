/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Small pieces of talking to a guest. */
#include "supervisor/guest.h"

#include "base/jstream.h"

#include "tests/unit/tap.h"

static bool is_open(const char *text)
{
	AUTO_JSON json_t *chardevs = json_loads(text, JSON_DECODE_ANY, NULL);

	return guest_agent_is_open(chardevs);
}

int main(void)
{
	AUTO_JSON json_t *keys = guest_ctrl_alt_del();
	AUTO_STR struct str text = STR_INIT;
	struct err err = ERR_INIT;

	ok(is_open("[{\"label\":\"mon\",\"frontend-open\":false},"
		   "{\"label\":\"agent\",\"frontend-open\":true}]"),
		"open");
	ok(!is_open("[{\"label\":\"agent\",\"frontend-open\":false},"
		    "{\"label\":\"x\",\"frontend-open\":true}]"),
		"closed, though another one is open");
	ok(!is_open("[{\"label\":\"agent\"}]"), "not said");
	ok(!is_open("[{\"label\":\"agent\",\"frontend-open\":1}]"), "a number");
	ok(!is_open("[{\"label\":7},3,{}]"), "odd entries");
	ok(!is_open("[]") && !is_open("{}") && !guest_agent_is_open(NULL),
		"nothing of the kind");
	is_int(jstream_dump(keys, &text, &err), 0, "Ctrl-Alt-Del");
	is_str(str_text(&text),
		"{\"keys\":[{\"type\":\"qcode\",\"data\":\"ctrl\"},"
		"{\"type\":\"qcode\",\"data\":\"alt\"},"
		"{\"type\":\"qcode\",\"data\":\"delete\"}]}",
		"are three keys");
	return done();
}
