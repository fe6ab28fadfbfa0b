#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Many VMs on one network: they come and go without a leftover; what a network
# runs to come up; a VM that cannot have its nic stops nobody else.
# MANY=100 is the long form.
# shellcheck source=tests/live/net.sh
. "${TOP:-$(dirname "$0")/../..}/tests/live/net.sh"
many=${MANY:-20}

# nft and dnsmasq that count themselves
mkdir "$tmp/bin"
for program in nft dnsmasq; do
	cat >"$tmp/bin/$program" <<-EOF
	#!/bin/sh
	echo $program >>"$tmp/ran"
	exec "$(command -v $program)" "\$@"
	EOF
	chmod +x "$tmp/bin/$program"
done
old_path=$PATH
PATH=$tmp/bin:$PATH
up
: >"$tmp/ran"
ok "a NAT network comes up" does net up default
ok "it took nft once and dnsmasq, nothing else" is "$(sort "$tmp/ran" |
	tr '\n' ' ')" 'dnsmasq nft '
does net down default
ok "and goes" eventually is_gone_all
leave
PATH=$old_path

cat >"$vms/m@.ini" <<EOF
[vm]
memory = 8M
accel = tcg
instances = 1-$many
ephemeral = yes
[disk.root]
image = m.raw
[net.lan]
network = default
EOF
"$TOP/tests/guest/bios/label" "$BUILD/guest/bios.raw" "$images/m.raw" many
up
ok "$many VMs start" starts 'm@*'
ok "each with a tap on the bridge" is \
	"$(ip -o link show master vw-default | grep -c .)" "$many"
addresses=$(jq -r '.nets[].ports[].address' "$run/.net/state.json")
ok "and an address of its own" is "$(echo "$addresses" | sort -u | grep -c .)" \
	"$many"
down
up
ok "after kill -9 all of them are known" is \
	"$(jq '.nets[].ports | length' "$run/.net/state.json")" "$many"
ok "they stop" does kill 'm@*' -y
ok "without a leftover" eventually is_gone_all
ok "nothing is left" nothing_left

# ---- one that cannot be ----
guest good tcg <<EOF
[net.lan]
network = default
EOF
guest bad tcg <<EOF
[net.lan]
network = default
ip = 192.0.2.99
EOF
fails_with 1 start bad good
ok "a nic that cannot be made names the cause" complains \
	"net 'lan': ip = 192.0.2.99 is no guest's address on network 'default'"
ok "and stops that VM alone" is_state good running
busy=$(jq -r '.nets[].ports[] | select(.vm == "good") | .tap' \
	"$run/.net/state.json")
does kill good
eventually is_gone_all
mkfifo "$tmp/held"
perl -e 'open my $t, "+<", "/dev/net/tun" or die;
	my $r = pack("a16 s x22", $ARGV[0], 0x5002);
	ioctl($t, 0x400454ca, $r) or die; <STDIN>' "$busy" <>"$tmp/held" &
holder=$!
started="$started $holder"
has_tap() { ip link show "$busy"; }
eventually has_tap
fails_with 1 start good
ok "a tap that somebody else has is not taken" complains \
	"tap '$busy' is in use by another process"
kill "$holder"
no_tap() { ! has_tap; }
eventually no_tap
ok "once he lets it go" starts good
does kill good
eventually is_gone_all
leave

# ---- no right ----
if setpriv --bounding-set -net_admin true 2>/dev/null; then
	cat >"$tmp/weak" <<-EOF
	#!/bin/sh
	exec setpriv --bounding-set -net_admin "$BUILD/vmwardd" "\$@"
	EOF
	chmod +x "$tmp/weak"
	guest plain tcg <<-EOF
	[net.lan]
	user = yes
	EOF
	vmwardd=$tmp/weak up
	fails_with 7 start good
	ok "without CAP_NET_ADMIN it says so, and what works" complains \
		"this needs root or CAP_NET_ADMIN; user = yes works without"
	ok "a VM in user mode starts" starts plain
	does kill plain
	ok "nothing is left" nothing_left
	leave
fi
plan
