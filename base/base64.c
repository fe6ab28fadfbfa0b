/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Base64; see base/base64.h. */
#include "base/base64.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			     "abcdefghijklmnopqrstuvwxyz0123456789+/";

/* 0 to 63, or -1. */
static int value_of(char c)
{
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* Four characters, of which `pad` at the end are '='. */
static int add_group(const char *text, unsigned pad, struct str *out)
{
	unsigned bits = 0;

	for (unsigned i = 0; i < 4; i++) {
		int value = i < 4 - pad ? value_of(text[i]) : 0;

		if (value < 0)
			return -1;
		bits = bits << 6 | (unsigned)value;
	}
	for (unsigned i = 0; i < 3 - pad; i++)
		str_addc(out, (char)(bits >> (16 - 8 * i)));
	return 0;
}

int base64_decode(const char *text, struct str *out)
{
	size_t len = strlen(text);
	size_t before = out->len;

	if (len % 4)
		return -1;
	for (size_t i = 0; i < len; i += 4) {
		bool last = i + 4 == len;
		unsigned pad = !last                ? 0
			       : text[i + 2] == '=' ? 2
			       : text[i + 3] == '=' ? 1
						    : 0;

		if ((pad == 2 && text[i + 3] != '=') ||
			add_group(text + i, pad, out)) {
			str_cut(out, before);
			return -1;
		}
	}
	return 0;
}

void base64_encode(const void *bytes, size_t len, struct str *out)
{
	const unsigned char *at = bytes;

	for (size_t i = 0; i < len; i += 3) {
		size_t n = len - i < 3 ? len - i : 3;
		unsigned bits = (unsigned)at[i] << 16 |
				(n > 1 ? (unsigned)at[i + 1] << 8 : 0) |
				(n > 2 ? at[i + 2] : 0);

		for (size_t k = 0; k < 4; k++)
			str_addc(
				out, k > n ? '='
					   : digits[bits >> (18 - 6 * k) & 63]);
	}
}
