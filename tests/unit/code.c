/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Letting go of code: it is there again when it is called. */
#include "base/code.h"

#include <stdio.h>
#include <string.h>

#include "base/uuid.h"
#include "tests/unit/tap.h"

/* Resident pages of files, in KiB; -1: unknown. */
static long of_files(void)
{
	FILE *file = fopen("/proc/self/status", "r");
	char line[128];
	long kib = -1;

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "RssFile: %ld", &kib) == 1)
			break;
	if (file)
		fclose(file);
	return kib;
}

int main(void)
{
	static const char kept[] = "what is only read stays what it was";
	static char written[] = "what was written stays too";
	long before, after;

	written[0] = 'W';
	before = of_files();
	code_drop();
	after = of_files();
	ok(after > 0 && after < before, "%ld KiB of files, then %ld", before,
		after);
	is_str(kept, "what is only read stays what it was", "constants");
	is_str(written, "What was written stays too", "variables");
	ok(uuid_is_valid("afe1955d-ea31-5020-9cc3-adaaff5670a8"),
		"code that was not called before");
	return done();
}
