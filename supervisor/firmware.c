/* SPDX-License-Identifier: GPL-2.0-or-later */
/* UEFI: which firmware, and a VM's own variables; see firmware.h. */
#include "supervisor/firmware.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/fd.h"
#include "base/jstream.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/member.h"
#include "base/str.h"
#include "base/sys.h"
#include "supervisor/device.h"

enum { DESCRIPTOR_MAX = 64 * 1024, DESCRIPTORS = 256 };
enum { VARS_MAX = 16 * 1024 * 1024 };

/* What an admin wrote comes before what packages brought. */
static const char *const host_dirs[] = { "/etc/qemu/firmware",
	"/usr/local/share/qemu/firmware", "/usr/share/qemu/firmware", NULL };

/* ---- descriptors ---- */

struct names {
	char *at[DESCRIPTORS];
	size_t n;
};

static void note_name(void *arg, const char *name)
{
	struct names *names = arg;

	if (!str_ends(name, ".json") || names->n == DESCRIPTORS)
		return;
	for (size_t i = 0; i < names->n; i++)
		if (str_eq(names->at[i], name))
			return;
	names->at[names->n++] = xstrdup(name);
}

static int by_name(const void *a, const void *b)
{
	const char *const *one = a;
	const char *const *other = b;

	return strcmp(*one, *other);
}

static bool has_word(const json_t *list, const char *word)
{
	const json_t *item;
	size_t i;

	json_array_foreach(list, i, item)
	{
		if (str_eq(str_or(json_string_value(item), ""), word))
			return true;
	}
	return false;
}

static bool has_machine(const json_t *patterns, const char *machine)
{
	const json_t *item;
	size_t i;

	json_array_foreach(patterns, i, item)
	{
		const char *pattern = json_string_value(item);

		if (pattern && !fnmatch(pattern, machine, 0))
			return true;
	}
	return false;
}

static bool is_for(const json_t *targets, const char *machine)
{
	const json_t *target;
	size_t i;

	json_array_foreach(targets, i, target)
	{
		if (str_eq(member_text(target, "architecture"), "x86_64") &&
			has_machine(
				json_object_get(target, "machines"), machine))
			return true;
	}
	return false;
}

/* Two flash chips, of which the guest writes to the second. */
static bool is_split_flash(const json_t *mapping)
{
	const json_t *code = json_object_get(mapping, "executable");
	const json_t *vars = json_object_get(mapping, "nvram-template");
	const char *mode = member_text(mapping, "mode");

	return str_eq(member_text(mapping, "device"), "flash") &&
	       (!*mode || str_eq(mode, "split")) &&
	       str_eq(member_text(code, "format"), "raw") &&
	       str_eq(member_text(vars, "format"), "raw");
}

/* Secure Boot is what it says only with keys, and with SMM behind it. */
static bool has_features(const json_t *features, bool secure)
{
	bool keys = has_word(features, "enrolled-keys");

	return secure ? keys && has_word(features, "secure-boot") &&
				has_word(features, "requires-smm")
		      : !keys && !has_word(features, "requires-smm");
}

static bool fits(const json_t *d, const char *machine, bool secure)
{
	return has_word(json_object_get(d, "interface-types"), "uefi") &&
	       is_split_flash(json_object_get(d, "mapping")) &&
	       is_for(json_object_get(d, "targets"), machine) &&
	       has_features(json_object_get(d, "features"), secure);
}

static bool is_file(const char *path)
{
	struct stat st;

	return *path == '/' && !sys_fstatat(AT_FDCWD, path, &st, 0) &&
	       S_ISREG(st.st_mode);
}

/* Takes what a descriptor names, if all of it is there. */
static bool take(const json_t *d, struct argv_firmware *out)
{
	const json_t *mapping = json_object_get(d, "mapping");
	const char *code =
		member_text(json_object_get(mapping, "executable"), "filename");
	const char *vars = member_text(
		json_object_get(mapping, "nvram-template"), "filename");

	if (!is_file(code) || !is_file(vars))
		return false;
	*out = (struct argv_firmware){ xstrdup(code), xstrdup(vars),
		has_word(json_object_get(d, "features"), "requires-smm") };
	return true;
}

/* The descriptor of that name; NULL: an empty file hides it, or it is none. */
static json_t *read_descriptor(const char *const *dirs, const char *name)
{
	AUTO_STR struct str text = STR_INIT;
	struct err ignored = ERR_INIT;

	for (; *dirs; dirs++) {
		AUTO_FREE char *path = xasprintf("%s/%s", *dirs, name);

		if (!fd_read_file(
			    AT_FDCWD, path, DESCRIPTOR_MAX, &text, &ignored))
			break;
		str_cut(&text, 0);
	}
	return text.len ? json_loadb(text.data, text.len, 0, NULL) : NULL;
}

/* What patterns are for: "q35" is the newest of its kind. */
static const char *full_type(const char *machine)
{
	return str_eq(machine, "q35")  ? "pc-q35-"
	       : str_eq(machine, "pc") ? "pc-i440fx-"
				       : machine;
}

int firmware_find(const char *const *dirs, const char *machine, bool secure,
	struct argv_firmware *out, struct err *err)
{
	AUTO_FREE struct names *names = NEW(struct names);
	const char *type = full_type(machine);
	bool found = false;

	dirs = dirs ? dirs : host_dirs;
	for (const char *const *dir = dirs; *dir; dir++)
		sys_listdir(AT_FDCWD, *dir, note_name, names);
	qsort(names->at, names->n, sizeof(names->at[0]), by_name);
	for (size_t i = 0; i < names->n; i++) {
		AUTO_JSON json_t *d =
			found ? NULL : read_descriptor(dirs, names->at[i]);

		found = found || (fits(d, type, secure) && take(d, out));
		free(names->at[i]);
	}
	if (found)
		return 0;
	return err_set(err, ERR_UNSUPPORTED,
		"this host has no UEFI firmware%s for machine %s: install ovmf "
		"(or edk2-ovmf)",
		secure ? " with Secure Boot and its keys" : "", machine);
}

void firmware_fini(struct argv_firmware *firmware)
{
	free(firmware->code);
	free(firmware->vars);
	*firmware = (struct argv_firmware){ 0 };
}

/* ---- what a spec asks for ---- */

bool firmware_is_uefi(const struct vm_spec *spec)
{
	return spec->vm.firmware != FIRMWARE_BIOS;
}

void firmware_check(const struct vm_spec *spec, const struct remarks *to)
{
	enum machine_kind kind = device_machine(spec);

	if (!firmware_is_uefi(spec) || !remark_is_sound(to, "vm"))
		return;
	if (kind == MACHINE_MICROVM)
		remark_error(to, "vm", "firmware",
			"machine microvm has no UEFI: say machine = q35");
	else if (spec->vm.firmware == FIRMWARE_UEFI_SECURE &&
		 kind != MACHINE_Q35)
		remark_error(to, "vm", "firmware",
			"Secure Boot needs machine = q35");
}

/* ---- the variables ---- */

static char *vars_dir(const struct paths *paths)
{
	return xasprintf("%s/nvram", paths->state);
}

char *firmware_vars_path(const struct paths *paths, const char *vm)
{
	AUTO_FREE char *dir = vars_dir(paths);

	return xasprintf("%s/%s.fd", dir, vm);
}

void firmware_remove(const struct paths *paths, const char *vm)
{
	AUTO_FREE char *path = firmware_vars_path(paths, vm);

	if (sys_unlinkat(AT_FDCWD, path, 0) && errno != ENOENT)
		log_warn(NULL, "cannot remove '%s': %s", path, strerror(errno));
}

/* There, and not what a power failure left of it. */
static bool is_made(const char *path)
{
	struct stat st;

	return !sys_fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW) &&
	       st.st_size > 0;
}

static int make_vars(const char *path, const char *from, struct err *err)
{
	AUTO_STR struct str text = STR_INIT;

	if (fd_read_file(AT_FDCWD, from, VARS_MAX, &text, err))
		return -1;
	return fd_write_file(
		AT_FDCWD, path, text.data, text.len, 0600, false, err);
}

/* A copy in memory, of the VM's own if it has such. */
static int copy_vars(const char *path, const char *from, struct err *err)
{
	AUTO_STR struct str text = STR_INIT;
	AUTO_CLOSE int fd = -1;

	if (is_made(path))
		from = path;
	if (fd_read_file(AT_FDCWD, from, VARS_MAX, &text, err))
		return -1;
	fd = memfd_create("vmward-nvram", MFD_CLOEXEC);
	if (fd < 0 ||
		sys_pwrite(fd, text.data, text.len, 0) != (ssize_t)text.len)
		return err_os(err, "cannot copy '%s'", from);
	return TAKE_FD(fd);
}

static int open_vars(const struct vm_spec *spec, const struct paths *paths,
	const char *from, struct err *err)
{
	AUTO_FREE char *dir = vars_dir(paths);
	AUTO_FREE char *path = firmware_vars_path(paths, spec->name);
	int fd;

	if (spec->vm.ephemeral)
		return copy_vars(path, from, err);
	if (fd_make_dirs(dir, 0700, err))
		return -1;
	if (!is_made(path) && make_vars(path, from, err))
		return -1;
	fd = sys_openat(AT_FDCWD, path, O_RDWR | O_NOFOLLOW, 0);
	return fd < 0 ? err_os(err, "cannot open '%s'", path) : fd;
}

int firmware_open(struct firmware_files *files, const struct vm_spec *spec,
	const struct paths *paths, const char *machine, struct err *err)
{
	bool secure = spec->vm.firmware == FIRMWARE_UEFI_SECURE;

	if (!firmware_is_uefi(spec))
		return 0;
	if (firmware_find(NULL, machine, secure, &files->found, err))
		return -1;
	files->fds[0] = sys_openat(AT_FDCWD, files->found.code, O_RDONLY, 0);
	if (files->fds[0] < 0)
		return err_os(err, "cannot open '%s'", files->found.code);
	files->fds[1] = open_vars(spec, paths, files->found.vars, err);
	return files->fds[1] < 0 ? -1 : 0;
}

size_t firmware_fds(const struct firmware_files *files, struct spawn_fd *out)
{
	size_t n = 0;

	for (int i = 0; i < FIRMWARE_FILES; i++)
		if (files->fds[i] >= 0)
			out[n++] = (struct spawn_fd){ files->fds[i],
				ARGV_FD_FIRMWARE + i };
	return n;
}

void firmware_close(struct firmware_files *files)
{
	for (int i = 0; i < FIRMWARE_FILES; i++)
		fd_close(&files->fds[i]);
	firmware_fini(&files->found);
}
