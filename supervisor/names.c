/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of VMs; see names.h. */
#include "supervisor/names.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "supervisor/config.h"
#include "supervisor/vm.h"

struct names names_new(void)
{
	return (struct names){ xcalloc(1, sizeof(char *)), 0 };
}

void names_add(struct names *names, const char *name)
{
	for (size_t i = 0; i < names->n; i++) {
		if (str_eq(names->at[i], name))
			return;
	}
	names->at = xreallocarray(names->at, names->n + 2, sizeof(char *));
	names->at[names->n++] = xstrdup(name);
	names->at[names->n] = NULL;
}

static bool has_tag(const struct vm *vm, const char *tag)
{
	char **tags = vm->spec ? vm->spec->vm.tags : NULL;

	for (size_t i = 0; tags && tags[i]; i++) {
		if (str_eq(tags[i], tag))
			return true;
	}
	return false;
}

static bool matches(const struct vm *vm, const char *pattern)
{
	return *pattern == '@' ? has_tag(vm, pattern + 1)
			       : str_glob(pattern, vm->name);
}

char **names_resolve(const struct list *vms, const char *const *patterns)
{
	struct names names = names_new();

	for (size_t i = 0; patterns[i]; i++) {
		if (*patterns[i] != '@' && !strpbrk(patterns[i], "*?[")) {
			names_add(&names, patterns[i]);
			continue;
		}
		list_each(vms, it, next) {
			struct vm *vm = list_entry(it, struct vm, link);

			if (matches(vm, patterns[i]))
				names_add(&names, vm->name);
		}
	}
	return names.at;
}

int names_not_found(const struct list *vms, const char *name, struct err *err)
{
	struct names names = names_new();
	const char *near;

	list_each(vms, it, next)
		names_add(&names, list_entry(it, struct vm, link)->name);
	near = str_nearest(name, (const char *const *)names.at);
	err_set(err, ERR_NOT_FOUND,
		near ? "no VM '%s' (did you mean '%s'?)" : "no VM '%s'", name,
		near);
	config_names_free(names.at);
	return -1;
}
