/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The nics on the command line. */
#include "supervisor/argv_build.h"

static int add_nic(struct argv_build *b, const struct spec_nic *nic)
{
	int place;

	if (argv_port_of(b, "net", nic->name, &place) != 0 ||
		argv_add_json(b, "-netdev",
			argv_nic_backend(
				b->spec, nic, b->host->vhost, b->err)) != 0)
		return -1;
	return argv_add_device(b,
		argv_nic_device(b->spec, nic, place, (int)nic->boot, b->err));
}

int argv_add_nics(struct argv_build *b)
{
	list_each(&b->spec->nics, it, next)
		if (add_nic(b, list_entry(it, struct spec_nic, link)) != 0)
			return -1;
	return 0;
}
