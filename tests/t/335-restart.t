#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What follows the end of a QEMU: at once, back-off, failed.
# shellcheck source=tests/t/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/t/daemon.sh
. "$TOP/tests/t/daemon.sh"

# crash NAME: QEMU dies, and that was seen
crash()
{
	q vm-status "$1"
	background seen events '?"event":"VM_ENDED"'
	wait_for "$tmp/seen.out" '{"return":{}}'
	kill -9 "$(q vm-status "$1" && field pid)"
	ended seen
}

vm web </dev/null
printf '[restart]\nbackoff = 100ms\nburst = 2/10min\n' | vm frail
printf '[restart]\npolicy = always\n' | vm always
printf '[restart]\npolicy = no\n' | vm never
daemon
for name in web frail always never; do q vm-start "$name"; done

pid=$(pid_of web)
crash web
ok "the first crash: running again" becomes web running
ok "the first crash: another QEMU" test "$(pid_of web)" != "$pid"
q vm-status web
ok "the first crash: counted" is "$(field restarts)" 1
ok "the first crash: the cause" is "$(field cause)" qemu-signal
ok "the first crash: restarted within 100 ms" test "$(field restart_us)" \
	-lt 100000
crash web
ok "the second crash: waits" state_is web waiting
ok "the second crash: says for how long" says '"next_try":0.'
ok "waiting: start does not wait" q vm-start web
ok "waiting: it runs" state_is web running
crash web
crashed=$(q vm-status web && field state)
ok "after a start by hand: not running" test "$crashed" != running
ok "waiting: stop ends it" q vm-stop web
ok "waiting: stopped" state_is web stopped

crash frail
ok "burst: 1 of 2" becomes frail running
crash frail
ok "burst: 2 of 2, after its back-off" becomes frail running
crash frail
ok "burst: used up" becomes frail failed
q vm-list failed:true
ok "failed: listed" says '"name":"frail"'
daemon_ends TERM
daemon
ok "failed: also after our own restart" state_is frail failed
ok "failed: reset-failed" q vm-reset-failed frail
ok "failed: then stopped" state_is frail stopped
q vm-start frail
for _ in 1 2; do
	crash frail
	becomes frail running
done >/dev/null
crash frail
ok "failed again" becomes frail failed
ok "failed: a start by hand" q vm-start frail
ok "failed: it runs" state_is frail running

pid=$(pid_of always)
background off events '?"event":"VM_ENDED"'
wait_for "$tmp/off.out" '{"return":{}}'
q vm-qmp always execute=system_powerdown
ok "policy = always: the guest powers off" ended off
ok "policy = always: it comes again" becomes always running
ok "policy = always: in another QEMU" test "$(pid_of always)" != "$pid"
ok "policy = always: a stop holds" q vm-stop always
ok "policy = always: stopped" state_is always stopped
q vm-qmp frail execute=system_powerdown
ok "policy = on-failure: a guest may power off" becomes frail stopped
ok "the cause" sh -c "'$tmp/bin/talk' '$control' qmp \
	'>{\"execute\":\"vm-status\",\"arguments\":{\"vm\":\"frail\"}}' \
	'<\"cause\":\"guest-poweroff\"'"
crash never
ok "policy = no: stays down" state_is never stopped
scripted panics panic
printf '[restart]\nburst = 1/10min\n' >>"$vms/panics.ini"
q vm-start panics
ok "a panic is a failure" becomes panics failed
q vm-status panics
ok "a panic is called one" is "$(field cause)" panic
daemon_ends TERM
plan
