/* SPDX-License-Identifier: GPL-2.0-or-later */
/* [tpm]: the device and the process behind it; see tpm.h. */
#include "supervisor/tpm.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"
#include "supervisor/device.h"
#include "supervisor/remove.h"
#include "supervisor/sidecar.h"

/* By enum spec_tpm_model. */
static const char *const drivers[] = { "tpm-crb", "tpm-tis" };

enum { STATE_MAX = 4 * 1024 * 1024 };

bool tpm_is_there(const struct vm_spec *spec)
{
	return spec->tpm.written && spec->tpm.enabled;
}

void tpm_check(const struct vm_spec *spec, const struct remarks *to)
{
	if (tpm_is_there(spec) && remark_is_sound(to, "vm") &&
		device_machine(spec) == MACHINE_MICROVM)
		remark_error(to, "tpm", NULL,
			"machine microvm has none: say machine = q35");
}

json_t *tpm_device(const struct vm_spec *spec)
{
	json_t *device = device_new(drivers[spec->tpm.model], "tpm0");

	device_put(device, "tpmdev", "tpm");
	return device;
}

char *tpm_path(const struct paths *paths, const char *vm)
{
	return xasprintf("%s/tpm/%s", paths->state, vm);
}

void tpm_remove(const struct paths *paths, const char *vm)
{
	AUTO_FREE char *path = tpm_path(paths, vm);
	struct err err = ERR_INIT;

	if (remove_tree(path, &err))
		log_warn(vm, "%s", err.text);
}

/* ---- what it holds, and whose that is ---- */

struct owner {
	const char *dir;
	uid_t uid;
	bool failed;
};

static void give_one(void *arg, const char *name)
{
	struct owner *owner = arg;
	AUTO_FREE char *path = xasprintf("%s/%s", owner->dir, name);

	owner->failed |= sys_give(path, owner->uid) < 0;
}

/* The VM's user may have changed since. */
static int give(const char *dir, uid_t uid, struct err *err)
{
	struct owner owner = { dir, uid, sys_give(dir, uid) < 0 };

	sys_listdir(AT_FDCWD, dir, give_one, &owner);
	return owner.failed ? err_os(err, "cannot give '%s' away", dir) : 0;
}

/* That of a VM whose writes are thrown away; no VM's name begins so. */
static char *once_path(const struct paths *paths, const char *vm)
{
	return xasprintf("%s/tpm/.%s", paths->state, vm);
}

void tpm_sweep(const struct paths *paths, const char *vm)
{
	AUTO_FREE char *path = once_path(paths, vm);
	struct err err = ERR_INIT;

	if (remove_tree(path, &err))
		log_warn(vm, "%s", err.text);
}

struct copy {
	const char *from, *to;
	struct err *err;
	bool failed;
};

static void copy_one(void *arg, const char *name)
{
	struct copy *copy = arg;
	AUTO_FREE char *from = xasprintf("%s/%s", copy->from, name);
	AUTO_FREE char *to = xasprintf("%s/%s", copy->to, name);
	AUTO_STR struct str text = STR_INIT;

	if (*name == '.' || copy->failed) /* swtpm's lock */
		return;
	copy->failed =
		fd_read_file(AT_FDCWD, from, STATE_MAX, &text, copy->err) ||
		fd_write_file(AT_FDCWD, to, text.data, text.len, 0600, false,
			copy->err);
}

static bool is_there(const char *path)
{
	struct stat st;

	return sys_fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Where this life of the VM has it; made, with what it knew so far. */
static int make_dir(const struct vm_spec *spec, const struct paths *paths,
	char **dir, struct err *err)
{
	AUTO_FREE char *above = xasprintf("%s/tpm", paths->state);
	AUTO_FREE char *kept = tpm_path(paths, spec->name);
	bool once = spec->vm.ephemeral;
	struct copy copy = { kept, NULL, err, false };

	*dir = once ? once_path(paths, spec->name) : xstrdup(kept);
	copy.to = *dir;
	if ((once && remove_tree(*dir, err)) ||
		fd_make_dirs(above, 0711, err) || fd_make_dirs(*dir, 0700, err))
		return -1;
	if (!once || !is_there(kept))
		return 0;
	if (give(kept, geteuid(), err)) /* to be read by us */
		return -1;
	sys_listdir(AT_FDCWD, kept, copy_one, &copy);
	return copy.failed ? -1 : 0;
}

/* ---- the process ---- */

static int start(const struct vm_spec *spec, const char *program,
	const char *dir, const struct host_confine *confine, struct err *err)
{
	/* whoever it runs as: the directories above are root's */
	AUTO_FREE char *state =
		xasprintf("dir=/proc/self/fd/%d,mode=0600", SIDECAR_DIR);
	AUTO_CLOSE int own =
		sys_openat(AT_FDCWD, dir, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
	AUTO_FREE char *control =
		xasprintf("type=unixio,clientfd=%d", SIDECAR_FD);
	const char *const argv[] = { "swtpm", "socket", "--tpm2", "--tpmstate",
		state, "--ctrl", control, "--terminate", NULL };

	if (own < 0)
		return err_os(err, "cannot open '%s'", dir);
	return sidecar_start(
		&(struct sidecar){ .vm = spec->name,
			.what = "tpm: swtpm",
			.loss = "the guest has no TPM until the VM starts anew",
			.path = program,
			.argv = argv,
			.dir = own,
			.confine = confine },
		err);
}

int tpm_start(const struct vm_spec *spec, const struct paths *paths,
	const struct host_confine *confine, int *out, struct err *err)
{
	AUTO_FREE char *program = spawn_find("swtpm");
	AUTO_FREE char *dir = NULL;
	struct host_confine own = *confine;

	*out = -1;
	if (!tpm_is_there(spec))
		return 0;
	if (!program)
		return err_set(err, ERR_UNSUPPORTED,
			"[tpm] needs swtpm, which is not installed: apt-get "
			"install swtpm");
	own.parts &= CONFINE_BIT(CONFINE_USER) |
		     CONFINE_BIT(CONFINE_PRIVILEGES) |
		     CONFINE_BIT(CONFINE_FILES);
	if (make_dir(spec, paths, &dir, err))
		return -1;
	if ((own.parts & CONFINE_BIT(CONFINE_USER)) && give(dir, own.uid, err))
		return -1;
	*out = start(spec, program, dir, &own, err);
	return *out < 0 ? err_wrap(err, "[tpm]: ") : 0;
}
