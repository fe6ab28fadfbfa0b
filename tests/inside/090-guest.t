#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A Linux guest of this guest, on VLAN 20: it gets its address of a DHCP
# server there.  Minutes: an emulator that is emulated.
# shellcheck source=tests/inside/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/inside/lib.sh"
a_wire eth7
on_wire 20 10.20.0.1/24
network lan <<EOT
[network]
mode = bridge
uplink = eth7
vlan-filtering = yes
EOT
up
cp "$BUILD/guest/vmlinuz" "$BUILD/guest/initrd.gz" "$tmp/"
in_wire dnsmasq --conf-file=/dev/null --no-hosts --no-resolv --port=0 \
	--interface=v20 --bind-interfaces --dhcp-range=10.20.0.50,10.20.0.60 \
	--dhcp-leasefile="$tmp/leases" --pid-file="$tmp/dnsmasq.pid" --user=root
cat >"$vms/speaks.ini" <<EOT
[vm]
memory = 96M
accel = tcg
kernel = $tmp/vmlinuz
initrd = $tmp/initrd.gz
cmdline = console=ttyS0 quiet panic=-1
[start]
ready = serial:^NET eth0
ready-timeout = 20min
[net.lan]
network = lan
vlan = 20
EOT
from=$(date +%s)
ok "a Linux guest of this guest, on VLAN 20" does start speaks
patience=900
ok "has an address of the DHCP server there" eventually says_after speaks 0 \
	'NET eth0 10\.20\.0\.'
echo "# after $(($(date +%s) - from)) s"
patience=60
address=$(awk 'NR == 1 { print $3 }' "$tmp/leases")
in_wire_pings() { in_wire busybox ping -c 1 -W 5 "$address"; }
ok "answers VLAN 20 of the wire" eventually in_wire_pings
kill "$(cat "$tmp/dnsmasq.pid")"
does kill speaks -y
ok "its network goes with it" eventually has_no vw-lan
leave
plan
