/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who asks far file systems, and what of it is known; see far.h. */
#include "supervisor/far.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/cage.h"
#include "base/fd.h"
#include "base/job.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/mounts.h"
#include "base/spawn.h"
#include "base/str.h"
#include "base/sys.h"
#include "supervisor/argv.h"
#include "supervisor/pool.h"

enum { PATIENCE_MS = 3000, PATHS_MAX = 64 };

/* One file system that is asked, or was. */
struct probe {
	struct list link; /* probes */
	char *point;
	char *type;
	struct spawn_tool tool;
	struct loop_timer late;
	bool runs;
	bool dead; /* it runs, and too long */
	const char *paths[PATHS_MAX + 1];
	size_t npaths;
};

static struct list probes = LIST_INIT(probes);
static struct list waiting = LIST_INIT(waiting); /* far_wait.link */
static struct registry *starting;                /* its VMs wait; or NULL */
static bool telling;

bool far_concerns(const char *wire)
{
	static const char *const all[] = { "vm-start", "vm-restart", "vm-check",
		"vm-plan", "vm-create", "vm-clone", "vm-rename", "vm-delete",
		"vm-set", "vm-unset", "vm-install", "vm-disk-attach",
		"vm-disk-resize", "vm-disk-accept" };

	for (size_t i = 0; i < NELEMS(all); i++)
		if (str_eq(wire, all[i]))
			return true;
	return str_starts(wire, "image-") || str_starts(wire, "pool-");
}

/* ---- in the child ---- */

static void each_name(void *arg, const char *name)
{
	(void)arg;
	(void)name;
}

/* No error of it is of interest, only that there is an answer. */
static void touch(const char *path)
{
	AUTO_CLOSE int fd = sys_openat(AT_FDCWD, path,
		O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0);
	struct stat st;
	char some[512];

	if (fd < 0 || sys_fstat(fd, &st))
		return;
	if (S_ISDIR(st.st_mode))
		sys_listdir(fd, ".", each_name, NULL);
	else
		(void)!sys_pread(fd, some, sizeof(some), 0);
}

int far_touch_main(char *const *paths)
{
	for (; *paths; paths++)
		touch(*paths);
	return 0;
}

/* ---- the answers ---- */

static bool is_pending(void)
{
	list_each(&probes, it, next) {
		const struct probe *p = list_entry(it, struct probe, link);

		if (p->runs && !p->dead)
			return true;
	}
	return false;
}

static void wake_starts(void)
{
	struct registry *registry = TAKE(starting);

	if (!registry)
		return;
	list_each(registry_vms(registry), it, next) {
		struct vm *vm = list_entry(it, struct vm, link);

		if (!vm->waits_far)
			continue;
		vm->waits_far = false;
		vm->far_asked = true;
		if (vm->op)
			job_wake(vm->op);
	}
}

static void tell_all(void)
{
	if (telling || is_pending())
		return;
	telling = true;
	while (!list_is_empty(&waiting)) {
		struct far_wait *wait =
			list_entry(waiting.next, struct far_wait, link);
		void (*on_asked)(struct far_wait *) = wait->on_asked;

		far_cancel(wait);
		on_asked(wait);
	}
	telling = false;
	wake_starts();
}

static void on_late(struct loop_timer *timer)
{
	struct probe *p = container_of(timer, struct probe, late);

	p->dead = true;
	mounts_mark(p->point, true);
	log_warn(NULL, "'%s' (%s) does not answer: what is there is left alone",
		p->point, p->type);
	tell_all();
}

static void on_end(struct spawn_tool *tool)
{
	struct probe *p = container_of(tool, struct probe, tool);

	if (p->dead)
		log_info(NULL, "'%s' (%s) answers again", p->point, p->type);
	spawn_tool_stop(&p->tool);
	loop_timer_stop(&p->late);
	p->runs = p->dead = false;
	mounts_mark(p->point, false);
	tell_all();
}

/* ---- asking ---- */

static struct probe *probe_of(const struct mount *mount)
{
	struct probe *p;

	list_each(&probes, it, next) {
		p = list_entry(it, struct probe, link);
		if (str_eq(p->point, mount->point))
			return p;
	}
	p = NEW(struct probe);
	p->point = xstrdup(mount->point);
	p->type = xstrdup(mount->type);
	list_add(&probes, &p->link);
	return p;
}

/* Takes path. */
static void add_path_steal(char *path)
{
	AUTO_FREE char *taken = path;
	const struct mount *mount = path ? mounts_far(path) : NULL;
	struct probe *p = mount ? probe_of(mount) : NULL;

	if (!p || p->runs || p->npaths == PATHS_MAX)
		return;
	p->paths[p->npaths++] = TAKE(taken);
}

static void add_disks(const struct vm_spec *spec, const char *images)
{
	if (!spec)
		return;
	list_each(&spec->disks, it, next) {
		const struct spec_disk *disk =
			list_entry(it, struct spec_disk, link);

		add_path_steal(argv_disk_path(spec, disk, images));
		add_path_steal(argv_base_path(disk, images));
	}
}

static void add_all(struct registry *registry)
{
	const struct paths *paths = &registry_env(registry)->paths;

	list_each(pools_of(paths), it, next) {
		const struct pool *pool = list_entry(it, struct pool, link);

		if (pool->dir)
			add_path_steal(xstrdup(pool->dir));
	}
	list_each(registry_vms(registry), it, next) {
		const struct vm *vm = list_entry(it, struct vm, link);

		add_disks(vm->spec, paths->images);
		if (vm->running != vm->spec)
			add_disks(vm->running, paths->images);
	}
}

static void begin(struct probe *p)
{
	const char *argv[PATHS_MAX + 4] = { CAGE_SELF, "--touch" };
	struct err err = ERR_INIT;

	memcpy(argv + 2, p->paths, p->npaths * sizeof(*argv));
	p->tool.on_end = on_end;
	if (spawn_tool_start(&p->tool, argv, &err)) {
		log_warn(NULL, "%s", err.text); /* then it is not asked */
		return;
	}
	p->runs = true;
	loop_timer_start(&p->late, PATIENCE_MS, on_late);
}

/* Starts what must be asked; true if something is under way. */
static bool ask_all(struct registry *registry)
{
	if (!mounts_have_far())
		return false;
	add_all(registry);
	list_each(&probes, it, next) {
		struct probe *p = list_entry(it, struct probe, link);

		if (p->npaths && !p->runs)
			begin(p);
		while (p->npaths > 0)
			free((char *)(uintptr_t)p->paths[--p->npaths]);
	}
	return is_pending();
}

bool far_ask(struct registry *registry, struct far_wait *wait,
	void (*on_asked)(struct far_wait *wait))
{
	if (!ask_all(registry))
		return false;
	wait->on_asked = on_asked;
	list_add(&waiting, &wait->link);
	return true;
}

bool far_ask_for_start(struct vm *vm)
{
	bool asked = vm->far_asked;

	vm->far_asked = false;
	if (asked || !ask_all(vm->registry))
		return false;
	vm->waits_far = true;
	starting = vm->registry;
	return true;
}

void far_cancel(struct far_wait *wait)
{
	if (wait->on_asked)
		list_del(&wait->link);
	wait->on_asked = NULL;
}

/* ---- the whole ---- */

void far_init(void)
{
	sys_set_gate(mounts_may_touch);
}

void far_fini(void)
{
	sys_set_gate(NULL);
	starting = NULL;
	while (!list_is_empty(&probes)) {
		struct probe *p = list_entry(probes.next, struct probe, link);

		spawn_tool_stop(&p->tool);
		loop_timer_stop(&p->late);
		list_del(&p->link);
		free(p->point);
		free(p->type);
		free(p);
	}
	mounts_drop();
}
