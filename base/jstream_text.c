/* SPDX-License-Identifier: GPL-2.0-or-later */
/* JSON values as text; see jstream.h. */
#include "base/jstream.h"

static int add_piece(const char *piece, size_t len, void *text)
{
	str_addn(text, piece, len);
	return 0;
}

int jstream_dump(const json_t *message, struct str *out, struct err *err)
{
	if (json_dump_callback(message, add_piece, out, JSON_COMPACT) < 0)
		return err_set(err, ERR_BUG, "a message is no JSON object");
	return 0;
}

char *jstream_text(const json_t *value, size_t flags)
{
	AUTO_STR struct str text = STR_INIT;

	if (!value || json_dump_callback(value, add_piece, &text, flags) < 0)
		return NULL;
	return str_take(&text);
}
