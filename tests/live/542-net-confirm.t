#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A network that takes the host's uplink waits for `net confirm`: without it
# the host has its address back, whoever is the supervisor then.
# shellcheck source=tests/live/net.sh
. "${TOP:-$(dirname "$0")/../..}/tests/live/net.sh"
a_world
mkdir -p "$tmp/etc/vmward/networks"
cat >"$tmp/etc/vmward/networks/office.ini" <<EOF
[network]
mode = bridge
uplink = up0
EOF
guest v tcg <<EOF
[net.lan]
network = office
EOF
of_host() { ip -4 -o addr show dev "$1" | grep -q 192.0.2.1; }
state() { does net list -o name,state && grep -qE "^office +$1" "$tmp/out"; }
up
bridge=vw-office
ok "the host has its address on the uplink" of_host up0
ok "the network takes it, for a second" does net up office --confirm 1s
ok "that is undone" eventually of_host up0
ok "all of it" eventually state down
gone() { ! ip link show "$bridge"; }
ok "no bridge stays" eventually gone
ok "the log says why" grep -q \
	'network office: nobody confirmed it in time: undone' "$tmp/sup.log"
ok "again, for longer" does net up office --confirm 60s
ok "the address is on the bridge" of_host "$bridge"
ok "net list says that it waits" state unconfirmed
fails_with 3 start v
ok "until then no VM joins it" complains \
	"network 'office' waits for \`vmward net confirm office\`"
ok "net confirm" does net confirm office
ok "it stays" state up
fails_with 3 net confirm office
ok "it is confirmed once" complains "does not wait to be confirmed"
fails_with 3 net up office --confirm 60s
ok "what is up is no change" complains "is up already"
ok "a VM joins it" starts v
does kill v
does net down office
ok "the host has its address back" eventually of_host up0
ok "nothing waits" eventually state down
ok "once more" does net up office --confirm 5s
down
ok "without a supervisor nothing happens" of_host "$bridge"
up
ok "the next one keeps the time" eventually of_host up0
ok "and undoes all of it" eventually state down
ok "nothing is left" nothing_left
leave
plan
