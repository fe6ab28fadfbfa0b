/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line, in an order that never changes: identity, machine,
 * behaviour, monitors, fixed devices, disks, nics, [raw].  Fixed devices come
 * first because on pc the disks and nics take the lowest free slots.
 */
#include "supervisor/argv_build.h"

#include <string.h>

#include "base/mem.h"
#include "supervisor/display.h"

/* After all others: on pc they keep their slots. */
static int add_display(struct argv_build *b)
{
	json_t *device = display_device(b->spec, b->kind);

	if (b->host->vnc || display_has_vnc(b->spec))
		argv_add_option(b, "-vnc", "none");
	if (!device && b->host->vnc)
		device = device_video(b->kind, "VGA");
	return device ? argv_add_device(b, device) : 0;
}

/* "-device foo,bar=x y": the option, a blank, and all the rest as one word. */
static int add_raw(struct argv_build *b)
{
	list_each(&b->spec->raws, it, next) {
		const struct spec_raw *raw =
			list_entry(it, struct spec_raw, link);
		size_t option = strcspn(raw->text, " \t");
		const char *rest = raw->text + option;

		if (raw->qmp)
			continue;
		argv_add_steal(b, xstrndup(raw->text, option));
		rest += strspn(rest, " \t");
		if (*rest)
			argv_add(b, rest);
	}
	return 0;
}

static int (*const parts[])(struct argv_build *b) = {
	argv_add_machine,
	argv_add_fixed,
	argv_add_serials,
	argv_add_disks,
	argv_add_nics,
	add_display,
	add_raw,
};

char **argv_build(const struct vm_spec *spec, const struct argv_host *host,
	const struct argv_slots *slots, struct err *err)
{
	struct argv_build b = { .spec = spec,
		.host = host,
		.slots = slots,
		.err = err,
		.kind = device_machine(spec) };

	for (size_t i = 0; i < NELEMS(parts); i++)
		if (parts[i](&b) != 0) {
			argv_free(b.argv.at);
			return NULL;
		}
	return b.argv.at;
}

void argv_free(char **argv)
{
	for (char **at = argv; at && *at; at++)
		free(*at);
	free(argv);
}
