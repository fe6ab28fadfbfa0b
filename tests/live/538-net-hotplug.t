#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Nics that are plugged into a running guest and out again: port, tap, slot
# and file; what is undone when it cannot be; a guest that does not let go.
# shellcheck source=tests/live/net.sh
. "${TOP:-$(dirname "$0")/../..}/tests/live/net.sh"
mkdir -p "$tmp/etc/vmward/networks"
cat >"$tmp/etc/vmward/networks/lab.ini" <<EOF
[network]
mode = isolated
address = 10.9.0.1/24
EOF
linux h </dev/null
sed -i '/^memory/a cpus = 2' "$vms/h.ini"
file=$vms/h.ini.d/50-vmward.ini
ports() { of h ports_free; }
up
ok "a guest with one nic starts" starts h --wait=ready
free=$(ports)
ok "nic attach: a second one" does nic attach h lab network=lab queues=2
ok "the guest sees it and has an address" eventually says_after h 0 \
	'NET eth1 10\.9\.0\.'
ok "with two queues" answers h 'ls -d /sys/class/net/eth1/queues/rx-* | wc -l
' '^2'
ok "and reaches the host by it" answers h 'ping -c 1 -W 5 10.9.0.1
' '1 packets received'
ok "there are two taps" is_taps 2
ok "the file has it" grep -q '^network = lab' "$file"
ok "a root port less is free" is "$(ports)" $((free - 1))
does nic list h
ok "nic list shows it" says 'lab  network  lab      up'
down
up
becomes h running >/dev/null
ok "the next supervisor knows it" answers h 'ping -c 1 -W 5 10.9.0.1
' '1 packets received'
ok "nic detach: it goes" does nic detach h lab
not_in_file() { ! grep -q "net.lab" "$file"; }
gone() { ! ip link show vw-lab && is_taps 1; }
ok "and with it its tap and its network" eventually gone
ok "from the file, too" not_in_file
ok "its root port is free again" is "$(ports)" "$free"
not_there() { answers h 'ls /sys/class/net
' 'rc=0' && ! said h "$from" | grep -q eth1; }
ok "the guest has none" not_there

# ---- what cannot be ----
nothing_more()
{
	is_taps 1 && ! ip link show vw-lab && is "$(ports)" "$free" &&
		! grep -q 'net.bad' "$file"
}
fails_with 1 nic attach h bad network=lab ip=192.0.2.9
ok "an address of another network is refused" complains \
	"nic 'bad': ip = 192.0.2.9 is no guest's address on network 'lab'"
ok "and undone" eventually nothing_more
fails_with 1 nic attach h bad bridge=br-none
ok "a bridge that is not there" complains "there is no bridge 'br-none'"
ok "is undone" eventually nothing_more
fails_with 1 nic attach h bad network=lab model=no-such-card
ok "a model that QEMU does not know" complains "no-such-card"
ok "is undone, too" eventually nothing_more
ok "and not in the way of another" does nic attach h bad network=lab
does nic detach h bad
ok "which goes as well" eventually nothing_more
fails_with 4 nic attach h bad network=nosuch
ok "a network that is not there" complains "no network 'nosuch'"
fails_with 1 nic attach h bad network=lab speed=10
ok "a key that is none" complains "speed"
fails_with 1 nic attach h lan network=lab
ok "a nic that it has" complains "it has a nic 'lan' already"
fails_with 4 nic detach h bad
ok "one that it has not" complains "it has no nic 'bad'"
ok "it is as it was" eventually nothing_more

# ---- for one life, in user mode ----
ok "user mode, for this life only" does nic attach h extra user=yes --runtime
ok "the guest has its address" eventually says_after h 0 'NET eth1 10\.0\.2\.15'
ok "the file says nothing of it" sh -c "! grep -q extra '$file'"
does nic detach h extra
does kill h

# ---- a guest that does not let go: the BIOS guest knows no unplug ----
guest deaf tcg <<EOF
[net.lan]
network = default
EOF
ok "a guest that knows no unplug" starts deaf --wait=ready
does nic attach deaf lab network=lab
fails_with 1 nic detach deaf lab --timeout 1s
ok "keeps it: that is said" complains "does not let nic 'lab' go"
ok "the file says so until then" grep -q 'net.lab' \
	"$vms/deaf.ini.d/50-vmward.ini"
ok "its tap stays" is_taps 2
does kill deaf
ok "nothing is left" eventually is_gone_all
ok "nothing at all" nothing_left
leave
plan
