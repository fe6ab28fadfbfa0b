#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# mode = bridge with an uplink: a device of the host becomes a port of our
# bridge, with what the host has on it, and is given back.  VLANs and bonds,
# which this kernel may not have, are in tests/inside.
# shellcheck source=tests/live/net.sh
. "${TOP:-$(dirname "$0")/../..}/tests/live/net.sh"
a_world
ip route add default via 192.0.2.2 dev up0 metric 100
ip addr add fd77::7/64 dev up0 nodad
mac=$(cat /sys/class/net/up0/address 2>/dev/null ||
	ip -j link show up0 | jq -r '.[0].address')
mkdir -p "$tmp/etc/vmward/networks"
cat >"$tmp/etc/vmward/networks/lan.ini" <<EOT
[network]
mode = bridge
uplink = up0
EOT
guest a tcg <<EOT
[net.lan]
network = lan
EOT
is_host_on() # DEVICE
{
	ip -o addr show dev "$1" | grep -qw 192.0.2.1/24 &&
		ip -o addr show dev "$1" | grep -qw fd77::7/64 &&
		ip route show default | grep -q "dev $1 .*metric 100"
}
master() { ip -j link show "$1" | jq -r '.[0].master // "-"'; }
gone() { ! ip link show vw-lan; }
up
ok "a VM on a network with an uplink" starts a
ok "the uplink is a port of a bridge of ours" is "$(master up0)" vw-lan
ok "which has the host's addresses and route" is_host_on vw-lan
mac_of() { ip -j link show "$1" | jq -r '.[0].address'; }
ok "and the uplink's MAC" is "$(mac_of vw-lan)" "$mac"
tap=$(jq -r '.nets[].ports[].tap' "$run/.net/state.json")
ok "beside the guest" is "$(master "$tap")" vw-lan
down
up
ok "after kill -9 of vmwardd it is the same" is_host_on vw-lan
ip link del vw-lan
ok "somebody deletes the bridge: the host has its addresses again" \
	eventually is_host_on vw-lan
uplink_is_back() { is "$(master up0)" vw-lan; }
ok "and the uplink" eventually uplink_is_back
down
ip link del vw-lan
up
ok "also if nobody looked" eventually is_host_on vw-lan
does kill a
ok "with the last VM the bridge goes" eventually gone
ok "what was on it is the uplink's again" eventually is_host_on up0
ok "nothing is left" nothing_left
ip addr del 192.0.2.1/24 dev up0
does net up lan -y
no_address() { ! ip -o addr show dev vw-lan | grep -q 192.0.2; }
ok "an address that the host gave up does not come again" no_address
does net down lan

# ---- what cannot be ----
ip link add br7 type bridge
ip link set up0 master br7
fails_with 1 net up lan -y
ok "a port of another bridge is not taken" complains \
	"'up0' is part of another bridge or bond already"
ok "it stays there" is "$(master up0)" br7
ok "nothing of ours is left" gone
ip link set up0 nomaster
sed -i 's/up0/no0/' "$tmp/etc/vmward/networks/lan.ini"
does reload
fails_with 4 net up lan -y
ok "an uplink that is missing is named" complains "'no0'"
vmward check
ok "check says so, too" grep -q 'there is no device no0' "$tmp/out" "$tmp/err"
leave
plan
