/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one disk of a simulated VM that can be plugged in and out: what QEMU
 * says to the commands, and the guest that lets go soon, late or never.
 */
#include "supervisor/vm.h"
#include "tests/sim/sim.h"

#define ID  "disk-data"
#define SET 7

static json_t *error(const char *desc)
{
	return json_pack("{s:{s:s,s:s}}", "error", "class", "GenericError",
		"desc", desc);
}

static json_t *done(void)
{
	return json_pack("{s:{}}", "return");
}

static bool is_ours(const json_t *arguments, const char *key)
{
	const char *id = json_string_value(json_object_get(arguments, key));

	return id && str_eq(id, ID);
}

static json_t *node_add(struct sim_disk *disk)
{
	if (disk->node)
		return error("Duplicate nodes with node-name='" ID "'");
	disk->node = true;
	return done();
}

static json_t *node_del(struct sim_disk *disk)
{
	if (!disk->node)
		return error("Failed to find node with node-name='" ID "'");
	if (disk->device)
		return error("Node '" ID "' is busy: in use");
	disk->node = false;
	return done();
}

/* Its one set, for which no descriptor is kept. */
static json_t *add_fd(struct sim_qemu *q, const json_t *arguments)
{
	const char *opaque =
		json_string_value(json_object_get(arguments, "opaque"));

	if (!opaque || !str_starts(opaque, ID ":/"))
		return error("an add-fd for no disk");
	q->disk.set = true;
	return json_pack("{s:{s:i,s:i}}", "return", "fdset-id", SET, "fd", 9);
}

static json_t *query_sets(const struct sim_disk *disk)
{
	if (!disk->set)
		return json_pack("{s:[]}", "return");
	return json_pack("{s:[{s:i,s:[{s:i,s:s}]}]}", "return", "fdset-id", SET,
		"fds", "fd", 9, "opaque", ID ":/it");
}

static json_t *remove_set(struct sim_disk *disk, const json_t *arguments)
{
	json_t *set = json_object_get(arguments, "fdset-id");

	if (!disk->set || json_integer_value(set) != SET)
		return error("File descriptor named 'fdset-id:7' not found");
	disk->set = false;
	return done();
}

static json_t *device_add(struct sim_disk *disk)
{
	if (disk->device)
		return error("Duplicate device ID '" ID "'");
	if (!disk->node)
		return error("Cannot find device='' nor node-name='" ID "'");
	disk->device = true;
	return done();
}

static json_t *device_del(struct sim_qemu *q)
{
	uint32_t ms = world_random(4) ? world_random(200) : world_random(20000);

	if (!q->disk.device)
		return error("Device '" ID "' not found");
	if (q->disk.unplug_us)
		return error("Device " ID " is already in the process of "
			     "unplug");
	q->disk.unplug_us = (int64_t)loop_sim_now_us() + (int64_t)ms * 1000;
	return done();
}

static json_t *list(const struct sim_disk *disk)
{
	json_t *devices = json_pack("[{s:s,s:s}]", "name", "disk-root", "type",
		"child<virtio-blk-pci>");

	if (disk->device)
		json_array_append_new(
			devices, json_pack("{s:s,s:s}", "name", ID, "type",
					 "child<virtio-blk-pci>"));
	return json_pack("{s:o}", "return", devices);
}

static json_t *query_block(const struct sim_qemu *q)
{
	return json_pack("{s:[{s:s,s:s,s:{s:s},s:s}]}", "return", "device", "",
		"qdev", "/machine/peripheral/disk-root/virtio-backend",
		"inserted", "node-name", "disk-root", "io-status",
		q->blocked ? "nospace" : "ok");
}

json_t *plug_execute(
	struct sim_qemu *q, const char *command, const json_t *arguments)
{
	if (str_eq(command, "query-block"))
		return query_block(q);
	if (str_eq(command, "qom-list"))
		return list(&q->disk);
	if (str_eq(command, "add-fd"))
		return add_fd(q, arguments);
	if (str_eq(command, "query-fdsets"))
		return query_sets(&q->disk);
	if (str_eq(command, "remove-fd"))
		return remove_set(&q->disk, arguments);
	if (str_eq(command, "blockdev-add") && is_ours(arguments, "node-name"))
		return node_add(&q->disk);
	if (str_eq(command, "blockdev-del") && is_ours(arguments, "node-name"))
		return node_del(&q->disk);
	if (str_eq(command, "device_add") && is_ours(arguments, "id"))
		return device_add(&q->disk);
	if (str_eq(command, "device_del") && is_ours(arguments, "id"))
		return device_del(q);
	return NULL;
}

void plug_start(struct sim_qemu *q, const char *const *argv)
{
	for (size_t i = 0; argv[i]; i++) {
		bool there = strstr(argv[i], "\"" ID "\"") != NULL;
		q->disk.node |= there;
		q->disk.set |= there;
		q->disk.device |= there;
	}
}

bool plug_pump(struct sim_qemu *q)
{
	if (!q->disk.unplug_us ||
		q->disk.unplug_us > (int64_t)loop_sim_now_us())
		return false;
	q->disk.unplug_us = 0;
	q->disk.device = false;
	sim_note("%s: the guest lets its disk go", q->vm->name);
	qemu_event(q, "DEVICE_DELETED",
		"\"device\": \"" ID "\", \"path\": \"/machine/peripheral/" ID
		"\"");
	return true;
}

static bool has_data(const struct vm *vm)
{
	list_each(&vm->running->disks, it, next) {
		if (str_eq(list_entry(it, struct spec_disk, link)->name,
			    "data"))
			return true;
	}
	return false;
}

/* What a life could not write down its successor does not know. */
static bool was_written(void)
{
	static const enum sim_fault refusals[] = { SIM_WRITE, SIM_FSYNC,
		SIM_RENAME, SIM_FILES, SIM_FULL };

	for (size_t i = 0; i < NELEMS(refusals); i++)
		if (sim.on[refusals[i]] && sim.lives > 1)
			return false;
	return true;
}

/* A lost or wrong answer leaves in doubt what was done. */
static bool is_sure(void)
{
	static const enum sim_fault doubts[] = { SIM_LATE, SIM_LOST,
		SIM_WRONG_ID, SIM_GARBAGE, SIM_TWICE, SIM_CRASH, SIM_POWER,
		SIM_LEAVE, SIM_STOPS };

	for (size_t i = 0; i < NELEMS(doubts); i++)
		if (sim.on[doubts[i]])
			return false;
	return true;
}

void plug_check(const struct sim_qemu *q)
{
	const struct vm *vm = registry_find(sim.service.registry, q->vm->name);

	if (!vm || !vm->running || !is_sure() || !was_written())
		return;
	if (q->disk.node != q->disk.device)
		sim_breach("I5", "%s: a node without device", vm->name);
	if (has_data(vm) != q->disk.device)
		sim_breach("I2", "%s: its disk is %s, and said to be %s",
			vm->name, q->disk.device ? "there" : "gone",
			has_data(vm) ? "there" : "gone");
}
