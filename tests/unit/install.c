/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A disc for one life: what it makes of a spec, and when it is used up. */
#include "supervisor/install.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/tap.h"
#include "tests/unit/vmkit.h"

static const struct machine_hooks no_hooks;

static void refuses(const char *text, const char *path, const char *want)
{
	struct vm_spec *spec = kit_spec(text);
	struct err err = ERR_INIT;
	struct stat st = { .st_mode = S_IFREG };

	(void)stat(path, &st);
	ok(install_check(spec, path, &st, &err) != 0, "refused: %s", path);
	ok(strstr(err.text, want) != NULL, "%s: %s", want, err.text);
	spec_free(spec);
}

static void test_check(void)
{
	struct vm_spec *spec = kit_spec("");
	struct err err = ERR_INIT;
	struct stat st = { .st_mode = S_IFREG };

	ok(!install_check(spec, "/d/x.iso", &st, &err), "a file");
	ok(!install_check(NULL, "/d/x.iso", &st, &err), "of a new VM");
	st.st_mode = S_IFBLK;
	ok(!install_check(spec, "/dev/sr0", &st, &err), "a drive");
	spec_free(spec);
	refuses("", "disc.iso", "say --cdrom");
	refuses("", "/proc", "neither a file");
	refuses("", "/dev/null", "neither a file");
	refuses("[vm]\nmachine = microvm\n", "/proc/self/exe", "no CD-ROM");
	refuses("[disk.cdrom]\nsize = 1M\n", "/proc/self/exe", "[disk.cdrom]");
}

static void test_apply(void)
{
	struct vm_spec *spec = kit_spec("[restart]\non-guest-reboot = warm\n");
	const struct spec_disk *disk;
	struct err err = ERR_INIT;

	ok(!install_of(spec), "no spec has one of itself");
	ok(!install_apply(spec, "/d/a b,c.iso", &kit.paths, &err), "applied");
	disk = spec_disk_of(spec, "cdrom");
	ok(disk && disk->disc && disk->readonly, "a drive that is only read");
	is_str(disk ? disk->image : "", "/d/a b,c.iso", "with the disc");
	ok(spec->installs, "and a display");
	is_int(spec->restart.on_guest_reboot, REBOOT_COLD, "a reboot ends it");
	is_str(str_or(install_of(spec), ""), "/d/a b,c.iso",
		"its entries tell a successor");
	ok(install_apply(spec, "/d/x.iso", &kit.paths, &err) != 0,
		"not a second time");
	spec_free(spec);
}

static void ends(struct vm *vm, enum cause cause, bool kept)
{
	install_keep(vm, "/d/x.iso", dup(0));
	vm->last.cause = cause;
	install_ended(vm);
	is_int(vm->once_disc != NULL, kept, "after %s", cause_name(cause));
	is_int(vm->once_disc_fd > 0, kept, "and its descriptor");
}

static void test_ended(void)
{
	struct vm *vm = vm_new(&kit, "web", &no_hooks, kit_post);

	ends(vm, CAUSE_GUEST_REBOOT, false);
	ends(vm, CAUSE_GUEST_POWEROFF, false);
	ends(vm, CAUSE_ADMIN_STOP, false);
	ends(vm, CAUSE_QEMU_SIGNAL, true);
	ends(vm, CAUSE_PANIC, true);
	vm_free(vm);
}

int main(void)
{
	kit_start();
	test_check();
	test_apply();
	test_ended();
	kit_end();
	return done();
}
