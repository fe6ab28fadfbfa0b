#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What of a nic is the host's alone follows the file while the guest runs:
# forward, isolate (and vlan, trunk: tests/inside), undone when a later step
# of the same apply fails.
# shellcheck source=tests/live/net.sh
. "${TOP:-$(dirname "$0")/../..}/tests/live/net.sh"
[ "$(readlink /proc/self/ns/net)" != "$(readlink /proc/1/ns/net)" ] ||
	skip_all "not in a network namespace of its own"
nic() # LINES: of [net.lan]
{
	sed '/^\[net.lan\]/,$d' "$vms/g.ini" >"$tmp/file"
	printf '[net.lan]\n%s\n' "$1" >>"$tmp/file"
	cp "$tmp/file" "$vms/g.ini"
}
port() { jq -c ".nets[].ports[] | .$1" "$run/.net/state.json"; }
forwards() { nft list ruleset | grep -c 'dnat.*to 10\.' || :; }
leads() { nft list ruleset | grep -qE "dport $1 .*dnat ip to .*:$2"; }
isolated() { bridge -j -d link show dev "$(port tap | tr -d '"')" |
	jq -e ".[0].isolated == $1"; }
guest g tcg <<EOF
[net.lan]
network = default
EOF
up
ok "a guest starts" starts g --wait=ready
pid=$(pid_of g)
ok "nothing leads to it" is "$(forwards)" 0
nic 'network = default
forward = 8080:80
isolate = yes'
vmward plan g --exit-code
ok "plan: both are for now" is "$(grep -c 'now, by vmward apply' "$tmp/out")" 2
ok "apply" does apply g
ok "QEMU is the same" is "$(pid_of g)" "$pid"
ok "the port leads to it" eventually leads 8080 80
ok "it is kept from its neighbours" isolated true
ok "nothing is pending" does drift g
down
up
becomes g running >/dev/null
ok "the next supervisor has it so" is "$(port forward)" '"tcp:8080:80"'
ok "and finds nothing to do" does drift g
nic 'network = default
forward = 9090:90'
ok "another forward, no isolation" does apply g
ok "leads there" eventually leads 9090 90
not_leads() { ! leads "$@"; }
ok "and the old one nowhere" not_leads 8080 80
ok "its neighbours hear it again" isolated false
nic 'network = default
vlan = 7
forward = 7070:70'
fails_with 1 apply g
ok "a VLAN on a bridge that keeps none apart is refused" complains vlan
ok "and nothing was done" is "$(port forward)" '"tcp:9090:90"'
nic 'network = default'
ok "none" does apply g
none() { is "$(forwards)" 0; }
ok "leads nowhere" eventually none
ok "nothing is pending then, either" does drift g
does kill g
ok "nothing is left" eventually is_gone_all
leave
plan
