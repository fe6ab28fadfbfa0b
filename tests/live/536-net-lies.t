#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What a guest may not say of IPv6, routers and DHCP servers, frame by frame;
# a network with autostart; another address where the host has that one.
# shellcheck source=tests/live/net.sh
. "${TOP:-$(dirname "$0")/../..}/tests/live/net.sh"
cat >"$tmp/lies.pl" <<'EOS'
# lies.pl PID FD OWN-TAP-INDEX BRIDGE-INDEX MAC: sends as the guest does and
# prints what comes out of any other device of this host.
use strict;
use Socket;
my ($pid, $number, $own, $bridge, $mac, $ip) = @ARGV;
my $pidfd = syscall(434, $pid + 0, 0);
my $fd = syscall(438, $pidfd, $number + 0, 0);
die "pidfd_getfd: $!" if $fd < 0;
open my $tap, '+<&=', $fd or die "tap: $!";
socket(my $all, 17, SOCK_RAW, unpack('S', pack('n', 3))) or die "socket: $!";
my $me = pack 'H12', $mac =~ s/://gr;
my $every = "\x33\x33\0\0\0\x01";
my $id = (substr($me, 0, 3) ^ "\x02\0\0") . "\xff\xfe" . substr($me, 3);
my $local = "\xfe\x80" . "\0" x 6 . $id;
my $mine = "\xfd\x08" . "\0" x 6 . $id;
my $other = "\xfd\x09" . "\0" x 13 . "\x99";
my $near = "\xfd\x08" . "\0" x 13 . "\x99"; # of the network's own prefix
my $chosen = "\xfe\x80" . "\0" x 6 . "\x12\x34\x56\x78" x 2;
my $neighbour = substr($local, 0, 13) . "\xde\xad\x01";
my $size = pack 'i', 0;
ioctl($tap, 0x800454d7, $size) or die "TUNGETVNETHDRSZ: $!";
my $header = "\0" x unpack 'i', $size; # QEMU's choice, by the guest's driver
my $nodes = "\xff\x02" . "\0" x 13 . "\x01";
my $none = "\0" x 16;
sub ether { my ($type, $from) = @_; $every . ($from // $me) . pack 'n', $type }
sub ip6 { my ($from, $next, $rest) = @_;
	pack('NnCC', 0x60000000, length $rest, $next, 255) . $from . $nodes
		. $rest }
sub icmp { my ($type, $name) = @_; pack('CCnN', $type, 0, 0, 0) . "<$name>" }
sub ip4 { my ($from, $rest) = @_; # UDP
	my $head = sub { pack('CCnNCCn', 0x45, 0, 20 + length $rest, 0, 64, 17,
		$_[0]) . $from . inet_aton('10.8.0.1') };
	my $sum = unpack('%32n*', $head->(0)) % 65535;
	ether(0x800) . $head->(65535 - $sum) . $rest }
sub udp { my ($port, $name) = @_;
	pack('nnnn', $port, 68, 10 + length $name, 0) . "<$name>" }
sub tells { my ($name, $of) = @_;
	frame(ip6($local, 58, pack('CCnN', 136, 0, 0, 0) . "$of<$name>")) }
sub frame { ether(0x86dd, $_[1]) . $_[0] }
sub arp { my ($name, $hw, $ip) = @_;
	"\xff" x 6 . $me . pack('n', 0x806) . pack('nnCCn', 1, 0x800, 6, 4, 1)
		. $hw . inet_aton($ip) . "\0" x 6 . inet_aton('10.8.0.1')
		. "<$name>" }
my @frames = (
	frame(ip6($local, 58, icmp(128, 'TRUE-local'))),
	frame(ip6($mine, 58, icmp(128, 'TRUE-global'))),
	frame(ip6($none, 58, icmp(135, 'TRUE-solicit'))),
	arp('TRUE-arp', $me, '0.0.0.0'),
	ip4(inet_aton($ip), udp(1067, 'TRUE-udp')),
	ip4(inet_aton($ip), udp(67, 'LIE-dhcp')),
	ip4(inet_aton('10.8.0.1'), udp(1067, 'LIE-host')),
	frame(ip6($chosen, 58, icmp(128, 'TRUE-chosen'))),
	tells('TRUE-tells', $mine),
	tells('TRUE-tells-local', $local),
	frame(ip6($other, 58, icmp(128, 'LIE-address'))),
	frame(ip6($near, 58, icmp(128, 'LIE-address-near'))),
	frame(ip6($neighbour, 58, icmp(128, 'LIE-neighbour'))),
	tells('LIE-tells', $near),
	tells('LIE-tells-neighbour', $neighbour),
	frame(ip6($local, 58, icmp(128, 'LIE-mac')), "\x52\x54\0\xde\xad\x01"),
	frame(ip6($local, 58, icmp(134, 'LIE-router'))),
	frame(ip6($none, 58, icmp(134, 'LIE-router-of-nowhere'))),
	frame(ip6($local, 58, icmp(137, 'LIE-redirect'))),
	frame(ip6($local, 60, "\x3a\0\x01\x04\0\0\0\0"
		. icmp(134, 'LIE-router-behind-options'))),
	frame(ip6($local, 44, "\x3a\0\0\0\0\0\0\x07"
		. icmp(134, 'LIE-router-as-fragment'))),
	frame(ip6($local, 17, pack('nnnn', 547, 546, 24, 0) . '<LIE-dhcp6>')),
	ether(0x8100) . pack('nn', 7, 0x86dd)
		. ip6($local, 58, icmp(134, 'LIE-router-in-vlan')),
	arp('LIE-arp-address', $me, '10.8.0.1'),
	arp('LIE-arp-mac', "\x52\x54\0\xde\xad\x01", '0.0.0.0'),
	ether(0x88cc) . '<LIE-lldp>' . "\0" x 40,
	frame(ip6($local, 58, icmp(128, 'TRUE-last'))),
);
# frames that one processor hands on stay in order: no lie comes after TRUE-last
my ($cpu, $set) = (pack('L', 0), "\0" x 128);
syscall(309, $cpu, 0, 0);
vec($set, unpack('L', $cpu), 1) = 1;
syscall(203, 0, length $set, $set);
for (@frames) { syswrite($tap, $header . $_) or die "write: $!" }
alarm 20;
my %seen;
while (my $from = recv($all, my $frame, 2048, 0)) {
	my (undef, undef, $index) = unpack 'S n i', $from;
	next if $index == $own || $frame !~ /<((?:TRUE|LIE)-[^>]*)>/;
	$seen{$1}++;
	last if $1 eq 'TRUE-last' && $index == $bridge;
}
print join(' ', sort keys %seen), "\n";
EOS
mkdir -p "$tmp/etc/vmward/networks"
cat >"$tmp/etc/vmward/networks/both.ini" <<EOF
[network]
mode = routed
address = 10.8.0.1/24, fd08::1/64
EOF
cat >"$tmp/etc/vmward/networks/always.ini" <<EOF
[network]
mode = isolated
address = 10.9.0.1/24
autostart = yes
EOF
cat >"$tmp/etc/vmward/networks/never.ini" <<EOF
[network]
mode = isolated
address = 10.11.0.1/24
autostart = yes
EOF
ip addr add 10.11.0.7/24 dev lo # in its way
index() { ip -o link show "$1" | cut -d: -f1; }
port_of() { jq -r ".nets[].ports[] | select(.vm == \"$1\") | .$2" \
	"$run/.net/state.json"; }
on() # NETWORK NAME: a BIOS guest there
{
	printf '[net.lan]\nnetwork = %s\n' "$1" | guest "$2" tcg
}

# ---- autostart ----
up
is_state() { does net list -o name,state && grep -qE "^$1 +$2" "$tmp/out"; }
ok "a network with autostart is up without a VM" is_state always up
ok "so is its bridge" ip link show vw-always
ok "one that cannot come up is not" is_state never down
ok "why is in the log" grep -q \
	"network 'never': address 10.11.0.1/24 overlaps" "$tmp/sup.log"
on always t
ok "a VM on it starts" starts t --wait=ready
does kill t
ok "and ends" becomes t stopped
ok "its tap goes" eventually is_taps 0
ok "the network stays" is_state always up
down
up
ok "after a kill -9, too" is_state always up

# ---- lies ----
on both liar
on both next
ok "two guests on a network of both families" starts liar next --wait=ready
says_lies()
{
	pid=$(pid_of liar)
	tap=$(port_of liar tap)
	fd=$(grep -l "^iff:[[:space:]]*$tap" "/proc/$pid/fdinfo/"* |
		head -n 1)
	perl "$tmp/lies.pl" "$pid" "${fd##*/}" "$(index "$tap")" \
		"$(index vw-both)" "$(port_of liar mac)" \
		"$(port_of liar address | cut -d/ -f1)" >"$tmp/seen"
}
ok "one says what it is, and what it is not" says_lies
ok "what is true goes through, of the lies none" is "$(cat "$tmp/seen")" \
	"TRUE-arp TRUE-chosen TRUE-global TRUE-last TRUE-local TRUE-solicit\
 TRUE-tells TRUE-tells-local TRUE-udp"
printf 'spoof-check = no\n' >>"$vms/liar.ini"
does kill liar
becomes liar stopped >/dev/null
does reload
ok "with spoof-check = no it starts" starts liar --wait=ready
ok "the same lies are told" says_lies
ok "and all are heard" is "$(tr ' ' '\n' <"$tmp/seen" | grep -c LIE)" 18
does kill liar next -y

# ---- an address that the host has ----
ip addr add 10.64.0.9/24 dev lo
on default d
of_default() { ip -4 -o addr show dev vw-default | awk '{ print $4 }'; }
ok "default comes up where the host has 10.64.0.0/24" starts d --wait=ready
first=$(of_default)
is_elsewhere() { case $first in 10.64.0.* | '') false ;; */24) ;; esac }
ok "with another address" is_elsewhere
gone() { ! ip link show vw-default; }
does kill d
ok "it goes" eventually gone
ip addr del 10.64.0.9/24 dev lo
ok "it comes again" starts d --wait=ready
ok "with the address that it had" is "$(of_default)" "$first"
does kill d
ok "it goes again" eventually gone
ip addr add "${first%.*}.9/24" dev lo
ok "the host has that one by then" starts d --wait=ready
ok "so it has another" test "$(of_default)" != "$first"
does kill d
does net down always
ok "all of it goes" eventually is_gone_all
leave
plan
