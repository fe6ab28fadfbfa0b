#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# device list: what QEMU has, with its place, since when it is there, and
# whether the guest was asked to let it go.
# shellcheck source=tests/live/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/live/lib.sh"

# is_row ID COLUMNS: the row of a device, without the time
is_row()
{
	does device list bios >/dev/null
	row=$(awk -v id="$1" '$1 == id { $1 = $NF = ""; print }' "$tmp/out" |
		sed 's/^ *//; s/ *$//')
	is "$row" "$2" || { cat "$tmp/out"; false; }
}
# member ID KEY: of the device as JSON
member()
{
	vmward --json device list bios
	jq -r ".. | objects | select(.id? == \"$1\") | .$2" "$tmp/out"
}
since_is() # ID FROM TO, seconds of the wall clock
{
	at=$(date -d "$(member "$1" since)" +%s)
	echo "at $at, want $2 to $3"
	[ "$at" -ge "$2" ] && [ "$at" -le "$3" ]
}
goes() { is "$(member "$1" state)" unplugging; }
went() { does device list bios && ! grep -q "^$1 " "$tmp/out"; }

guest bios tcg <<-END
[net.lan]
user = yes
[cdrom.a]
END
up
ok "of a VM that is down there is none: exit 3" fails_with 3 device list bios
before=$(date +%s)
starts bios
after=$(date +%s)
ok "a disk has a root port" is_row disk-root 'disk virtio-blk-pci port 0 plugged'
ok "a nic the next one" is_row net-lan 'net virtio-net-pci port 1 plugged'
ok "a drive has none" is_row cdrom-a 'cdrom ide-cd - plugged'
ok "what each such machine has is the board's" \
	is "$(member rng0 class)" board
ok "they came with their QEMU" since_is disk-root $((before - 2)) $((after + 2))
before=$(date +%s)
ok "a disk is plugged in" does disk attach bios data size=1M
after=$(date +%s)
ok "it is in a port" is_row disk-data 'disk virtio-blk-pci port 2 plugged'
ok "since it was plugged in" since_is disk-data "$before" "$after"
down
up
becomes bios running >/dev/null
ok "a successor knows that, too" since_is disk-data "$before" "$after"
ok "the guest keeps it" fails_with 1 disk detach bios data --timeout 10ms
ok "so it is being unplugged" goes disk-data
types bios e >/dev/null
ok "until the guest lets it go" eventually went disk-data
ok "a device that was plugged in by hand" does qmp bios device_add \
	driver=virtio-rng-pci id=mine bus=rp3 addr=0x0
ok "is the board's" is "$(member mine class)" board
ok "since nobody knows when" is "$(member mine since)" null
does kill bios >/dev/null
ok "nothing is left" nothing_left
plan
