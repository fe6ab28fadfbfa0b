/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Handlers of the incident verbs; see commands.h. */
#include "base/mem.h"
#include "supervisor/commands.h"
#include "supervisor/incidents.h"
#include "supervisor/registry.h"

#define LIST_MAX 300 /* of all VMs: a line has 64 KiB */

static const char *state_dir(const struct vm *vm)
{
	return vm->env->paths.state;
}

static int newest_first(const void *a, const void *b)
{
	const json_t *const *x = a;
	const json_t *const *y = b;

	return strcmp(json_string_value(json_object_get(*y, "id")),
		json_string_value(json_object_get(*x, "id")));
}

/* The newest of all VMs, in order. */
static json_t *sorted(json_t *all)
{
	size_t n = json_array_size(all);
	AUTO_FREE json_t **items = xcalloc(n + 1, sizeof(*items));
	json_t *out = json_array();

	for (size_t i = 0; i < n; i++)
		items[i] = json_array_get(all, i);
	qsort(items, n, sizeof(*items), newest_first);
	for (size_t i = 0; i < n && i < LIST_MAX; i++)
		json_array_append(out, items[i]);
	json_decref(all);
	return out;
}

void command_incident_list(struct request *rq)
{
	bool one = *request_string(rq, "vm");
	struct vm *vm = one ? command_vm(rq) : NULL;
	json_t *all;

	if (one && !vm)
		return;
	all = json_array();
	if (one)
		incidents_list(state_dir(vm), vm->name, all);
	else
		list_each(registry_vms(request_registry(rq)), it, next) {
			vm = list_entry(it, struct vm, link);
			incidents_list(state_dir(vm), vm->name, all);
		}
	request_reply_steal(rq, json_pack("{s:o}", "incidents", sorted(all)));
}

/* The incident that was asked for; NULL: answered. */
static json_t *find(struct request *rq)
{
	struct vm *vm = command_vm(rq);
	struct err err = ERR_INIT;
	json_t *found;

	if (!vm)
		return NULL;
	found = incidents_show(
		state_dir(vm), vm->name, request_string(rq, "id"), &err);
	if (!found)
		request_fail(rq, &err);
	return found;
}

void command_incident_show(struct request *rq)
{
	json_t *found = find(rq);

	if (found)
		request_reply_steal(rq, found);
}

void command_incident_read(struct request *rq)
{
	AUTO_JSON json_t *found = find(rq);
	struct err err = ERR_INIT;
	json_t *part;

	if (!found)
		return;
	part = incidents_read(json_string_value(json_object_get(found, "dir")),
		request_string(rq, "file"), request_int(rq, "offset", 0), &err);
	if (part)
		request_reply_steal(rq, part);
	else
		request_fail(rq, &err);
}
