/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmward upgrade in the simulated world: the part of the seam that replaces
 * the process (base/sys_exec.h), and the look that the new program takes
 * first.  What the old image had in its memory is lost as in a crash; its
 * process stays, with the descriptors that were kept and with its children.
 * The new image must go on as the old one was.
 */
#include "base/sys_exec.h"

#include <errno.h>
#include <fcntl.h>

#include "supervisor/upgrade.h"
#include "supervisor/vm.h"
#include "tests/sim/sim.h"
#include "tests/sim/world_impl.h"

enum { LOOK_MS = 2000, OUT_FD = 1 };

static const char program[] = "/usr/sbin/vmwardd";
static const char state_path[] = "/memfd/state";
static char arg0[] = "vmwardd";
static char *arguments[] = { arg0, NULL };

static pid_t looker; /* the new program's look; 0: none */
static int64_t looks_until_us;
static bool kept[WORLD_FDS];
static int state_fd;

/* How a VM was, the moment before. */
static struct was {
	bool known;
	enum vm_state state;
	enum vm_ready ready;
	pid_t pid;
	uint64_t generation;
} before[SIM_VMS];

void replace_start(void)
{
	world_put_file(program, "", 0, 0755);
}

struct image replace_image(struct service *service)
{
	return (struct image){ .path = xstrdup(program),
		.argv = arguments,
		.lock = &service->lock,
		.control = service->control };
}

/* ---- the look ---- */

bool replace_spawned(pid_t pid, const char *path)
{
	if (!str_eq(path, program))
		return false;
	looker = pid;
	looks_until_us = (int64_t)loop_sim_now_us() +
			 (int64_t)world_random(LOOK_MS) * 1000;
	return true;
}

bool replace_ended(pid_t pid)
{
	bool mine = pid == looker;

	if (mine)
		looker = 0;
	return mine;
}

bool replace_pump(void)
{
	static const char version[] = "simulated\n";
	bool bad = false;

	if (!looker || (int64_t)loop_sim_now_us() < looks_until_us)
		return false;
	pid_t me = looker;
	bad = sim_chance(SIM_EXEC, 200);
	pid_t other = world_as(me);
	if (!bad)
		world_write(OUT_FD, version, strlen(version));
	world_exit(me, bad);
	world_as(other);
	return true;
}

int64_t replace_next_us(void)
{
	return looker ? looks_until_us : INT64_MAX;
}

/* ---- what stays the same ---- */

static struct was how_is(const struct sim_vm *vm)
{
	const struct vm *found = registry_find(sim.service.registry, vm->name);

	if (!found)
		return (struct was){ .known = false };
	return (struct was){ true, found->state, found->ready,
		found->machine.pid, found->record.generation };
}

static void check_same(const struct sim_vm *vm, const struct was *was)
{
	struct was is = how_is(vm);

	/* a file may have come just now; who is out of reach is tried anew */
	if (!was->known || was->state == VM_UNREACHABLE)
		return;
	if (is.known != was->known || is.state != was->state ||
		is.ready != was->ready || is.pid != was->pid ||
		is.generation != was->generation)
		sim_breach("upgrade",
			"%s was %s (ready %d, pid %d, generation %d), is %s "
			"(%d, %d, %d)",
			vm->name, was->known ? vm_state_id(was->state) : "none",
			was->ready, (int)was->pid, (int)was->generation,
			is.known ? vm_state_id(is.state) : "none", is.ready,
			(int)is.pid, (int)is.generation);
}

void replace_check(void)
{
	for (unsigned i = 0; i < sim.nvms; i++)
		check_same(&sim.vms[i], &before[i]);
}

/* ---- the seam ---- */

char *exec_own_path(void)
{
	return xstrdup(program);
}

void exec_keep(int fd, bool keep)
{
	if (fd >= 0 && fd < WORLD_FDS)
		kept[fd] = keep;
}

bool exec_take_listener(int fd UNUSED, const char *path UNUSED)
{
	return false;
}

int exec_memfd(const char *bytes, size_t len, struct err *err)
{
	int fd;

	world_put_file(state_path, bytes, len, 0600);
	fd = world_openat(AT_FDCWD, state_path, O_RDONLY, 0);
	world_unlinkat(AT_FDCWD, state_path, 0);
	return fd < 0 ? err_os(err, "cannot keep the state in memory") : fd;
}

void exec_hold_signals(bool hold UNUSED) {}

int exec_over(const char *path, char *const *argv, struct err *err)
{
	size_t n = 0;

	while (argv[n + 1])
		n++;
	state_fd = (int)str_digits(argv[n]);
	if (sim_chance(SIM_EXEC, 200)) {
		kept[state_fd] = false; /* the caller closes it */
		errno = EACCES;
		return err_os(err, "cannot run '%s'", path);
	}
	sim_note("the supervisor becomes %s", path);
	for (unsigned i = 0; i < sim.nvms; i++)
		before[i] = how_is(&sim.vms[i]);
	for (int fd = OUT_FD + 2; fd < WORLD_FDS; fd++)
		if (!kept[fd] && world.self->fds[fd])
			world_close(fd);
	memset(kept, 0, sizeof(kept));
	life_replace();
}

void exec_close_from(int first)
{
	for (int fd = first; fd < WORLD_FDS; fd++)
		if (world.self->fds[fd])
			world_close(fd);
}

void replace_load(struct handover *moved)
{
	struct err err = ERR_INIT;

	if (upgrade_load(moved, state_fd, &err))
		sim_breach("upgrade", "the state is refused: %s", err.text);
}
