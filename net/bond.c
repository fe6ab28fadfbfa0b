/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Several network devices as one; see bond.h. */
#include "net/bond.h"

#include <linux/if_link.h>

#include "net/link.h"

const char *const bond_mode_names[] = { "balance-rr", "active-backup",
	"balance-xor", "broadcast", "802.3ad", "balance-tlb", "balance-alb",
	NULL };

int bond_add(struct netlink *nl, const char *name, const char *alias,
	uint8_t mode, uint32_t miimon)
{
	struct link_new bond;

	link_new_begin(
		&bond, &(struct link_want){ .name = name, .kind = "bond" });
	mnl_attr_put_u8(&bond.request.u.head, IFLA_BOND_MODE, mode);
	mnl_attr_put_u32(&bond.request.u.head, IFLA_BOND_MIIMON, miimon);
	return link_new_end(nl, &bond, alias);
}
