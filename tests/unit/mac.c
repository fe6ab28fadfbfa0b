/* SPDX-License-Identifier: GPL-2.0-or-later */
/* net/mac: deterministic addresses that differ by VM and by nic. */
#include "net/mac.h"

#include <string.h>

#include "tests/unit/tap.h"

int main(void)
{
	char a[NET_MAC_SIZE], b[NET_MAC_SIZE];

	mac_derive("16cfa51a-bf02-50b5-90e7-af8c527ec435", "lan", a);
	mac_derive("16cfa51a-bf02-50b5-90e7-af8c527ec435", "lan", b);
	is_str(a, b, "the same twice");
	is_int((long long)strlen(a), 17, "its length");
	ok(!strncmp(a, "52:54:00:", 9), "QEMU's prefix");
	mac_derive("16cfa51a-bf02-50b5-90e7-af8c527ec435", "wan", b);
	ok(strcmp(a, b) != 0, "another nic, another address");
	mac_derive("16cfa51a-bf02-50b5-90e7-af8c527ec436", "lan", b);
	ok(strcmp(a, b) != 0, "another VM, another address");
	mac_derive("ab", "c", a);
	mac_derive("a", "bc", b);
	ok(strcmp(a, b) != 0, "the names do not run together");
	return done();
}
