#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# clone of a VM that is running: all its disks as of one instant, while the
# guest writes on; a failure, a cancel and a death leave the old state, in
# QEMU as well.
# shellcheck source=tests/live/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/live/lib.sh"
command -v qemu-img >/dev/null || skip_all "no qemu-img"

journal=$tmp/var/lib/vmward/deleting
"$TOP/tests/guest/bios/label" "$BUILD/guest/bios.raw" "$tmp/one.raw" one
qemu-img create -q -f raw "$tmp/one.raw" 1M
"$TOP/tests/guest/bios/label" "$BUILD/guest/bios.raw" "$tmp/label.raw" one
dd if="$tmp/label.raw" of="$tmp/one.raw" conv=notrunc 2>/dev/null
qemu-img convert -q -f raw -O qcow2 "$tmp/one.raw" "$images/base.qcow2"
head -c 8M /dev/urandom >"$images/data.raw"
cat >"$vms/one.ini" <<'EOS'
[vm]
memory = 8M
accel = tcg
[disk.root]
base = base.qcow2
[disk.data]
image = data.raw
[start]
ready = serial:READY
EOS
sum=$(sha256sum <"$images/data.raw")
up
starts one --wait=ready
pid=$(pid_of one)
counts one >/dev/null

begin() # NAME ARG...: the clone, in the background; its job in $job
{
	clone=$1
	shift
	from=$(last_event)
	"$BUILD/vmward" --root "$tmp" --no-block clone one "$clone" "$@" \
		>"$tmp/job" 2>"$tmp/err" || return
	job=$(grep -oE 'j[0-9]+' "$tmp/job")
}
last_event()
{
	vmward events --since 0 --no-follow --json
	jq -s 'map(.seq) | max // 0' "$tmp/out"
}
has_phase() # PHASE: the job got there
{
	vmward --json jobs list
	jq -e --arg p "$1" '.. | objects | select(.phase? == $p)' \
		"$tmp/out" >/dev/null
}
in_qemu() # nothing of a clone is in QEMU
{
	vmward qmp one query-jobs && ! says clone- &&
		vmward qmp one query-named-block-nodes && ! says clone- &&
		vmward qmp one query-fdsets && ! says clone-
}
no_trace() # NAME: as if it had never been begun
{
	[ ! -e "$vms/$1.ini" ] && is "$(find "$images" -name "$1-*")" '' &&
		is "$(ls "$journal" 2>/dev/null)" ''
}
content() { sha256sum <"$1"; }

# ---- while the guest writes ----

ok "it begins" begin two --rate 2M
ok "QEMU copies" eventually has_phase copying
ok "the guest counts on" is "$(counts one)" 0002
ok "and on" is "$(counts one)" 0003
ok "the copy is not ready so far" test ! -e "$vms/two.ini"
is_there() { test -e "$vms/two.ini"; }
ok "then it is" eventually is_there
idle() { vmward --json jobs list && ! says clone; }
ok "and its job ends" eventually idle
ok "QEMU has nothing of it" in_qemu
ok "the old one runs on, the same QEMU" same_pid one "$pid"
ok "and counts on" is "$(counts one)" 0004
ok "the copy is whole" qemu-img check -q -f qcow2 "$images/two-root.qcow2"
ok "on nothing" is "$(qemu-img info --output=json "$images/two-root.qcow2" |
	jq -r '.["backing-filename"]')" null
ok "the other disk is the same" is "$(content "$images/two-data.raw")" "$sum"
ok "the new one starts beside it" starts two --wait=ready
ok "from the instant of its copy" is "$(counts two)" 0002
ok "another machine" test "$(of one uuid)" != "$(of two uuid)"
does kill two -y >/dev/null

vmward clone one three
ok "another one, waited for" exits 0
ok "what it is is said" complains "at one instant"
ok "QEMU has nothing of that either" in_qemu
ok "paused as well" does pause one
ok "cloned" does clone one four
ok "it is paused still" is_state one paused
ok "resumed" does resume one

# ---- cancelled, failed, dead ----

ok "a slow one" begin slow --rate 1M
ok "copies" eventually has_phase copying
ok "is cancelled" does jobs cancel "$job"
gone() { no_trace "$1" && in_qemu; }
ok "and leaves nothing" eventually gone slow
: >"$images/taken-data.raw"
vmward clone one taken
ok "an image is there already: refused" complains "taken-data.raw"
rm "$images/taken-data.raw"
ok "nothing is left of that" gone taken
for at in begun copying; do
	ok "$at: one more" begin dead --rate 1M
	[ "$at" = begun ] || eventually has_phase copying
	down
	up
	becomes one running >/dev/null
	ok "$at: dead, and nothing is left" eventually gone dead
	ok "$at: the guest runs on" same_pid one "$pid"
done
was=$(counts one)
ok "it counts" test -n "$was"
ok "its QEMU dies in the middle" begin killed --rate 1M
ok "of copying" eventually has_phase copying
kill -9 "$pid"
ok "nothing is left of the copy" eventually no_trace killed
ok "it was started again" restarted one "$pid"
ok "and counts on" is "$(counts one)" "$(printf %04d "$((1$was - 9999))")"
vmward clone one five
ok "one is cloned again" exits 0
stops one
ok "all is left as it was" does check one two three four five
plan
