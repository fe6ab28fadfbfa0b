/* SPDX-License-Identifier: GPL-2.0-or-later */
/* supervisor/explain: every cause has its words. */
#include "supervisor/explain.h"
#include "tests/unit/tap.h"

int main(void)
{
	for (int c = 0; c < NCAUSES; c++) {
		const char *text = explain_cause((enum cause)c);

		ok(text && *text, "%s: %s", cause_name((enum cause)c),
			text ? text : "nothing");
	}
	return done();
}
