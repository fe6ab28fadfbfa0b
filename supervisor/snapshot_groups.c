/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Snapshots of several VMs count all at once; see snapshot_groups.h. */
#include "supervisor/snapshot_groups.h"

#include <fcntl.h>
#include <string.h>

#include "base/fd.h"
#include "base/jstream.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"

enum { RECORD_MAX = 16 * 1024 * 1024 };

char *snapshot_groups_path(const struct paths *paths, const char *tag)
{
	return xasprintf("%s/groups/%s.json", paths->state, tag);
}

json_t *snapshot_groups_read(const struct paths *paths, const char *tag)
{
	AUTO_FREE char *path = snapshot_groups_path(paths, tag);
	AUTO_STR struct str text = STR_INIT;
	AUTO_JSON json_t *json = NULL;
	struct err none = ERR_INIT;

	if (fd_read_file(AT_FDCWD, path, RECORD_MAX, &text, &none))
		return NULL;
	json = json_loadb(text.data, text.len, 0, NULL);
	return json_incref(json_object_get(json, "snapshots"));
}

struct walk {
	void (*on_tag)(void *arg, const char *tag);
	void *arg;
};

static void on_name(void *arg, const char *name)
{
	const struct walk *walk = arg;
	AUTO_FREE char *tag = xstrdup(name);

	if (!str_ends(tag, ".json"))
		return;
	tag[strlen(tag) - strlen(".json")] = '\0';
	walk->on_tag(walk->arg, tag);
}

void snapshot_groups_each(const struct paths *paths,
	void (*on_tag)(void *arg, const char *tag), void *arg)
{
	AUTO_FREE char *dir = xasprintf("%s/groups", paths->state);
	struct walk walk = { on_tag, arg };

	sys_listdir(AT_FDCWD, dir, on_name, &walk);
}
