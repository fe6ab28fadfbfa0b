#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What a person asks of networks: net list, net up, net down, net leases,
# net doctor, ip and ssh; readiness by lease and by a port of the guest.
# shellcheck source=tests/live/net.sh
. "${TOP:-$(dirname "$0")/../..}/tests/live/net.sh"

mkdir -p "$tmp/etc/vmward/networks" "$tmp/bin"
cat >"$tmp/etc/vmward/networks/lab.ini" <<EOF
[network]
mode = isolated
bridge = br-lab
address = 10.9.0.1/24
[host.printer]
mac = 52:54:00:00:00:01
ip = 10.9.0.9
EOF
# an ssh that tells what it was told
printf '#!/bin/sh\necho "ssh $*"\nexit 42\n' >"$tmp/bin/ssh"
chmod +x "$tmp/bin/ssh"
PATH=$tmp/bin:$PATH
up
does net list
ok "net list: default is there without a file" says 'default  nat       down'
ok "and the one that is written" says 'lab      isolated  down   br-lab'
ok "net up brings it up" does net up lab
ok "so it is" ip link show br-lab
does net up lab
ok "again: it is so already" exits 0
does net list -o name,state
ok "net list knows" says 'lab      up'
does net leases
ok "net leases: none so far" exits 0
fails_with 4 net up nosuch
ok "one that is not there" complains "no network 'nosuch'; networks/nosuch.ini"
down
up
does net list --json
ok "another supervisor knows it still" says '"name": "lab", "mode": "isolated", "state": "up"'
ok "net down takes it down" does net down lab
gone_lab() { ! ip link show br-lab; }
ok "so it is" eventually gone_lab
does net down lab
ok "again: it is so already" exits 0

ready=lease linux a </dev/null
ok "ready = lease: when the guest has its address" starts a --wait=ready
address=$(address_of a)
does ip a
ok "ip says it, and who says so" says "$address  lease"
does ip a --json
ok "with --json, too" says "\"address\": \"$address\", \"source\": \"lease\""
does net leases
ok "net leases names the VM" says "a     a"
does list -o name,address
ok "list shows the address" says "$address"
vmward ssh a -l ann -- uptime -p
ok "ssh is told the address" says "ssh -p 22 -l ann -- $address uptime -p"
ok "and its exit status is ours" exits 42
fails_with 3 net down default
ok "net down: not while a VM is on it" complains "is in use by a"
does kill a
fails_with 3 ip a
ok "ip of a VM that is down" complains "it is stopped"
ready=tcp:80 linux web </dev/null
ok "ready = tcp:80: the guest itself is asked" starts web --wait=ready
http() { printf 'GET / HTTP/1.0\r\n\r\n' |
	socat -t2 - "TCP:$(address_of web):80" | grep -q 'hello from web'; }
ok "then it answers" http
does kill web
ok "nothing is left" eventually is_gone_all

# ---- what is in the way ----
vmward net doctor
ok "net doctor: nft and dnsmasq are there" says "ok  nft"
ok "and nobody drops what is forwarded" says \
	"no rules of others drop what is forwarded"
nft 'add table ip filter; add chain ip filter FORWARD { type filter hook forward priority 0; policy drop; }'
vmward net doctor
ok "a policy like Docker's is found" says \
	"chain FORWARD of table ip filter (iptables) drops what it does not know"
ok "with the remedy" says "remedy: iptables -I FORWARD -i vw-+ -j ACCEPT"
ok "and an exit status" exits 1
ip addr add 10.9.0.7/16 dev lo
vmward net doctor
ok "an address that is used twice is found" says \
	"10.9.0.1/24 overlaps 10.9.0.7/16, which this host has already"
fails_with 1 net up lab
ok "and such a network does not come up" complains \
	"network 'lab': address 10.9.0.1/24 overlaps 10.9.0.7/16"
leave
plan
