/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests to the kernel's routing netlink.  The kernel answers while the
 * request is sent, so nothing here ever waits.
 */
#ifndef NET_NETLINK_H
#define NET_NETLINK_H

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>

#include "base/err.h"

#define NETLINK_REQUEST_MAX 8192

struct netlink {
	int fd; /* or -1 */
	unsigned sequence;
};

#define NETLINK_INIT  \
	{             \
		-1, 0 \
	}

/* A request being built: the header, then attributes by mnl_attr_put(). */
struct netlink_request {
	union {
		struct nlmsghdr head;
		char bytes[NETLINK_REQUEST_MAX];
	} u;
};

/* Called for each message of an answer. */
typedef void netlink_each_fn(void *arg, const struct nlmsghdr *message);

/* Opens the socket.  0, or -1 with err. */
MUST_CHECK int netlink_open(struct netlink *nl, struct err *err);
/* The same to the kernel's firewall. */
MUST_CHECK int netlink_open_rules(struct netlink *nl, struct err *err);
/* Closes it; also one that was never opened. */
void netlink_close(struct netlink *nl);
/*
 * Starts a request of a type with flags besides NLM_F_REQUEST; returns the
 * place of its family header of `size` bytes, zeroed.
 */
void *netlink_begin(struct netlink_request *request, uint16_t type,
	uint16_t flags, size_t size);
/*
 * Sends it and reads all of the answer; each may be NULL.  0, or -1 with
 * errno as the kernel has it.
 */
MUST_CHECK int netlink_talk(struct netlink *nl, struct netlink_request *request,
	netlink_each_fn *each, void *arg);

/*
 * Attributes behind a family header of `size` bytes, by type: table[0] to
 * table[last], NULL where there is none.
 */
void netlink_attrs(const struct nlmsghdr *message, size_t size,
	const struct nlattr *table[], unsigned last);
/* Those nested in one; NULL: none. */
void netlink_nested(
	const struct nlattr *attr, const struct nlattr *table[], unsigned last);

#endif
