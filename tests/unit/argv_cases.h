/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The cases of the argument vector: tests/golden/argv-NAME.ini and .txt.
 * tests/unit/argv compares them, tests/unit/argv_live gives them to QEMU.
 */
#ifndef TESTS_UNIT_ARGV_CASES_H
#define TESTS_UNIT_ARGV_CASES_H

#include <fcntl.h>
#include <stdlib.h>

#include "base/fd.h"
#include "base/keys.h"
#include "base/mem.h"
#include "base/paths.h"
#include "supervisor/argv.h"
#include "supervisor/config.h"

struct argv_case {
	const char *name;
	const char *vm; /* NULL: the same */
	bool kvm;
	bool no_io_uring;
	bool away;            /* QEMU would look for servers, taps */
	const char *slots[6]; /* recorded: name by port */
};

static const struct argv_case argv_cases[] = {
	{ .name = "minimal" },
	{ .name = "kernel" },
	{ .name = "cloud", .no_io_uring = true },
	{ .name = "kvm", .kvm = true },
	{ .name = "pc" },
	{ .name = "microvm" },
	{ .name = "windows" },
	{ .name = "windows-kvm", .kvm = true },
	{ .name = "buses" },
	{ .name = "caches" },
	{ .name = "instance", .vm = "web@07" },
	{ .name = "raw" },
	{ .name = "slots",
		.slots = { "", "net-old", "disk-gone", "", "disk-root" } },
	{ .name = "bare" },
	{ .name = "cdrom" },
	{ .name = "display" },
	{ .name = "display-pc" },
	{ .name = "watchdog" },
	{ .name = "watchdog-itco" },
	{ .name = "remote", .away = true },
	{ .name = "watchdog-pc" },
	{ .name = "network", .away = true },
	{ .name = "uefi", .away = true },
	{ .name = "uefi-secure", .away = true },
	{ .name = "limits", .away = true },
};

/* The spec of a file; aborts with its first error. */
static struct vm_spec *case_load(const struct argv_case *c)
{
	AUTO_FREE char *file = xasprintf("tests/golden/argv-%s.ini", c->name);
	AUTO_STR struct str text = STR_INIT;
	struct err err = ERR_INIT;
	struct findings found;
	struct paths paths;
	struct vm_spec *spec;

	findings_init(&found);
	if (paths_init(&paths, PATHS_USER, "/nowhere", &err) != 0 ||
		fd_read_file(AT_FDCWD, file, 65536, &text, &err) != 0) {
		fprintf(stderr, "%s\n", err.text);
		abort();
	}
	spec = config_load_text(&paths, c->vm ? c->vm : c->name,
		str_text(&text), text.len, file, &found);
	if (!spec && findings_to_err(&found, &err) != 0) {
		fprintf(stderr, "%s\n", err.text);
		abort();
	}
	findings_fini(&found);
	paths_fini(&paths);
	return spec;
}

static void case_plan(const struct argv_case *c, const struct vm_spec *spec,
	struct argv_slots *slots)
{
	AUTO_STR struct str names = STR_INIT;

	memset(slots, 0, sizeof(*slots));
	for (size_t i = 0; i < NELEMS(c->slots); i++) {
		str_add(&names, i ? "," : "");
		str_add(&names, str_or(c->slots[i], ""));
	}
	argv_name_slots(slots, str_text(&names));
	argv_plan_slots(spec, slots);
}

#endif
