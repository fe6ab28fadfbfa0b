/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SECTION.KEY=VALUE as edits of a file; see edits.h. */
#include "supervisor/edits.h"

#include <inttypes.h>
#include <string.h>

#include "base/atom.h"
#include "base/mem.h"
#include "base/str.h"

void config_edit_fini(struct config_edit *edit)
{
	atom_drop(edit->section);
	atom_drop(edit->key);
	atom_drop(edit->value);
}

void edits_fini(struct edits *edits)
{
	for (size_t i = 0; i < edits->n; i++)
		config_edit_fini(&edits->at[i]);
	free(edits->at);
	*edits = (struct edits)EDITS_INIT;
}

void edits_add(struct edits *edits, const char *section, const char *key,
	const char *value)
{
	edits->at =
		xreallocarray(edits->at, edits->n + 1, sizeof(edits->at[0]));
	edits->at[edits->n++] =
		(struct config_edit){ .section = atom_get(section),
			.key = atom_get(key),
			.value = atom_get(value) };
}

int edits_add_named(struct edits *edits, const char *name, const char *value,
	struct err *err)
{
	const char *dot = strrchr(name, '.');
	AUTO_FREE char *section = NULL;

	if (!dot || dot == name || !dot[1])
		return err_set(err, ERR_USAGE,
			"'%s' is not SECTION.KEY (as in vm.memory)", name);
	section = xstrndup(name, (size_t)(dot - name));
	edits_add(edits, section, dot + 1, value);
	return 0;
}

struct config_edit *edits_find(
	const struct edits *edits, const char *section, const char *key)
{
	for (size_t i = 0; i < edits->n; i++)
		if (edits->at[i].key && str_eq(edits->at[i].section, section) &&
			str_eq(edits->at[i].key, key))
			return &edits->at[i];
	return NULL;
}

void edits_drop(struct edits *edits, const char *section, const char *key)
{
	struct config_edit *edit = edits_find(edits, section, key);

	if (!edit)
		return;
	config_edit_fini(edit);
	edits->n--;
	memmove(edit, edit + 1,
		(size_t)(&edits->at[edits->n] - edit) * sizeof(*edit));
}

static bool is_word(const char *word)
{
	return *word &&
	       !word[strspn(word, "abcdefghijklmnopqrstuvwxyz0123456789._-")];
}

int edit_check(
	const struct config_edit *edit, enum err_code code, struct err *err)
{
	if (is_word(edit->section) && (!edit->key || is_word(edit->key)))
		return 0;
	return err_set(err, code,
		"'%s.%s': say SECTION.KEY, as vm.memory or disk.root.size",
		edit->section, edit->key);
}
