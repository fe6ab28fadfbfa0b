/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A VM without a QEMU for tests of what decides about it: an environment in
 * a private directory under the simulated clock, specs from text, and a
 * note of the events that were posted.
 */
#ifndef TESTS_UNIT_VMKIT_H
#define TESTS_UNIT_VMKIT_H

#include <errno.h>
#include <stdlib.h>

#include "base/aio.h"
#include "supervisor/config.h"
#include "supervisor/events.h"
#include "supervisor/lock.h"
#include "supervisor/vm.h"
#include "tests/unit/clock.h"
#include "tests/unit/tap.h"
#include "tests/unit/temp.h"

static struct env kit;
static struct str kit_posted = STR_INIT; /* "START KILL " */

/* fsync in line: records are on disk when the loop turns. */
static int kit_no_aio(unsigned n, unsigned long *context)
{
	(void)n;
	(void)context;
	errno = ENOSYS;
	return -1;
}

__attribute__((unused)) static void kit_start(void)
{
	struct err err = ERR_INIT;

	temp_make();
	clock_start();
	clock_sys.io_setup = kit_no_aio;
	if (paths_init(&kit.paths, PATHS_SYSTEM, temp_root, &err) ||
		paths_make(&kit.paths, &err) ||
		store_open(&kit.store, kit.paths.state, &err)) {
		printf("# %s\n", err.text);
		abort();
	}
	kit.lock_key = lock_key(kit.paths.run, kit.paths.state, &err);
}

__attribute__((unused)) static void kit_end(void)
{
	store_free(kit.store);
	free(kit.lock_key);
	aio_fini();
	paths_fini(&kit.paths);
	str_fini(&kit_posted);
	events_fini();
	loop_sim_end();
}

/* The spec of VM "web", with a disk so that it can boot. */
__attribute__((unused)) static struct vm_spec *kit_spec(const char *text)
{
	AUTO_STR struct str all = STR_INIT;
	struct findings found;
	struct vm_spec *spec;

	str_add(&all, text);
	str_add(&all, "[disk.root]\nsize = 1G\n");
	findings_init(&found);
	spec = config_load_text(
		&kit.paths, "web", str_text(&all), all.len, "web.ini", &found);
	list_each(&found.list, it, next) {
		printf("# %s\n", list_entry(it, struct finding, link)->text);
	}
	findings_fini(&found);
	if (!spec)
		abort();
	return spec;
}

__attribute__((unused)) static void kit_post(struct vm *vm, enum vm_event event)
{
	(void)vm;
	str_addf(&kit_posted, "%s ", vm_event_name(event));
}

/* What was posted since the last time; valid until the next call. */
__attribute__((unused)) static const char *kit_events(void)
{
	static char text[512];

	snprintf(text, sizeof(text), "%s", str_text(&kit_posted));
	str_cut(&kit_posted, 0);
	return text;
}

/* The log of a VM says this somewhere. */
__attribute__((unused)) static bool kit_logged(
	const struct vm *vm, const char *part)
{
	json_t *got = vmlog_read(&vm->log, 1000, -1, 0);
	char *text = json_dumps(got, 0);
	bool found = strstr(text, part) != NULL;

	free(text);
	json_decref(got);
	return found;
}

#endif
