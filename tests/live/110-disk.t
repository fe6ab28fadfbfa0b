#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Disks: made at the first start, plugged in and out, thrown away.
# shellcheck source=tests/live/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/live/lib.sh"

has_disk() # NAME DISK
{
	vmward disk list "$1"
	grep -q "^$2 " "$tmp/out"
}

has_no_disk() { ! has_disk "$@"; }

# qemu_has NAME ID: QEMU itself knows the device or the node
qemu_has()
{
	vmward qmp "$1" query-block
	grep -q "\"$2\"" "$tmp/out" && return
	vmward qmp "$1" query-named-block-nodes
	grep -q "\"$2\"" "$tmp/out"
}

qemu_has_not() { ! qemu_has "$@"; }

plugs() # ACCEL
{
	a=$1 v=plug-$1
	guest "$v" "$a" </dev/null
	starts "$v" --wait=ready >/dev/null
	pid=$(pid_of "$v")

	ok "$a: a disk is attached" does disk attach "$v" data size=1M
	ok "$a: it is listed" has_disk "$v" data
	ok "$a: QEMU has it" qemu_has "$v" disk-data
	ok "$a: its image was made" test -s "$images/$v-data.qcow2"
	ok "$a: a second time is refused" \
		fails_with 1 disk attach "$v" data size=1M
	ok "$a: nothing is pending" is "$(of "$v" pending)" 0

	ok "$a: a guest that does not answer keeps it" \
		fails_with 1 disk detach "$v" data --timeout 500ms
	ok "$a: and that is said" complains "does not let disk 'data' go"
	ok "$a: it is there still" has_disk "$v" data
	answers "$v" e '^EJ' >/dev/null
	ok "$a: when the guest lets go it is closed" \
		eventually has_no_disk "$v" data
	ok "$a: by QEMU too" eventually qemu_has_not "$v" disk-data

	ok "$a: and is attached again" does disk attach "$v" data size=1M
	rm -f "$run/$v/priv/unplug"
	(eventually test -e "$run/$v/priv/unplug" && types "$v" e) \
		>/dev/null 2>&1 &
	ok "$a: a guest that answers lets it go at once" \
		does disk detach "$v" data
	wait $!
	ok "$a: it is gone" has_no_disk "$v" data

	ok "$a: attached for this run only" \
		does disk attach "$v" tmp size=1M --runtime
	fails_with 1 disk detach "$v" tmp --timeout 300ms >/dev/null
	from=$(size_of "$logs/$v/console.log")
	does reset "$v" >/dev/null
	ok "$a: a reset completes an unplug" eventually has_no_disk "$v" tmp
	boots_again "$v" "$from"

	does disk attach "$v" kept size=1M >/dev/null
	down
	up
	becomes "$v" running >/dev/null
	ok "$a: a successor knows the attached disk" has_disk "$v" kept
	ok "$a: QEMU is the same" same_pid "$v" "$pid"
	ok "$a: nothing is pending for it" is "$(of "$v" pending)" 0
	ok "$a: it takes another one" does disk attach "$v" more size=1M
	ok "$a: which is there" qemu_has "$v" disk-more
	does restart "$v" >/dev/null
	becomes "$v" running >/dev/null
	ok "$a: after a restart both are there" has_disk "$v" kept
	ok "$a: in QEMU" qemu_has "$v" disk-more
	fails_with 1 disk detach "$v" kept --timeout 300ms >/dev/null
	pid=$(pid_of "$v")
	kill -9 "$pid"
	ok "$a: QEMU dies with an unplug pending and comes back" \
		restarted "$v" "$pid"
	does kill "$v" >/dev/null
}

unplugs_away() # ACCEL: the guest lets go while the supervisor is away
{
	a=$1 v=away-$1
	guest "$v" "$a" </dev/null
	starts "$v" --wait=ready >/dev/null
	does disk attach "$v" data size=1M >/dev/null
	fails_with 1 disk detach "$v" data --timeout 300ms >/dev/null
	ok "$a: an unplug is pending" has_disk "$v" data
	down
	printf e | timeout 10 socat -t0.3 - "UNIX:$run/$v/priv/serial0" \
		>/dev/null
	up
	becomes "$v" running >/dev/null
	ok "$a: unplugged meanwhile: not listed" eventually has_no_disk "$v" data
	ok "$a: nor open in QEMU" eventually qemu_has_not "$v" disk-data
	does kill "$v" >/dev/null
}

images_of() # ACCEL
{
	a=$1
	cat >"$vms/made-$a.ini" <<-EOF
	[vm]
	memory = 8M
	accel = $a
	[disk.root]
	base = base-$a.raw
	[disk.empty]
	size = 2M
	[disk.named]
	image = named-$a.qcow2
	size = 3M
	EOF
	"$TOP/tests/guest/bios/label" "$BUILD/guest/bios.raw" \
		"$images/base-$a.raw" "base-$a"
	sum=$(cksum <"$images/base-$a.raw")
	ok "$a: images are made at the first start" starts "made-$a"
	ok "$a: the guest boots from its base" \
		eventually says_after "made-$a" 0 "^READY base-$a"
	ok "$a: it counts" is "$(counts "made-$a")" 0001
	ok "$a: overlay, empty and named one" test -s "$images/made-$a-root.qcow2" \
		-a -s "$images/made-$a-empty.qcow2" -a -s "$images/named-$a.qcow2"
	ok "$a: the base is as it was" is "$(cksum <"$images/base-$a.raw")" "$sum"
	does kill "made-$a" >/dev/null
	from=$(size_of "$logs/made-$a/console.log")
	starts "made-$a" >/dev/null
	eventually says_after "made-$a" "$from" "^READY base-$a"
	ok "$a: what it wrote stays" is "$(counts "made-$a")" 0002
	does kill "made-$a" >/dev/null
}

throw_away() # ACCEL
{
	a=$1
	cat >"$vms/ci$a@.ini" <<-EOF
	[vm]
	memory = 8M
	accel = $a
	ephemeral = yes
	[disk.root]
	base = base-$a.raw
	[start]
	ready = serial:READY
	[stop]
	steps = quit:2s, kill
	[restart]
	policy = no
	EOF
	ls "$images" >"$tmp/before"
	ok "$a: an instance comes into being" starts "ci$a@1" --wait=ready
	ok "$a: and another one" starts "ci$a@two" --wait=ready
	ok "$a: both run" is "$(qemus "guest=ci$a@" | wc -l)" 2
	ok "$a: each counts for itself" is \
		"$(counts "ci$a@1") $(counts "ci$a@two")" "0001 0001"
	ok "$a: it stops" stops "ci$a@1"
	ok "$a: and is forgotten" eventually is_forgotten "ci$a@1"
	pid=$(pid_of "ci$a@two")
	down
	kill -9 "$pid"
	is_gone "$pid"
	up
	ok "$a: one that died while nobody watched is, too" \
		eventually is_forgotten "ci$a@two"
	ls "$images" >"$tmp/after"
	ok "$a: their disks are gone" diff "$tmp/before" "$tmp/after"
	ok "$a: the base is as it was" is "$(cksum <"$images/base-$a.raw")" "$sum"
}

is_forgotten() # NAME
{
	vmward list --names
	! grep -qx "$1" "$tmp/out"
}

up
for accel in $(accelerators); do
	plugs "$accel"
	unplugs_away "$accel"
	images_of "$accel"
	throw_away "$accel"
done
ok "nothing is left" nothing_left
plan
