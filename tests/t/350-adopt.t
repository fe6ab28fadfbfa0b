#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A supervisor that comes back finds its QEMUs, whatever was lost meanwhile.
# shellcheck source=tests/t/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/t/daemon.sh
. "$TOP/tests/t/daemon.sh"

again() # the supervisor dies and comes back
{
	daemon_ends KILL
	daemon
}
same() # NAME PID: it runs, and it is that QEMU, the only one
{
	becomes "$1" running && is "$(pid_of "$1")" "$2" &&
		is "$(qemus | wc -l)" 1
}
not_started()
{
	q vm-start web timeout:1
	is "$(qemus)" "$pid"
}
fresh() # web runs anew; its pid is in $pid
{
	q vm-kill web
	q vm-start web
	pid=$(pid_of web)
}

vm web </dev/null
daemon
fresh
again
ok "after kill -9: same QEMU" same web "$pid"
ok "adopted: a disk can be attached" q vm-disk-attach web disk=data \
	'pairs:{"size":"1M"}' runtime:true
ok "adopted: and detached" q vm-disk-detach web disk=data
daemon_ends TERM
ok "after SIGTERM: QEMU lives" kill -0 "$pid"
daemon
ok "after SIGTERM: same QEMU" same web "$pid"
ok "adopted: pause" q vm-pause web
again
ok "adopted: still paused" becomes web paused
ok "adopted: resume" q vm-resume web
ok "adopted: start is no second one" q vm-start web
ok "adopted: still the same" same web "$pid"

rm "$run/web/priv/lock"
again
ok "lock file deleted: adopted" same web "$pid"
rm "$run/web/priv/lock" 2>/dev/null
ok "lock file deleted under us: start is no second one" q vm-start web
ok "lock file deleted under us: the same" same web "$pid"

daemon_ends KILL
rm "$records/web"
daemon
ok "record lost: adopted" same web "$pid"
again
ok "record lost: adopted the time after" same web "$pid"
daemon_ends KILL
head -c 8192 /dev/urandom >"$records/web"
daemon
ok "record damaged: adopted" same web "$pid"
daemon_ends KILL
rm -f "$records/web" "$run/web/priv/lock"
daemon
ok "record and lock file lost: adopted by its name" same web "$pid"
daemon_ends KILL
rm -f "$run/web/priv/config.ini"
daemon
ok "what it runs lost: adopted" same web "$pid"

# ---- the monitor ----

fresh
daemon_ends KILL
"$tmp/bin/talk" "$run/web/priv/monitor" '<QMP' hold >"$tmp/stray.out" &
stray=$!
started=$stray
: >>"$tmp/stray.out"
wait_for "$tmp/stray.out" QMP
daemon
ok "a stray client on the monitor: thrown off, adopted" same web "$pid"
kill "$stray"

fresh
daemon_ends KILL
mv "$run/web/priv/monitor" "$run/web/priv/monitor.away"
daemon
ok "monitor gone: unreachable" becomes web unreachable
ok "monitor gone: start is refused, or waits" not_started
ok "monitor gone: QEMU lives" kill -0 "$pid"
mv "$run/web/priv/monitor.away" "$run/web/priv/monitor"
ok "monitor back: adopted by itself" same web "$pid"
daemon_ends KILL
rm "$run/web/priv/monitor"
daemon
becomes web unreachable
ok "monitor gone: kill works" q vm-kill web
ok "monitor gone: QEMU is gone" gone "$pid"
ok "monitor gone: stopped" state_is web stopped

fresh
kill -STOP "$pid"
again
ok "stopped by SIGSTOP: unreachable" becomes web unreachable
ok "stopped: it lives" kill -0 "$pid"
kill -CONT "$pid"
ok "continued: adopted by itself" same web "$pid"

# ---- half done things ----

cat >"$tmp/early.qmp" <<'EOS'
> {"execute": "qmp_capabilities"}
= reply
? {"execute": "cont"}
EOS
scripted early "$tmp/early.qmp"
q vm-kill web
daemon_ends TERM
daemon
background starts qmp '>{"execute":"vm-start","arguments":{"vm":"early"}}' hold
becomes early starting
wait_for "$daemon_log" 'early'
daemon_ends KILL
early=$(qemus)
ok "dead between start and cont: a QEMU waits" test -n "$early"
daemon
q vm-status early
ok "dead between start and cont: known" says '"pid":'"$early"
q vm-kill early
ok "dead between start and cont: kill" gone "$early"

fresh
daemon_ends KILL
"$tmp/bin/talk" "$run/web/priv/monitor" qmp \
	'>{"execute":"system_powerdown"}' '?SHUTDOWN' >/dev/null
daemon
ok "the guest went off meanwhile: stopped" becomes web stopped
ok "the guest went off meanwhile: QEMU is gone" gone "$pid"
q vm-status web
ok "the guest went off meanwhile: the cause" is "$(field cause)" guest-poweroff
fresh
daemon_ends KILL
kill -9 "$pid"
gone "$pid"
daemon
ok "QEMU died meanwhile: restarted" becomes web running
ok "QEMU died meanwhile: by another" test "$(pid_of web)" != "$pid"

q vm-kill web
daemon_ends TERM
ok "all QEMUs are gone" is "$(qemus)" ''
ok "nothing is left" is "$(ls "$run")" supervisor.lock
plan
