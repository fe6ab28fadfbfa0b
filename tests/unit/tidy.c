/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is tidied up behind a VM, and that nothing is while its QEMU lives. */
#include "supervisor/tidy.h"

#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/vmkit.h"

static const struct machine_hooks no_hooks;
static struct vm *vm;
static char *priv, *lock_path;

static void make_dirs(void)
{
	AUTO_FREE char *dir = xasprintf("%s/web", kit.paths.run);

	mkdir(dir, 0711);
	mkdir(priv, 0700);
}

static bool is_there(void)
{
	return access(priv, F_OK) == 0;
}

/* Somebody removes the lock file of a QEMU that lives: its name still tells. */
static void test_lock_file_gone(void)
{
	struct vm_lock held;
	enum lock_state state;
	struct err err = ERR_INIT;

	make_dirs();
	is_int(lock_take(&held, lock_path, kit.lock_key, "web", &state, &err),
		0, "a QEMU has its lock");
	tidy_up(vm);
	ok(is_there(), "nothing is tidied up behind it");
	unlink(lock_path);
	tidy_up(vm);
	ok(is_there(), "nor when its lock file is gone");
	lock_drop(&held);
	tidy_up(vm);
	ok(!is_there(), "but when it has ended");
}

int main(void)
{
	kit_start();
	vm = vm_new(&kit, "web", &no_hooks, kit_post);
	priv = xasprintf("%s/web/priv", kit.paths.run);
	lock_path = xasprintf("%s/lock", priv);
	test_lock_file_gone();
	free(priv);
	free(lock_path);
	vm_free(vm);
	kit_end();
	return done();
}
