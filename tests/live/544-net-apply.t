#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A network's file is changed while the network is up: what is pending is
# shown, net apply and reload do what needs no new start, the rest waits for
# the next up; what takes an address of the host asks first.
# shellcheck source=tests/live/net.sh
. "${TOP:-$(dirname "$0")/../..}/tests/live/net.sh"
[ "$(readlink /proc/self/ns/net)" != "$(readlink /proc/1/ns/net)" ] ||
	skip_all "not in a network namespace of its own"
networks=$tmp/etc/vmward/networks
mkdir -p "$networks"
lab() # LINES: the file of the network
{
	printf '[network]\naddress = 10.9.0.1/24\n%s\n' "$1" \
		>"$networks/lab.ini"
}
notes() # TEXT: of the network, in net list
{
	does net list && grep -qF "$1" "$tmp/out"
}
pending() # KEYS: "dhcp:hot mtu:cold", as net show has them
{
	does net show lab --json
	is "$(jq -r '[.. | objects | select(.pending?)][0].pending |
		map("\(.key):\(.when)") | join(" ")' "$tmp/out")" "$1"
}
conf=$run/.net/lab/dnsmasq.conf
serves() { grep -qxF "$1" "$conf"; } # LINE
serves_not() { ! serves "$1"; }
has_a_hostsfile() { ls "$run/.net/lab/hosts/"vw* >"$tmp/left"; }
address_in() { jq -r '.nets[].ports[].address' "$run/.net/state.json"; }

lab 'dhcp = 10.9.0.100-10.9.0.109'
guest g tcg <<EOF
[net.lan]
network = lab
EOF
up
ok "a VM brings its network up" starts g
ok "nothing is pending" pending ''
does plan g
ok "nor in its plan" is "$(grep -c network "$tmp/out")" 0
address=$(address_in)
first=$(dnsmasqs)
lab 'dhcp = 10.9.0.200-10.9.0.209
domain = lab.test
mtu = 1400
[host.printer]
mac = 52:54:00:00:00:99
ip = 10.9.0.50'
ok "net list tells that the file says something else" \
	notes '4 changes pending: vmward net apply lab'
ok "net show tells each, and when it can be" \
	pending 'dhcp:hot domain:hot host:hot mtu:cold'
does net show lab
ok "as a person reads it" says \
	'dhcp 10.9.0.100-10.9.0.109 -> 10.9.0.200-10.9.0.209 (now, by'
ok "what waits says for what" says \
	'mtu none -> 1400 (when it comes up the next time)'
does plan g
ok "so does the plan of a VM on it" says \
	'network lab: mtu none -> 1400 (when it comes up the next time)'
ok "which itself is as its file" does plan g --exit-code
does -n net apply lab
ok "a dry run says the same" says 'lab: domain internal -> lab.test (now, by'
ok "and does nothing" serves 'domain=internal'
ok "net apply" does net apply lab
ok "what is left is said" says 'network lab: mtu none -> 1400'
ok "and that alone" is "$(wc -l <"$tmp/out")" 1
ok "dnsmasq serves the new range" serves \
	'dhcp-range=10.9.0.200,10.9.0.209,1h'
ok "and domain" serves 'domain=lab.test'
ok "the lease of a stranger is there" grep -q '10.9.0.50,printer' \
	"$run/.net/lab/hosts/strangers"
is_another() { now=$(dnsmasqs) && [ "$now" != "$first" ] &&
	is "$(echo "$now" | wc -l)" 1; }
ok "it is one dnsmasq, another than before" is_another
ok "the guest keeps its address" is "$(address_in)" "$address"
ok "and its name" has_a_hostsfile
ok "the rest is pending" pending 'mtu:cold'
ok "net list tells where to look" \
	notes '1 change pending: vmward net show lab'
does net apply lab
ok "again: nothing but that" says 'network lab: mtu none -> 1400'
ok "and the same dnsmasq" is "$(dnsmasqs)" "$now"
down
up
ok "the next supervisor knows it as well" pending 'mtu:cold'

# ---- reload; a file with a mistake; no leases any more ----
lab 'domain = other.test'
ok "what the file no longer says is pending, too" \
	pending 'dhcp:hot domain:hot host:hot'
ok "reload does it" does reload
ok "soon" eventually serves 'domain=other.test'
ok "nothing is pending" eventually pending ''
lab 'domain = other.test
mtu = soon'
does net list
ok "a mistake is shown with its place" says 'lab.ini:4'
does net apply lab
ok "and changes nothing" serves 'domain=other.test'
lab 'dhcp = no
dns = no'
ok "without leases and names" does net apply
no_dnsmasq() { ! dnsmasqs; }
ok "there is no dnsmasq" eventually no_dnsmasq
ok "nothing is pending after it" pending ''
lab 'dhcp = no'
ok "with names again" does net apply
ok "there is one" eventually dnsmasqs
ok "that gives no leases" serves_not 'dhcp-authoritative'
lab 'address = 10.9.1.1/24'
sed -i 2d "$networks/lab.ini"
ok "another address waits, and the range with it" \
	pending 'address:cold dhcp:cold'
does kill g
ok "with the last VM all of it goes" eventually is_gone_all
ok "a network that is down has nothing pending" pending ''
ok "it comes up as its file has it" does net up lab
ok "with the other address" sh -c \
	'ip -4 addr show vw-lab | grep -q "10\.9\.1\.1/24"'
does net down lab
fails_with 4 net apply nosuch
ok "a network that is not there" complains "no network 'nosuch'"

# ---- the firewall ----
nft add table ip filter
nft 'add chain ip filter FORWARD { type filter hook forward priority 0; policy drop; }'
lab 'dhcp = no
dns = no'
does net up lab
accepts() { is "$(nft list table ip filter | grep -c vw-lab)" "$1"; }
ok "firewall = check touches nothing" accepts 0
lab 'dhcp = no
dns = no
firewall = fix'
ok "fix is applied while it is up" does net apply lab
ok "and lets the bridge pass" eventually accepts 2
lab 'dhcp = no
dns = no'
does net apply lab
ok "check takes it back" eventually accepts 0
does net down lab

# ---- the host's own line ----
a_world
cat >"$networks/office.ini" <<EOF
[network]
mode = bridge
uplink = up0
EOF
fails_with 2 net up office
ok "what takes the host's address asks, and nobody is here" complains \
	"takes 192.0.2.1/24 of this host to bridge 'vw-office'"
ok "it says how" complains '--confirm 60s'
ok "nothing was done" sh -c 'ip -4 addr show up0 | grep -q 192.0.2.1'
ok "--yes is an answer" does net up office -y
ok "it is taken" sh -c 'ip -4 addr show vw-office | grep -q 192.0.2.1'
ok "what is up asks nothing" does net up office
does net down office
ok "--confirm is one, too" does net up office --confirm 60s
does net confirm office
does net down office
ip addr flush dev up0
ok "a line without an address is nobody's" does net up office
does -n net down office
ok "a dry run takes nothing down" ip link show vw-office
does net down office
ok "all of it goes" eventually is_gone_all
ok "nothing is left" nothing_left
leave
plan
