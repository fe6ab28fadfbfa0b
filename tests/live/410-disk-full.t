#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A file system that is full stops the guest; it goes on by itself once there
# is space, and its data are right.
[ -n "${IN_NAMESPACE-}" ] || {
	IN_NAMESPACE=1 exec unshare -m --propagation private "$0" ||
		exit 1
}
# shellcheck source=tests/live/lib.sh
. "$(dirname "$0")/lib.sh"

guest full tcg </dev/null
mkdir "$tmp/small"
mount -t tmpfs -o size=9m tmpfs "$tmp/small" 2>/dev/null ||
	skip_all "no right to mount"
qemu-img create -q -f qcow2 -F raw -b "$images/full.raw" \
	"$tmp/small/full.qcow2"
sed -i "s|^image = .*|image = $tmp/small/full.qcow2\ncache = writeback|" \
	"$vms/full.ini"
is_full() { is "$(state_of full)" paused; }
runs() { is "$(state_of full)" running; }

up
ok "it boots" starts full --wait=ready
dd if=/dev/zero of="$tmp/small/fill" bs=64k 2>/dev/null
types full n >/dev/null
ok "a write without space stops it" eventually is_full
vmward list full
ok "and the list says why" says "disk full: $tmp/small"
vmward explain full
ok "so does explain" says "disk full"
rm "$tmp/small/fill"
ok "with space it goes on by itself" eventually runs
ok "within two seconds" vmward wait full running --timeout 2s
ok "and its write was done" eventually says_after full 0 '^0001$'
ok "the next one counts on" is "$(counts full)" 0002
ok "it stops in order" stops full
leave
umount "$tmp/small"
plan
