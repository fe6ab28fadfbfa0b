# shellcheck shell=sh disable=SC2154,SC2034,SC2317
# SPDX-License-Identifier: GPL-2.0-or-later
# For tests/inside/*.t, which have a whole Debian of their own: a wire, and
# who is on it.  On top of tests/live/lib.sh.
[ "$(cat /proc/1/comm)" = init ] && [ -d /tree/tests/inside ] || {
	echo "1..0 # SKIP only inside the guest of tests/system/inside.t"
	exit 0
}
. "$TOP/tests/live/lib.sh"
patience=900
vmward_limit=900 # a guest of a guest under TCG, on a host that others load
networks=$tmp/etc/vmward/networks
mkdir -p "$networks"
chmod 711 "$tmp"

# network NAME: networks/NAME.ini from stdin
network() { cat >"$networks/$1.ini"; }

# a_wire DEVICE...: veth pairs; DEVICE here, wDEVICE in the namespace `wire`,
# where they are one bridge that keeps VLANs apart and carries all of them
a_wire()
{
	ip netns add wire
	in_wire ip link set lo up
	in_wire ip link add sw type bridge vlan_filtering 1
	in_wire ip link set sw up
	for device; do
		ip link add "$device" type veth peer name "w$device" netns wire
		in_wire ip link set "w$device" master sw up
		in_wire bridge vlan add dev "w$device" vid 2-4094
	done
	in_wire bridge vlan add dev sw vid 2-4094 self
}
in_wire() { ip netns exec wire "$@"; }

# on_wire VLAN ADDRESS: who is there; VLAN 1 is untagged
on_wire()
{
	device=sw
	if [ "$1" != 1 ]; then
		device=v$1
		in_wire ip link add "$device" link sw type vlan id "$1"
		in_wire ip link set "$device" up
	fi
	in_wire ip addr add "$2" dev "$device"
}
pings() { busybox ping -c 1 -W 2 "$1"; } # ADDRESS
master_of() { ip -j link show "$1" | jq -r '.[0].master // "-"'; }
has_address() # DEVICE ADDRESS
{
	ip -o addr show dev "$1" | grep -qw "$2"
}
has_no() { ! ip link show "$1"; } # DEVICE
has_not_address() { ! has_address "$@"; }
kind_of() { ip -j -d link show "$1" | jq -r '.[0].linkinfo.info_kind'; }
end_inside()
{
	end_live
	ip netns del wire 2>/dev/null
}
trap end_inside EXIT
