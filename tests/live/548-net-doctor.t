#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# net doctor beside rules as firewalld, ufw, Docker and people write them, and
# switches of the kernel that are wrong: each is told with its remedy, and no
# more once the remedy was applied.
# shellcheck source=tests/live/net.sh
. "${TOP:-$(dirname "$0")/../..}/tests/live/net.sh"

# doctor CHECK: what it says of it; "well", or the remedy
doctor()
{
	vmward net doctor --json
	jq -r "[.. | objects | select(.check? == \"$1\")] |
		if length == 0 then \"nothing\" elif all(.ok) then \"well\"
		else map(select(.ok | not) | .remedy)[0] end" "$tmp/out"
}
tells() { is "$(doctor "$1")" "$2"; } # CHECK WHAT
rules() { nft -f - && nft list ruleset >"$tmp/rules"; }
others() { nft delete table "$@"; }

up
ok "a network comes up" does net up default
bridge=vw-default
ok "where there are no others all is well" tells forward well

# ---- Docker, by iptables-nft ----
rules <<'END'
table ip filter {
	chain INPUT { type filter hook input priority filter; policy accept; }
	chain DOCKER { }
	chain DOCKER-USER { counter return; }
	chain DOCKER-FORWARD {
		oifname "docker0" ct state related,established counter accept
		iifname "docker0" counter accept
	}
	chain FORWARD {
		type filter hook forward priority filter; policy drop;
		counter jump DOCKER-USER
		counter jump DOCKER-FORWARD
	}
}
END
ok "Docker: what is forwarded is told" tells forward \
	"iptables -I FORWARD -i vw-+ -j ACCEPT; iptables -I FORWARD -o vw-+ -j ACCEPT; or firewall = fix in networks/NAME.ini"
ok "and who does it" says 'table ip filter (Docker) drops'
ok "what guests ask the host is not" tells input nothing
# as iptables-nft writes these two
rules <<'END'
insert rule ip filter FORWARD iifname "vw-*" counter accept
insert rule ip filter FORWARD oifname "vw-*" counter accept
END
ok "its remedy makes the doctor content" tells forward well
others ip filter

# ---- ufw: both ways ----
rules <<'END'
table ip filter {
	chain ufw-before-input { ct state related,established counter accept; }
	chain ufw-before-forward { ct state related,established counter accept; }
	chain ufw-user-input { tcp dport 22 counter accept; }
	chain ufw-user-forward { }
	chain INPUT {
		type filter hook input priority filter; policy drop;
		counter jump ufw-before-input
		counter jump ufw-user-input
	}
	chain FORWARD {
		type filter hook forward priority filter; policy drop;
		counter jump ufw-before-forward
		counter jump ufw-user-forward
	}
}
END
ok "ufw: what is forwarded" tells forward \
	"ufw route allow in on $bridge && ufw route allow out on $bridge; or firewall = fix in networks/NAME.ini"
ok "and what guests ask the host" tells input \
	"ufw allow in on $bridge to any port 53 && ufw allow in on $bridge to any port 67 proto udp; or firewall = fix in networks/NAME.ini"
rules <<END
add rule ip filter ufw-user-forward iifname "$bridge" counter accept
add rule ip filter ufw-user-forward oifname "$bridge" counter accept
add rule ip filter ufw-user-input iifname "$bridge" udp dport 53 counter accept
add rule ip filter ufw-user-input iifname "$bridge" udp dport 67 counter accept
END
ok "as ufw writes these, all is well" tells forward well
ok "the other one, too" tells input well
others ip filter

# ---- firewalld: its policy is accept, its last rule rejects ----
rules <<'END'
table inet firewalld {
	chain filter_IN_public { meta l4proto tcp tcp dport 22 accept; }
	chain filter_IN_trusted { accept; }
	chain filter_INPUT_ZONES { goto filter_IN_public; }
	chain filter_FWD_trusted { accept; }
	chain filter_FORWARD_ZONES { }
	chain filter_INPUT {
		type filter hook input priority filter + 10; policy accept;
		ct state { established, related } accept
		iifname "lo" accept
		jump filter_INPUT_ZONES
		ct state invalid drop
		reject with icmpx admin-prohibited
	}
	chain filter_FORWARD {
		type filter hook forward priority filter + 10; policy accept;
		ct state { established, related } accept
		jump filter_FORWARD_ZONES
		reject with icmpx admin-prohibited
	}
}
END
zone="firewall-cmd --permanent --zone=trusted --add-interface=$bridge && firewall-cmd --reload"
ok "firewalld: what is forwarded" tells forward "$zone"
ok "and what guests ask the host" tells input "$zone"
rules <<END
insert rule inet firewalld filter_INPUT_ZONES iifname "$bridge" goto filter_IN_trusted
insert rule inet firewalld filter_FORWARD_ZONES iifname "$bridge" goto filter_FWD_trusted
END
ok "with the bridge in a zone all is well" tells forward well
ok "there, too" tells input well
others inet firewalld

# ---- rules of a person's own, and an ip6tables ----
rules <<'END'
table inet mine {
	chain incoming { type filter hook input priority 0; policy drop; ct state established accept; }
	chain forwarding { type filter hook forward priority 0; policy drop; ct state established accept; }
}
END
ok "one's own: forward" tells forward \
	"nft 'insert rule inet mine forwarding iifname \"vw-*\" accept'; nft 'insert rule inet mine forwarding oifname \"vw-*\" accept'; or firewall = fix in networks/NAME.ini"
doctor input >"$tmp/remedy"
sed 's/; or firewall = fix.*//' "$tmp/remedy" >"$tmp/remedy.sh"
ok "the remedy of the other can be run as it is" sh -e "$tmp/remedy.sh"
ok "and helps" tells input well
others inet mine

# ---- switches ----
ok "packets are forwarded" tells ip_forward well
echo 0 >/proc/sys/net/ipv4/ip_forward
ok "somebody turns that off: told" tells ip_forward \
	"sysctl -w net.ipv4.ip_forward=1"
echo 1 >/proc/sys/net/ipv4/ip_forward
netfilter=/proc/sys/net/bridge/bridge-nf-call-iptables
if [ -w "$netfilter" ]; then
	echo 1 >"$netfilter"
	ok "br_netfilter is told" tells br_netfilter \
		"sysctl -w net.bridge.bridge-nf-call-iptables=0"
	echo 0 >"$netfilter"
	ok "turned off, all is well" tells br_netfilter well
fi
mkdir -p "$tmp/etc/vmward/networks"
cat >"$tmp/etc/vmward/networks/out.ini" <<'END'
[network]
mode = routed
address = 10.77.0.1/24
dhcp = no
dns = no
END
does reload
does net up out
echo 1 >/proc/sys/net/ipv4/conf/all/rp_filter
ok "a strict return path is told where a network is routed" \
	tells rp_filter "sysctl -w net.ipv4.conf.all.rp_filter=2"
echo 2 >/proc/sys/net/ipv4/conf/all/rp_filter
ok "a loose one is well" tells rp_filter well
ip link add away0 type veth peer name away1
ip addr add 10.77.0.9/24 dev away0
does net down out
collides() { vmward net doctor --json; says "10.77.0.1/24 overlaps 10.77.0.9/24, which this host has"; }
ok "the host has a network's addresses elsewhere: told" \
	collides
ip link del away0
does net down out
does net down default
leave
plan
