#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A nic with macvtap: on the wire of a device of the host, beside it; it goes
# with its VM, however that ends.
# shellcheck source=tests/live/net.sh
. "${TOP:-$(dirname "$0")/../..}/tests/live/net.sh"
ip link add probe0 type dummy 2>/dev/null ||
	ip link add probe0 type bridge || skip_all "no device to try on"
ip link set probe0 up
ip link add link probe0 name probe1 type macvtap 2>/dev/null ||
	skip_all "this kernel has no macvtap"
number=$(ip -o link show probe1 | cut -d: -f1)
[ -e "/dev/tap$number" ] || skip_all "/dev has no nodes of macvtaps"
ip link del probe0
a_world
in_world dnsmasq --conf-file=/dev/null --no-hosts --no-resolv --port=0 \
	--interface=eth0 --bind-interfaces --user=root \
	--dhcp-range=192.0.2.50,192.0.2.60 \
	--dhcp-leasefile="$tmp/world.leases" --pid-file="$tmp/world.pid"
started="$started $(cat "$tmp/world.pid")"

linux m </dev/null
sed -i 's/^network = default/macvtap = up0/' "$vms/m.ini"
up
ok "a guest with macvtap" starts m --wait=ready
ok "has an address of the wire" eventually says_after m 0 \
	'NET eth0 192\.0\.2\.[56]'
tap=$(jq -r '.nets[].ports[].tap' "$run/.net/state.json")
kind() { ip -j -d link show "$tap" | jq -r '.[0].linkinfo.info_kind'; }
ok "by a macvtap" is "$(kind)" macvtap
ok "with its own MAC" is "$(cat "/sys/class/net/$tap/address" 2>/dev/null ||
	ip -j link show "$tap" | jq -r '.[0].address')" \
	"$(jq -r '.nets[].ports[].mac' "$run/.net/state.json")"
address=$(awk 'NR == 1 { print $3 }' "$tmp/world.leases")
pings() { printf 'GET / HTTP/1.0\r\n\r\n' | in_world timeout 10 \
	socat -t2 - "TCP:$address:80" | grep -q 'hello from m'; }
ok "the wire reaches it" eventually pings
does nic list m
ok "nic list tells it" says macvtap
ok "a second one is plugged in" does nic attach m more macvtap=up0
two() { is "$(ip -o link show type macvtap | wc -l)" "$1"; }
ok "and is a second device" two 2
ok "it is pulled out" does nic detach m more
ok "with its device" eventually two 1
down
up
ok "after kill -9 of vmwardd, too" eventually pings
has_none() { ! ip link show "$tap"; }
does kill m
ok "its device goes with it" eventually has_none
ok "nothing is left" nothing_left

# ---- a QEMU that dies while nobody looks ----
starts m
pid=$(pid_of m)
down
kill -9 "$pid"
ok "QEMU dies while there is no vmwardd" is_gone "$pid"
ok "its macvtap stays" ip link show "$tap"
sed -i 's/^\[start\]/[restart]\npolicy = no\n&/' "$vms/m.ini"
up
ok "the next vmwardd takes it away" eventually has_none
becomes m stopped
ok "it starts again" starts m --wait=ready
ip link del "$tap"
broken() { does status m && grep -q "$tap' is gone" "$tmp/out"; }
ok "somebody deletes it: the nic is shown as broken" eventually broken
does kill m

# ---- what cannot be ----
sed -i 's/^macvtap = up0/macvtap = no0/' "$vms/m.ini"
does reload
fails_with 1 start m
ok "a device that is missing is named" complains \
	"net 'lan': there is no device 'no0'"
ip link add br7 type bridge
ip link set up0 master br7
sed -i 's/^macvtap = no0/macvtap = up0/' "$vms/m.ini"
does reload
fails_with 1 start m
ok "a port of a bridge carries no macvtap" complains \
	"'up0' is part of a bridge or bond: say bridge = its name"
ok "nothing is left of it" has_none
leave
plan
