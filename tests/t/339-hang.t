#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# [restart] hang-after: a QEMU that does not answer is told of, and killed
# only where that was asked for.
# shellcheck source=tests/t/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/t/daemon.sh
. "$TOP/tests/t/daemon.sh"

printf '[restart]\nhang-after = 1s\n' | vm told
printf '[restart]\nhang-after = 1s\nhang = restart\n' | vm acted
vm unseen </dev/null
daemon

# hangs NAME: its QEMU stands still
hangs()
{
	q vm-start "$1" && becomes "$1" running &&
		pid=$(pid_of "$1") && kill -STOP "$pid"
}

hang_is() # NAME WHAT
{
	q vm-status "$1"
	is "$(field hang)" "$2"
}

ok "one is stopped in its tracks" hangs told
ok "that is logged" wait_for "$daemon_log" "vm=told hangs: its monitor"
ok "its status says so" hang_is told monitor
ok "with a note" is "$(field note | cut -c 1-36)" \
	"hangs: its monitor has been silent f"
q vm-explain told
ok "explain too" grep -q 'hangs: its monitor has been silent' "$tmp/out"
ok "it is not killed" kill -0 "$pid"
ok "and still running for us" state_is told running
kill -CONT "$pid"
ok "once it goes on that is told" wait_for "$daemon_log" "vm=told hangs no more"
ok "and the status forgets it" hang_is told null
ok "in the same QEMU" is "$(pid_of told)" "$pid"

ok "another one is stopped" hangs acted
ok "and killed" gone "$pid"
ok "for it hangs" wait_for "$daemon_log" "vm=acted ended: hang"
ok "it is started again" becomes acted running
ok "as another QEMU" test "$(pid_of acted)" != "$pid"

# ---- it hung while nobody looked: the next supervisor finds it ----

# ends NAME: how many of its ends the log tells of
ends() { grep -c "vm=$1 ended: " "$daemon_log"; }
printf '[restart]\nhang-after = 1s\nhang = stop\n' | vm away
q reload
q vm-start away
ok "a third one runs" becomes away running
pid=$(pid_of away)
daemon_ends KILL
kill -STOP "$pid"
daemon
ok "hung while away: ended by who finds it" gone "$pid"
ok "hung while away: told once as what it was" \
	wait_for "$daemon_log" "vm=away ended: hang"
ok "hung while away: it stays down" becomes away stopped
q vm-status away
ok "hung while away: its cause is kept" is "$(field cause)" hang
ok "hung while away: one end, told once" is "$(ends away)" 1

ok "without the key" hangs unseen
measure_ms 1500
ok "nobody looks" hang_is unseen null
kill -CONT "$pid"

# the key is a policy: it is in force as soon as the file is read
printf '[restart]\nhang-after = 1s\n' | vm unseen
q reload
kill -STOP "$pid"
ok "a reload begins to look" \
	wait_for "$daemon_log" "vm=unseen hangs: its monitor"
vm unseen </dev/null
q reload
ok "and ends it" hang_is unseen null
kill -CONT "$pid"

printf '[restart]\nhang-after = 10\n' | vm bad
q vm-check bad
ok "a bare number is refused" grep -q 'hang-after = 10: ' "$tmp/out"
printf '[restart]\nhang-after = 10ms\n' | vm bad
q vm-check bad
ok "and what is too short" grep -q 'hang-after = 10ms: ' "$tmp/out"
plan
