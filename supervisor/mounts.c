/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Snapshots that are served over NBD; see mounts.h. */
#include "supervisor/mounts.h"

#include <fcntl.h>
#include <string.h>

#include "base/fd.h"
#include "base/jstream.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/member.h"
#include "base/sock.h"
#include "base/spawn.h"
#include "base/sys.h"

struct mount {
	struct list link;
	struct spawn_tool tool;
	struct job *waker; /* or NULL */
	char *vm, *tag, *disk;
	char *socket;
	bool ended;
	struct err err; /* of that */
};

static struct list mounts = LIST_INIT(mounts);
static unsigned last; /* the number of the newest one */

static bool is_of(const struct mount *m, const char *vm, const char *tag)
{
	return str_eq(m->vm, vm) && (!tag || str_eq(m->tag, tag));
}

char *mounts_source(const char *path)
{
	AUTO_JSON json_t *node = json_pack("{s:s,s:b,s:{s:s,s:s}}", "driver",
		"qcow2", "force-share", 1, "file", "driver", "file", "filename",
		path);
	AUTO_FREE char *text = jstream_text(node, JSON_COMPACT);

	return xasprintf("json:%s", text);
}

static void drop(struct mount *m)
{
	AUTO_FREE char *dir = str_dir(m->socket);

	list_del(&m->link);
	spawn_tool_stop(&m->tool);
	sys_unlinkat(AT_FDCWD, m->socket, 0);
	sys_unlinkat(AT_FDCWD, dir, AT_REMOVEDIR); /* unless it has more */
	free(m->vm);
	free(m->tag);
	free(m->disk);
	free(m->socket);
	free(m);
}

/* Whoever waits for it is told why; else the log is. */
static void on_end(struct spawn_tool *tool)
{
	struct mount *m = container_of(tool, struct mount, tool);
	const char *words = str_text(&tool->errors);
	int len = (int)strcspn(words, "\n");

	err_set(&m->err, ERR_OS, "cannot serve disk '%s': %.*s", m->disk,
		len ? len : 15, len ? words : "qemu-nbd ended");
	m->ended = true;
	if (m->waker) {
		job_wake(m->waker);
		return;
	}
	log_warn(m->vm, "%s", m->err.text);
	drop(m);
}

/* Of those that died with the one before us. */
static void sweep_one(void *arg, const char *name)
{
	AUTO_FREE char *path = xasprintf("%s/%s", (const char *)arg, name);

	sys_unlinkat(AT_FDCWD, path, 0);
}

static int make_dir(const struct env *env, struct err *err)
{
	AUTO_FREE char *dir = xasprintf("%s/mounts", env->paths.run);

	if (list_is_empty(&mounts))
		sys_listdir(AT_FDCWD, dir, sweep_one, dir);
	return fd_make_dirs(dir, 0700, err);
}

int mounts_start(const struct env *env, const struct mount_wish *wish,
	struct job *waker, struct err *err)
{
	AUTO_FREE char *socket = xasprintf(
		"%s/mounts/%u-%s.sock", env->paths.run, ++last, wish->disk);
	AUTO_FREE char *source = mounts_source(wish->path);
	AUTO_FREE char *what = xasprintf("snapshot.name=%s", wish->tag);
	const char *argv[] = { "qemu-nbd", "--read-only", "--persistent",
		"--shared=8", "--socket", socket, "--export-name", wish->disk,
		"--load-snapshot", what, source, NULL };
	struct mount *m;

	if (make_dir(env, err))
		return -1;
	m = NEW(struct mount);
	m->tool.on_end = on_end;
	if (spawn_tool_start(&m->tool, argv, err)) {
		free(m);
		return err_wrap(err, "cannot serve disk '%s': ", wish->disk);
	}
	m->waker = waker;
	m->vm = xstrdup(wish->vm);
	m->tag = xstrdup(wish->tag);
	m->disk = xstrdup(wish->disk);
	m->socket = xstrdup(socket);
	list_add(&mounts, &m->link);
	return 0;
}

void mounts_forget_waker(const struct job *waker)
{
	list_each(&mounts, it, next) {
		struct mount *m = list_entry(it, struct mount, link);

		if (m->waker == waker)
			m->waker = NULL;
		if (m->ended)
			drop(m);
	}
}

json_t *mounts_of(const char *vm, const char *tag)
{
	json_t *all = json_array();

	list_each(&mounts, it, next) {
		const struct mount *m = list_entry(it, struct mount, link);

		if (is_of(m, vm, tag) && !m->ended)
			json_array_append_new(all,
				json_pack("{s:s,s:o}", "disk", m->disk, "uri",
					json_sprintf("nbd+unix:///%s?socket=%s",
						m->disk, m->socket)));
	}
	return all;
}

bool mounts_has(const char *vm, const char *tag)
{
	AUTO_JSON json_t *all = mounts_of(vm, tag);

	return json_array_size(all) > 0;
}

int mounts_look(const char *vm, const char *tag, struct err *err)
{
	int all = 1;

	list_each(&mounts, it, next) {
		const struct mount *m = list_entry(it, struct mount, link);
		struct err none = ERR_INIT;
		int fd;

		if (!is_of(m, vm, tag))
			continue;
		if (m->ended) {
			*err = m->err;
			return -1;
		}
		fd = sock_connect(m->socket, &none);
		if (fd < 0)
			all = 0;
		else
			sys_close(fd);
	}
	return all;
}

void mounts_end(const char *vm, const char *tag)
{
	list_each(&mounts, it, next) {
		struct mount *m = list_entry(it, struct mount, link);

		if (is_of(m, vm, tag))
			drop(m);
	}
}

void mounts_end_all(void)
{
	list_each(&mounts, it, next)
		drop(list_entry(it, struct mount, link));
}
