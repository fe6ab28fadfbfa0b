#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Whatever a guest or a client does all the time is one line a second in the
# logs, after a burst, and what was left out is counted.
# shellcheck source=tests/t/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/t/daemon.sh
. "$TOP/tests/t/daemon.sh"
log=$tmp/var/log/vmward
lines() { wc -l <"$1"; }
seconds() { cut -d. -f1 </proc/uptime; }

vm web </dev/null
vm quiet </dev/null
scripted resets reset-storm
daemon
began=$(seconds)
for name in web quiet resets; do q vm-start "$name"; done
for _ in $(seq 100); do
	q vm-pause web
	q vm-resume web
done
may=$((60 + $(seconds) - began + 1))
ok "200 changes: not 200 lines" test "$(lines "$log/web/vm.log")" -le "$may"
ok "but those there is room for" test "$(lines "$log/web/vm.log")" -ge 60
ours=$(grep -c 'vm=web .*->' "$daemon_log")
ok "nor in our own log" test "$ours" -le "$may"
ok "a storm of resets says nothing" test "$(lines "$log/resets/vm.log")" -le 10
measure_ms 2100
q vm-pause web
q vm-resume web
ok "then there is room: what was left out is told" grep -qE \
	'running -> paused \([0-9]+ more lines before it were left out\)' \
	"$log/web/vm.log"
q vm-stop quiet
ok "another VM has its lines" grep -q 'stopping -> stopped' \
	"$log/quiet/vm.log"
q vm-explain web
ok "explain works" says 'Policy on-failure'
kill -9 "$(q vm-status web && field pid)"
becomes web running >/dev/null
kill -9 "$(q vm-status web && field pid)"
becomes web running >/dev/null
q vm-explain web
ok "explain: all ends" says 'In all it ended 2 times: qemu-signal 2'
daemon_ends TERM
plan
