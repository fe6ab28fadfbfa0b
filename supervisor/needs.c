/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A file has many names: needs are compared by device and inode, and by name
 * only where there is no file.
 */
#include "supervisor/needs.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"
#include "supervisor/argv.h"
#include "supervisor/chain_record.h"

struct need {
	dev_t device;
	ino_t inode; /* 0: there is no such file */
	size_t turn; /* when it was added */
	char *path;
	char *above; /* what is on top of it; or NULL */
	char *text;
};

static void look(struct need *need, const char *path)
{
	struct stat st;

	if (*path != '/' || sys_fstatat(AT_FDCWD, path, &st, 0) != 0)
		return;
	need->device = st.st_dev;
	need->inode = st.st_ino;
}

void needs_add_steal(
	struct needs *needs, const char *path, const char *above, char *text)
{
	struct need *need;

	if (!path) {
		free(text);
		return;
	}
	if (needs->n == needs->room) {
		needs->room = needs->room ? needs->room * 2 : 16;
		needs->at = xreallocarray(
			needs->at, needs->room, sizeof(*needs->at));
	}
	need = &needs->at[needs->n];
	*need = (struct need){ .turn = needs->n++,
		.path = xstrdup(path),
		.above = above ? xstrdup(above) : NULL,
		.text = text };
	look(need, path);
	needs->sorted = false;
}

/* Of the VM's own disks it is enough to be below one for NEED_ABOVE. */
static void add_spec(struct needs *needs, const struct vm *vm,
	const struct vm_spec *spec, unsigned kinds)
{
	const char *images = vm->env->paths.images;

	if (!spec)
		return;
	list_each(&spec->disks, it, next) {
		const struct spec_disk *disk =
			list_entry(it, struct spec_disk, link);
		AUTO_FREE char *path = argv_disk_path(spec, disk, images);
		AUTO_FREE char *base = argv_base_path(disk, images);

		if (kinds & (NEED_RUNNING | NEED_WRITTEN) ||
			(kinds & NEED_WRITES && !disk->readonly))
			needs_add_steal(needs, path, NULL,
				xasprintf("%s (its disk %s)", vm->name,
					disk->name));
		if (kinds & ~(unsigned)NEED_WRITES)
			needs_add_steal(needs, base, path,
				xasprintf("%s (base of disk %s)", vm->name,
					disk->name));
	}
}

/* What was opened below its disks: a base may be on another one. */
static void add_record(struct needs *needs, struct vm *vm)
{
	const char *text = str_or(chain_record(vm), "");
	AUTO_FREE char *above = NULL;
	struct chains_line line;

	while (chains_next(&text, &line)) {
		char *path = xstrndup(line.path, line.path_len);

		if (!line.top)
			needs_add_steal(needs, path, above,
				xasprintf("%s (base of disk %.*s)", vm->name,
					(int)line.disk_len, line.disk));
		free(above);
		above = path;
	}
}

void needs_collect(
	struct needs *needs, struct registry *registry, unsigned kinds)
{
	unsigned written = kinds & (NEED_WRITTEN | NEED_ABOVE);

	*needs = (struct needs){ .at = NULL };
	list_each(registry_vms(registry), it, next) {
		struct vm *vm = list_entry(it, struct vm, link);

		if (kinds & NEED_ABOVE)
			add_record(needs, vm);
		if (written)
			add_spec(needs, vm, vm->spec, written);
		if (kinds & NEED_WANTED && vm->record.desired == DESIRED_UP)
			add_spec(needs, vm, vm->spec, NEED_WRITTEN);
		if (kinds & (NEED_RUNNING | NEED_WRITES) && vm_is_up(vm))
			add_spec(needs, vm, vm_spec_now(vm), kinds);
	}
}

void needs_fini(struct needs *needs)
{
	for (size_t i = 0; i < needs->n; i++) {
		free(needs->at[i].path);
		free(needs->at[i].above);
		free(needs->at[i].text);
	}
	free(needs->at);
	*needs = (struct needs){ .at = NULL };
}

static int by_file(const void *a, const void *b)
{
	const struct need *left = a;
	const struct need *right = b;

	if (left->device != right->device)
		return left->device < right->device ? -1 : 1;
	if (left->inode != right->inode)
		return left->inode < right->inode ? -1 : 1;
	return left->turn < right->turn ? -1 : left->turn > right->turn;
}

/* The first that is not before the key. */
static size_t find(const struct needs *needs, const struct need *key)
{
	size_t low = 0, high = needs->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (by_file(&needs->at[middle], key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void add_once(json_t *list, const char *text)
{
	size_t i;
	json_t *have;

	json_array_foreach(list, i,
		have) if (str_eq(json_string_value(have), text)) return;
	json_array_append_new(list, json_string(text));
}

json_t *needs_of(struct needs *needs, const char *path)
{
	struct need key = { .turn = 0 };
	json_t *list = json_array();

	if (!needs->sorted && needs->n)
		qsort(needs->at, needs->n, sizeof(*needs->at), by_file);
	needs->sorted = true;
	look(&key, path);
	for (size_t i = find(needs, &key); i < needs->n; i++) {
		const struct need *need = &needs->at[i];

		if (need->device != key.device || need->inode != key.inode)
			break;
		if (needs->but && need->above &&
			str_eq(need->above, needs->but))
			continue;
		if (key.inode || str_eq(need->path, path))
			add_once(list, need->text);
	}
	return list;
}
