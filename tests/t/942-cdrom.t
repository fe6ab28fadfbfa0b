#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# cdrom insert and eject: QEMU's order, a tray that stays shut, a disc that
# QEMU refuses; of a VM that is down only the file.
# shellcheck source=tests/t/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/t/daemon.sh
. "$TOP/tests/t/daemon.sh"
printf 'a disc' >"$tmp/one.iso"
file=$vms/web.ini.d/50-vmward.ini

cat >"$tmp/tray.qmp" <<'EOS'
? {"execute": "blockdev-open-tray"}
< {"return": {}, "id": $ID}
? {"execute": "blockdev-remove-medium"}
< {"error": {"class": "GenericError", "desc": "Tray of device 'cdrom-a' is not open"}, "id": $ID}
? {"execute": "blockdev-remove-medium"}
< {"error": {"class": "GenericError", "desc": "Tray of device 'cdrom-a' is not open"}, "id": $ID}
= loop
EOS
vm web <<EOS
[cdrom.a]
[raw]
arg-1 = -D $tmp/tray.qmp
EOS
daemon
vmward cdrom insert web a "$tmp/one.iso"
ok "stopped: the file alone" exits 0
ok "says so" grep -qx "image = $tmp/one.iso" "$file"
vmward cdrom eject web a
ok "and eject" exits 0
ok "leaves nothing in it" grep -qx "image = *" "$file"
vmward cdrom insert web a "$tmp/one.iso" --runtime
ok "what does not run has no disc for now: exit 3" exits 3
vmward cdrom insert web a ''
ok "no image: exit 2" exits 2
vmward cdrom insert web
ok "no drive: exit 2" exits 2
vmward start web
ok "it runs" becomes web running
vmward -n cdrom insert web a "$tmp/one.iso"
ok "a dry run changes nothing" grep -qx "image = *" "$file"
vmward cdrom insert web a "$tmp/one.iso" --timeout 10ms
ok "a tray that the guest keeps shut: exit 1" exits 1
ok "which says what to do" complains 'say --force'
ok "of which drive" complains "cdrom 'a'"
ok "and the file is as it was" grep -qx "image = *" "$file"

# bad NAME TEXT: check refuses the file on stdin, naming what is wrong
bad()
{
	cat >"$tmp/bad.ini"
	vmward check "$tmp/bad.ini"
	ok "bad: $1" exits 1
	ok "bad: $1: it is said" says_or_complains "$2"
}
says_or_complains() { cat "$tmp/out" "$tmp/err" | grep -qF -- "$1"; }
bad "a bus of disks" 'a CD-ROM drive is on sata or scsi' <<EOS
[disk.root]
size = 1M
[cdrom.a]
bus = nvme
EOS
bad "a name that a disk has" '[disk.a] has that name already' <<EOS
[disk.a]
size = 1M
[cdrom.a]
EOS
bad "microvm has no sata" 'microvm has only bus = scsi' <<EOS
[vm]
machine = microvm
[disk.root]
size = 1M
[cdrom.a]
EOS
bad "an empty drive alone" 'nothing to boot' <<EOS
[cdrom.a]
EOS
bad "a disc that is not there" 'gone.iso' <<EOS
[disk.root]
size = 1M
[cdrom.a]
image = $tmp/gone.iso
EOS
bad "a place in the boot order twice" '1 is also the place of' <<EOS
[disk.root]
size = 1M
boot = 1
[cdrom.a]
boot = 1
EOS
plan
