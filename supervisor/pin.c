/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which machine type a VM has for good; see pin.h. */
#include "supervisor/pin.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

#define TYPE_END "-machine" /* of the class that a machine is of */

/* Words that mean the newest of their kind, and what all of those begin with;
 * there is one microvm only. */
static const struct kind {
	const char *word;
	const char *types;
} kinds[] = {
	{ "q35", "pc-q35-" },
	{ "pc", "pc-i440fx-" },
};

static const struct kind *kind_of(const char *word)
{
	for (size_t i = 0; i < NELEMS(kinds); i++)
		if (str_eq(kinds[i].word, word))
			return &kinds[i];
	return NULL;
}

static bool is_meant(const char *machine, const char *word)
{
	const struct kind *kind = kind_of(word);

	return str_eq(machine, word) ||
	       (kind && str_starts(machine, kind->types));
}

void pin_settle(struct record *record, const struct vm_spec *spec)
{
	const char *word = spec->vm.machine;

	if (!is_meant(record->machine, word))
		snprintf(record->machine, sizeof(record->machine), "%s", word);
}

json_t *pin_question(void)
{
	return json_pack("{s:s,s:s}", "path", "/machine", "property", "type");
}

void pin_take(struct vm *vm, const json_t *answer)
{
	struct record *r = &vm->record;
	const char *type = str_or(json_string_value(answer), "");
	size_t len = strlen(type) -
		     (str_ends(type, TYPE_END) ? strlen(TYPE_END) : 0);
	AUTO_FREE char *machine = xstrndup(type, len);

	if (!kind_of(r->machine) || len == strlen(type) ||
		len >= sizeof(r->machine) || !is_meant(machine, r->machine))
		return;
	snprintf(r->machine, sizeof(r->machine), "%s", machine);
	vm_record(vm, NULL);
}
