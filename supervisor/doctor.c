/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * doctor: looks at the host and says, for each thing that is missing, the
 * one command that remedies it.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/jstream.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/paths.h"
#include "base/sock.h"
#include "base/spawn.h"
#include "base/str.h"
#include "base/sys.h"
#include "supervisor/accel.h"
#include "supervisor/once.h"
#include "supervisor/pool.h"

enum { VERSION_MS = 5000 };

static int bad;      /* things that are missing */
static json_t *told; /* what --json prints in the end, or NULL */

/* "ok  kvm device  /dev/kvm opens", or "--" with the remedy below it. */
static void say(
	bool ok, const char *what, const char *found, const char *remedy)
{
	bad += !ok;
	if (told) {
		json_array_append_new(
			told, json_pack("{s:s, s:b, s:s, s:s?}", "check", what,
				      "ok", ok, "found", found, "remedy",
				      ok ? NULL : remedy));
		return;
	}
	printf("%s  %-18s  %s\n", ok ? "ok" : "--", what, found);
	if (!ok && remedy)
		printf("                        remedy: %s\n", remedy);
}

static void look_at_kvm(void)
{
	char why[96] = "";
	bool device = accel_has_kvm_device(why);
	bool flags = accel_has_cpu_flags();

	say(device, "kvm device", device ? "/dev/kvm opens" : why,
		"usermod -aG kvm $USER, then log in again; or modprobe "
		"kvm_intel (kvm_amd)");
	say(flags, "processor",
		flags ? "shows vmx or svm"
		      : "shows no vmx/svm: guests are emulated (slow)",
		"switch virtualisation on in the firmware, or nested "
		"virtualisation in the hypervisor");
}

static void look_at_nested(void)
{
	static const char *const files[] = {
		"/sys/module/kvm_intel/parameters/nested",
		"/sys/module/kvm_amd/parameters/nested", NULL
	};

	for (size_t i = 0; files[i]; i++) {
		char byte = 0;
		int fd = sys_openat(AT_FDCWD, files[i], O_RDONLY, 0);

		if (fd < 0)
			continue;
		if (sys_read(fd, &byte, 1) == 1)
			say(byte == 'Y' || byte == '1', "nested",
				byte == 'Y' || byte == '1'
					? "guests may run VMs"
					: "guests cannot run VMs",
				"modprobe -r kvm_intel; modprobe kvm_intel "
				"nested=1");
		sys_close(fd);
	}
}

/* Who installs programs here, and what he calls QEMU's. */
static const struct installer {
	const char *program;
	const char *command;
	const char *packages[2]; /* of qemu-system-x86_64, of qemu-img */
} installers[] = {
	{ "apt-get", "apt-get install", { "qemu-system-x86", "qemu-utils" } },
	{ "dnf", "dnf install", { "qemu-system-x86-core", "qemu-img" } },
	{ "apk", "apk add", { "qemu-system-x86_64", "qemu-img" } },
	{ "pacman", "pacman -S", { "qemu-system-x86", "qemu-img" } },
	{ "xbps-install", "xbps-install", { "qemu", "qemu" } },
};

static const struct installer *installer(void)
{
	for (size_t i = 0; i < NELEMS(installers); i++) {
		AUTO_FREE char *path = spawn_find(installers[i].program);

		if (path)
			return &installers[i];
	}
	return &installers[0];
}

/* `PROGRAM --version` on its way. */
struct question {
	struct spawn_tool tool;
	struct loop_timer late;
};

static void on_answer(struct spawn_tool *tool)
{
	loop_timer_stop(&container_of(tool, struct question, tool)->late);
}

static void on_late(struct loop_timer *timer)
{
	spawn_tool_stop(&container_of(timer, struct question, late)->tool);
}

/* "7.2.22" of "QEMU emulator version 7.2.22 (Debian ...)"; new, or NULL. */
static char *version_of(const char *path)
{
	static const char mark[] = "version ";
	const char *const argv[] = { path, "--version", NULL };
	struct question q = { .tool.on_end = on_answer };
	struct err err = ERR_INIT;
	char *version = NULL;
	const char *at;

	if (loop_init(&err))
		return NULL;
	if (!spawn_tool_start(&q.tool, argv, &err)) {
		loop_timer_start(&q.late, VERSION_MS, on_late);
		loop_run();
		at = strstr(str_text(&q.tool.out), mark);
		at = at ? at + strlen(mark) : "";
		version = *at ? xstrndup(at, strspn(at, "0123456789.")) : NULL;
	}
	spawn_tool_stop(&q.tool);
	loop_fini();
	return version;
}

/* The program's place and version, or the command that installs it. */
static void look_at_program(const char *program, unsigned package)
{
	const struct installer *by = installer();
	AUTO_FREE char *path = spawn_find(program);
	AUTO_FREE char *version = path ? version_of(path) : NULL;
	AUTO_FREE char *found =
		xasprintf("%s%s%s", path ? path : "not found on PATH",
			version ? ", " : "", version ? version : "");
	AUTO_FREE char *remedy =
		xasprintf("%s %s", by->command, by->packages[package]);

	say(path != NULL, program, found, remedy);
}

static void look_at_supervisor(const struct once_options *o)
{
	struct paths paths;
	struct err err = ERR_INIT;
	int fd;

	if (paths_init(&paths, o->user ? PATHS_USER : PATHS_SYSTEM, o->root,
		    &err)) {
		say(false, "paths", err.text, NULL);
		return;
	}
	fd = sock_connect(paths.control, &err);
	say(fd >= 0, "supervisor", fd >= 0 ? paths.control : err.text,
		o->user ? "vmwardd --user &" : "systemctl start vmward");
	if (fd >= 0)
		sys_close(fd);
	paths_fini(&paths);
}

static void look_at_pool(const struct pool *pool)
{
	bool is_default = str_eq(pool->name, POOL_DEFAULT);
	AUTO_FREE char *what = is_default ? xstrdup("images")
					  : xasprintf("pool %s", pool->name);
	AUTO_STR struct str text = STR_INIT;
	uint64_t space;

	if (!pool->dir) {
		say(false, what, pool->error, "mend the file");
	} else if (!sys_free_space(pool->dir, &space)) {
		str_add_bytes(&text, space);
		str_addf(&text, " free in %s", pool->dir);
		say(space > 1ull << 30, what, str_text(&text),
			"make room, or move the images");
	} else {
		str_addf(&text, "%s is not there yet", pool->dir);
		say(is_default, what, str_text(&text), "make it, or mount it");
	}
}

static void look_at_space(const struct once_options *o)
{
	struct paths paths;
	struct err err = ERR_INIT;

	if (paths_init(
		    &paths, o->user ? PATHS_USER : PATHS_SYSTEM, o->root, &err))
		return;
	list_each(pools_of(&paths), it, next)
		look_at_pool(list_entry(it, struct pool, link));
	paths_fini(&paths);
}

int once_doctor(const struct once_options *o)
{
	AUTO_JSON json_t *all = o->json ? json_array() : NULL;

	bad = 0;
	told = all;
	look_at_kvm();
	look_at_nested();
	look_at_program("qemu-system-x86_64", 0);
	look_at_program("qemu-img", 1);
	look_at_supervisor(o);
	look_at_space(o);
	if (all) {
		json_dumpf(all, stdout, JSON_COMPACT);
		putchar('\n');
	}
	told = NULL;
	return bad ? 1 : 0;
}
