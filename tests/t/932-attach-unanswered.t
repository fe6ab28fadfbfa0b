#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A disk that QEMU did not answer for in time: what QEMU does of it later is
# taken back, its image too.  (It once left a block node behind.)
# shellcheck source=tests/t/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/t/daemon.sh
. "$TOP/tests/t/daemon.sh"
TALK_MS=40000
export TALK_MS

scripted node silent-blockdev
scripted device silent-device
scripted cancel silent-blockdev
daemon
for name in node device cancel; do
	q vm-start $name
	pid=$(pid_of $name)
	eval "pid_of_$name=\$pid"
done
for name in node device; do
	attach="{\"vm\":\"$name\",\"disk\":\"data\",\"pairs\":{\"size\":\"1M\"}}"
	background "$name" qmp \
		">{\"execute\":\"vm-disk-attach\",\"arguments\":$attach}" '<"error"'
done
attach='{"vm":"cancel","disk":"data","pairs":{"size":"1M"}}'
ok "one is cancelled meanwhile" talk "$control" events \
	">{\"execute\":\"vm-disk-attach\",\"arguments\":$attach,\"id\":\"a\"}" \
	'?"kind":"disk-attach"' \
	'>{"execute":"job-cancel","arguments":{"request":"a"},"id":"c"}' \
	'?"id":"a"'
ok "so the answer says" says CANCELLED
for name in node device; do
	ok "$name: it was not done in time" ended "$name"
	ok "$name: so the answer says" grep -q '"code":"TIMEOUT"' "$tmp/$name.out"
	ok "$name: what QEMU does later is taken back" \
		wait_for "$tmp/var/log/vmward/$name/vm.log" 'was taken back'
	q vm-disk-list $name
	ok "$name: no such disk" sh -c "! grep -q '\"data\"' '$tmp/out'"
	ok "$name: and no image" sh -c \
		"! test -e '$tmp/var/lib/vmward/images/$name-data.qcow2'"
	eval "pid=\$pid_of_$name"
	ok "$name: it runs on" is "$(pid_of $name)" "$pid"
	ok "$name: another attach is not in the way" \
		q vm-disk-attach $name disk=data 'pairs:{"size":"1M"}'
done
plan
