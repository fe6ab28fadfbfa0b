/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Router advertisements of the host's own lines; see ra.h. */
#include "net/ra.h"

#include <fcntl.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"
#include "net/link.h"

#define CONF "/proc/sys/net/ipv6/conf"

int ra_keep(const char *device, bool *changed, struct err *err)
{
	AUTO_FREE char *path = xasprintf(CONF "/%s/accept_ra", device);
	AUTO_CLOSE int fd = sys_openat(AT_FDCWD, path, O_RDWR, 0);
	char now = '\0';

	/* 0: it takes none; 1: as long as the host does not forward; 2 */
	if (fd < 0 || sys_read(fd, &now, 1) < 1 || now != '1')
		return 0;
	if (sys_pwrite(fd, "2\n", 2, 0) < 0)
		return err_os(err, "cannot write '%s'", path);
	*changed = true;
	return 0;
}

struct all {
	struct netlink *nl;
	const char *ours;
	struct err *err;
	int rc;
};

/* A bridge of ours hears guests, who are no routers of the host's. */
static bool is_line(const struct all *all, const char *device)
{
	struct link_info link;

	return link_name_ok(device) && !link_find(all->nl, device, &link) &&
	       link.index && !str_starts(link.alias, all->ours);
}

static void on_device(void *arg, const char *name)
{
	struct all *all = arg;
	bool changed;

	if (!all->rc && is_line(all, name))
		all->rc = ra_keep(name, &changed, all->err);
}

int ra_keep_all(struct netlink *nl, const char *ours, struct err *err)
{
	struct all all = { nl, ours, err, 0 };

	if (sys_listdir(AT_FDCWD, CONF, on_device, &all) < 0)
		return 0; /* a kernel without IPv6 */
	return all.rc;
}
