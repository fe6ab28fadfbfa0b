#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Snapshots with real images and real QEMUs: what a guest wrote is back after
# a revert, on all disks, and a guest whose disk makes it crash comes back to
# one that works.
# shellcheck source=tests/live/lib.sh
. "$(dirname "$0")/lib.sh"
# Ready, after a revert: what it runs was there before.
runs_again()
{
	grep -q "snapshot .good.: reverted" "$tmp/sup.log" &&
		does wait loop ready --timeout 20s
}
snapshot() { does snapshot "$@" --yes; }
counted() # N: the guest counts once more and is at that
{
	does start web --wait && is "$(counts web)" "$1" &&
		does stop web --now
}
sound() # NAME: its images have no error
{
	for image in "$images/$1"*.qcow2; do
		qemu-img check -q -f qcow2 "$image" || return 1
	done
}
data() # WORD: a pattern on the second disk
{
	qemu-io -f qcow2 -c "write -q -P $1 0 1M" "$images/web-data.qcow2"
}
data_is()
{
	qemu-io -f qcow2 -c "read -q -P $1 0 1M" "$images/web-data.qcow2" |
		grep -q failed && return 1
	return 0
}

qguest web <<-EOF
[disk.data]
size = 64M
EOF
up
ok "the guest writes" counted 0001
data 11
ok "create" snapshot create web --name one
ok "it writes more" counted 0002
data 22
ok "create by time" snapshot create web
ok "and more" counted 0003
data 33
ok "revert to the first" snapshot revert web one
ok "the second disk, too" data_is 11
ok "the guest is where it was" counted 0002
ok "revert to the latest" snapshot revert web --latest
ok "the second disk, too" data_is 22
ok "the guest is where it was" counted 0003
ok "delete the first" snapshot delete web one
ok "the other one is whole" snapshot revert web --latest
ok "all of it" data_is 22
ok "the guest is where it was" counted 0003
ok "the images are sound" sound web
ok "list shows one" sh -c "'$BUILD/vmward' --root '$tmp' snapshot list web |
	grep -c root,data | grep -qx 1"
only=$("$BUILD/vmward" --root "$tmp" snapshot list web --json |
	jq -r '.[].name')
ok "rename" does snapshot rename web "$only" second
ok "show tells of it" does snapshot show web second
ok "and of its disks" says "data, $images/web-data.qcow2"
ok "a clone of it copies" does clone web twin
ok "and has the data" sh -c "qemu-img compare -q -f qcow2 -F qcow2 \
	'$images/web-data.qcow2' '$images/twin-data.qcow2'"
ok "the snapshot is still there" snapshot revert web --latest

ok "flatten: it would change the snapshot" sh -c "
	'$BUILD/vmward' --root '$tmp' image flatten web-data.qcow2 2>&1 |
	grep -q 'has snapshots inside'"

# while it runs
memories() { find "$tmp/var/lib/vmward/snapshots/web" -type f | wc -l; }
holds() { "$BUILD/vmward" --root "$tmp" qmp web "$1" | grep -c clone-; }
ok "it runs" does start web --wait
counts web >"$tmp/at"
ok "create, of what runs" snapshot create web --name disks
vmward snapshot create web --name frozen --freeze
ok "with a freeze: its guest has no agent" complains 'has no agent'
ok "then there is none" fails_with 4 snapshot show web frozen
ok "create, with its memory" snapshot create web --name mem --memory
sizes() { "$BUILD/vmward" --root "$tmp" snapshot list web --json |
	jq -c '[.[] | select(.name == "mem" or .name == "disks") |
	."memory-size" > 65536]'; }
ok "the list has the size of that, and of no other" is "$(sizes)" '[false,true]'
ok "it runs on" is_state web running
counts web >"$tmp/next"
counts web >"$tmp/last"
pid=$(pid_of web)
ok "revert in place" snapshot revert web mem
ok "the same QEMU" is "$(pid_of web)" "$pid"
ok "it runs" is_state web running
ok "its disk is as then" is "$(counts web)" "$(cat "$tmp/next")"
ok "revert to one without memory: refused" fails_with 3 \
	snapshot revert web disks --yes
ok "with the way out" complains 'stop the VM, then revert its disks'
ok "QEMU has nothing of it any more" is \
	"$(holds query-named-block-nodes) $(holds query-jobs)" "0 0"
does pause web
ok "create, of what is paused" snapshot create web --name paused --memory
ok "it is paused" is_state web paused
ok "revert: it stays so" snapshot revert web paused
ok "it is paused" is_state web paused
does resume web
ok "delete while it runs" snapshot delete web paused
ok "its memory is gone" is "$(memories)" 1
down
up
ok "a successor" eventually is_state web running
ok "reverts it as well" snapshot revert web mem
traces() # true|false: QEMU tells of its commands
{
	does qmp web trace-event-set-state name=handle_qmp_command "enable=$1"
}
told() { sed '1,/job-dismiss/d' "$logs/web/vm.log" | grep -F -- "$1"; }
traces true
ok "once more" snapshot revert web mem
ok "all of it is tidied up" eventually told remove-fd
ok "bug: a job that is dismissed was waited for" is \
	"$(told remove-fd | wc -l) $(told query-jobs)" "1 "
traces false
ok "its disk is as then" is "$(counts web)" "$(cat "$tmp/next")"
counts web >"$tmp/last"
volume=$(find "$tmp/var/lib/vmward/snapshots/web" -name 'mem.*')
at=$(grep -abo QEVM "$volume" | head -n 1 | cut -d: -f1)
cp "$volume" "$tmp/volume"
printf JUNK | dd of="$volume" bs=1 seek="$at" conv=notrunc 2>/dev/null
ok "a memory that cannot be read: it says so" fails_with 1 \
	snapshot revert web mem --yes
ok "the guest does not go on with other disks" is_state web paused
vmward status web
ok "status tells what happened" says 'its disks were reverted, its memory was'
cp "$tmp/volume" "$volume"
ok "and again" snapshot revert web mem
does resume web
ok "its disk is as then" is "$(counts web)" "$(cat "$tmp/next")"
ok "what changed is told before anything moves" sh -c "
	'$BUILD/vmward' --root '$tmp' disk attach web more size=1M >/dev/null &&
	'$BUILD/vmward' --root '$tmp' snapshot revert web mem --yes 2>&1 |
	grep -q \"disk 'more' is not in the snapshot\""
ok "it runs on" is_state web running
does stop web --now
does unset web disk.more.size
ok "down: its disks are reverted" snapshot revert web disks
ok "they are as then" counted "$(cat "$tmp/next")"
ok "--memory of one that is down: refused" fails_with 3 \
	snapshot create web --memory
ok "delete all" snapshot delete web mem disks second
ok "no memory is left" is "$(memories)" 0
ok "the images are sound" sound web

# a boot sector that says exit to QEMU: mov al,1; mov dx,0x501; out dx,al
qguest loop <<-EOF
[restart]
backoff = 10ms
burst = 1/10min
on-crash-loop = revert:good
[raw]
arg-1 = -device isa-debug-exit,iobase=0x501,iosize=2
EOF
ok "it is known" eventually does show loop
ok "it works" does start loop --wait
ok "it counts" is "$(counts loop)" 0001
does stop loop --now
ok "a snapshot of what works" snapshot create loop --name good
{
	printf '\260\001\272\001\005\356'
	head -c 504 /dev/zero
	printf '\125\252'
} >"$tmp/broken"
qemu-io -f qcow2 -c "write -q -s $tmp/broken 0 512" "$images/loop.qcow2"
does start loop
ok "a disk that makes it crash: it runs" eventually runs_again
ok "on the disk that worked" is "$(counts loop)" 0002
ok "explain tells it" sh -c "'$BUILD/vmward' --root '$tmp' explain loop |
	grep -q \"went back to the snapshot 'good'\""
does stop loop --now
ok "its image is sound" sound loop
plan
