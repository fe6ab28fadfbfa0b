/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables of rules in the kernel; see tables.h. */
#include "net/tables.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "base/mem.h"
#include "net/netlink.h"

#define GET_TABLE (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETTABLE)

static bool is_free(struct netlink *nl, unsigned char family, const char *name)
{
	struct netlink_request request;
	struct nfgenmsg *head =
		netlink_begin(&request, GET_TABLE, 0, sizeof *head);

	head->nfgen_family = family;
	mnl_attr_put_strz(&request.u.head, NFTA_TABLE_NAME, name);
	return netlink_talk(nl, &request, NULL, NULL) && errno == ENOENT;
}

bool tables_are_free(const char *name)
{
	static const unsigned char families[] = { NFPROTO_INET,
		NFPROTO_BRIDGE };
	struct netlink nl = NETLINK_INIT;
	struct err err = ERR_INIT;
	bool ok = !netlink_open_rules(&nl, &err);

	for (size_t i = 0; ok && i < NELEMS(families); i++)
		ok = is_free(&nl, families[i], name);
	netlink_close(&nl);
	return ok;
}
