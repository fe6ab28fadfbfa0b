#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Networks, in a network namespace of this test's own: two Linux guests on the
# NAT network `default`, a `world` behind the host, and what lives on when the
# supervisor dies.
# shellcheck source=tests/live/net.sh
. "${TOP:-$(dirname "$0")/../..}/tests/live/net.sh"

a_world
packets=${PACKETS:-1000}
linux a </dev/null
linux b <<EOF
forward = 8080:80, tcp:127.0.0.1:2222:80
EOF
up
ok "two guests start on the default network" starts a b --wait=ready
ok "its bridge is there" ip link show vw-default
ok "with rules in two tables of ours" is "$(tables)" 2
ok "and one dnsmasq" is "$(dnsmasqs | wc -l)" 1
ok "each guest has an address" test -n "$(address_of a)" -a -n "$(address_of b)"
knows_address()
{
	nft list ruleset | grep -q "ip saddr != .*$(address_of a)"
}
ok "the rules know that address" knows_address
ok "one resolves the other by name and reaches it" answers a \
	'ping -c 1 -W 5 b.internal
' '1 packets received'
ok "it reaches the world as the host" answers a 'ping -c 1 -W 5 192.0.2.2
' '1 packets received'
http() # COMMAND...: it gets b's page
{
	printf 'GET / HTTP/1.0\r\n\r\n' | timeout 10 "$@" >"$tmp/answer"
	grep -q 'hello from b' "$tmp/answer"
}
ok "the world reaches it through a forward" eventually http \
	nsenter -t "$world" -n socat -t2 - TCP:192.0.2.1:8080
ok "and so does the host itself" eventually http socat -t2 - TCP:192.0.2.1:8080
ok "by its loopback, too" eventually http socat -t2 - TCP:127.0.0.1:2222
page='echo | nc -w 10 192.0.2.1 8080
'
ok "another guest reaches it through the host's address, too" \
	answers a "$page" 'hello from b'
ok "and it reaches itself by its own forward" answers b "$page" 'hello from b'
filters() { echo "$1" >/proc/sys/net/bridge/bridge-nf-call-iptables; }
if filters 0 2>/dev/null; then
	ok "also where rules do not see what bridges carry" answers b "$page" \
		'hello from b'
	filters 1
fi
in_world ip route add 10.64.0.0/24 via 192.0.2.1
unreached()
{
	! in_world timeout 3 socat -t1 - \
		"TCP:$(address_of b):80,connect-timeout=2" </dev/null
}
ok "but not without one" unreached

# ---- the supervisor dies ----
old=$(dnsmasqs)
pid_a=$(pid_of a)
# busybox waits for each answer, or a second: 100 a second and no more
# over: opens for a reader when the pings are
answers a 'mkfifo /tmp/over
(ping -i 0.01 -c '"$packets"' -W 5 b >/tmp/pings 2>&1; : >/tmp/over) &
' 'rc=0' >/dev/null
down
up
becomes a running >/dev/null
ok "after kill -9 the same QEMU" same_pid a "$pid_a"
ok "of $packets numbered packets meanwhile none was lost" answers a \
	'cat /tmp/over; grep received /tmp/pings
' "$packets packets received"
ok "the same dnsmasq" is "$(dnsmasqs)" "$old"
ok "nothing is there twice: tables" is "$(tables)" 2
ok "nor taps" is_taps 2
ok "and they talk" answers a 'ping -c 1 -W 5 b
' '1 packets received'
# ---- what others do ----
logged() { tail -c "+$((mark + 1))" "$tmp/sup.log"; }
repaired() { logged | grep -q "somebody else took its $1: made anew"; }
breaks() # 300 numbered packets while rules, bridge and tap are taken away
{
	mark=$(size_of "$tmp/sup.log")
	answers a '(ping -i 0.01 -c 300 -W 1 b >/tmp/pings 2>&1; : >/tmp/over) &
' 'rc=0' >/dev/null
	nft flush ruleset
	ok "rules that somebody flushed" eventually repaired rules
	ok "are back" knows_address
	ip link del vw-default
	ok "a bridge that somebody deleted, too" eventually repaired bridge
	ok "with its ports" eventually repaired port
	lost=$(jq -r '.nets[].ports[] | select(.vm == "b") | .tap' \
		"$run/.net/state.json")
	ip link del "$lost"
	ok "a tap that somebody deleted under its QEMU, too" \
		eventually repaired tap
	ok "the packets are counted" answers a \
		'cat /tmp/over; grep received /tmp/pings
' ' packets received'
	lost=$((300 - $(said a | sed -n 's/.* \([0-9]*\) packets received.*/\1/p' |
		tail -n 1)))
	ms=$(logged | sed -n 's/.*made anew after \([0-9]*\) ms/\1/p' |
		sort -n | tail -n 1)
	echo "# repaired within $ms ms, loss window $((lost * 10)) ms"
}
in_time() { [ "$ms" -lt 1000 ] && [ "$lost" -lt 100 ]; }
breaks
# a machine that was busy with other things has a second try
in_time || breaks
ok "each is mended within a second, and no more than that is lost" in_time
ok "and talk on" answers a 'ping -c 1 -W 5 b
' '1 packets received'

# ---- what guests may not do ----
# frames: counts those on all devices but a's own tap, by what they say
cat >"$tmp/frames.pl" <<'EOS'
use strict;
use Socket;
my ($skip, $out) = @ARGV;
my ($good, $bad) = (0, 0);
socket(my $s, 17, SOCK_RAW, unpack('S', pack('n', 3))) or die "socket: $!";
sub tell_all { open my $f, '>', "$out.new"; print $f "good=$good bad=$bad\n";
	close $f; rename "$out.new", $out; }
tell_all();
while (my $from = recv($s, my $frame, 2048, 0)) {
	my (undef, undef, $index) = unpack('S n i', $from);
	next if $index == $skip;
	my ($to, $mac, $type) = unpack('a6 a6 n', $frame);
	my $ip = $type == 0x800 ? substr($frame, 26, 4)
		: $type == 0x806 ? substr($frame, 28, 4) : '';
	my $lie = $ip eq inet_aton('10.64.0.250')
		|| $mac eq "\x52\x54\x00\xde\xad\x01";
	$lie ? $bad++ : $good++;
	tell_all();
}
EOS
tap_a=$(jq -r '.nets[].ports[] | select(.vm == "a") | .tap' "$run/.net/state.json")
index=$(ip -o link show "$tap_a" | cut -d: -f1)
perl "$tmp/frames.pl" "$index" "$tmp/frames" &
started="$started $!"
eventually test -s "$tmp/frames"
ok "frames that say the truth are seen" answers a 'ping -c 2 -W 5 b
' '2 packets received'
some_good() { grep -q 'good=[1-9]' "$tmp/frames"; }
ok "and counted" eventually some_good
answers a 'ip addr add 10.64.0.250/24 dev eth0; ping -I 10.64.0.250 -c 2 -W 1 10.64.0.1; ip addr del 10.64.0.250/24 dev eth0
' 'rc=' >/dev/null
answers a 'ip link set eth0 address 52:54:00:de:ad:01; ping -c 2 -W 1 10.64.0.1; ip link set eth0 address '"$(jq -r \
	'.nets[].ports[] | select(.vm == "a") | .mac' "$run/.net/state.json")"'
' 'rc=' >/dev/null
ok "afterwards it talks again" answers a 'ping -c 2 -W 5 b
' '[12] packets received'
ok "of what it said that it is not, nothing went through" \
	grep 'bad=0$' "$tmp/frames"

ok "vmward upgrade: another image of the supervisor" does upgrade
ok "the same QEMU and dnsmasq" is "$(pid_of a) $(dnsmasqs)" "$pid_a $old"
ok "nothing is there twice" is "$(tables) $(taps)" '2 2'
ok "and they talk" answers a 'ping -c 1 -W 5 b
' '1 packets received'
replaced() { dnsmasqs | grep -vqx "$old"; }
kill -9 "$old"
ok "a dnsmasq that dies is replaced" eventually replaced

# ---- the end ----
does kill a
ok "with one guest left the network stays" ip link show vw-default
ok "the other's tap is gone" eventually is_taps 1
does kill b
ok "with the last one all of it goes" eventually is_gone_all
ok "nothing is left" nothing_left

# ---- what cannot be ----
guest joined tcg <<EOF
[net.lan]
bridge = br7
EOF
fails_with 1 start joined
ok "a bridge that is not there stops that start" \
	complains "net 'lan': network 'br7': there is no bridge 'br7'"
ip link add br7 type bridge
ip link set br7 up
ok "one that is there is joined" starts joined
is_port() { ip -o link show master br7 | grep -q vw; }
ok "the tap is its port" is_port
notes() { vmward --json nic list joined | jq -e ".nics[0].note $1"; }
ip link del br7
ok "when somebody deletes it the nic is shown as broken" \
	eventually notes "== \"broken: there is no bridge 'br7'\""
vmward status joined
ok "by status, too" says "broken: there is no bridge 'br7'"
ip link add br7 type bridge
ip link set br7 up
ok "with the bridge back it is mended" eventually notes '== null'
ok "and a port again" is_port
does kill joined
ok "and it is left alone" ip link show br7
ip link add vw-default type bridge
fails_with 1 start a
ok "a device of the network's name is not taken" \
	complains "there is a device 'vw-default' already"
ip link del vw-default
leave
mkdir "$tmp/few"
for program in qemu-img "$QEMU" dnsmasq; do
	ln -s "$(command -v "$program")" "$tmp/few/"
done
all=$PATH
PATH=$tmp/few:/bin up
fails_with 1 start a
ok "without nft that VM does not start" complains "nft is not installed"
PATH=$all
ok "and nothing is left" eventually is_gone_all
leave
rm "$tmp/few/dnsmasq"
ln -s "$(command -v nft)" "$tmp/few/"
PATH=$tmp/few:/bin up
fails_with 1 start a
ok "nor without dnsmasq" complains "dnsmasq is not installed"
PATH=$all
ok "and nothing is left" eventually is_gone_all
leave
plan
