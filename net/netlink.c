/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests to the kernel's routing netlink; see netlink.h. */
#include "net/netlink.h"

#include <errno.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/mem.h"
#include "base/sys.h"

enum { ANSWER_MAX = 32768 }; /* what the kernel puts into one datagram */

static int open_for(struct netlink *nl, int protocol, struct err *err)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK };

	nl->sequence = 0;
	nl->fd = sys_socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK, protocol);
	if (nl->fd < 0)
		return err_os(err, "cannot open a netlink socket");
	if (sys_bind(nl->fd, (struct sockaddr *)&address, sizeof address) < 0) {
		err_os(err, "cannot bind a netlink socket");
		netlink_close(nl);
		return -1;
	}
	return 0;
}

int netlink_open(struct netlink *nl, struct err *err)
{
	return open_for(nl, NETLINK_ROUTE, err);
}

int netlink_open_rules(struct netlink *nl, struct err *err)
{
	return open_for(nl, NETLINK_NETFILTER, err);
}

void netlink_close(struct netlink *nl)
{
	if (nl->fd >= 0)
		sys_close(nl->fd);
	nl->fd = -1;
}

void *netlink_begin(struct netlink_request *request, uint16_t type,
	uint16_t flags, size_t size)
{
	struct nlmsghdr *head;

	/* libmnl 1.0.4 leaves what pads an attribute as it finds it */
	memset(request, 0, sizeof *request);
	head = mnl_nlmsg_put_header(request->u.bytes);
	head->nlmsg_type = type;
	head->nlmsg_flags = NLM_F_REQUEST | flags;
	return mnl_nlmsg_put_extra_header(head, size);
}

static int send_request(struct netlink *nl, struct netlink_request *request)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	struct iovec iov = { request->u.bytes, request->u.head.nlmsg_len };
	struct msghdr message = { .msg_name = &kernel,
		.msg_namelen = sizeof kernel,
		.msg_iov = &iov,
		.msg_iovlen = 1 };

	request->u.head.nlmsg_seq = ++nl->sequence;
	return sys_sendmsg(nl->fd, &message, MSG_NOSIGNAL) < 0 ? -1 : 0;
}

/* What a message ends: 1 goes on, 0 done, -1 with errno. */
static int take(const struct netlink *nl, const struct nlmsghdr *message,
	netlink_each_fn *each, void *arg)
{
	if (message->nlmsg_seq != nl->sequence)
		return 1; /* of a request that was given up */
	if (message->nlmsg_type == NLMSG_DONE)
		return 0;
	if (message->nlmsg_type == NLMSG_ERROR) {
		const struct nlmsgerr *said = mnl_nlmsg_get_payload(message);

		errno = -said->error;
		return said->error ? -1 : 0;
	}
	if (each)
		each(arg, message);
	return 1;
}

int netlink_talk(struct netlink *nl, struct netlink_request *request,
	netlink_each_fn *each, void *arg)
{
	AUTO_FREE char *answer = xmalloc(ANSWER_MAX);

	if ((request->u.head.nlmsg_flags & NLM_F_DUMP) != NLM_F_DUMP)
		request->u.head.nlmsg_flags |= NLM_F_ACK;
	if (send_request(nl, request) < 0)
		return -1;
	for (;;) {
		struct iovec iov = { answer, ANSWER_MAX };
		struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };
		ssize_t got = sys_recvmsg(nl->fd, &message, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		int left = (int)got;
		for (const struct nlmsghdr *at = (const void *)answer;
			mnl_nlmsg_ok(at, left);
			at = mnl_nlmsg_next(at, &left)) {
			int more = take(nl, at, each, arg);
			if (more <= 0)
				return more;
		}
	}
}

/* ---- attributes ---- */

struct into {
	const struct nlattr **table;
	unsigned last;
};

static int keep(const struct nlattr *attr, void *arg)
{
	const struct into *to = arg;

	if (mnl_attr_get_type(attr) <= to->last)
		to->table[mnl_attr_get_type(attr)] = attr;
	return MNL_CB_OK;
}

void netlink_attrs(const struct nlmsghdr *message, size_t size,
	const struct nlattr *table[], unsigned last)
{
	struct into to = { table, last };

	memset(table, 0, (last + 1) * sizeof table[0]);
	mnl_attr_parse(message, (unsigned)size, keep, &to);
}

void netlink_nested(
	const struct nlattr *attr, const struct nlattr *table[], unsigned last)
{
	struct into to = { table, last };

	memset(table, 0, (last + 1) * sizeof table[0]);
	if (attr)
		mnl_attr_parse_nested(attr, keep, &to);
}
