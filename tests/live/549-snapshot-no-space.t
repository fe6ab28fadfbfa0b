#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Snapshots where space runs out, in the images and in the state directory:
# each operation is done or says that it is not; then guest, disks and list
# are as before, and all works once there is space again.
# shellcheck source=tests/live/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/live/lib.sh"
state=$tmp/var/lib/vmward/snapshots
mkdir -p "$state"
mount -t tmpfs -o size=6m none "$images" 2>/dev/null ||
	skip_all "a small file system cannot be mounted here"
mount -t tmpfs -o size=4m none "$state"
end_space()
{
	for pid in $vmwardd_pid $(qemus "$tmp"); do
		kill -9 "$pid" 2>/dev/null
	done
	umount -l "$images" "$state"
	end_live
}
trap end_space EXIT

fill() # DIRECTORY: until there is nothing left
{
	for bs in 65536 512; do
		dd if=/dev/urandom bs=$bs 2>/dev/null >>"$1/fill"
	done
	[ "$(stat -f -c %a "$1")" -eq 0 ]
}
empty() { rm "$1/fill"; }
names()
{
	"$BUILD/vmward" --root "$tmp" snapshot list web --json |
		jq -r '.[].name' | tr '\n' ' '
}
refuses() # VERB...: it fails, and nothing is another
{
	before="$(names)$(inside)"
	vmward snapshot "$@"
	[ "$status" -ne 0 ] && is "$(names)$(inside)" "$before" &&
		grep -qE 'No space|MiB left|left, ' "$tmp/err"
}
inside() { qemu-img snapshot -U -l "$images/web.qcow2" | grep -c '^[0-9]'; }
volumes() { find "$state" -name '*.qcow2' | wc -l; }
runs_on()
{
	is_state web running && counts web >"$tmp/at"
}
sound() { qemu-img check -q -f qcow2 "$images/web.qcow2"; }

qimage web
cat >"$vms/web.ini" <<-EOF
[vm]
memory = 8M
accel = tcg
[disk.root]
image = web.qcow2
[start]
ready = serial:READY
EOF
up
ok "it runs" does start web --wait
ok "a snapshot" does snapshot create web --name one
ok "it writes" runs_on

ok "the images are full" fill "$images"
ok "create: it says so" refuses create web --name two
ok "with memory: as well" refuses create web --name two --memory
ok "no memory is left" is "$(volumes)" 0
ok "the guest runs on" runs_on
empty "$images"
ok "with space again it can" does snapshot create web --name two
ok "and the guest runs on" runs_on

ok "no space for the memory" fill "$state"
ok "create with memory: it says so" refuses create web --name three --memory
ok "create without it: the list cannot be written" refuses create web \
	--name three
ok "rename: the same" refuses rename web two other
ok "delete: the same" refuses delete web two --yes
ok "the guest runs on" runs_on
empty "$state"
ok "with space again: delete" does snapshot delete web two --yes
ok "the guest runs on" runs_on

does stop web --now
at=$(cat "$tmp/at")
ok "down, and the images are full" fill "$images"
ok "create: it says so" refuses create web --name two
ok "revert: it says so" refuses revert web one --yes
empty "$images"
ok "the image is sound" sound
ok "it starts" does start web --wait
ok "where it was" is "$((0x$(counts web)))" "$((0x$at + 1))"
does stop web --now
ok "revert, with space again" does snapshot revert web one --yes
ok "delete" does snapshot delete web one --yes
ok "the image is sound" sound
ok "and empty of them" is "$(inside)" 0
plan
