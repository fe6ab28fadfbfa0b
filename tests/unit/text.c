/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Texts that are mostly empty. */
#include "base/text.h"

#include <stdlib.h>

#include "base/mem.h"
#include "tests/unit/tap.h"

int main(void)
{
	char *text = text_none();
	char *never = NULL;

	is_str(text, "", "empty at first");
	text_set(&text, "step %d", 1);
	is_str(text, "step 1", "says something");
	text_set(&text, "%s of %d", text, 6);
	is_str(text, "step 1 of 6", "made of what it said before");
	text_set(&text, "%s", "");
	ok(text == text_none(), "empty again, without memory of its own");
	text_set(&text, "more");
	text_clear(&text);
	ok(text == text_none(), "cleared");
	text_clear(&never);
	ok(never == text_none(), "one that was never made too");
	text = xstrdup(""); /* as a table of fields reads it */
	text_clear(&text);
	ok(text == text_none(), "an empty one that has memory");
	return done();
}
