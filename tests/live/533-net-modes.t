#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The modes of networks and what a nic may say: routed, isolated, IPv6,
# a written address, several queues, guests that are kept apart.
# shellcheck source=tests/live/net.sh
. "${TOP:-$(dirname "$0")/../..}/tests/live/net.sh"
a_world

mkdir -p "$tmp/etc/vmward/networks"
cat >"$tmp/etc/vmward/networks/routed.ini" <<EOF
[network]
mode = routed
address = 10.8.0.1/24, fd08::1/64
mtu = 1400
EOF
cat >"$tmp/etc/vmward/networks/alone.ini" <<EOF
[network]
mode = isolated
address = 10.9.0.1/24
dhcp = 10.9.0.100-10.9.0.109
EOF

# on NETWORK NAME: a guest there; more lines of [net.lan] come from stdin
on()
{
	net=$1
	linux "$2"
	sed -i "s/^network = default/network = $net/" "$vms/$2.ini"
}
cpus() { sed -i '/^memory/a cpus = 2' "$vms/$1.ini"; }
loses() # NAME ADDRESS
{
	answers "$1" "ping -c 2 -W 1 $2
" '( 0 packets received|[Uu]nreachable)'
}
reaches() # NAME ADDRESS
{
	answers "$1" "ping -c 2 -W 5 $2
" ' [12] packets received'
}

on routed r <<EOF
ip = 10.8.0.77
queues = 2
EOF
cpus r
on alone x </dev/null
on alone y <<EOF
isolate = yes
EOF
on alone z <<EOF
isolate = yes
EOF
up
ok "two guests on two networks start" starts r x --wait=ready
ok "and two more" starts y z --wait=ready
ok "a written address is the guest's" says_after r 0 'NET eth0 10.8.0.77/24'
carrier() { answers r 'cat /sys/class/net/eth0/carrier
' "^$1"; }
ok "its cable is pulled while it runs" does nic link r lan down
ok "the guest sees it" carrier 0
ok "and plugged in again" does nic link r lan up
ok "the guest sees that, too" carrier 1
ok "two queues are two in the guest" answers r \
	'ls -d /sys/class/net/eth0/queues/rx-* | wc -l
' '^2'
mtus() { is "$(ip -o link | grep 'vw' | grep -c 'mtu 1400')" 2; }
ok "bridge and tap have the network's mtu" mtus
in_world ip route add 10.8.0.0/24 via 192.0.2.1
from_world() { printf 'GET / HTTP/1.0\r\n\r\n' | in_world timeout 10 \
	socat -t2 - TCP:10.8.0.77:80 | grep -q 'hello from r'; }
ok "routed: the world reaches the guest by its own address" \
	eventually from_world
ok "and the guest the world" reaches r 192.0.2.2
has_v6() { answers r 'ip -6 addr show dev eth0 scope global
' 'fd08:'; }
ok "IPv6: the guest makes its address of the network's" eventually has_v6
ok "and reaches the host by it" answers r 'ping -6 -c 2 -W 5 fd08::1
' ' [12] packets received'
in_range() { jq -r '.nets[].ports[] | select(.vm == "x") | .address' \
	"$run/.net/state.json" | grep -q '^10\.9\.0\.10[0-9]/'; }
ok "a written range is what guests get" in_range
of_net() { jq -r ".nets[].ports[] | select(.vm == \"$1\") | .address" \
	"$run/.net/state.json" | cut -d/ -f1; }
ok "isolated: guests reach the host" reaches x 10.9.0.1
ok "and each other" reaches x "$(of_net y)"
ok "but not the world" loses x 192.0.2.2
ok "nor another network" loses x 10.8.0.77
ok "which does not reach them" loses r "$(of_net x)"
ok "two with isolate = yes do not reach each other" loses y "$(of_net z)"
ok "but who is not isolated" reaches y "$(of_net x)"
does kill r x y z -y
ok "all of it goes" eventually is_gone_all
ok "nothing is left" nothing_left
leave
plan
