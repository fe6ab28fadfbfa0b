#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A bridge of ours that keeps VLANs apart: nics with vlan (access) and trunk,
# an uplink that carries all; guests of guests, real frames.
# shellcheck source=tests/inside/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/inside/lib.sh"
a_wire eth7
for id in 1 20 30 40; do
	on_wire "$id" "10.$id.0.1/24"
done
network lan <<EOT
[network]
mode = bridge
uplink = eth7
vlan-filtering = yes
EOT
network plain <<EOT
[network]
mode = isolated
EOT

# on NETWORK NAME: a BIOS guest; more lines of [net.lan] come from stdin
on()
{
	{
		printf '[net.lan]\nnetwork = %s\n' "$1"
		cat
	} | guest "$2" tcg
}
port_of() { jq -r ".nets[].ports[] | select(.vm == \"$1\") | .$2" \
	"$run/.net/state.json"; }
vlans_of() # NAME: of its port, "10 20t 30-39t"; p: what is untagged
{
	bridge -compressvlans -j vlan show dev "$(port_of "$1" tap)" | jq -r '[.[0].vlans[] |
		"\(.vlan)\(if .vlanEnd then "-\(.vlanEnd)" else "" end)" +
		(if .flags // [] | index("PVID") then "p"
		else "t" end)] | join(" ")'
}

# frame.pl PID TAP HEX...: sends frames as the guest does
cat >"$tmp/frame.pl" <<'EOS'
use strict;
my ($pid, $tap, @frames) = @ARGV;
my ($number) = map { m{/(\d+)$} } grep {
	open my $f, '<', $_; local $/; (<$f> // '') =~ /^iff:\s*$tap$/m
} glob "/proc/$pid/fdinfo/*";
my $fd = syscall(438, syscall(434, $pid + 0, 0), $number + 0, 0);
open my $to, '+<&=', $fd or die "tap: $!";
my $size = pack 'i', 0;
ioctl($to, 0x800454d7, $size) or die "TUNGETVNETHDRSZ: $!";
syswrite($to, "\0" x unpack('i', $size) . pack 'H*', $_) or die for @frames;
EOS
# heard.pl LAST: which VLANs of the wire hear which word, until LAST is heard
cat >"$tmp/heard.pl" <<'EOS'
use strict;
use Socket;
my ($ready, $last, %seen) = @ARGV[0, 1];
socket(my $all, 17, SOCK_RAW, unpack('S', pack('n', 3))) or die "socket: $!";
my %name;
for (glob '/sys/class/net/*/ifindex') {
	open my $f, '<', $_; $name{0 + <$f>} = (split m{/})[4];
}
open my $r, '>', $ready; close $r;
alarm 300;
while (my $from = recv($all, my $frame, 2048, 0)) {
	my (undef, undef, $index) = unpack 'S n i', $from;
	my ($word) = $frame =~ /<(\w+)>/ or next;
	my $vlan = $name{$index} // '';
	$seen{"$word:$vlan"} = 1 if $vlan =~ /^v\d/;
	last if $word eq $last && $vlan =~ /^v\d/;
}
print join(' ', sort keys %seen), "\n";
EOS
hex() { printf '%s' "$1" | od -An -v -tx1 | tr -d ' \n'; }
# frame MAC WORD [VLAN]: to all, with the word in it
frame()
{
	tag=
	[ -z "${3-}" ] || tag=$(printf '8100%04x' "$3")
	printf 'ffffffffffff%s%s88b5%s%080d\n' "$(echo "$1" | tr -d :)" \
		"$tag" "$(hex "<$2>")" 0
}
listen() # LAST
{
	rm -f "$tmp/listens"
	in_wire perl "$tmp/heard.pl" "$tmp/listens" "$1" >"$tmp/heard" &
	listener=$!
	eventually test -e "$tmp/listens"
}
says() # NAME FRAME...: in the guest's name
{
	name=$1
	shift
	perl "$tmp/frame.pl" "$(pid_of "$name")" "$(port_of "$name" tap)" "$@"
}
heard() { wait "$listener"; is "$(cat "$tmp/heard")" "$1"; }

on lan access <<EOT
vlan = 20
EOT
on lan trunk <<EOT
vlan = 40
trunk = 30, 50-59
EOT
on lan none </dev/null
up
ok "guests on a bridge that keeps VLANs apart" starts access trunk none
ok "it does so" is "$(cat /sys/class/net/vw-lan/bridge/vlan_filtering)" 1
has_vhost() { find "/proc/$(pid_of access)/fd" -lname /dev/vhost-net |
	grep -q .; }
ok "the kernel's vhost moves their packets" has_vhost
ok "vlan = 20 is all that its port carries" is "$(vlans_of access)" 20p
ok "vlan and trunk are" is "$(vlans_of trunk)" "30t 40p 50-59t"
ok "who says nothing is in VLAN 1" is "$(vlans_of none)" 1p
all_on_uplink() { bridge -j vlan show dev eth7 | jq -e '[.[0].vlans[] |
	(.vlanEnd // .vlan) - .vlan + 1] | add == 4094'; }
ok "the uplink carries all" all_on_uplink
mac=$(port_of access mac)
listen last
ok "a guest on VLAN 20 says something" says access \
	"$(frame "$mac" bare)" "$(frame "$mac" lie 30)" \
	"$(frame "$mac" last)"
ok "VLAN 20 of the wire hears it, nobody else" heard "bare:v20 last:v20"
mac=$(port_of trunk mac)
listen last
ok "one with a trunk says something with and without tags" says trunk \
	"$(frame "$mac" bare)" "$(frame "$mac" thirty 30)" \
	"$(frame "$mac" lie 20)" "$(frame "$mac" fifty 50)" \
	"$(frame "$mac" lie 1)" "$(frame "$mac" last 30)"
ok "each VLAN hears its own" heard "bare:v40 last:v30 thirty:v30"
down
up
ok "after kill -9 the ports are as they were" is "$(vlans_of trunk)" \
	"30t 40p 50-59t"
ip link del vw-lan
is_back() { [ "$(vlans_of access)" = 20p ] &&
	[ "$(vlans_of trunk)" = "30t 40p 50-59t" ] && all_on_uplink; }
ok "somebody deletes the bridge: ports have their VLANs again" \
	eventually is_back
does kill access trunk none -y
ok "with the last one the bridge goes" eventually has_no vw-lan
ok "nothing is left" nothing_left

# ---- what cannot be ----
on plain bad <<EOT
vlan = 20
EOT
does reload
fails_with 1 start bad
ok "vlan on a network that keeps none apart" complains \
	"network 'plain' does not keep VLANs apart: say vlan-filtering = yes"
ip link add br7 type bridge
sed -i 's/^network = plain/bridge = br7/' "$vms/bad.ini"
does reload
fails_with 1 start bad
ok "or on a bridge of somebody else" complains \
	"bridge 'br7' does not keep VLANs apart"
ok "which is not changed" is "$(cat /sys/class/net/br7/bridge/vlan_filtering)" 0
ip link set br7 type bridge vlan_filtering 1
ok "where it does, the guest starts" starts bad
ok "with its VLAN" is "$(vlans_of bad)" 20p
does kill bad -y
ok "the bridge of somebody else stays" ip link show br7
leave
plan
