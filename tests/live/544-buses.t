#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Disks of all buses, plugged into a running Linux and out of it: it sees
# them come and go, and what they are stays over a restart.
# shellcheck source=tests/live/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/live/lib.sh"
# shellcheck source=tests/live/linux.sh
. "$TOP/tests/live/linux.sh"

sees() # NAME REGEX, after $from
{
	eventually says_after "$1" "$from" "$2"
}

free_ports() { of "$1" ports_free; }

# buses NAME: in and out again
buses()
{
	v=$1
	from=$(size_of "$logs/$v/console.log")
	ok "$v: a scsi disk is attached" does disk attach "$v" one bus=scsi size=4M
	ok "$v: the guest sees it" sees "$v" '^HOTPLUG add block sda'
	# shellcheck disable=SC2016 # the guest's own
	ok "$v: by its size" answers "$v" 'echo size=$(cat /sys/block/sda/size)
' 'size=8192'
	ports=$(free_ports "$v")
	from=$(size_of "$logs/$v/console.log")
	ok "$v: and another one" does disk attach "$v" two bus=scsi size=2M
	ok "$v: as well" sees "$v" '^HOTPLUG add block sdb'
	ok "$v: on the same controller" is "$(free_ports "$v")" "$ports"
	from=$(size_of "$logs/$v/console.log")
	ok "$v: an nvme disk is attached" \
		does disk attach "$v" fast bus=nvme size=2M
	ok "$v: the guest sees it" sees "$v" '^HOTPLUG add block nvme0n1'
	ok "$v: nothing is pending" is "$(of "$v" pending)" 0
	ok "$v: nothing drifts" does drift "$v"

	from=$(size_of "$logs/$v/console.log")
	ok "$v: the first scsi disk goes" does disk detach "$v" one
	ok "$v: from the guest, too" sees "$v" '^HOTPLUG remove block sda'
	from=$(size_of "$logs/$v/console.log")
	ok "$v: and the nvme disk" does disk detach "$v" fast
	ok "$v: from the guest, too" sees "$v" '^HOTPLUG remove block nvme0n1'
	ok "$v: its port is free again" is "$(free_ports "$v")" "$ports"
	ok "$v: nothing drifts" does drift "$v"

	ok "$v: a sata disk is no such thing" \
		fails_with 1 disk attach "$v" more bus=sata size=1M
	ok "$v: which is said" complains 'comes and goes with a start only'
	ok "$v: nor goes the one that is there" fails_with 1 disk detach "$v" cold
	ok "$v: no image was made" \
		is "$(find "$images" -name "*more*" | wc -l)" 0

	down
	up
	becomes "$v" running >/dev/null
	ok "$v: a successor knows the controller" \
		does disk attach "$v" one bus=scsi size=4M
	ok "$v: which took no other port" is "$(free_ports "$v")" "$ports"
	unit=$(unit_of "$v" two)
	from=$(size_of "$logs/$v/console.log")
	does restart "$v" >/dev/null
	becomes "$v" running >/dev/null
	ok "$v: after a restart the disk is the same unit" \
		is "$(unit_of "$v" two)" "$unit"
	ok "$v: which is not the first one" is "$unit" 1
	does kill "$v" >/dev/null
}

unit_of() # NAME DISK
{
	vmward qmp "$1" qom-get "path=/machine/peripheral/disk-$2" \
		property=scsi-id --json
	jq -c '.. | numbers' "$tmp/out" | head -n 1
}

up
linux q35 <<-EOF
[start]
ready = serial:^READY up=
[disk.cold]
size = 2M
bus = sata
EOF
from=0
starts q35
ok "q35: starts" boots q35
buses q35
ok "nothing is left" nothing_left
plan
