#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# install: a VM boots from a disc that its file does not know, has a display
# meanwhile, and its guest's first reboot is from its own disk.
# shellcheck source=tests/live/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/live/lib.sh"
command -v xorriso >/dev/null || skip_all "no xorriso"

# the disc: the guest as El Torito loads it, all four sectors; what it reads
# itself, three sectors from the second on, is of a CD's size
mkdir "$tmp/disc"
"$TOP/tests/guest/bios/label" "$BUILD/guest/bios.raw" "$tmp/disc/boot.img" disc
truncate -s 2048 "$tmp/disc/boot.img"
truncate -s 32768 "$tmp/system"
dd if="$tmp/disc/boot.img" of="$tmp/system" bs=512 skip=1 seek=4 count=3 \
	conv=notrunc 2>/dev/null
xorriso -as mkisofs -quiet -G "$tmp/system" -b boot.img -no-emul-boot \
	-boot-load-size 4 -o "$tmp/the disc.iso" "$tmp/disc" 2>/dev/null ||
	skip_all "xorriso makes no disc"
iso="$tmp/the disc.iso"
cp "$iso" "$tmp/again"
"$TOP/tests/guest/bios/label" "$BUILD/guest/bios.raw" "$images/own.raw" own
has_disc() # NAME: QEMU has it
{
	tr '\0' '\n' <"/proc/$(pid_of "$1")/cmdline" >"$tmp/words"
	grep -q '"ide-cd"' "$tmp/words" && grep -q '^-vnc' "$tmp/words"
}
has_none() { ! has_disc "$1"; }
boots_from() { eventually says_after "$1" "${3:-0}" "^READY $2"; } # NAME LABEL
size() { size_of "$logs/$1/console.log"; }
# sees_vnc NAME: a VNC server greets
sees_vnc()
{
	timeout 10 socat -u "UNIX:$run/$1/priv/vnc" - 2>/dev/null |
		head -c 3 | grep -q RFB
}
refuses() # STATUS TEXT ARG...
{
	want=$1 text=$2
	shift 2
	before=$(ls "$vms")
	vmward "$@"
	exits "$want" && complains "$text" && is "$(wc -l <"$tmp/err")" 1 &&
		is "$(ls "$vms")" "$before"
}

up
ok "install makes it and starts it" does install one --cdrom "$iso" \
	--image own.raw --memory 8M vm.accel=tcg
ok "from the disc" boots_from one disc
ok "its file knows nothing of that" sh -c "! grep -i cdrom '$vms/one.ini'"
ok "nothing of it is pending" is "$(of one pending)" 0
ok "it has a drive and a display" has_disc one
ok "which can be looked at" eventually sees_vnc one
pid=$(pid_of one)
from=$(size one)
types one r >/dev/null
ok "its first reboot is from its own disk" boots_from one own "$from"
ok "by another QEMU" test "$(pid_of one)" != "$pid"
ok "without the disc" has_none one
from=$(size one)
does reset one >/dev/null
ok "a reset comes to the same" boots_from one own "$from"
stops one

ok "start --cdrom, once more" does start one --cdrom "$iso"
ok "from the disc" boots_from one disc
pid=$(pid_of one)
down
up
becomes one running >/dev/null
ok "a successor has the same QEMU" same_pid one "$pid"
from=$(size one)
types one r >/dev/null
ok "and knows what its reboot means" boots_from one own "$from"
ok "without the disc" has_none one
stops one
# the descriptor is the client's own: no name of it leads the supervisor there
from=$(size one)
mv "$iso" "$tmp/hidden"
ok "what the client has open is the disc" does start one --cdrom /dev/fd/9 \
	9<"$tmp/hidden"
ok "and boots" boots_from one disc "$from"
rm "$tmp/hidden"
pid=$(pid_of one)
from=$(size one)
kill -9 "$pid"
ok "one that fails is tried again with its disc, which has no name now" \
	boots_from one disc "$from"
cp "$tmp/again" "$iso"
ok "install of one that is there" does kill one
ok "only starts it" does install one --cdrom "$iso"
ok "from the disc" boots_from one disc
from=$(size one)
types one p >/dev/null
ok "it powers off" becomes one stopped
ok "the next start is without" starts one
ok "from its own disk" boots_from one own "$from"
does kill one >/dev/null

ok "refused: two at once" refuses 2 "one VM at a time" start one two \
	--cdrom "$iso"
ok "refused: no disc" refuses 4 "no file" install two --cdrom none.iso \
	--size 1M
ok "refused: none said" refuses 2 "say --cdrom" install two --size 1M
ok "refused: a directory" refuses 1 "neither a file" install two --cdrom \
	"$tmp" --size 1M
ok "refused: it is there, and something is said of it" refuses 1 "exists" \
	install one --cdrom "$iso" --size 1M
printf '[vm]\nmachine = microvm\n[disk.root]\nimage = own.raw\n' \
	>"$vms/micro.ini"
ok "refused: no drive there" refuses 1 "no CD-ROM drives" start micro \
	--cdrom "$iso"
ok "refused: no file there" refuses 4 "no file" start one --cdrom \
	"$tmp/none"
leave
ok "nothing is left" nothing_left
plan
