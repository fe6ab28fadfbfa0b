#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The oracle of `make faults` can see each breach that it looks for, and sees
# none where there is none.
# shellcheck source=tests/t/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/t/daemon.sh
. "$TOP/tests/t/daemon.sh"

oracle() # LINE...: what is expected
{
	printf '%s\n' "$@" >"$tmp/expect"
	DAEMON_PID=$daemon_pid "$TOP/tests/faults/oracle" "$tmp" "$tmp/expect" \
		>"$tmp/out" 2>"$tmp/err"
}
sees() # COUNT TEXT LINE...: a breach is counted, and named
{
	counted=$1
	named=$2
	shift 2
	! oracle "$@" && grep -qE "$counted=[1-9]" "$tmp/out" &&
		complains "$named"
}

vm web </dev/null
vm other </dev/null
daemon
vmward start web
pid=$(pid_of web)
ok "all is well" oracle "web up $pid" "other down"
ok "I7: not the process that it was" sees vm_killed I7 "web up 1"
ok "I3: what was started does not run" sees acked_lost I3 "other up"
ok "I4: what was stopped lives" sees acked_lost I4 "web down"
: >"$records/web.tmp"
ok "I5: a temporary file is left" sees leaked I5 "web up $pid"
rm "$records/web.tmp"
mkdir -p "$run/other/priv"
ok "I5: a directory of one that is down is left" sees leaked I5 "other down"
rm -r "$run/other"
: >"$records/web.bad"
ok "I6: a record was damaged" sees leaked I6 "web up $pid"
rm "$records/web.bad"
tail -f /dev/null 5<"$run/web/priv/lock" &
started="$started $!"
ok "I1: a second process has the lock" sees double I1 "web up $pid"
kill $!
wait $! 2>/dev/null
ok "all is well again" oracle "web up $pid" "other down"
vmward kill web
daemon_ends TERM
daemon_pid=
ok "I8: nobody answers" sees silent I8 "web any"
plan
