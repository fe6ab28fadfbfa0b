/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One device from KEY=VALUE words, as `disk attach` and `nic attach` have
 * them: the tables' keys of its section and the checks of a file.
 */
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "supervisor/check.h"
#include "supervisor/disk_check.h"
#include "supervisor/pool.h"
#include "supervisor/spec.h"

/* Where a device is to go, and what is found wrong with it. */
struct made {
	const struct vm_spec *vm;
	const struct paths *paths;
	const char *dir;         /* that relative paths are of */
	struct vm_spec *scratch; /* with the device alone */
	struct remarks to;
};

struct kind {
	const char *word; /* as people say */
	const char *section;
	size_t list; /* of vm_spec: where the table puts it */
	void (*check)(const struct made *made, struct list *device);
};

static void check_disk(const struct made *made, struct list *device)
{
	struct spec_disk *disk = list_entry(device, struct spec_disk, link);

	pool_apply(disk, made->paths, &made->to);
	disk_check(disk, &made->to);
}

static void check_nic(const struct made *made, struct list *device UNUSED)
{
	check_nics_beside(
		made->scratch, made->vm, made->paths->scope, &made->to);
}

static const struct kind disks = { "disk", "disk",
	offsetof(struct vm_spec, disks), check_disk };
static const struct kind nics = { "nic", "net", offsetof(struct vm_spec, nics),
	check_nic };

/* One "key=value" of a command as an entry of the section. */
static int add_pair(struct ini *ini, const struct made *made,
	const char *section, const char *pair, struct err *err)
{
	const char *equals = strchr(pair, '=');

	if (!equals || equals == pair)
		return err_set(err, ERR_USAGE, "'%s': say KEY=VALUE", pair);
	AUTO_FREE char *key = xstrndup(pair, (size_t)(equals - pair));
	if (ini_find(ini, section, key))
		return err_set(err, ERR_USAGE, "'%s' is given twice", key);
	ini_add(ini, section, key, equals + 1, made->to.shown, made->dir);
	return 0;
}

/* A device that the table freed would not be found any more. */
static void free_device(const struct kind *kind, struct list *device)
{
	const struct section *table;

	keys_lookup(spec_sections, spec_nsections, kind->section, NULL, &table);
	keys_free_element(device, table);
}

/* Fills a spec of this device alone; its element, taken out, or NULL. */
static struct list *fill_one(
	const struct kind *kind, struct made *made, struct findings *f)
{
	const struct vm_spec *vm = made->vm;
	struct key_scope scope = { vm->name, vm->prefix, vm->instance, "",
		NULL };
	char *spec = (char *)made->scratch;
	struct list *list = (void *)(spec + kind->list);
	struct list *device;

	if (keys_fill(made->scratch, spec_sections, spec_nsections,
		    made->to.ini, &scope, f) ||
		list_is_empty(list))
		return NULL;
	device = list->next;
	kind->check(made, device);
	list_del(device);
	return device;
}

static struct list *make(const struct kind *kind, struct made *made,
	const char *name, struct err *err)
{
	struct findings f;
	struct list *device;

	findings_init(&f);
	made->to.f = &f;
	made->scratch = spec_new();
	device = fill_one(kind, made, &f);
	spec_free(made->scratch);
	if (f.errors > 0)
		findings_to_err(&f, err);
	else if (!device)
		err_set(err, ERR_USAGE, "%s '%s': enabled = no leaves nothing",
			kind->word, name);
	if (f.errors > 0 && device) {
		free_device(kind, device);
		device = NULL;
	}
	findings_fini(&f);
	return device;
}

static struct list *from_pairs(const struct kind *kind, struct made *made,
	const char *name, const char *const *pairs, struct err *err)
{
	AUTO_FREE char *section = xasprintf("%s.%s", kind->section, name);
	struct list *device = NULL;
	struct ini ini;
	int rc = 0;

	if (!keys_device_is_valid(name)) {
		err_set(err, ERR_USAGE,
			"'%s' is no name of a %s: a-z, 0-9 and '-', at most "
			"15",
			name, kind->word);
		return NULL;
	}
	ini_init(&ini);
	made->to = (struct remarks){ &ini, kind->word, NULL };
	ini_add(&ini, section, NULL, NULL, kind->word, made->dir);
	for (; *pairs && !rc; pairs++)
		rc = add_pair(&ini, made, section, *pairs, err);
	if (!rc)
		device = make(kind, made, name, err);
	ini_fini(&ini);
	return device;
}

struct spec_disk *spec_disk_from_pairs(const struct vm_spec *vm,
	const char *name, const char *const *pairs, const char *dir,
	const struct paths *paths, struct err *err)
{
	struct made made = { .vm = vm, .paths = paths, .dir = dir };
	const struct spec_disk *old = spec_disk_of(vm, name);
	struct list *device = NULL;

	if (old && !old->drive) /* a disc makes way for another one */
		err_set(err, ERR_EXISTS, "disk '%s' exists already", name);
	else
		device = from_pairs(&disks, &made, name, pairs, err);
	return device ? list_entry(device, struct spec_disk, link) : NULL;
}

struct spec_nic *spec_nic_from_pairs(const struct vm_spec *vm, const char *name,
	const char *const *pairs, const struct paths *paths, struct err *err)
{
	struct made made = { .vm = vm, .paths = paths, .dir = "/" };
	struct list *device = NULL;

	if (spec_nic_of(vm, name))
		err_set(err, ERR_EXISTS, "nic '%s' exists already", name);
	else
		device = from_pairs(&nics, &made, name, pairs, err);
	return device ? list_entry(device, struct spec_nic, link) : NULL;
}

void spec_disk_free(struct spec_disk *disk)
{
	if (disk)
		free_device(&disks, &disk->link);
}

void spec_nic_free(struct spec_nic *nic)
{
	if (nic)
		free_device(&nics, &nic->link);
}
