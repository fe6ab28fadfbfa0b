/* SPDX-License-Identifier: GPL-2.0-or-later */
/* supervisor/pin: which machine type a VM keeps, and when it gets another. */
#include "supervisor/pin.h"

#include <stdio.h>

#include "tests/unit/tap.h"
#include "tests/unit/vmkit.h"

/* What a record that had this has after its file says that word. */
static void settles(const char *had, const char *word, const char *want)
{
	AUTO_FREE char *text = xasprintf("[vm]\nmachine = %s\n", word);
	struct vm_spec *spec = kit_spec(text);
	struct record record = { 0 };

	snprintf(record.machine, sizeof(record.machine), "%s", had);
	pin_settle(&record, spec);
	is_str(record.machine, want, "'%s' and %s", had, word);
	spec_free(spec);
}

int main(void)
{
	kit_start();
	settles("", "q35", "q35");
	settles("pc-q35-7.2", "q35", "pc-q35-7.2");
	settles("pc-i440fx-7.2", "pc", "pc-i440fx-7.2");
	settles("pc-q35-7.2", "pc", "pc");
	settles("pc-i440fx-7.2", "q35", "q35");
	settles("pc-q35-7.2", "pc-q35-8.0", "pc-q35-8.0");
	settles("pc-q35-8.0", "pc-q35-8.0", "pc-q35-8.0");
	settles("q35", "microvm", "microvm");
	settles("microvm", "microvm", "microvm");
	kit_end();
	return done();
}
