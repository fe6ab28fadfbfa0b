/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a VM's disks are on top of, recorded; see chain_record.h. */
#include "supervisor/chain_record.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/atom.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/sys.h"

#define TEXT_MAX (64 * 1024)

static char *path_of(const struct vm *vm)
{
	return xasprintf(
		"%s/" CHAIN_RECORDS "/%s", vm->env->paths.state, vm->name);
}

const char *chain_record(struct vm *vm)
{
	AUTO_FREE char *path = path_of(vm);
	AUTO_STR struct str text = STR_INIT;
	struct err err = ERR_INIT;

	if (vm->chains_read)
		return vm->chains;
	vm->chains_read = true;
	if (!fd_read_file(AT_FDCWD, path, TEXT_MAX, &text, &err) && text.len)
		vm->chains = atom_get(str_text(&text));
	return vm->chains;
}

/* An empty one is no record. */
static void remember(struct vm *vm, const char *text)
{
	AUTO_FREE char *path = path_of(vm);
	AUTO_FREE char *dir =
		xasprintf("%s/" CHAIN_RECORDS, vm->env->paths.state);
	struct err err = ERR_INIT;
	int rc;

	atom_set(&vm->chains, text);
	vm->chains_read = true;
	rc = fd_make_dirs(dir, 0700, &err);
	if (!rc && *text)
		rc = fd_write_file(
			AT_FDCWD, path, text, strlen(text), 0600, false, &err);
	else if (!rc && sys_unlinkat(AT_FDCWD, path, 0) && errno != ENOENT)
		rc = err_os(&err, "cannot remove '%s'", path);
	if (rc)
		vmlog_line(&vm->log, LOG_WARN,
			"what its disks are on top of is not recorded: %s",
			err.text);
}

/* ---- lines of the old text that stay ---- */

/* An image that the files of the VM name as that of a disk. */
static bool is_named(const struct vm *vm, const char *disk, const char *path)
{
	const struct spec_disk *found =
		vm->spec ? spec_disk_of(vm->spec, disk) : NULL;
	AUTO_FREE char *named =
		found ? argv_disk_path(vm->spec, found, vm->env->paths.images)
		      : NULL;
	AUTO_FREE char *plain = named ? chain_plain_path(named) : NULL;

	return plain && str_eq(plain, path);
}

struct keep {
	const struct vm *vm;
	const struct chains *chains; /* opened just now, or NULL */
	const char *disk;            /* the only one that was; or NULL */
	const char *without;         /* no chain with this image; or NULL */
};

/* Whether an old chain is to stay. */
static bool stays(
	const struct keep *keep, const char *disk, const struct chain *old)
{
	const struct chain *now =
		keep->chains ? chains_find(keep->chains, disk) : NULL;

	if (keep->without)
		for (size_t i = 0; i < old->n; i++)
			if (str_eq(old->at[i].path, keep->without))
				return false;
	if (keep->disk)
		return !str_eq(keep->disk, disk);
	if (!keep->chains)
		return true;
	return !(now && str_eq(now->at[0].path, old->at[0].path)) &&
	       is_named(keep->vm, disk, old->at[0].path);
}

/* The disk and the top of the chain at a line; the text behind it. */
static const char *take_chain(const char *text, char **disk, struct chain *out)
{
	const char *space = strchr(text, ' ');
	const char *end = text;
	AUTO_FREE char *part = NULL;
	const char *top;

	do {
		end += strcspn(end, "\n");
		end += *end == '\n';
		space = strchr(end, ' ');
	} while (*end && space && space[1] != '0');
	part = xstrndup(text, (size_t)(end - text));
	*disk = xstrndup(text, strcspn(text, " "));
	top = strchr(part, '/');
	*out = (struct chain){ NULL };
	if (top) {
		AUTO_FREE char *path = xstrndup(top, strcspn(top, "\n"));

		chains_parse(part, *disk, path, out);
	}
	return end;
}

static void add_old(struct str *text, const struct keep *keep, const char *old)
{
	while (old && *old) {
		AUTO_FREE char *disk = NULL;
		struct chain chain;

		old = take_chain(old, &disk, &chain);
		if (chain.n && stays(keep, disk, &chain))
			chains_add_text(text, disk, &chain);
		chain_fini(&chain);
	}
}

/* ---- changes ---- */

static void replace(struct vm *vm, struct str *text)
{
	if (str_eq(str_text(text), str_or(vm->chains, "")))
		return;
	remember(vm, str_text(text));
}

/* On top of the VM's own image, and gone before anybody could ask. */
static bool is_throw_away(const struct vm *vm, const struct chain *chain)
{
	AUTO_FREE char *dir = xasprintf("%s/ephemeral/", vm->env->paths.state);

	return chain->n > 0 && str_starts(chain->at[0].path, dir);
}

void chain_record_put(struct vm *vm, const struct chains *chains)
{
	const struct keep keep = { .vm = vm, .chains = chains };
	AUTO_STR struct str text = STR_INIT;

	list_each(&chains->list, it, next) {
		const struct disk_chain *d =
			list_entry(it, struct disk_chain, link);

		if (!is_throw_away(vm, &d->chain))
			chains_add_text(&text, d->disk, &d->chain);
	}
	add_old(&text, &keep, chain_record(vm));
	replace(vm, &text);
}

void chain_record_put_disk(
	struct vm *vm, const char *disk, const struct chain *chain)
{
	const struct keep keep = { .vm = vm, .disk = disk };
	AUTO_STR struct str text = STR_INIT;

	add_old(&text, &keep, chain_record(vm));
	chains_add_text(&text, disk, chain);
	replace(vm, &text);
}

void chain_record_forget(struct vm *vm, const char *path)
{
	const struct keep keep = { .vm = vm, .without = path };
	AUTO_STR struct str text = STR_INIT;

	add_old(&text, &keep, chain_record(vm));
	replace(vm, &text);
}

void chain_record_sync(
	const struct vm *vm, struct durable *durable, struct job *job)
{
	AUTO_FREE char *path = path_of(vm);

	durable_above(durable, job, path);
}

/* ---- renamed images ---- */

static const char *pair_at(const json_t *pair, size_t side)
{
	return str_or(json_string_value(json_array_get(pair, side)), "");
}

static const char *name_now(const json_t *pairs, const char *path)
{
	size_t i;
	json_t *pair;

	json_array_foreach(pairs, i, pair)
	{
		if (str_eq(pair_at(pair, 0), path))
			return pair_at(pair, 1);
	}
	return path;
}

static void follow(const char *file, const json_t *pairs)
{
	AUTO_STR struct str before = STR_INIT;
	AUTO_STR struct str after = STR_INIT;
	struct err err = ERR_INIT;
	struct chains_line line;
	const char *at;
	unsigned depth = 0;

	if (fd_read_file(AT_FDCWD, file, TEXT_MAX, &before, &err))
		return; /* nothing is recorded */
	at = str_text(&before);
	while (chains_next(&at, &line)) {
		AUTO_FREE char *path = xstrndup(line.path, line.path_len);

		depth = line.top ? 0 : depth + 1;
		str_addf(&after, "%.*s %u %.*s %s\n", (int)line.disk_len,
			line.disk, depth, (int)line.format_len, line.format,
			name_now(pairs, path));
	}
	if (fd_write_file(AT_FDCWD, file, str_text(&after), after.len, 0600,
		    false, &err))
		log_warn(NULL, "%s", err.text);
}

void chain_record_follow(const struct env *env, const json_t *pairs)
{
	AUTO_FREE char *dir =
		xasprintf("%s/" CHAIN_RECORDS "/", env->paths.state);
	size_t i;
	json_t *pair;

	json_array_foreach(pairs, i, pair)
	{
		if (str_starts(pair_at(pair, 1), dir))
			follow(pair_at(pair, 1), pairs);
	}
}

void chain_record_remove(struct vm *vm)
{
	AUTO_FREE char *path = path_of(vm);

	sys_unlinkat(AT_FDCWD, path, 0);
	atom_set(&vm->chains, NULL);
	vm->chains_read = false;
}
