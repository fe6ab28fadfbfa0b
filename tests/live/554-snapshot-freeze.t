#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# --freeze with the real agent in a Linux guest: the file system in such a
# snapshot, and in such a backup, is whole without its journal, and has what
# the guest wrote a moment before; without it, it is as after a power cut.
# shellcheck source=tests/live/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/live/lib.sh"
# shellcheck source=tests/live/linux.sh
. "$TOP/tests/live/linux.sh"
for tool in mke2fs dumpe2fs debugfs; do
	[ -x "/sbin/$tool" ] || [ -x "/usr/sbin/$tool" ] || skip_all "no $tool"
done
PATH=$PATH:/sbin:/usr/sbin
target=$tmp/backups

in_guest() { vmward agent exec g "$@" && exits 0; }
# writes TEXT: into a file, which no sync follows
writes() { in_guest sh -c "echo $1 >/mnt/text"; }
# raw FILE: the file system in an image, in $tmp/fs
raw() { qemu-img convert -q -f qcow2 -O raw "$1" "$tmp/fs"; }
needs_journal() { dumpe2fs -h "$tmp/fs" 2>/dev/null | grep -q needs_recovery; }
is_whole() { ! needs_journal; }
holds() { is "$(debugfs -R 'cat /text' "$tmp/fs" 2>/dev/null)" "$1"; }
goes_on() { writes "$1" && in_guest sync; }
exported() # NAME: that snapshot's disk
{
	does snapshot export g "$1" "$tmp/out-$1" && raw "$tmp/out-$1/g-data.qcow2"
}

truncate -s 16M "$tmp/data.raw"
mke2fs -q -t ext4 "$tmp/data.raw"
qemu-img convert -q -f raw -O qcow2 "$tmp/data.raw" "$images/data.qcow2"
linux g <<EOF
[disk.data]
image = data.qcow2
EOF
sed -i 's/^cmdline.*/& nonet nohttp/' "$vms/g.ini"
up
starts g >/dev/null
ok "its agent answers" eventually does agent ping g --wait --timeout 50s
ok "it has a file system" in_guest sh -c \
	'modprobe ext4; modprobe virtio_blk; mkdir -p /mnt &&
	mount -t ext4 /dev/vda /mnt'
writes one
ok "a snapshot, frozen" does snapshot create g --name frozen --freeze
ok "the guest goes on at once" goes_on two
writes three
ok "one that is not" does snapshot create g --name torn
ok "a backup, frozen" does backup create g --target "$target" --name b1 \
	--freeze yes
ok "the guest goes on" goes_on four
ok "the record says so" is "$("$BUILD/vmward" --root "$tmp" --json backup \
	list g --target "$target" | jq -r '.. | .frozen? // empty')" true
ok "without it" exported torn
ok "the file system is as after a power cut" needs_journal
ok "with it" exported frozen
ok "it is whole" is_whole
ok "and has what was written last" holds one
ok "so is the backup" raw "$target/g/b1/data.qcow2"
ok "of the same kind" is_whole
ok "with what was written before it" holds three
does kill g >/dev/null
ok "nothing is left" nothing_left
plan
