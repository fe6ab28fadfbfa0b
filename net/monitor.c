/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What others do to devices and rules; see monitor.h. */
#include "net/monitor.h"

#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"
#include "net/netlink.h"

enum { READ_MAX = 32768 };

static int listen_on(int protocol, unsigned group, struct err *err)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK,
		.nl_groups = 1U << (group - 1) };
	AUTO_CLOSE int fd =
		sys_socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK, protocol);

	if (fd < 0 ||
		sys_bind(fd, (struct sockaddr *)&address, sizeof address) < 0)
		return err_os(err, "cannot listen to the kernel's networks");
	return TAKE_FD(fd);
}

int monitor_open(struct monitor *m, const char *table, struct err *err)
{
	*m = (struct monitor)MONITOR_INIT;
	snprintf(m->table, sizeof m->table, "%s", table);
	m->links = listen_on(NETLINK_ROUTE, RTNLGRP_LINK, err);
	if (m->links >= 0)
		m->rules = listen_on(NETLINK_NETFILTER, NFNLGRP_NFTABLES, err);
	if (m->rules >= 0)
		return 0;
	monitor_close(m);
	return -1;
}

void monitor_close(struct monitor *m)
{
	fd_close(&m->links);
	fd_close(&m->rules);
}

/* One datagram; -1: nothing is left.  What was lost counts as *lost. */
static ssize_t read_one(int fd, char *bytes, bool *lost)
{
	struct iovec iov = { bytes, READ_MAX };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t got;

	do {
		got = sys_recvmsg(fd, &message, 0);
		if (got < 0 && errno == ENOBUFS)
			*lost = true;
	} while (got < 0 && (errno == EINTR || errno == ENOBUFS));
	return got;
}

bool monitor_read_links(struct monitor *m)
{
	AUTO_FREE char *bytes = xmalloc(READ_MAX);
	bool any = false;

	while (read_one(m->links, bytes, &any) > 0)
		any = true;
	return any;
}

/* Tables, chains and rules have the table's name as their first attribute. */
static void take_rule(struct monitor *m, const struct nlmsghdr *message)
{
	const struct nlattr *at[NFTA_TABLE_NAME + 1];
	unsigned type = message->nlmsg_type & 0xffU;

	if (message->nlmsg_type >> 8 != NFNL_SUBSYS_NFTABLES ||
		type > NFT_MSG_DELRULE)
		return;
	netlink_attrs(message, sizeof(struct nfgenmsg), at, NFTA_TABLE_NAME);
	if (!at[NFTA_TABLE_NAME] ||
		!str_eq(mnl_attr_get_str(at[NFTA_TABLE_NAME]), m->table))
		return;
	m->gone = type == NFT_MSG_DELTABLE || type == NFT_MSG_DELCHAIN ||
		  type == NFT_MSG_DELRULE;
}

void monitor_read_rules(struct monitor *m)
{
	AUTO_FREE char *bytes = xmalloc(READ_MAX);
	bool lost = false;
	ssize_t got;

	while ((got = read_one(m->rules, bytes, &lost)) > 0) {
		int left = (int)got;

		for (const struct nlmsghdr *at = (const void *)bytes;
			mnl_nlmsg_ok(at, left); at = mnl_nlmsg_next(at, &left))
			take_rule(m, at);
	}
	m->gone |= lost;
}
