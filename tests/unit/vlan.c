/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * VLANs and bonds as the kernel is told of them, byte by byte: not every
 * kernel that this is built on has them.  tests/inside shows that one that
 * has them takes these.
 */
#include "net/vlan.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"
#include "net/bond.h"
#include "net/link.h"
#include "tests/unit/tap.h"

/* ---- a kernel that says yes ---- */

static struct sys_backend kernel;
static struct str sent; /* each request in hexadecimal, a line each */
static unsigned last;   /* number of the last request */

static ssize_t take(
	int fd UNUSED, const struct msghdr *message, int flags UNUSED)
{
	const struct nlmsghdr *head = message->msg_iov[0].iov_base;
	const unsigned char *bytes = (const void *)head;

	last = head->nlmsg_seq;
	str_addf(&sent, "%u %x:", head->nlmsg_type, head->nlmsg_flags);
	for (size_t i = NLMSG_HDRLEN; i < head->nlmsg_len; i++)
		str_addf(&sent, "%s%02x", i % 4 ? "" : " ", bytes[i]);
	str_add(&sent, "\n");
	return (ssize_t)head->nlmsg_len;
}

static ssize_t answer(int fd UNUSED, struct msghdr *message, int flags UNUSED)
{
	struct {
		struct nlmsghdr head;
		struct nlmsgerr said;
	} yes = { .head = { sizeof yes, NLMSG_ERROR, 0, last, 0 } };

	memcpy(message->msg_iov[0].iov_base, &yes, sizeof yes);
	return sizeof yes;
}

static struct netlink nl = { 3, 0 };

static void told(const char *want, const char *what)
{
	is_str(str_text(&sent), want, "%s", what);
	str_fini(&sent);
	sent = (struct str)STR_INIT;
}

static void test_requests(void)
{
	static const struct vlan_set trunk = {
		.native = 7, .n = 2, .tagged = { { 10, 10 }, { 20, 29 } }
	};

	is_int(vlan_add(&nl, "eth0.20", "vmward lan", 4, 20), 0, "a VLAN");
	told("16 605: 00000000 00000000 00000000 00000000 0c000300 "
	     "65746830 2e323000 08000500 04000000 1c001280 09000100 "
	     "766c616e 00000000 0c000280 06000100 14000000\n"
	     "16 5: 00000000 00000000 00000000 00000000 0c000300 65746830 "
	     "2e323000 0f001400 766d7761 7264206c 616e0000\n",
		"its device, then its alias");
	is_int(bond_add(&nl, "vb-lan", "vmward lan", 4, 100), 0, "a bond");
	told("16 605: 00000000 00000000 00000000 00000000 0b000300 "
	     "76622d6c 616e0000 24001280 09000100 626f6e64 00000000 "
	     "14000280 05000100 04000000 08000300 64000000\n"
	     "16 5: 00000000 00000000 00000000 00000000 0b000300 76622d6c "
	     "616e0000 0f001400 766d7761 7264206c 616e0000\n",
		"its device, then its alias");
	is_int(vlan_filter(&nl, 9), 0, "filtering");
	told("16 5: 00000000 09000000 00000000 00000000 1c001280 0b000100 "
	     "62726964 67650000 0c000280 05000700 01000000\n",
		"a change of the bridge");
	is_int(vlan_set_port(&nl, 12, &trunk), 0, "a port");
	told("17 5: 07000000 0c000000 00000000 00000000 14001a80 08000200 "
	     "08000100 08000200 1000fe0f\n"
	     "19 5: 07000000 0c000000 00000000 00000000 24001a80 08000200 "
	     "00000a00 08000200 08001400 08000200 10001d00 08000200 "
	     "06000700\n",
		"all VLANs go, the wanted come");
}

/* Padding once went out as what the stack held before. */
static void test_padding(void)
{
	static const unsigned char ruled[] = { 5, 0, 7, 0, 1, 0, 0, 0 };
	struct netlink_request request;

	memset(&request, 0xa5, sizeof request);
	netlink_begin(&request, RTM_NEWLINK, 0, sizeof(struct ifinfomsg));
	mnl_attr_put_u8(&request.u.head, IFLA_BR_VLAN_FILTERING, 1);
	ok(memcmp(mnl_nlmsg_get_payload_offset(
			  &request.u.head, sizeof(struct ifinfomsg)),
		   ruled, sizeof ruled) == 0,
		"what pads an attribute is zero");
}

static void parses(const char *text, const char *want)
{
	struct vlan_set set = { .native = 1 };
	struct err err = ERR_INIT;
	AUTO_STR struct str said = STR_INIT;

	if (vlan_parse(text, &set, &err))
		str_add(&said, err.text);
	for (size_t i = 0; i < set.n; i++)
		str_addf(&said, "%u-%u ", set.tagged[i].first,
			set.tagged[i].last);
	is_str(str_text(&said), want, "VLANs '%s'", text);
	is_int(set.native, 1, "the native one stays");
}

static void test_texts(void)
{
	parses("10", "10-10 ");
	parses("10, 20,30-39 ,4094", "10-10 20-20 30-39 4094-4094 ");
	parses("1-4094", "1-4094 ");
	parses("", "");
	parses("0", "0: say VLANs from 1 to 4094, as 10, 20, 30-39");
	parses("4095", "4095: say VLANs from 1 to 4094, as 10, 20, 30-39");
	parses("99999999999999", "99999999999999: say VLANs from 1 to 4094, "
				 "as 10, 20, 30-39");
	parses("20-10", "20-10: say VLANs from 1 to 4094, as 10, 20, 30-39");
	parses("10 20", "10 20: say VLANs from 1 to 4094, as 10, 20, 30-39");
	parses("10-", "10-: say VLANs from 1 to 4094, as 10, 20, 30-39");
	parses("10, 5-15", "10, 5-15: VLAN 5 is in it twice");
}

int main(void)
{
	kernel = sys_real;
	kernel.sendmsg = take;
	kernel.recvmsg = answer;
	sys_use(&kernel);
	test_requests();
	test_padding();
	test_texts();
	return done();
}
