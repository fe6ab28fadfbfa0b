/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Drives and their discs: what a file's sections make of them. */
#include "supervisor/cdrom.h"

#include "supervisor/argv.h"
#include "supervisor/delta.h"
#include "supervisor/running.h"
#include "tests/unit/tap.h"
#include "tests/unit/vmkit.h"

static const struct machine_hooks no_hooks;

#define DRIVE "[cdrom.a]\n"
#define DISC  DRIVE "image = /d/one.iso\n"

static void test_disc(void)
{
	struct vm_spec *spec = kit_spec(DISC);
	const struct spec_disk *disc = spec_disk_of(spec, "a");
	const struct spec_disk *drive = spec_cdrom_of(spec, "a");
	AUTO_FREE char *section = disc ? spec_disk_section(disc) : NULL;
	AUTO_FREE char *id = disc ? argv_disk_id(disc) : NULL;

	ok(disc && disc->disc && disc->drive, "its disc is a disk");
	ok(disc && disc->readonly, "that is only read");
	is_int(disc ? disc->format : -1, FORMAT_RAW, "as it is");
	is_str(str_or(section, ""), "cdrom.a", "of the drive's section");
	is_str(str_or(id, ""), "cdrom-a", "in the drive's device");
	ok(disc && !argv_disk_is_hot(disc), "it is not unplugged");
	ok(drive && drive->drive, "there is a drive");
	ok(spec->disks.prev == &disc->link, "discs come after disks");
	ok(cdrom_has_disc(spec), "something is in a drive");
	spec_free(spec);
}

static void test_empty(void)
{
	struct vm_spec *spec = kit_spec(DRIVE "image =\n");

	ok(!spec_disk_of(spec, "a"), "an empty drive has no disc");
	ok(spec_cdrom_of(spec, "a") != NULL, "but is there");
	ok(!cdrom_has_disc(spec), "nothing is in a drive");
	spec_free(spec);
}

/* Whichever drive is empty, the first disk boots unless a drive is to. */
static void test_boot(void)
{
	struct vm_spec *spec = kit_spec(DRIVE "boot = 1\n");

	is_int(argv_disk_boot(spec, spec_disk_of(spec, "root")), 0,
		"an empty drive can be first");
	spec_free(spec);
	spec = kit_spec(DISC);
	is_int(argv_disk_boot(spec, spec_disk_of(spec, "root")), 1,
		"a disc alone is not");
	is_int(argv_disk_boot(spec, spec_disk_of(spec, "a")), 0,
		"it has no place");
	spec_free(spec);
}

/* What runs changes as its drive does, and says so to a successor. */
static void test_running(void)
{
	struct vm *vm = vm_new(&kit, "web", &no_hooks, kit_post);
	struct err err = ERR_INIT;
	struct spec_disk *disc;

	vm->spec = kit_spec(DISC);
	vm->running = kit_spec(DISC);
	running_set_disc_steal(vm, "a", NULL, NULL);
	ok(!spec_disk_of(vm->running, "a"), "ejected: no disk");
	ok(!cdrom_has_disc(vm->running), "an empty drive");
	is_int(vm->pending, 1, "which is not as the file says");
	disc = cdrom_disc(vm->running, spec_cdrom_of(vm->running, "a"),
		"/d/two.iso", &kit.paths, &err);
	ok(disc != NULL, "another disc");
	running_set_disc_steal(vm, "a", disc, "/d/two.iso");
	is_str(spec_disk_of(vm->running, "a")->image, "/d/two.iso", "is in");
	is_str(ini_find(&vm->running->ini, "cdrom.a", "image")->value,
		"/d/two.iso", "by its entries");
	disc = cdrom_disc(vm->running, spec_cdrom_of(vm->running, "a"),
		"/d/one.iso", &kit.paths, &err);
	running_set_disc_steal(vm, "a", disc, "/d/one.iso");
	is_int(vm->pending, 0, "the file's own is no difference");
	running_set_disc_steal(vm, "b", NULL, NULL);
	is_int(vm->pending, 0, "no such drive: nothing happens");
	vm_drop_running(vm);
	vm_free(vm);
}

/* A saved VM is restored by what its entries say: discs come in their order. */
static void test_order(void)
{
	struct vm *vm = vm_new(&kit, "web", &no_hooks, kit_post);
	struct err err = ERR_INIT;
	struct list *last;

	vm->spec = kit_spec("[cdrom.a]\n[cdrom.b]\nimage = /d/b.iso\n");
	vm->running = kit_spec("[cdrom.a]\n[cdrom.b]\nimage = /d/b.iso\n");
	running_set_disc_steal(vm, "a",
		cdrom_disc(vm->running, spec_cdrom_of(vm->running, "a"),
			"/d/a.iso", &kit.paths, &err),
		"/d/a.iso");
	last = vm->running->disks.prev;
	is_str(list_entry(last, struct spec_disk, link)->name, "b", "b last");
	is_str(list_entry(last->prev, struct spec_disk, link)->name, "a",
		"before it the disc that came later");
	vm_drop_running(vm);
	vm_free(vm);
}

int main(void)
{
	kit_start();
	test_disc();
	test_empty();
	test_boot();
	test_running();
	test_order();
	kit_end();
	return done();
}
