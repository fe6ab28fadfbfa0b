/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * supervisor/firmware: which UEFI a machine gets of a host's descriptors, and
 * what becomes of a VM's variables.
 */
#include "supervisor/firmware.h"

#include <unistd.h>

#include "tests/unit/confdir.h"
#include "tests/unit/tap.h"

static const char *const dirs[] = { "admin", "packages", NULL };

/* A descriptor in a directory below the configuration. */
static void describe(const char *file, const char *machine,
	const char *features, const char *mapping)
{
	AUTO_FREE char *text = xasprintf(
		"{\"interface-types\":[\"uefi\"],\"mapping\":%s,"
		"\"targets\":[{\"architecture\":\"x86_64\",\"machines\":"
		"[\"%s\"]}],\"features\":[%s]}",
		mapping, machine, features);

	conf_put(file, text);
}

/* Two chips of these names below the configuration, which are there. */
static char *flash(const char *name)
{
	AUTO_FREE char *code = xasprintf("%s.code", name);
	AUTO_FREE char *vars = xasprintf("%s.vars", name);

	conf_put(code, "code");
	conf_put(vars, "variables");
	return xasprintf("{\"device\":\"flash\",\"executable\":{\"filename\":"
			 "\"%s/%s\",\"format\":\"raw\"},\"nvram-template\":"
			 "{\"filename\":\"%s/%s\",\"format\":\"raw\"}}",
		conf.config, code, conf.config, vars);
}

static void finds(const char *machine, bool secure, const char *want)
{
	AUTO_FREE char *admin = xasprintf("%s/%s", conf.config, dirs[0]);
	AUTO_FREE char *packages = xasprintf("%s/%s", conf.config, dirs[1]);
	const char *const where[] = { admin, packages, NULL };
	struct argv_firmware found = { 0 };
	struct err err = ERR_INIT;
	int rc = firmware_find(where, machine, secure, &found, &err);
	const char *slash = rc ? NULL : strrchr(found.code, '/');

	is_str(slash ? slash + 1 : err.text, want, "%s%s", machine,
		secure ? " with Secure Boot" : "");
	if (!rc)
		is_int(found.smm, secure, "SMM with Secure Boot only");
	firmware_fini(&found);
}

static void test_find(void)
{
	AUTO_FREE char *plain = flash("plain");
	AUTO_FREE char *keys = flash("keys");
	AUTO_FREE char *mine = flash("mine");

	finds("q35", false,
		"this host has no UEFI firmware for machine q35: install ovmf "
		"(or edk2-ovmf)");
	describe("packages/40-keys.json", "pc-q35-*",
		"\"secure-boot\",\"enrolled-keys\",\"requires-smm\"", keys);
	describe("packages/50-empty.json", "pc-q35-*",
		"\"secure-boot\",\"requires-smm\"", keys);
	describe("packages/60-plain.json", "pc-*", "\"acpi-s3\"", plain);
	conf_put("packages/10-broken.json", "{ no JSON");
	conf_put("packages/README", "not one");
	finds("q35", false, "plain.code");
	finds("pc-i440fx-7.2", false, "plain.code");
	finds("pc-q35-7.2", true, "keys.code");
	finds("pc", true,
		"this host has no UEFI firmware with Secure Boot and its keys "
		"for machine pc: install ovmf (or edk2-ovmf)");
	describe("admin/50-mine.json", "pc-q35-*", "", mine);
	finds("q35", false, "mine.code");
	conf_put("admin/50-mine.json", NULL);
	conf_put("admin/60-plain.json", "");
	finds("q35", false,
		"this host has no UEFI firmware for machine q35: install ovmf "
		"(or edk2-ovmf)");
	conf_put("admin/60-plain.json", NULL);
	conf_put("plain.vars", NULL); /* what it names is gone */
	finds("q35", false,
		"this host has no UEFI firmware for machine q35: install ovmf "
		"(or edk2-ovmf)");
}

static void test_refused(const char *vm, const char *want)
{
	AUTO_FREE char *text = xasprintf("[vm]\n%s[disk.d]\nsize = 1G\n", vm);
	AUTO_FREE char *found = NULL;
	struct vm_spec *spec;

	conf_put("vms/web.ini", text);
	spec = conf_load("web", &found);
	is_str(found, want, "what is said of it");
	spec_free(spec);
}

int main(void)
{
	conf_start(PATHS_SYSTEM);
	test_find();
	test_refused("machine = pc\nfirmware = uefi-secure\n",
		"web.ini:3: [vm] firmware: Secure Boot needs machine = q35\n");
	test_refused("machine = microvm\nfirmware = uefi\n",
		"web.ini:3: [vm] firmware: machine microvm has no UEFI: say "
		"machine = q35\n");
	conf_end();
	return done();
}
