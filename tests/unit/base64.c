/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Base64: RFC 4648's own examples, all bytes, and what is none. */
#include "base/base64.h"

#include "tests/unit/tap.h"

static void is_bytes(const char *text, const char *want)
{
	AUTO_STR struct str out = STR_INIT;

	str_add(&out, "<");
	is_int(base64_decode(text, &out), 0, "'%s' is base64", text);
	is_str(str_text(&out) + 1, want, "of '%s'", want);
	str_cut(&out, 1);
	base64_encode(want, strlen(want), &out);
	is_str(str_text(&out) + 1, text, "'%s' and back", want);
}

static void is_bad(const char *text)
{
	AUTO_STR struct str out = STR_INIT;

	str_add(&out, "<");
	is_int(base64_decode(text, &out), -1, "'%s' is none", text);
	is_str(str_text(&out), "<", "and nothing is added");
}

int main(void)
{
	AUTO_STR struct str out = STR_INIT;

	is_bytes("", "");
	is_bytes("Zg==", "f");
	is_bytes("Zm8=", "fo");
	is_bytes("Zm9v", "foo");
	is_bytes("Zm9vYg==", "foob");
	is_bytes("Zm9vYmE=", "fooba");
	is_bytes("Zm9vYmFy", "foobar");
	is_int(base64_decode("AP+A/w==", &out), 0, "bytes that are no text");
	is_int((int)out.len, 4, "four of them");
	ok(!memcmp(str_text(&out), "\0\xff\x80\xff", 4), "these");
	str_cut(&out, 0);
	base64_encode("\0\xff\x80\xff", 4, &out);
	is_str(str_text(&out), "AP+A/w==", "and back");
	is_bad("Z");
	is_bad("Zg=");
	is_bad("Zg==Zg==");
	is_bad("Z===");
	is_bad("Zg=v");
	is_bad("Zm9v Zm9");
	is_bad("Zm9-");
	is_bad("====");
	return done();
}
