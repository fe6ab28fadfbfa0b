#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Forwards with packets: TCP, UDP, ranges, IPv6; a network of both families under the host's address.
# shellcheck source=tests/live/net.sh
. "${TOP:-$(dirname "$0")/../..}/tests/live/net.sh"
a_world
ip addr add 2001:db8::1/64 dev up0 nodad
in_world ip addr add 2001:db8::2/64 dev eth0 nodad

mkdir -p "$tmp/etc/vmward/networks"
cat >"$tmp/etc/vmward/networks/both.ini" <<EOF
[network]
address = 10.65.0.1/24, fd65::1/64
EOF
linux f <<EOF
forward = 8080:80, udp:5000-5002:6000, tcp:9000-9001:80
EOF
sed -i 's/^network = default/network = both/' "$vms/f.ini"
up
ok "a guest starts on a network of both families" starts f --wait=ready
gets() # COMMAND...: it gets the guest's page
{
	printf 'GET / HTTP/1.0\r\n\r\n' | timeout 10 "$@" >"$tmp/answer"
	grep -q 'hello from f' "$tmp/answer"
}
refuses() { ! "$@" </dev/null 2>"$tmp/answer" &&
	grep -q refused "$tmp/answer"; }
gets_out() { gets nsenter -t "$world" -n "$@"; }
ok "TCP leads to it" eventually gets_out socat -t2 - TCP:192.0.2.1:8080
ok "so does the first of a range" \
	eventually gets_out socat -t2 - TCP:192.0.2.1:9000
answers f 'nc -ll -p 81 -e /bin/hello &
' 'rc=0' >/dev/null
ok "and the next, to the next" \
	eventually gets_out socat -t2 - TCP:192.0.2.1:9001
# the guest's kernel counts datagrams that nobody waits for
knocks() { for port in 5000 5001 5002; do
		echo over | in_world socat -u - "UDP:192.0.2.1:$port"
	done; }
knocks
ok "UDP by a range, too" answers f 'grep ^Udp: /proc/net/snmp
' '^Udp: [0-9]+ 3 '

# asked again and again: an address that is not there yet is not said later
global()
(
	patience=3
	answers f 'ip -6 addr show scope global
' ' fd65:.* global'
)
ok "it makes its own address of the prefix" eventually global
ok "IPv6 leads to it from the world" \
	eventually gets_out socat -t2 - 'TCP6:[2001:db8::1]:8080'
ok "and from the host itself" \
	eventually gets socat -t2 - 'TCP6:[2001:db8::1]:8080'
ok "not from ::1, which no kernel leads on: that is refused at once" \
	refuses socat -t2 - 'TCP6:[::1]:8080'
ok "it reaches the world by IPv6 as the host" answers f \
	'ping -6 -c 2 -W 5 2001:db8::2
' ' [12] packets received'
ok "and itself by its own forward" answers f \
	'echo | nc -w 10 2001:db8::1 8080
' 'hello from f'
ok "so it does by IPv4, at the address that the world knows" answers f \
	'printf "GET / HTTP/1.0\r\n\r\n" | nc -w 10 192.0.2.1 8080
' 'hello from f'
ok "and at that of its network, through a range" answers f \
	'printf "GET / HTTP/1.0\r\n\r\n" | nc -w 10 10.65.0.1 9000
' 'hello from f'
does kill f
ok "nothing is left" nothing_left
leave
plan
