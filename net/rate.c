/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How much a port carries; see rate.h. */
#include "net/rate.h"

#include <errno.h>
#include <linux/pkt_sched.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "net/netlink.h"

#define WAITS_PER_S 20 /* what waits is sent within 1/20 s */

uint64_t rate_burst(const struct rate_limits *limits, uint64_t rate)
{
	uint64_t burst = limits->burst ? limits->burst : rate / 10;

	if (burst < RATE_BURST_MIN)
		burst = RATE_BURST_MIN;
	return burst > UINT32_MAX ? UINT32_MAX : burst;
}

/* clang-format off */
static const struct {
	const char *name;
	uint64_t bits;
} units[] = {
	{ "kbit", 1000 }, { "Mbit", 1000 * 1000 }, { "Gbit", 1000000000 },
	{ "KiB", 8 << 10 }, { "MiB", 8 << 20 }, { "GiB", 8ULL << 30 },
};
/* clang-format on */

int rate_parse(const char *text, uint64_t *out, struct err *err)
{
	size_t digits = strspn(text, "0123456789");
	const char *unit = text + digits;
	size_t len = str_ends(unit, "/s") ? strlen(unit) - 2 : strlen(unit);
	AUTO_FREE char *number = xstrndup(text, digits);
	struct err bad = ERR_INIT;
	uint64_t n;

	*out = 0;
	if (!*text || str_eq(text, "no"))
		return 0;
	for (size_t i = 0; i < NELEMS(units); i++) {
		if (strlen(units[i].name) != len ||
			strncmp(unit, units[i].name, len) != 0 ||
			str_to_u64(number, &n, &bad))
			continue;
		if (n > UINT64_MAX / units[i].bits ||
			n * units[i].bits < 8 * 1000)
			return err_set(err, ERR_CONFIG,
				"%s: say at least 8kbit", text);
		*out = n * units[i].bits / 8;
		return 0;
	}
	return err_set(err, ERR_CONFIG,
		"%s: say kbit, Mbit or Gbit, or KiB, MiB or GiB a second, as "
		"100Mbit",
		text);
}

/* Nothing was there to take away. */
static bool was_none(void)
{
	return errno == ENOENT || errno == EINVAL || errno == EOPNOTSUPP;
}

static int clear(struct netlink *nl, unsigned index)
{
	struct netlink_request request;
	struct tcmsg *head =
		netlink_begin(&request, RTM_DELQDISC, 0, sizeof(*head));

	head->tcm_ifindex = (int)index;
	head->tcm_parent = TC_H_ROOT;
	return netlink_talk(nl, &request, NULL, NULL) < 0 && !was_none() ? -1
									 : 0;
}

int rate_set(
	struct netlink *nl, unsigned index, const struct rate_limits *limits)
{
	struct netlink_request request;
	uint64_t burst = rate_burst(limits, limits->in);
	uint64_t limit = burst + limits->in / WAITS_PER_S;
	struct tc_tbf_qopt tbf = {
		.rate = { .rate = limits->in > UINT32_MAX
					  ? UINT32_MAX
					  : (uint32_t)limits->in,
			.linklayer = TC_LINKLAYER_ETHERNET },
		.limit = limit > UINT32_MAX ? UINT32_MAX : (uint32_t)limit
	};

	if (!limits->in)
		return clear(nl, index);
	struct tcmsg *head = netlink_begin(&request, RTM_NEWQDISC,
		NLM_F_CREATE | NLM_F_REPLACE, sizeof(*head));
	head->tcm_ifindex = (int)index;
	head->tcm_parent = TC_H_ROOT;
	mnl_attr_put_strz(&request.u.head, TCA_KIND, "tbf");
	struct nlattr *options =
		mnl_attr_nest_start(&request.u.head, TCA_OPTIONS);
	mnl_attr_put(&request.u.head, TCA_TBF_PARMS, sizeof(tbf), &tbf);
	mnl_attr_put_u32(&request.u.head, TCA_TBF_BURST, (uint32_t)burst);
	if (limits->in > UINT32_MAX)
		mnl_attr_put_u64(&request.u.head, TCA_TBF_RATE64, limits->in);
	mnl_attr_nest_end(&request.u.head, options);
	return netlink_talk(nl, &request, NULL, NULL);
}
