/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The list of [raw]: arguments before QMP lines, each by number, so that a
 * drop-in can replace one of them.
 */
#include "supervisor/raw.h"

#include <jansson.h>

#include "base/atom.h"
#include "base/jstream.h"
#include "base/mem.h"
#include "base/str.h"
#include "supervisor/spec.h"

enum { NUMBER_MAX = 99 };

/* "arg-7" or "qmp-7"; false for any other name. */
static bool read_name(const char *key, bool *qmp, unsigned *number)
{
	struct err ignored = ERR_INIT;
	uint64_t n;

	*qmp = str_starts(key, "qmp-");
	if (!*qmp && !str_starts(key, "arg-"))
		return false;
	if (key[4] == '0' || str_to_u64(key + 4, &n, &ignored) < 0 ||
		n > NUMBER_MAX)
		return false;
	*number = (unsigned)n;
	return true;
}

static void raw_free(struct spec_raw *raw)
{
	list_del(&raw->link);
	atom_drop(raw->text);
	free(raw);
}

static void remove_raw(struct list *raws, bool qmp, unsigned number)
{
	list_each(raws, it, next) {
		struct spec_raw *raw = list_entry(it, struct spec_raw, link);
		if (raw->qmp == qmp && raw->number == number)
			raw_free(raw);
	}
}

static bool is_before(const struct spec_raw *a, const struct spec_raw *b)
{
	return a->qmp == b->qmp ? a->number < b->number : !a->qmp;
}

static void insert(struct list *raws, struct spec_raw *fresh)
{
	struct list *at = raws->next;

	while (at != raws &&
		is_before(list_entry(at, struct spec_raw, link), fresh))
		at = at->next;
	list_add(at, &fresh->link);
}

/* QMP as QEMU takes it: an object with "execute" and perhaps "arguments". */
static bool is_command(const char *text)
{
	AUTO_JSON json_t *line = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	const json_t *arguments = json_object_get(line, "arguments");

	return json_is_string(json_object_get(line, "execute")) &&
	       (!arguments || json_is_object(arguments));
}

int raw_set(void *spec, const char *key, const char *text, struct err *err)
{
	struct list *raws = &((struct vm_spec *)spec)->raws;
	unsigned number;
	bool qmp;

	if (!read_name(key, &qmp, &number))
		return 0;
	if (text[0] && !qmp && text[0] != '-')
		return err_set(err, ERR_CONFIG,
			"%s: say an option of QEMU's, as -device NAME", text);
	if (text[0] && qmp && !is_command(text))
		return err_set(err, ERR_CONFIG,
			"%s: say a line of QMP, as "
			"{\"execute\": \"COMMAND\"}",
			text);
	remove_raw(raws, qmp, number);
	if (!text[0])
		return 1;
	struct spec_raw *raw = NEW(struct spec_raw);
	raw->number = number;
	raw->qmp = qmp;
	raw->text = atom_get(text);
	insert(raws, raw);
	return 1;
}
