/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Watches the configuration's directories; see supervisor/watch.h. */
#include "supervisor/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/inotify.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"

#define SETTLE_MS 50
#define AGAIN_MS  10000 /* without a descriptor for it */

struct watch {
	char *dir;
	int fd;
	struct loop_io io;
	struct loop_timer settle;
	void (*on_change)(void *arg);
	void *arg;
};

#define MASK                                                        \
	(IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | \
		IN_CREATE | IN_ONLYDIR)

static void add_dropins_of(
	const struct watch *w, const char *kind, const char *name)
{
	if (!str_ends(name, ".ini.d"))
		return;
	AUTO_FREE char *path = xasprintf("%s/%s/%s", w->dir, kind, name);
	sys_inotify_add_watch(w->fd, path, MASK);
}

static void add_dropins(void *arg, const char *name)
{
	add_dropins_of(arg, "vms", name);
}

static void add_pool_dropins(void *arg, const char *name)
{
	add_dropins_of(arg, "pools", name);
}

static void add_network_dropins(void *arg, const char *name)
{
	add_dropins_of(arg, "networks", name);
}

/* Adding a directory that is watched already changes nothing. */
static void add_all(struct watch *w)
{
	static const char *const dirs[] = { "", "/vms", "/templates", "/pools",
		"/networks" };

	for (size_t i = 0; i < NELEMS(dirs); i++) {
		AUTO_FREE char *path = xasprintf("%s%s", w->dir, dirs[i]);
		sys_inotify_add_watch(w->fd, path, MASK);
	}
	AUTO_FREE char *vms = xasprintf("%s/vms", w->dir);
	sys_listdir(AT_FDCWD, vms, add_dropins, w);
	AUTO_FREE char *pools = xasprintf("%s/pools", w->dir);
	sys_listdir(AT_FDCWD, pools, add_pool_dropins, w);
	AUTO_FREE char *networks = xasprintf("%s/networks", w->dir);
	sys_listdir(AT_FDCWD, networks, add_network_dropins, w);
}

static void on_settled(struct loop_timer *timer)
{
	struct watch *w = container_of(timer, struct watch, settle);

	add_all(w);
	w->on_change(w->arg);
}

/* Whether something happened since the last time. */
static bool drain(const struct watch *w)
{
	char buf[8192];
	bool any = false;

	while (sys_read(w->fd, buf, sizeof(buf)) > 0)
		any = true;
	return any;
}

void watch_catch_up(struct watch *w)
{
	if (!w || w->fd < 0)
		return;
	if (!drain(w) && !loop_timer_is_active(&w->settle))
		return;
	loop_timer_stop(&w->settle);
	on_settled(&w->settle);
}

static void on_inotify(struct loop_io *io, int events UNUSED)
{
	struct watch *w = container_of(io, struct watch, io);

	drain(w);
	if (!loop_timer_is_active(&w->settle))
		loop_timer_start(&w->settle, SETTLE_MS, on_settled);
}

static void on_again(struct loop_timer *timer);

static bool begin(struct watch *w)
{
	w->fd = sys_inotify_init();
	if (w->fd < 0) {
		log_warn(NULL, "files are not watched: %s", strerror(errno));
		loop_timer_start(&w->settle, AGAIN_MS, on_again);
		return false;
	}
	add_all(w);
	loop_io_start(&w->io, w->fd, LOOP_READ, on_inotify);
	return true;
}

static void on_again(struct loop_timer *timer)
{
	struct watch *w = container_of(timer, struct watch, settle);

	if (begin(w)) /* what changed meanwhile */
		w->on_change(w->arg);
}

struct watch *watch_new(
	const char *config_dir, void (*on_change)(void *arg), void *arg)
{
	struct watch *w = NEW(struct watch);

	w->dir = xstrdup(config_dir);
	w->on_change = on_change;
	w->arg = arg;
	begin(w);
	return w;
}

void watch_free(struct watch *watch)
{
	if (!watch)
		return;
	loop_io_stop(&watch->io);
	loop_timer_stop(&watch->settle);
	fd_close(&watch->fd);
	free(watch->dir);
	free(watch);
}
