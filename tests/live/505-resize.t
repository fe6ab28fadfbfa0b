#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# disk resize: a running VM's disk grows and its guest keeps its data, a
# stopped one's too; nothing shrinks.
# shellcheck source=tests/live/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/live/lib.sh"

# node_size NAME DISK: as QEMU has it
node_size()
{
	"$BUILD/vmward" --root "$tmp" --json qmp "$1" \
		query-named-block-nodes flat=true |
		jq -r ".[] | select(.\"node-name\" == \"disk-$2\") |
			.image.\"virtual-size\""
}
file_size() # FILE
{
	qemu-img info -U -f "${1##*.}" --output=json "$images/$1" |
		jq -r '."virtual-size"'
}
refuses() # STATUS TEXT ARG...
{
	want=$1 text=$2
	shift 2
	fails_with "$want" disk resize "$@" && complains "$text"
}

resizes() # ACCEL
{
	a=$1 v=grow-$1
	printf '[disk.data]\nsize = 1M\n' | guest "$v" "$a"
	starts "$v" --wait=ready >/dev/null
	pid=$(pid_of "$v")
	before=$(counts "$v")

	ok "$a: it runs with 1 MiB" is "$(node_size "$v" data)" 1048576
	ok "$a: grown while it runs" does disk resize "$v" data 4M
	ok "$a: QEMU has the new size" is "$(node_size "$v" data)" 4194304
	ok "$a: so has the image" is "$(file_size "$v-data.qcow2")" 4194304
	ok "$a: the file says so" grep -qx 'size = 4M' \
		"$vms/$v.ini.d/50-vmward.ini"
	ok "$a: nothing is pending" is "$(of "$v" pending)" 0
	ok "$a: the same QEMU" same_pid "$v" "$pid"
	ok "$a: to the same size: fine" does disk resize "$v" data 4M
	ok "$a: smaller is refused" refuses 3 'it has 4M, more than that' \
		"$v" data 1M
	ok "$a: and changed nothing" is "$(node_size "$v" data)" 4194304
	ok "$a: a raw disk grows too" does disk resize "$v" root 8M
	ok "$a: raw: its image" is "$(file_size "$v.raw")" 8388608
	ok "$a: no such disk: exit 4" refuses 4 "it has no disk 'none'" \
		"$v" none 8M
	ok "$a: nonsense: exit 2" refuses 2 'say a size' "$v" data 5000B
	ok "$a: nothing: exit 2" refuses 2 'more than 0' "$v" data 0K
	ok "$a: the guest's disk works" test "$(counts "$v")" -gt "$before"
	ok "$a: it stops" stops "$v"
	ok "$a: stopped, it grows by qemu-img" does disk resize "$v" data 8M
	ok "$a: it has" is "$(file_size "$v-data.qcow2")" 8388608
	ok "$a: stopped, smaller is refused" \
		refuses 3 '--shrink' "$v" data 1M
	ok "$a: it starts with all of it" starts "$v" --wait=ready
	ok "$a: QEMU has it" is "$(node_size "$v" data)" 8388608
	stops "$v" >/dev/null
}

up
for accel in $(accelerators); do
	resizes "$accel"
done
plan
