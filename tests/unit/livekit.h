/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A VM that is up, with a QMP peer of the test in QEMU's place. */
#ifndef TESTS_UNIT_LIVEKIT_H
#define TESTS_UNIT_LIVEKIT_H

#include <signal.h>

#include "base/fd.h"

#include "tests/unit/qmp_peer.h"
#include "tests/unit/vmkit.h"

static struct vm *live_vm;

/* Its disks: root, and what text says. */
__attribute__((unused)) static void live_up(
	const char *text, const char *const *answers)
{
	static const struct machine_hooks hooks = { NULL, NULL, NULL, NULL };
	struct err err = ERR_INIT;
	AUTO_FREE char *priv = NULL;

	live_vm = vm_new(&kit, "web", &hooks, kit_post);
	live_vm->spec = kit_spec(text);
	live_vm->running = live_vm->spec;
	live_vm->state = VM_RUNNING;
	live_vm->machine.attached = live_vm->machine.ready = true;
	priv = machine_priv_path(&live_vm->machine, "");
	if (fd_make_dirs(priv, 0700, &err))
		abort();
	peer_open(&live_vm->machine.qmp, &live_vm->machine, answers);
}

__attribute__((unused)) static void live_down(void)
{
	live_vm->machine.attached = live_vm->machine.ready = false;
	peer_close(&live_vm->machine.qmp);
	live_vm->state = VM_STOPPED;
	vm_drop_running(live_vm);
	vm_free(live_vm);
}

/* Without the simulated clock: the peer's socket is a real one. */
__attribute__((unused)) static void live_start(void)
{
	struct err err = ERR_INIT;

	signal(SIGPIPE, SIG_IGN);
	temp_make();
	if (loop_init(&err) ||
		paths_init(&kit.paths, PATHS_SYSTEM, temp_root, &err) ||
		paths_make(&kit.paths, &err) ||
		store_open(&kit.store, kit.paths.state, &err))
		abort();
	kit.lock_key = lock_key(kit.paths.run, kit.paths.state, &err);
}

__attribute__((unused)) static void live_end(void)
{
	store_free(kit.store);
	free(kit.lock_key);
	aio_fini();
	paths_fini(&kit.paths);
	str_fini(&kit_posted);
	str_fini(&peer_heard);
	events_fini();
	loop_fini();
}

#endif
