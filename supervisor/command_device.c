/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * device list: what QEMU has by its own words, with the place that is kept
 * for each, whether its guest was asked to let it go, and since when it is
 * there.
 */
#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "base/member.h"
#include "base/str.h"
#include "base/sys.h"
#include "supervisor/commands.h"
#include "supervisor/observe.h"
#include "supervisor/running.h"
#include "supervisor/unplug.h"

struct device_list {
	struct request *rq;
	struct vm *vm;
	struct observed seen;
};

/* "port 3", "unit 1"; NULL: a place of the board, which never changes. */
static char *slot_of(const struct vm *vm, const char *id)
{
	int port = argv_find_slot(&vm->slots, id);
	int unit = argv_find_unit(&vm->slots, id);

	return port >= 0   ? xasprintf("port %d", port)
	       : unit >= 0 ? xasprintf("unit %d", unit)
			   : NULL;
}

/* "disk.data" of "disk-data", if what runs has such a section; new, or NULL. */
static char *section_of(const struct vm *vm, const char *id)
{
	char *section = xstrdup(id);
	char *dash = strchr(section, '-');

	if (dash)
		*dash = '.';
	if (dash && vm->running && ini_find(&vm->running->ini, section, NULL))
		return section;
	free(section);
	return NULL;
}

/* The word of its section, or "board" of what every such machine has. */
static char *class_of(const char *section)
{
	return section ? xstrndup(section, strcspn(section, "."))
		       : xstrdup("board");
}

static bool is_asked_to_go(const struct vm *vm, const char *section)
{
	const char *dot = section ? strchr(section, '.') : NULL;
	AUTO_FREE char *kind = class_of(section);

	return dot && unplug_is_asked(vm, kind, dot + 1);
}

/* The time when it came; null: somebody plugged it in by hand. */
static json_t *since_of(
	const struct device_list *list, const char *section, const char *id)
{
	const struct vm *vm = list->vm;
	int64_t came_us = section ? running_since(vm, section) : 0;
	char text[32];

	if (!came_us && observed_began_with(&list->seen, id)) {
		came_us = sys_realtime_us() - vm_uptime_ms(vm) * 1000;
		came_us -= came_us % 1000000; /* the same one each time */
	}
	if (!came_us)
		return json_null();
	vmlog_time(came_us, text);
	return json_string(text);
}

static json_t *device_json(
	const struct device_list *list, const char *id, const char *model)
{
	AUTO_FREE char *slot = slot_of(list->vm, id);
	AUTO_FREE char *section = section_of(list->vm, id);
	AUTO_FREE char *class = class_of(section);
	bool goes = is_asked_to_go(list->vm, section);

	return json_pack("{s:s,s:s,s:s,s:s?,s:s,s:o}", "id", id, "class", class,
		"model", model, "slot", slot, "state",
		goes ? "unplugging" : "plugged", "since",
		since_of(list, section, id));
}

/* Of the type of a property, "child<MODEL>"; NULL: it is no device. */
static char *model_of(const char *type)
{
	const char *from = strchr(type, '<');

	if (!from || !str_starts(type, "child<"))
		return NULL;
	return xstrndup(from + 1, strcspn(from + 1, ">"));
}

static json_t *devices_json(const struct device_list *list)
{
	json_t *all = json_array();
	json_t *item;
	size_t i;

	json_array_foreach(list->seen.devices, i, item)
	{
		AUTO_FREE char *model = model_of(member_text(item, "type"));

		if (model)
			json_array_append_new(
				all, device_json(list,
					     member_text(item, "name"), model));
	}
	return all;
}

static void on_seen(struct job *job, void *arg)
{
	struct device_list *list = arg;

	if (command_ends_well(list->rq, job))
		request_reply_steal(list->rq,
			json_pack("{s:o}", "devices", devices_json(list)));
	observed_fini(&list->seen);
	free(list);
}

void command_device_list(struct request *rq)
{
	struct vm *vm = command_vm(rq);
	struct device_list *list;

	if (!vm)
		return;
	if (!vm->machine.ready) {
		request_failf(rq, ERR_STATE, "it is %s", vm_state_word(vm));
		return;
	}
	list = NEW(struct device_list);
	list->rq = rq;
	list->vm = rq->vm = vm;
	rq->job = observe_start(vm, &list->seen, NULL, on_seen, list);
	vm_job_add(vm, rq->job);
}
