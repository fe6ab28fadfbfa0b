#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# An uplink: a device of the host becomes a port of our bridge, with what the
# host has on it, and is given back; a VLAN of it; a bond in all modes.
# shellcheck source=tests/inside/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/inside/lib.sh"
a_wire eth7 eth8
on_wire 1 192.0.2.1/24
on_wire 20 198.51.100.1/24

# ---- an uplink with the host's own addresses ----
ip addr add 192.0.2.7/24 dev eth7
ip link set eth7 up
ip route add default via 192.0.2.1 dev eth7 metric 100
ip addr add fd77::7/64 dev eth7 nodad
mac=$(cat /sys/class/net/eth7/address)
ok "the host reaches the wire" eventually pings 192.0.2.1
network lan <<EOT
[network]
mode = bridge
uplink = eth7
EOT
is_host_on() # DEVICE: addresses and route are there
{
	has_address "$1" 192.0.2.7/24 && has_address "$1" fd77::7/64 &&
		ip route show default | grep -q "dev $1 .*metric 100"
}
up
ok "a network with an uplink comes up" does net up lan -y
ok "the uplink is a port of a bridge of ours" is "$(master_of eth7)" vw-lan
ok "which has the host's addresses and route" is_host_on vw-lan
ok "and the uplink's MAC" is "$(cat /sys/class/net/vw-lan/address)" "$mac"
ok "the uplink has none any more" has_not_address eth7 192.0.2.7/24
ok "the host still reaches the wire" eventually pings 192.0.2.1
down
up
ok "after kill -9 of vmwardd it is the same" is_host_on vw-lan
ok "it goes down" does net down lan
ok "the bridge is gone" eventually has_no vw-lan
ok "what it had is the uplink's again" is_host_on eth7
ok "and works" eventually pings 192.0.2.1

# ---- a VLAN of it ----
network v20 <<EOT
[network]
mode = bridge
uplink = eth7
vlan = 20
EOT
ok "a network on VLAN 20 of it comes up" does net up v20 -y
ok "by a VLAN device" is "$(kind_of eth7.20)" vlan
ok "that is a port of the bridge" is "$(master_of eth7.20)" vw-v20
ok "the host keeps the uplink" is_host_on eth7
ip addr add 198.51.100.7/24 dev vw-v20
ok "what is on the bridge reaches VLAN 20" eventually pings 198.51.100.1
ok "it goes" does net down v20
ok "with its VLAN device" eventually has_no eth7.20
ip link add link eth7 name eth7.20 type vlan id 20
fails_with 1 net up v20 -y
ok "a device of somebody else is not taken" complains \
	"there is a device 'eth7.20' already, and it is not this network's"
ok "nor removed" ip link show eth7.20
ip link del eth7.20
ip link add br7 type bridge
ip link set eth7 master br7
fails_with 1 net up lan -y
ok "nor is a port of another bridge" complains \
	"'eth7' is part of another bridge or bond already"
ok "which it stays" is "$(master_of eth7)" br7
ok "the bridge that was begun is gone" has_no vw-lan
ip link del br7

# ---- bonds ----
ip addr del 192.0.2.7/24 dev eth7
ip link set eth7 down
mode_of() { cut -d ' ' -f 1 "/sys/class/net/$1/bonding/mode"; }
members_of() { tr -d '\n' <"/sys/class/net/$1/bonding/slaves"; }
for mode in balance-rr active-backup balance-xor broadcast 802.3ad \
	balance-tlb balance-alb; do
	network both <<-EOT
	[network]
	mode = bridge
	[bond]
	mode = $mode
	members = eth7, eth8
	miimon = 50ms
	EOT
	does reload
	ok "a bond of mode $mode comes up" does net up both -y
	ok "it is one" is "$(mode_of vb-both)" "$mode"
	ok "of both" is "$(members_of vb-both)" "eth7 eth8"
	ok "and a port of the bridge" is "$(master_of vb-both)" vw-both
	does net down both
	ok "all of it goes" eventually has_no vb-both
done
ok "members are nobody's any more" is "$(master_of eth7)" -

# ---- one cable is pulled ----
sed -i 's/balance-alb/active-backup/' "$networks/both.ini"
ip addr add 192.0.2.7/24 dev eth7
does reload
ok "a bond whose member has the host's address" does net up both -y
ok "the bridge has it" has_address vw-both 192.0.2.7/24
ok "it reaches the wire" eventually pings 192.0.2.1
down
in_wire ip link set weth7 down
up
ok "one cable is pulled while vmwardd is away: the other carries" \
	eventually pings 192.0.2.1
in_wire ip link set weth7 up
does net down both
ok "the address comes back to the member" eventually has_address eth7 \
	192.0.2.7/24
leave
plan
