#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The host learns its own IPv6 address and way out by router advertisements:
# it goes on doing so when a network of ours makes it forward IPv6, and when
# its line becomes a port of a bridge of ours.
# shellcheck source=tests/live/net.sh
. "${TOP:-$(dirname "$0")/../..}/tests/live/net.sh"
[ "$(readlink /proc/self/ns/net)" != "$(readlink /proc/1/ns/net)" ] ||
	skip_all "not in a network namespace of its own"
ra=/proc/sys/net/ipv6/conf
[ "$(cat "$ra/all/forwarding")" = 0 ] ||
	skip_all "a new namespace here forwards IPv6 already"
a_world
# router PREFIX: in the world, instead of the one before
router()
{
	[ -z "${router-}" ] || kill "$router"
	in_world ip addr add "$1:1/64" dev eth0 nodad
	nsenter -t "$world" -n dnsmasq --keep-in-foreground --conf-file=/dev/null --port=0 \
		--enable-ra --dhcp-range="$1:,ra-only,64,600" \
		--ra-param=eth0,4,600 --pid-file= --user=root \
		--log-facility="$tmp/router" &
	router=$!
	started="$started $router"
}
has() # DEVICE PREFIX: an address of it
{
	ip -6 -o addr show dev "$1" scope global | grep -q "$2"
}
leads_out() { ip -6 route show default | grep -q "dev $1"; }
mkdir -p "$tmp/etc/vmward/networks"
cat >"$tmp/etc/vmward/networks/six.ini" <<EOF
[network]
address = fd77::1/64
EOF
cat >"$tmp/etc/vmward/networks/office.ini" <<EOF
[network]
mode = bridge
uplink = up0
EOF
router 2001:db8:5:
ok "the host learns an address of its router" eventually has up0 2001:db8:5:
ok "and its way out" eventually leads_out up0
up
ok "a network with IPv6 comes up" does net up six
ok "the host forwards from now on" is "$(cat "$ra/all/forwarding")" 1
ok "it takes advertisements all the same" is "$(cat "$ra/up0/accept_ra")" 2
ok "its way out is still there" leads_out up0
router 2001:db8:6:
ok "it learns what the router says now" eventually has up0 2001:db8:6:
not_ours() { is "$(cat "$ra/vw-six/accept_ra")" 1; }
ok "guests are no routers: the bridge ignores them" not_ours
ok "the line becomes a port of a bridge" does net up office -y
ok "which has its address" has vw-office 2001:db8:6:
ok "and way out" leads_out vw-office
no_ways() { ! ip -6 route show dev up0 | grep -v '^fe80'; }
ok "no way leads to the line itself any more" no_ways
router 2001:db8:7:
ok "and learns on as it did" eventually has vw-office 2001:db8:7:
does net down office
does net down six
leave
plan
