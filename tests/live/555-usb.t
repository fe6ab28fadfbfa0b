#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Disks on USB, plugged in and out while the VM runs: no guest has to agree.
# The first one brings the controller, whose port stays taken when all have
# gone, for a successor too.  (It was once given to the next device, which
# QEMU refused; so was that of scsi.)
# shellcheck source=tests/live/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/live/lib.sh"

# on_usb NAME: what sits on its ports, by QEMU
on_usb()
{
	vmward qmp "$1" human-monitor-command 'command-line=info usb'
	grep -o Product "$tmp/out" | wc -l
}
nodes() # NAME: how many block nodes it has
{
	vmward --json qmp "$1" query-named-block-nodes
	jq '[.. | objects | select(has("node-name"))] | length' "$tmp/out"
}
free_ports() { of "$1" ports_free; }
gone() { does disk list bios && ! grep -q "^$1 " "$tmp/out"; }

# comes_and_goes BUS: its controller keeps its port
comes_and_goes()
{
	ports=$(free_ports bios)
	few=$(nodes bios)
	ok "$1: a disk is plugged in" does disk attach bios stick "bus=$1" size=1M
	ok "$1: its controller takes a port" \
		is "$(free_ports bios)" "$((ports - 1))"
	ok "$1: nothing is pending" is "$(of bios pending)" 0
	ok "$1: nothing drifts" does drift bios
	ok "$1: it goes" does disk detach bios stick
	ok "$1: its nodes are closed" is "$(nodes bios)" "$few"
	ok "$1: the controller stays" is "$(free_ports bios)" "$((ports - 1))"
	down
	up
	becomes bios running >/dev/null
	ok "$1: for a successor as well" \
		is "$(free_ports bios)" "$((ports - 1))"
	ok "$1: which does not give its port away" \
		does disk attach bios other size=1M
	does disk detach bios other --timeout 10ms >/dev/null
	types bios e >/dev/null
	ok "$1: the other one goes" eventually gone other
	ok "$1: nothing drifts" does drift bios
}

guest bios tcg <<-END
END
up
starts bios
ok "no controller, nothing on it" is "$(on_usb bios)" 0
comes_and_goes usb
comes_and_goes scsi
ok "another one" does disk attach bios one bus=usb size=1M
ok "and one more" does disk attach bios two bus=usb size=1M
ok "are on its ports" is "$(on_usb bios)" 2
ok "they are limited" does disk throttle bios one --iops 100
pid=$(pid_of bios)
printf '[disk.one]\nenabled = no\n[disk.three]\nbus = usb\nsize = 1M\n' \
	>"$vms/bios.ini.d/60-own.ini"
ok "the file is followed" does apply bios
ok "one comes as one goes" is "$(on_usb bios)" 2
ok "nothing drifts after that" does drift bios
ok "in the same QEMU" same_pid bios "$pid"
does kill bios >/dev/null
becomes bios stopped >/dev/null
ok "the next start has them" starts bios
ok "both" is "$(on_usb bios)" 2
ok "nothing drifts then" does drift bios
does kill bios >/dev/null
ok "nothing is left" nothing_left
plan
