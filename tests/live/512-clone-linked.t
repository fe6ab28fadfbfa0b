#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A linked clone of a VM that runs: its images become bases at one instant,
# its guest writes on above them; a death of either side leaves the old state
# or the new one.  And one of a VM that has run before.
# shellcheck source=tests/live/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/live/lib.sh"
command -v qemu-img >/dev/null || skip_all "no qemu-img"

journal=$tmp/var/lib/vmward/deleting
qimage one one-root
qemu-img create -q -f qcow2 "$images/data.qcow2" 1M
cat >"$vms/one.ini" <<'EOS'
[vm]
memory = 8M
accel = tcg
[disk.root]
size = 1M
[disk.data]
image = data.qcow2
[start]
ready = serial:READY
EOS
refuses() # TEXT ARG...
{
	text=$1
	shift
	vmward "$@"
	[ "$status" != 0 ] && complains "$text"
}
backing() { qemu-img info -U --output=json "$1" | jq -r '.["backing-filename"]'; }
top() # DISK: the node that its device is on
{
	vmward qmp one query-block
	jq -r --arg d "/machine/peripheral/disk-$1/" \
		'.. | objects | select((.qdev? // "") | startswith($d)) |
		.inserted["node-name"]' "$tmp/out"
}
depth() # DISK: images of it, as recorded
{
	grep -c "^$1 " "$tmp/var/lib/vmward/chains/one"
}
no_trace() # NAME
{
	[ ! -e "$vms/$1.ini" ] && is "$(find "$images" -name "$1-*")" '' &&
		is "$(ls "$journal" 2>/dev/null)" ''
}
up
starts one --wait=ready
pid=$(pid_of one)
counts one >/dev/null
vmward --dry-run clone one two
ok "--dry-run tells" says "make a base of what one has open"
ok "cloned while it runs" does clone one two
ok "nothing was copied" sh -c "! grep copied '$tmp/err'"
ok "the same QEMU" same_pid one "$pid"
ok "the guest counts on" is "$(counts one)" 0002
base=$(backing "$images/two-root.qcow2")
ok "both are on one base" is "$(backing "$images/one-root.qcow2")" "$base"
ok "so is the other disk" is "$(backing "$images/data.qcow2")" \
	"$(backing "$images/two-data.qcow2")"
ok "QEMU writes above it" is "$(top root)" disk-root.s1
ok "that is recorded" is "$(depth root)" 2
ok "nothing is left to do" is "$(ls "$journal")" ''
ok "the base is protected" refuses "needed by" image delete "$base" -y
ok "from being written too" refuses "needed by" image resize "$base" 2M
ok "the clone starts beside it" starts two --wait=ready
ok "from the instant" is "$(counts two)" 0002
ok "each for itself" is "$(counts one)" 0003
ok "the running disk grows" does disk resize one root 2M
ok "and is cloned whole" does clone one copy --full
ok "on nothing" is "$(backing "$images/copy-root.qcow2")" null
does kill two -y >/dev/null
does pause one >/dev/null
ok "a second clone" does clone one three
does resume one >/dev/null
ok "QEMU writes above both" is "$(top root)" disk-root.s2
ok "three layers are recorded" is "$(depth root)" 3
down
up
becomes one running >/dev/null
ok "a successor has the same QEMU" same_pid one "$pid"
ok "and knows its layers" does clone one four
ok "of which there are three" is "$(top root)" disk-root.s3
does disk detach one data --runtime --timeout 300ms >/dev/null
types one e >/dev/null
no_data() { vmward qmp one query-named-block-nodes && ! says disk-data; }
ok "the other disk is let go with all its images" eventually no_data
no_sets() { vmward qmp one query-fdsets && ! says disk-data; }
ok "and descriptors" eventually no_sets
was=$(counts one)
stops one
ok "it starts again on all of them" starts one --wait=ready
ok "with what it wrote" is "$(counts one)" "$(printf %04d "$((1$was - 9999))")"
ok "by plain names" is "$(top root)" disk-root
ok "check finds no mistake" does check one two three four copy
pid=$(pid_of one)

# ---- what cannot be, is not ----

before=$(ls "$images")
: >"$images/five-data.qcow2"
ok "an image is there already: refused" refuses "five-data.qcow2" clone one five
rm "$images/five-data.qcow2"
ok "nothing is left of that" no_trace five
ok "nothing else changed" is "$(ls "$images")" "$before"
ok "the guest runs on" same_pid one "$pid"
ok "a rate means copies" does clone one five --rate 100M
ok "without a base" is "$(backing "$images/five-root.qcow2")" null
printf '[disk.raw]\nimage = raw.raw\nsize = 1M\n' >>"$vms/one.ini"
stops one
starts one --wait=ready
ok "beside a raw disk all are copied" does clone one six
ok "and that is said" complains "all its disks are copied"
ok "with no base more" is "$(backing "$images/six-root.qcow2")" null

# ---- of one that was up before ----

stops one
ok "it is down, and cloned" does clone one seven
ok "it starts again" starts one --wait=ready
ok "so does the clone" starts seven --wait=ready
leave
plan
