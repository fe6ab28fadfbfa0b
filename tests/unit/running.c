/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Changes to what runs: the written spec is not touched, none is no crash. */
#include "supervisor/running.h"

#include "tests/unit/vmkit.h"

static const struct machine_hooks hooks = { NULL, NULL, NULL, NULL };

static unsigned disks_of(const struct vm_spec *spec)
{
	return list_count(&spec->disks);
}

static struct spec_disk *new_disk(const char *name)
{
	struct vm_spec *from = kit_spec("[disk.data]\nsize = 1G\n");
	struct spec_disk *disk = spec_disk_of(from, name);

	list_del(&disk->link);
	list_init(&disk->link);
	spec_free(from);
	return disk;
}

static struct vm *up(const char *spec)
{
	struct vm *vm = vm_new(&kit, "web", &hooks, kit_post);

	vm->spec = spec ? kit_spec(spec) : NULL;
	vm->running = vm->spec;
	vm->state = VM_RUNNING;
	return vm;
}

static void down(struct vm *vm)
{
	vm->state = VM_STOPPED;
	vm_drop_running(vm);
	vm_free(vm);
}

static void test_own(void)
{
	struct vm *vm = up("[disk.old]\nsize = 1G\n");

	running_add_disk_steal(
		vm, new_disk("data"), json_pack("{s:s}", "size", "1G"));
	is_int(disks_of(vm->running), 3, "a disk is plugged in");
	is_int(disks_of(vm->spec), 2, "and not written");
	ok(vm->pending > 0, "that is a difference");
	running_drop_disk(vm, "data");
	is_int(disks_of(vm->running), 2, "unplugged");
	is_int(vm->pending, 0, "no difference");
	running_drop_disk(vm, "old");
	is_int(disks_of(vm->spec), 2, "one that is written stays written");
	running_resize_disk(vm, "root", (uint64_t)2 << 30, "2G");
	ok(spec_disk_of(vm->running, "root")->size == (uint64_t)2 << 30 &&
			spec_disk_of(vm->spec, "root")->size == (uint64_t)1
									<< 30,
		"a size is that of what runs");
	down(vm);
}

static void links(struct vm *vm, bool up, unsigned pending, const char *what)
{
	running_set_link(vm, "lan", up);
	ok(spec_nic_of(vm->running, "lan")->up == up && vm->pending == pending,
		"%s", what);
}

static void test_link(void)
{
	struct vm *vm = up("[net.lan]\nuser = yes\n");

	running_set_link(vm, "none", false);
	is_int(vm->pending, 0, "no such nic: no difference");
	links(vm, false, 1, "a cable that is out is a difference");
	ok(spec_nic_of(vm->spec, "lan")->up, "and not written");
	links(vm, false, 1, "twice it is one");
	links(vm, true, 0, "in again: none");
	down(vm);
	vm = up("[net.lan]\nuser = yes\nlink = up\n");
	links(vm, false, 1, "against a file that says up");
	links(vm, true, 0, "which agrees again");
	down(vm);
}

/* The bug: a VM whose files had gone, adopted when no file could be opened. */
static void test_none(void)
{
	struct vm *vm = up(NULL);

	running_drop_disk(vm, "data");
	running_resize_disk(vm, "data", 1 << 30, "1G");
	running_set_link(vm, "lan", false);
	running_add_disk_steal(vm, new_disk("data"), json_object());
	ok(!vm->running && !vm->spec, "nothing is known of what runs");
	down(vm);
}

int main(void)
{
	kit_start();
	test_own();
	test_link();
	test_none();
	kit_end();
	return done();
}
