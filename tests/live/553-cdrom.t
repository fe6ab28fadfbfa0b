#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# [cdrom.N]: a disc goes in and out while the VM runs, by hand and by its
# file; a guest that has it open keeps the tray shut, and that is said.
# shellcheck source=tests/live/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/live/lib.sh"
truncate -s 64K "$tmp/one.iso"
truncate -s 128K "$tmp/two.iso"
printf 'the first disc' | dd of="$tmp/one.iso" conv=notrunc 2>/dev/null
printf 'the second disc' | dd of="$tmp/two.iso" conv=notrunc 2>/dev/null
ours=$vms/bios.ini.d/50-vmward.ini
own=$vms/bios.ini.d/60-own.ini

# drive NAME EXPRESSION: of what QEMU says of its drive
drive()
{
	vmward --json qmp "$1" query-block
	jq -r ".. | objects | select((.qdev? // \"\") | test(\"cdrom-a\")) |
		$2" "$tmp/out"
}
in_drive() { drive "$1" '.inserted."node-name" // "none"'; }
tray() { drive "$1" .tray_open; }
count() # NAME COMMAND MEMBER: how many objects of the answer have it
{
	vmward --json qmp "$1" "$2"
	jq "[.. | objects | select(has(\"$3\"))] | length" "$tmp/out"
}
sets() { count "$1" query-fdsets fdset-id; }
nodes() { count "$1" query-named-block-nodes node-name; }
# has_image NAME IMAGE
has_image() { is "$(of "$1" 'cdroms[0].image')" "$2"; }

# ---- an empty drive, a BIOS guest ----

guest bios tcg <<-END
[cdrom.a]
[cdrom.other]
bus = scsi
image = $tmp/two.iso
END
up
ok "a VM with an empty drive starts" starts bios
ok "the drive is empty" is "$(in_drive bios)" none
ok "nothing drifts" does drift bios
few=$(nodes bios) one=$(sets bios)
ok "a disc goes in" does cdrom insert bios a "$tmp/one.iso"
ok "QEMU has it" is "$(in_drive bios)" disk-a
ok "the tray is shut" is "$(tray bios)" false
ok "status says so" has_image bios "$tmp/one.iso"
ok "and the file" grep -qx "image = $tmp/one.iso" "$ours"
ok "nothing is pending" is "$(of bios pending)" 0
ok "nothing drifts with it" does drift bios
does disk list bios >/dev/null
ok "it is no disk" sh -c "! grep -q one.iso '$tmp/out'"
ok "another one takes its place" does cdrom insert bios a "$tmp/two.iso"
ok "status names that" has_image bios "$tmp/two.iso"
ok "the first one was closed" is "$(sets bios)" "$((one + 1))"
ok "a disc that is not there changes nothing" \
	fails_with 4 cdrom insert bios a "$tmp/none.iso"
ok "which is said with its path" complains "$tmp/none.iso"
ok "the second is still in" is "$(in_drive bios)" disk-a
ok "and open" has_image bios "$tmp/two.iso"
ok "no such drive: exit 4" fails_with 4 cdrom insert bios b "$tmp/one.iso"
ok "it is named" complains "no CD-ROM drive 'b'"
ok "a drive is no disk to be detached" fails_with 1 disk detach bios a
ok "which says what to do" complains 'vmward cdrom insert and eject'
ok "nor is its name free for one" \
	fails_with 1 disk attach bios a size=1M

down
up
becomes bios running >/dev/null
ok "a successor knows the disc" has_image bios "$tmp/two.iso"
ok "and takes it out" does cdrom eject bios a
ok "the drive is empty again" is "$(in_drive bios)" none
ok "its image was closed" is "$(sets bios)" "$one"
ok "and its nodes" is "$(nodes bios)" "$few"
ok "an empty one is ejected without complaint" does cdrom eject bios a
ok "a disc for this life only" \
	does cdrom insert bios a "$tmp/one.iso" --runtime
ok "is a difference" is "$(of bios pending)" 1
ok "which apply takes back" does apply bios
ok "the drive is empty by its file" is "$(in_drive bios)" none

# ---- a VM that is saved ----

ok "a disc goes in" does cdrom insert bios a "$tmp/one.iso"
ok "it moves into a new QEMU with it" does refresh bios
ok "which has it" is "$(in_drive bios)" disk-a
ok "it is saved with it" does save bios
ok "and restored" does restore bios
ok "with the disc in its drive" is "$(in_drive bios)" disk-a
ok "nothing drifts after that" does drift bios
ok "which it gives out" does cdrom eject bios a

# ---- by the file ----

printf '[cdrom.a]\nimage = %s\n' "$tmp/two.iso" >"$own"
ok "plan: a disc is changed" does plan bios
ok "by its key" says '[cdrom.a] image'
ok "now" says 'now, by vmward apply'
ok "apply puts it in" does apply bios
ok "it is in" has_image bios "$tmp/two.iso"
ok "nothing drifts after that" does drift bios
printf '[cdrom.a]\nimage = %s\n' "$tmp/gone.iso" >"$own"
ok "a disc that is not there fails apply" fails_with 4 apply bios
ok "which names it" complains gone.iso
ok "the one that was in is in" is "$(in_drive bios)" disk-a
printf '[cdrom.b]\n' >"$own"
ok "another drive waits" does plan bios
ok "for a start" says 'a CD-ROM drive comes and goes with a start only'
rm "$own"
does kill bios >/dev/null
becomes bios stopped >/dev/null
ok "stopped: the file alone is changed" does cdrom insert bios a "$tmp/one.iso"
ok "the next start has it" starts bios
ok "it is in the drive" is "$(in_drive bios)" disk-a
does kill bios >/dev/null

# ---- a guest that looks ----

# looks ANSWER COMMAND: Linux says that when it is asked
looks()
{
	answers look "$2
" "$1"
}

if [ -e "$BUILD/guest/vmlinuz" ]; then
	# shellcheck source=tests/live/linux.sh
	. "$TOP/tests/live/linux.sh"
	linux look <<-END
	[start]
	ready = serial:^READY up=
	[cdrom.a]
	bus = scsi
	image = $tmp/one.iso
	END
	from=0
	starts look
	ok "look: Linux starts" boots look
	ok "look: it reads the disc" looks 'the first disc' 'head -c 14 /dev/sr0'
	ok "look: another one goes in" does cdrom insert look a "$tmp/two.iso"
	ok "look: it reads that" looks 'the second disc' 'head -c 15 /dev/sr0'
	ok "look: it holds the disc" looks held=0 \
		'(exec 7</dev/sr0; echo held=$?; exec sleep 6000) &'
	ok "look: then the tray is shut" \
		fails_with 1 cdrom eject look a --timeout 1s
	ok "look: which is said" complains 'keeps the tray shut'
	ok "look: the disc is in" is "$(in_drive look)" disk-a
	ok "look: it lets the disc go" looks free=0 \
		'killall sleep; while pidof sleep >/dev/null; do :; done; echo free=$?'
	ok "look: then it goes" does cdrom eject look a
	ok "look: the guest has none" looks rc=1 'head -c 1 /dev/sr0; echo rc=$?'
	does kill look >/dev/null
fi
ok "nothing is left" nothing_left
plan
