/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The checks that need this host: images and kernels that exist and are what
 * they are said to be, ports that are free, memory that is there.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/sys.h"
#include "net/ports.h"
#include "storage/image.h"
#include "supervisor/argv.h"
#include "supervisor/config.h"
#include "supervisor/firmware.h"
#include "supervisor/forward.h"
#include "supervisor/hook_file.h"
#include "supervisor/overlays.h"
#include "supervisor/pool.h"
#include "supervisor/ram.h"
#include "supervisor/remark.h"
#include "supervisor/seed.h"
#include "supervisor/snapshots.h"

struct host {
	const struct vm_spec *spec;
	const struct paths *paths;
	const struct remarks *to;
	struct ports ports;
	unsigned first_free; /* port that needs no right */
};

/* ---- images ---- */

/* One image of one disk: which key names it and what it must be. */
struct image {
	const char *section;
	const char *key;
	const char *path;
	const struct spec_disk *disk;
};

/* Refuses a contradiction between name or key and the header. */
static void check_header(const struct host *host, const struct image *image,
	const char *header, const char *format)
{
	const char *slash = strrchr(image->path, '/');

	if (str_eq(header, format))
		return;
	remark_error(host->to, image->section, image->key,
		"%s is %s by its header, %s says %s", slash + 1, header,
		image->disk->format ? "format" : "its suffix", format);
}

static void check_size(
	const struct host *host, const struct image *image, uint64_t has)
{
	AUTO_STR struct str want = STR_INIT;
	AUTO_STR struct str have = STR_INIT;

	if (image->disk->size == 0 || image->disk->size >= has)
		return;
	str_add_bytes(&want, image->disk->size);
	str_add_bytes(&have, has);
	remark_error(host->to, image->section, "size",
		"%s is less than %s has (%s)", str_text(&want), image->key,
		str_text(&have));
}

static void check_content(const struct host *host, const struct image *image)
{
	int format = argv_base_format(
		image->disk, image->path, &(struct err)ERR_INIT);
	struct err err = ERR_INIT;
	const char *header;
	uint64_t size;
	bool backing;

	if (image_header(image->path, &header, &size, &backing, &err) < 0) {
		remark_error(
			host->to, image->section, image->key, "%s", err.text);
		return;
	}
	if (format == FORMAT_NONE)
		return;
	check_header(host, image, header, spec_format_names[format]);
	check_size(host, image, size);
}

/* A volume stays in its pool. */
static bool leads_out(const struct host *host, const struct image *image)
{
	const struct pool *pool = pool_of_file(host->paths, image->path);
	struct err err = ERR_INIT;

	if (!pool || !pool_admits(pool, strrchr(image->path, '/') + 1, &err) ||
		err.code == ERR_NOT_FOUND)
		return false;
	remark_error(host->to, image->section, image->key, "%s", err.text);
	return true;
}

/* 1 it is there, 0 it is not, -1 after a finding. */
static int check_exists(const struct host *host, const struct image *image)
{
	struct stat st;

	if (leads_out(host, image))
		return -1;
	if (sys_fstatat(AT_FDCWD, image->path, &st, 0) == 0) {
		if (!S_ISDIR(st.st_mode))
			return 1;
		remark_error(host->to, image->section, image->key,
			"'%s' is a directory", image->path);
		return -1;
	}
	if (errno == ENOENT)
		return 0;
	struct err err = ERR_INIT;
	err_os(&err, "cannot look at '%s'", image->path);
	remark_error(host->to, image->section, image->key, "%s", err.text);
	return -1;
}

/* What others are on top of must not change below them. */
static void check_overlays(const struct host *host, const struct image *image)
{
	struct err err = ERR_INIT;
	AUTO_FREE char *overlay = overlays_find(host->paths, image->path, &err);
	const char *slash = strrchr(image->path, '/');

	if (!overlay && err.code)
		remark_note(host->to, image->section, image->key,
			"whether others are on top of %s is not known: %s",
			slash + 1, err.text);
	if (overlay)
		remark_error(host->to, image->section, image->key,
			"%s is the base of %s and must not be written: say "
			"readonly = yes, or base = %s",
			slash + 1, overlay, image->disk->image);
}

static void check_image(const struct host *host, const struct spec_disk *disk,
	const char *section)
{
	AUTO_FREE char *path =
		argv_disk_path(host->spec, disk, host->paths->images);
	const struct image image = { section, "image", path, disk };

	int there = check_exists(host, &image);
	if (there > 0)
		check_content(host, &image);
	if (there > 0 && !disk->readonly && !host->spec->vm.ephemeral)
		check_overlays(host, &image);
	if (there == 0 && disk->size == 0)
		remark_error(host->to, section, "image",
			"'%s' does not exist: add size = 20G to make it, or "
			"instead say base = IMAGE for an overlay, or size "
			"alone",
			path);
}

static void check_base(const struct host *host, const struct spec_disk *disk,
	const char *section)
{
	AUTO_FREE char *path = argv_base_path(disk, host->paths->images);
	const struct image image = { section, "base", path, disk };

	int there = check_exists(host, &image);
	if (there > 0)
		check_content(host, &image);
	if (there == 0)
		remark_error(
			host->to, section, "base", "'%s' does not exist", path);
}

static void check_disks(const struct host *host)
{
	list_each(&host->spec->disks, it, next) {
		struct spec_disk *disk = list_entry(it, struct spec_disk, link);
		AUTO_FREE char *section = spec_disk_section(disk);
		if (disk->made || !remark_is_sound(host->to, section))
			continue;
		if (disk->image)
			check_image(host, disk, section);
		else if (disk->base)
			check_base(host, disk, section);
	}
}

/* ---- kernel and memory ---- */

static void check_readable(
	const struct host *host, const char *key, const char *path)
{
	struct err err = ERR_INIT;
	struct stat st;

	if (!path)
		return;
	AUTO_CLOSE int fd =
		sys_openat(AT_FDCWD, path, O_RDONLY | O_NONBLOCK, 0);
	if (fd < 0 || sys_fstat(fd, &st) < 0) {
		err_os(&err, "cannot open '%s'", path);
		remark_error(host->to, "vm", key, "%s", err.text);
	} else if (!S_ISREG(st.st_mode)) {
		remark_error(host->to, "vm", key, "'%s' is not a regular file",
			path);
	}
}

static void check_memory(const struct host *host)
{
	uint64_t has = key_host_memory();
	AUTO_STR struct str text = STR_INIT;

	if (has == 0 || host->spec->vm.memory <= has)
		return;
	str_add_bytes(&text, has);
	remark_note(
		host->to, "vm", "memory", "this host has %s", str_text(&text));
}

/* ---- ports ---- */

/* A port that somebody else has; true after a finding. */
static bool check_taken(const struct host *host, const char *section,
	const struct spec_forward *f, uint16_t port)
{
	const struct ports_entry *e =
		ports_find(&host->ports, f->udp, forward_addr(f), port);
	char name[32];

	if (!e)
		return false;
	pid_t pid = ports_holder(e, name);
	bool known = host->spec->uuid[0] != '\0';

	if (known && pid > 0 && ports_pid_says(pid, host->spec->uuid))
		return false;
	if (pid > 0)
		remark_error(host->to, section, "forward",
			"port %u is taken by pid %d (%s)", port, (int)pid,
			name);
	else
		remark_error(host->to, section, "forward",
			"port %u is taken by another user's process", port);
	return true;
}

static void check_firmware(const struct host *host)
{
	const struct spec_vm *vm = &host->spec->vm;
	struct argv_firmware found = { 0 };
	struct err err = ERR_INIT;

	if (!firmware_is_uefi(host->spec) || !remark_is_sound(host->to, "vm"))
		return;
	if (firmware_find(NULL, vm->machine,
		    vm->firmware == FIRMWARE_UEFI_SECURE, &found, &err))
		remark_error(host->to, "vm", "firmware", "%s", err.text);
	firmware_fini(&found);
}

static void check_forward(const struct host *host, const char *section,
	const struct spec_forward *f)
{
	if (f->addr[0] && !ports_addr_is_ours(f->addr)) {
		remark_error(host->to, section, "forward",
			"%s is no address of this host", f->addr);
		return;
	}
	if (f->host_first < host->first_free) {
		remark_error(host->to, section, "forward",
			"port %u needs root: say one from %u on", f->host_first,
			host->first_free);
		return;
	}
	for (unsigned port = f->host_first; port <= f->host_last; port++)
		if (check_taken(host, section, f, (uint16_t)port))
			return;
}

static void check_nics(const struct host *host)
{
	list_each(&host->spec->nics, it, next) {
		struct spec_nic *nic = list_entry(it, struct spec_nic, link);
		AUTO_FREE char *section = xasprintf("net.%s", nic->name);
		if (!remark_is_sound(host->to, section))
			continue;
		for (unsigned i = 0; i < nic->forward.n; i++)
			check_forward(host, section, &nic->forward.at[i]);
	}
}

/* ---- the probe ---- */

/* The program of ready = exec: is there, and may be run. */
static void check_probe(const struct host *host)
{
	const struct spec_ready_probe *ready = &host->spec->start.ready;
	struct err err = ERR_INIT;
	struct stat st;

	if (ready->kind != READY_EXEC || !ready->text)
		return;
	AUTO_FREE char *program =
		xstrndup(ready->text, strcspn(ready->text, " \t"));
	if (*program != '/')
		return; /* said already */
	if (sys_fstatat(AT_FDCWD, program, &st, 0)) {
		err_os(&err, "exec cannot work: '%s'", program);
		remark_error(host->to, "start", "ready", "%s", err.text);
	} else if (!S_ISREG(st.st_mode) || !(st.st_mode & 0111)) {
		remark_error(host->to, "start", "ready",
			"exec cannot work: '%s' is no program that may be run",
			program);
	}
}

/* ---- hooks ---- */

/* The program of a command line must be one, and no one else's. */
static void check_program(const struct host *host, const char *section,
	const char *key, const char *command)
{
	AUTO_FREE char *path = xstrndup(
		str_or(command, ""), strcspn(str_or(command, ""), " \t"));
	struct err err = ERR_INIT;

	if (*path && hook_file_check(path, &err))
		remark_error(host->to, section, key, "%s", err.text);
}

static void check_hooks(const struct host *host)
{
	const struct spec_hooks *hooks = &host->spec->hooks;
	const struct spec_crash_loop *loop = &host->spec->restart.on_crash_loop;

	check_program(host, "hooks", "started", hooks->started);
	check_program(host, "hooks", "stopped", hooks->stopped);
	check_program(host, "hooks", "incident", hooks->incident);
	if (loop->kind == CRASH_LOOP_EXEC)
		check_program(host, "restart", "on-crash-loop", loop->text);
}

/* ---- snapshots ---- */

/* It may be made when the VM is there. */
static void check_revert(const struct host *host)
{
	const struct spec_crash_loop *loop = &host->spec->restart.on_crash_loop;
	struct err err = ERR_INIT;
	AUTO_JSON json_t *tree = NULL;

	if (loop->kind != CRASH_LOOP_REVERT)
		return;
	if (snapshots_check_name(loop->text, &err)) {
		remark_error(
			host->to, "restart", "on-crash-loop", "%s", err.text);
		return;
	}
	tree = snapshots_read(host->paths, host->spec->name, &err);
	if (tree && snapshots_find(tree, loop->text, &err))
		return;
	remark_note(host->to, "restart", "on-crash-loop",
		"%s; without it a crash loop means stop: vmward snapshot "
		"create %s --name %s",
		err.text, host->spec->name, loop->text);
}

void config_check_host(const struct vm_spec *spec, const struct paths *paths,
	struct findings *f)
{
	const struct remarks to = { &spec->ini, spec->shown, f };
	struct host host = { .spec = spec, .paths = paths, .to = &to };

	ports_init(&host.ports);
	host.first_free = ports_first_free();
	check_readable(&host, "kernel", spec->vm.kernel);
	check_readable(&host, "initrd", spec->vm.initrd);
	check_memory(&host);
	check_firmware(&host);
	ram_check(spec, &to);
	check_disks(&host);
	check_nics(&host);
	check_probe(&host);
	check_hooks(&host);
	check_revert(&host);
	seed_check_files(spec, &to);
	ports_fini(&host.ports);
}
