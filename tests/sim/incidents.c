/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The incidents of the simulated VMs as files: whole ones only once all is
 * at rest, ten of a VM at most, and the one that its record names is there.
 */
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>

#include "supervisor/incidents.h"
#include "tests/sim/sim.h"
#include "tests/sim/world_impl.h"

struct look {
	const struct sim_vm *vm;
	char *dir;
	unsigned n;
	const char *want; /* an id, or NULL */
	bool found;
};

/* Its facts are there and name it. */
static void check_facts(const struct look *look, const char *id)
{
	AUTO_FREE char *path = life_path("%s/%s/incident.json", look->dir, id);
	const struct bytes *bytes = world_bytes_of(path, false);
	json_t *facts =
		bytes ? json_loadb(bytes->data, bytes->len, 0, NULL) : NULL;
	const char *said = json_string_value(json_object_get(facts, "id"));

	/* none is synced: with the power even a part may be lost */
	if (sim.boots == 1 && (!said || !str_eq(said, id)))
		sim_breach("incidents", "'%s' is not whole", path);
	json_decref(facts);
}

static void check_one(void *arg, const char *id)
{
	struct look *look = arg;

	if (id[0] == '.')
		return;
	if (str_ends(id, ".tmp"))
		sim_breach("I5", "'%s/%s' is left over", look->dir, id);
	check_facts(look, id);
	look->n++;
	look->found |= look->want && str_eq(look->want, id);
}

static void look_at(struct look *look)
{
	look->dir =
		life_path("%s/incidents/%s", sim.paths.state, look->vm->name);
	world_listdir(AT_FDCWD, look->dir, check_one, look);
	if (look->n > INCIDENTS_KEPT)
		sim_breach(
			"bounds", "%s: %u incidents", look->vm->name, look->n);
	free(look->dir);
}

void incidents_check(const struct sim_vm *vm)
{
	struct look look = { .vm = vm };

	look_at(&look);
}

bool incidents_tell(const struct sim_vm *vm, const char *id, const char *cause)
{
	struct look look = { .vm = vm, .want = id };

	look_at(&look);
	return look.found && str_ends(id, cause);
}
