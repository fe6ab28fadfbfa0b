/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The last good configuration of a VM; see lastgood.h. */
#include "supervisor/lastgood.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/aio.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/sys.h"
#include "supervisor/config.h"
#include "supervisor/diff.h"
#include "supervisor/ephemeral.h"
#include "supervisor/policy.h"

#define TEXT_MAX ((size_t)256 * 1024)

static char *path_of(const struct vm *vm, const char *suffix)
{
	return xasprintf(
		"%s/good/%s.ini%s", vm->env->paths.state, vm->name, suffix);
}

static bool is_wanted(const struct vm *vm)
{
	const struct vm_spec *spec = vm->spec ? vm->spec : vm->running;

	return spec && vm->running &&
	       spec->restart.on_crash_loop.kind == CRASH_LOOP_LAST_GOOD;
}

/* ---- keeping it ---- */

static void complain(struct vm *vm, int error)
{
	vmlog_line(&vm->log, LOG_WARN,
		"cannot keep its configuration as the last good one: %s",
		strerror(error));
}

static void on_synced(struct aio_sync *sync, int error)
{
	struct vm *vm = container_of(sync, struct vm, good.sync);
	AUTO_FREE char *beside = path_of(vm, ".tmp");
	AUTO_FREE char *path = path_of(vm, "");

	fd_close(&vm->good.fd);
	if (!error && !sys_renameat(AT_FDCWD, beside, AT_FDCWD, path)) {
		vmlog_line(&vm->log, LOG_INFO,
			"keeps this configuration as the last good one");
		return;
	}
	complain(vm, error ? error : errno);
	sys_unlinkat(AT_FDCWD, beside, 0);
}

/* True if the file says just that already. */
static bool is_kept(const struct vm *vm, const struct str *text)
{
	AUTO_FREE char *path = path_of(vm, "");
	AUTO_STR struct str kept = STR_INIT;
	struct err err = ERR_INIT;

	return !fd_read_file(AT_FDCWD, path, TEXT_MAX, &kept, &err) &&
	       str_eq(str_text(&kept), str_text(text));
}

static int write_beside(struct vm *vm, const struct str *text)
{
	AUTO_FREE char *dir = xasprintf("%s/good", vm->env->paths.state);
	AUTO_FREE char *beside = path_of(vm, ".tmp");
	struct err err = ERR_INIT;
	AUTO_CLOSE int fd = -1;
	ssize_t put;

	if (fd_make_dirs(dir, 0700, &err))
		return -1;
	fd = sys_openat(AT_FDCWD, beside,
		O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600);
	put = fd < 0 ? -1 : sys_write(fd, str_text(text), text->len);
	if (put >= 0 && put != (ssize_t)text->len)
		errno = ENOSPC;
	return put == (ssize_t)text->len ? TAKE_FD(fd) : -1;
}

void lastgood_keep(struct vm *vm)
{
	AUTO_STR struct str text = STR_INIT;

	if (!is_wanted(vm) || vm->record.fallback)
		return;
	loop_timer_stop(&vm->good.timer);
	if (vm->good.fd >= 0)
		return; /* it is being written */
	config_show(vm->running, false, NULL, &text);
	if (is_kept(vm, &text))
		return;
	vm->good.fd = write_beside(vm, &text);
	if (vm->good.fd < 0)
		complain(vm, errno);
	else
		aio_fsync(&vm->good.sync, vm->good.fd, on_synced);
}

static void on_old_enough(struct loop_timer *timer)
{
	lastgood_keep(container_of(timer, struct vm, good.timer));
}

void lastgood_begin(struct vm *vm)
{
	enum spec_ready kind;
	int64_t left;

	if (!is_wanted(vm) || vm->record.fallback)
		return;
	kind = vm->running->start.ready.kind;
	if (kind != READY_RUNNING)
		return; /* its probe will tell */
	left = vm->running->restart.burst.window_ms - vm_uptime_ms(vm);
	loop_timer_start(&vm->good.timer, left > 0 ? left : 0, on_old_enough);
}

void lastgood_stop(struct vm *vm)
{
	AUTO_FREE char *beside = NULL;

	loop_timer_stop(&vm->good.timer);
	if (vm->good.fd < 0)
		return;
	beside = path_of(vm, ".tmp");
	aio_cancel(&vm->good.sync);
	fd_close(&vm->good.fd);
	sys_unlinkat(AT_FDCWD, beside, 0);
}

/* ---- going back to it ---- */

struct vm_spec *lastgood_load(const struct vm *vm)
{
	AUTO_FREE char *path = path_of(vm, "");
	AUTO_STR struct str text = STR_INIT;
	struct err err = ERR_INIT;
	struct vm_spec *spec = NULL;
	struct findings f;

	if (fd_read_file(AT_FDCWD, path, TEXT_MAX, &text, &err))
		return NULL;
	findings_init(&f);
	spec = config_load_text(
		&vm->env->paths, vm->name, str_text(&text), text.len, path, &f);
	findings_fini(&f);
	if (spec)
		ephemeral_apply(spec, vm->env);
	return spec;
}

bool lastgood_fall_back(struct vm *vm)
{
	struct vm_spec *kept;
	bool differs;

	if (vm->record.fallback || !vm->spec ||
		vm->spec->restart.on_crash_loop.kind != CRASH_LOOP_LAST_GOOD)
		return false;
	kept = lastgood_load(vm);
	differs = kept && diff_count(vm->spec, kept) > 0;
	spec_free(kept);
	if (!differs)
		return false;
	vm->record.fallback = true;
	vmlog_line(&vm->log, LOG_WARN,
		"a crash loop: starts with its last good configuration");
	return true;
}
