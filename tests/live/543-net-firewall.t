#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# firewall = fix: where the host drops what it forwards, as Docker has it,
# guests reach the world, and nothing is left when the network is down.
# shellcheck source=tests/live/net.sh
. "${TOP:-$(dirname "$0")/../..}/tests/live/net.sh"
a_world

mkdir -p "$tmp/etc/vmward/networks"
lab() # FIREWALL
{
	cat >"$tmp/etc/vmward/networks/lab.ini" <<-END
	[network]
	address = 10.9.0.1/24
	dhcp = no
	dns = no
	firewall = $1
	END
}
# who stands for a guest: another namespace, on a port of the bridge
a_guest()
{
	mkfifo "$tmp/hold2"
	unshare -n cat "$tmp/hold2" &
	guest=$!
	started="$started $guest"
	exec 7>"$tmp/hold2"
	eventually guest_net
}
guest_net()
{
	[ "$(readlink "/proc/$guest/ns/net")" != "$(readlink /proc/$$/ns/net)" ]
}
in_guest() { nsenter -t "$guest" -n "$@"; }
plug()
{
	ip link add port0 type veth peer name eth0 netns "$guest"
	ip link set port0 master vw-lab up
	in_guest ip addr add 10.9.0.50/24 dev eth0
	in_guest ip link set eth0 up
	in_guest ip route add default via 10.9.0.1
}
unplug() { ip link del port0; }
# hello: says so at port 80, here and in the world
hello()
{
	"$@" socat TCP-LISTEN:80,fork,reuseaddr EXEC:'echo hello' \
		>>"$tmp/socat" 2>&1 7>&- 8>&- &
	started="$started $!"
}
hears() { in_guest timeout 5 socat -u "TCP:$1:80,connect-timeout=2" - \
	2>"$tmp/heard" | grep -q hello; }
loses() { ! hears "$1" && grep -qi 'timed out' "$tmp/heard"; }
rules() { nft -s list table ip filter; }
is_as_before() { rules >"$tmp/now" && cmp "$tmp/before" "$tmp/now"; }
is_down() { ! ip link show vw-lab >"$tmp/left" 2>&1; }
accepts() { is "$(rules | grep -c 'name "vw-lab" accept comment')" "$1"; }
doctor() # OK
{
	does net doctor --json
	jq -e "[.. | objects | select(.check? == \"forward\")][0].ok == $1" \
		"$tmp/out" >"$tmp/left"
}

cat >"$tmp/docker" <<END
table ip filter {
	chain DOCKER-USER {
	}
	chain FORWARD {
		type filter hook forward priority filter; policy drop;
		jump DOCKER-USER
		counter comment "vmward"
	}
}
END
nft -f "$tmp/docker"
rules >"$tmp/before"
a_guest
hello env
hello nsenter -t "$world" -n
lab check
up
ok "check: the network comes up" does net up lab
plug
ok "the guest reaches the host" eventually hears 10.9.0.1
ok "but not the world" loses 192.0.2.2
ok "no rule of others was touched" is_as_before
ok "net doctor tells" doctor false
ok "and says the remedy" says 'iptables -I FORWARD'
ok "that vmward applies itself, too" says 'firewall = fix'
unplug
ok "it goes down" does net down lab
ok "and is gone" eventually is_down

lab fix
ok "the file is read" does reload
ok "fix: the network comes up" does net up lab
plug
ok "two rules in each of two chains let it pass" accepts 4
ok "the guest reaches the world" eventually hears 192.0.2.2
ok "net doctor is content" doctor true
nft flush chain ip filter FORWARD
nft add rule ip filter FORWARD jump DOCKER-USER
ok "Docker's own chain holds when the other is flushed" hears 192.0.2.2
# at once: who comes later than vmward looks is not seen
sed -i '1i flush ruleset' "$tmp/docker"
nft -f "$tmp/docker"
ok "all is flushed and Docker's rules are back: mended" eventually accepts 4
ok "and the guest reaches the world" eventually hears 192.0.2.2
down
up
ok "the next supervisor makes nothing twice" eventually accepts 4
unplug
ok "it goes down, too" does net down lab
ok "and nothing is left in the rules of others" eventually is_as_before
ok "nor anything else" eventually is_down

# ---- what guests ask the host ----
cat >"$tmp/strict" <<END
table inet strict {
	chain incoming {
		type filter hook input priority filter; policy drop;
		iifname "lo" accept
		ct state established accept
	}
}
END
nft -f "$tmp/strict"
nft list table inet strict >"$tmp/strict.before"
lab check
sed -i 's/^dns = no/dns = yes/' "$tmp/etc/vmward/networks/lab.ini"
does reload
does net up lab
plug
asks() { in_guest timeout 5 socat -u /dev/null \
	TCP:10.9.0.1:53,connect-timeout=2 2>"$tmp/heard"; }
asks_in_vain() { ! asks && grep -qi 'timed out' "$tmp/heard"; }
ok "check: who asks for names gets none" asks_in_vain
unplug
does net down lab
sed -i 's/^firewall = check/firewall = fix/' "$tmp/etc/vmward/networks/lab.ini"
does reload
does net up lab
plug
ok "fix: he does" eventually asks
ok "nothing else comes in" loses 10.9.0.1
unplug
ok "with the network it goes" does net down lab
as_strict() { nft list table inet strict | cmp "$tmp/strict.before" -; }
ok "and its rules with it" eventually as_strict

lab mend
fails_with 1 check
ok "another word is refused with its place" grep -q \
	'networks/lab.ini:5: .*firewall' "$tmp/out" "$tmp/err"
leave
plan
