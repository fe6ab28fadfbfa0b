/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tidies up behind a VM; see supervisor/tidy.h. */
#include "supervisor/tidy.h"

#include <fcntl.h>

#include "base/mem.h"
#include "base/sys.h"
#include "supervisor/limits.h"
#include "supervisor/lock.h"
#include "supervisor/nets.h"

#define AGAIN_MS 10000

static void on_again(struct loop_timer *timer)
{
	struct vm *vm = container_of(timer, struct vm, tidy_timer);

	if (!vm->op && !vm_is_up(vm))
		tidy_up(vm);
}

/* Nobody lives in it: what is in its groups may be killed. */
static int sweep(struct vm *vm, struct err *err)
{
	if (machine_clean(&vm->machine, err))
		return -1;
	return limits_end(vm, err);
}

void tidy_up(struct vm *vm)
{
	AUTO_FREE char *lock = machine_priv_path(&vm->machine, "lock");
	enum lock_state state;
	struct err err = ERR_INIT;

	loop_timer_stop(&vm->tidy_timer);
	if (machine_is_alive(&vm->machine))
		return;
	nets_release(vm->name);
	if (!lock_look(lock, vm->env->lock_key, vm->name, &state, &err) &&
		(state == LOCK_HELD || !sweep(vm, &err)))
		return;
	vmlog_line(&vm->log, LOG_WARN, "%s", err.text);
	loop_timer_start(&vm->tidy_timer, AGAIN_MS, on_again);
}

void tidy_rest(struct vm *vm)
{
	AUTO_FREE char *dir = xasprintf("%s/%s", vm->env->paths.run, vm->name);
	struct stat st;

	if (!sys_fstatat(AT_FDCWD, dir, &st, AT_SYMLINK_NOFOLLOW))
		tidy_up(vm);
}
