/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The fd sets of the fake QEMU: descriptors it was given, by number. */
#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"
#include "tests/fake/fake.h"

static json_t *sets; /* number -> fds */

void fdsets_put(json_int_t set, int fd, const char *opaque)
{
	AUTO_FREE char *id = xasprintf("%d", (int)set);
	json_t *fds;

	if (!sets)
		sets = json_object();
	fds = json_object_get(sets, id);
	if (!fds) {
		fds = json_array();
		json_object_set_new(sets, id, fds);
	}
	json_array_append_new(
		fds, json_pack("{s:i, s:s}", "fd", fd, "opaque", opaque));
}

bool fdsets_remove(json_int_t set)
{
	AUTO_FREE char *id = xasprintf("%d", (int)set);
	json_t *fds = json_object_get(sets, id);
	json_t *fd;
	size_t i;

	json_array_foreach(fds, i, fd)
		sys_close((int)json_integer_value(json_object_get(fd, "fd")));
	return json_object_del(sets, id) == 0;
}

json_t *fdsets_list(void)
{
	json_t *list = json_array();
	const char *id;
	json_t *fds;

	json_object_foreach(sets, id, fds) json_array_append_new(
		list, json_pack("{s:i, s:O}", "fdset-id", (int)str_digits(id),
			      "fds", fds));
	return list;
}
