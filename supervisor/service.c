/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One supervisor put together; see service.h. */
#include "supervisor/service.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/aio.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/slab.h"
#include "base/spawn.h"
#include "base/str.h"
#include "base/sys.h"
#include "base/trim.h"
#include "storage/image.h"
#include "supervisor/cgroup.h"
#include "supervisor/commands.h"
#include "supervisor/events.h"
#include "supervisor/far.h"
#include "supervisor/host_net.h"
#include "supervisor/mounts.h"
#include "supervisor/nets.h"
#include "supervisor/network.h"
#include "supervisor/notify.h"
#include "supervisor/pool.h"
#include "supervisor/recommit.h"
#include "supervisor/roles.h"
#include "supervisor/seed.h"
#include "supervisor/settings.h"
#include "supervisor/store.h"

#define LOCK_TRIES    10
#define LOCK_AGAIN_MS 10
#define OUR_NICE      (-10)

/* As many descriptors as the system lets us have. */
static void raise_limits(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit))
		log_debug(NULL, "cannot raise the limit of descriptors");
}

/*
 * Guests that use all processors do not delay us: fifty QEMUs that start at
 * once waited for each other's turn before they heard `cont`.  Children begin
 * with nice 0 again; who chose another nice for us keeps it.
 */
static void go_first(void)
{
	const struct sched_param none = { .sched_priority = 0 };

	/* not by the C library's name: musl's does nothing */
	if (getpriority(PRIO_PROCESS, 0) == 0 &&
		!syscall(SYS_sched_setscheduler, 0,
			SCHED_OTHER | SCHED_RESET_ON_FORK, &none) &&
		setpriority(PRIO_PROCESS, 0, OUR_NICE))
		log_debug(NULL, "cannot have a nice of %d", OUR_NICE);
}

/* io_uring may be switched off for everybody (kernel.io_uring_disabled). */
static bool has_io_uring(void)
{
	AUTO_STR struct str text = STR_INIT;
	struct err err = ERR_INIT;

	if (fd_read_file(AT_FDCWD, "/proc/sys/kernel/io_uring_disabled", 16,
		    &text, &err))
		return true; /* kernels before 6.6 have no such switch */
	return *str_text(&text) == '0';
}

/* QEMU aborts if it is told of a vhost that it cannot open. */
static bool has_vhost(void)
{
	AUTO_CLOSE int fd =
		sys_openat(AT_FDCWD, "/dev/vhost-net", O_RDWR | O_NONBLOCK, 0);

	return fd >= 0;
}

static void on_moment(struct loop_timer *timer)
{
	(void)timer;
}

/*
 * Another supervisor's lock; one that was just killed holds it for some
 * milliseconds more, so it is asked for a few times before we give way.
 */
static int compete(struct service *service, struct err *err)
{
	AUTO_FREE char *path =
		xasprintf("%s/supervisor.lock", service->env.paths.run);
	enum lock_state state = LOCK_HELD;
	struct loop_timer moment = { 0 };

	for (int i = 0; i < LOCK_TRIES && state == LOCK_HELD; i++) {
		if (i > 0) {
			loop_timer_start(&moment, LOCK_AGAIN_MS, on_moment);
			loop_turn(true);
		}
		if (lock_take(&service->lock, path, service->env.lock_key,
			    "/supervisor", &state, err))
			return -1;
	}
	if (state == LOCK_HELD)
		return err_set(err, ERR_EXISTS,
			"a supervisor runs on '%s' already",
			service->env.paths.run);
	return 0;
}

static int take_lock(struct service *service, struct err *err)
{
	if (service->moved.root) {
		upgrade_take_lock(&service->moved, &service->lock);
		return 0;
	}
	return compete(service, err);
}

/* What a pull was fetching when we died. */
static void sweep_cache(const struct paths *paths)
{
	AUTO_FREE char *cache = xasprintf("%s/cache", paths->state);

	image_sweep(cache);
}

/* What a crash left half-made. */
static void sweep_pools(struct service *service)
{
	const struct paths *paths = &service->env.paths;

	list_each(pools_of(paths), it, next) {
		const struct pool *pool = list_entry(it, struct pool, link);

		if (pool->dir)
			image_sweep(pool->dir);
	}
	image_sweep(paths->images);
}

static void on_asked(struct far_wait *wait)
{
	sweep_pools(container_of(wait, struct service, asked));
}

static void on_asked_again(struct far_wait *wait)
{
	recommit_start(
		container_of(wait, struct service, asked_again)->registry);
}

/* Of this supervisor alone, whoever else is on the host. */
static struct cgroups *groups_of(const struct env *env)
{
	AUTO_FREE char *name = cgroup_name(env->paths.run);

	return cgroups_new("", name);
}

int service_open(struct service *service, struct err *err)
{
	struct env *env = &service->env;
	AUTO_FREE char *records = NULL;

	service->lock = (struct vm_lock)VM_LOCK_INIT;
	umask(022);
	json_set_alloc_funcs(slab_get, slab_put);
	signal(SIGPIPE, SIG_IGN);
	raise_limits();
	go_first();
	if (loop_init(err) || paths_make(&env->paths, err))
		return -1;
	env->lock_key = lock_key(env->paths.run, env->paths.state, err);
	if (!env->lock_key || take_lock(service, err))
		return -1;
	far_init();
	settings_follow(env);
	pools_drop();
	pools_follow(&env->paths);
	networks_drop();
	networks_follow(&env->paths);
	records = xasprintf("%s/records", env->paths.state);
	if (store_open(&env->store, records, err))
		return -1;
	roles_init();
	env->qemu = spawn_find("qemu-system-x86_64");
	env->qemu_img = spawn_find("qemu-img");
	env->io_uring = has_io_uring();
	env->vhost = has_vhost();
	env->cgroups = groups_of(env);
	sweep_cache(&env->paths);
	seed_sweep(&env->paths);
	service->registry = registry_new(env);
	if (!far_ask(service->registry, &service->asked, on_asked))
		sweep_pools(service);
	service->order = order_new(service->registry);
	service->control = control_new(service->registry, command_handlers);
	return 0;
}

/* By the descriptors that its QEMU still has. */
static int mend_tap(void *arg, const struct net_port *port, struct err *err)
{
	const struct vm *vm = registry_find(arg, port->vm);
	const struct spec_nic *nic =
		vm && vm->running ? spec_nic_of(vm->running, port->nic) : NULL;

	if (!nic || nic->user || vm->machine.pidfd < 0 || vm->machine.dead)
		return err_set(err, ERR_GONE, "QEMU is gone");
	if (!host_net_tap_again(vm->machine.pidfd,
		    argv_nic_first_fd(vm->running, nic), (unsigned)nic->queues,
		    port->tap, err))
		return 0;
	if (err->os == ESRCH)
		err->code = ERR_GONE;
	return -1;
}

int service_start(struct service *service, struct err *err)
{
	service->image.lock = &service->lock;
	service->image.control = service->control;
	service->env.image = &service->image;
	nets_open(&service->env.paths,
		&(struct net_guests){ mend_tap, service->registry });
	if (!service->moved.root) {
		registry_start(service->registry);
		if (!far_ask(service->registry, &service->asked_again,
			    on_asked_again))
			recommit_start(service->registry);
		return service_listen(service, err);
	}
	upgrade_resume(&service->moved, service->registry, service->control);
	handover_fini(&service->moved);
	return 0;
}

int service_listen(struct service *service, struct err *err)
{
	int fd = notify_listener(service->env.paths.control);

	if (fd >= 0) {
		control_accept(
			service->control, fd, service->env.paths.control, true);
		return 0;
	}
	return control_listen(
		service->control, service->env.paths.control, err);
}

/* A second signal must not cut the leaving short. */
static void ignore_signals(void)
{
	sigset_t leaving;

	sigemptyset(&leaving);
	sigaddset(&leaving, SIGTERM);
	sigaddset(&leaving, SIGINT);
	sigaddset(&leaving, SIGHUP);
	sigprocmask(SIG_BLOCK, &leaving, NULL);
}

void service_close(struct service *service)
{
	ignore_signals();
	loop_signal_stop(&service->term);
	loop_signal_stop(&service->intr);
	loop_signal_stop(&service->hup);
	loop_signal_stop(&service->power);
	shutdown_free(service->shutdown);
	control_free(service->control);
	nets_close();
	far_cancel(&service->asked);
	far_cancel(&service->asked_again);
	far_fini();
	mounts_end_all();
	registry_free(service->registry);
	order_free(service->order);
	cgroups_free(service->env.cgroups);
	store_free(service->env.store);
	aio_fini();
	trim_stop();
	events_fini();
	lock_drop(&service->lock);
	handover_fini(&service->moved);
	free(service->image.path);
	loop_fini();
	free(service->env.lock_key);
	free(service->env.qemu);
	free(service->env.qemu_img);
	settings_drop(&service->env);
	pools_drop();
	networks_drop();
	paths_fini(&service->env.paths);
}
