#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What a supervisor finds when it comes back: files lost meanwhile, a QEMU
# that says nothing, a guest that went off, leftovers.  Nothing that lives is
# stopped or forgotten for it, nothing that is dead is kept.
# shellcheck source=tests/t/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/t/daemon.sh
. "$TOP/tests/t/daemon.sh"

never() { printf '[restart]\npolicy = no\n' | vm "$1"; }

# goes_and_comes COMMAND...: done while the supervisor is dead
goes_and_comes()
{
	daemon_ends KILL
	"$@"
	daemon
}

# alive NAME PID: it is the same process, and under control
alive()
{
	becomes "$1" running && is "$(pid_of "$1")" "$2" &&
		is "$(qemus | wc -l)" 1
}

never web
daemon
vmward start web
pid=$(pid_of web)

goes_and_comes rm "$records/web"
ok "a lost record stops nothing" alive web "$pid"
# shellcheck disable=SC2016 # for the inner shell
goes_and_comes sh -c 'head -c 8192 /dev/urandom >"$1"' - "$records/web"
ok "nor does a damaged one" alive web "$pid"
goes_and_comes true
ok "it is known as wanted again" alive web "$pid"
goes_and_comes rm -f "$run/web/priv/lock"
ok "nor does a lost lock file" alive web "$pid"
goes_and_comes rm -f "$run/web/priv/lock" "$records/web"
ok "nor both" alive web "$pid"

# ---- a QEMU nobody can reach ----
lose_all()
{
	rm "$records/web" "$run/web/priv/monitor" "$run/web/priv/yank" \
		"$run/web/priv/agent"
}
goes_and_comes lose_all
ok "without record and monitor" becomes web unreachable
ok "it cannot be stopped" refused STATE vm-stop web
ok "nor killed" refused STATE vm-kill web
ok "it lives" kill -0 "$pid"
ok "and is still unreachable" state_is web unreachable
kill -9 "$pid"
ok "its end is seen" becomes web stopped

# ---- leftovers ----
vmward start web
ok "it starts again" exits 0
kill_it() { kill -9 "$(cat "$tmp/pid")"; gone "$(cat "$tmp/pid")"; }
pid_of web >"$tmp/pid"
goes_and_comes kill_it
ok "one that died meanwhile is stopped" becomes web stopped
ok "and left nothing" test ! -e "$run/web"
vmward start web
pid_of web >"$tmp/pid"
# shellcheck disable=SC2016 # for the inner shell
sed -i 's/^policy.*/policy = always/' "$vms/web.ini"
q vm-kill web
rm -rf "$run/web"
mkdir -p "$run/web/priv"
: >"$run/web/priv/lock"
goes_and_comes true
ok "nor did one that was stopped" test ! -e "$run/web"
rm "$vms/web.ini"

# ---- a monitor that is mute after the greeting ----
cat >"$tmp/mute.qmp" <<'E2'
? {"execute": "cont"}
= reply
? {"execute": "qmp_capabilities"}
= reply
> {"execute": "query-status"}
~ 9000ms
> {}
E2
scripted mute "$tmp/mute.qmp"
vmward start mute
pid=$(pid_of mute)
goes_and_comes true
ok "mute on its monitor" becomes mute unreachable
measure_ms 5000
ok "the supervisor asks again" state_is mute unreachable
ok "and lives" kill -0 "$daemon_pid"
ok "so does QEMU" kill -0 "$pid"
vmward kill mute
ok "and can be killed" exits 0
rm "$vms/mute.ini"

# ---- a guest that goes off while it is being adopted ----
off='{"timestamp": {"seconds": 1, "microseconds": 1}, "event": "SHUTDOWN",'
off="$off \"data\": {\"guest\": true, \"reason\": \"guest-shutdown\"}}"
cat >"$tmp/off.qmp" <<E2
? {"execute": "cont"}
= reply
? {"execute": "qmp_capabilities"}
= reply
< $off
= loop
E2
scripted off "$tmp/off.qmp"
vmward start off
goes_and_comes true
ok "off during adoption" becomes off stopped
vmward status off --json
ok "by its guest" says '"cause": "guest-poweroff"'
ok "once" is "$(grep -c 'ended:' "$tmp/var/log/vmward/off/vm.log")" 1

# ---- one that does so as it starts ----
cat >"$tmp/early.qmp" <<E2
? {"execute": "cont"}
= reply
< $off
= loop
E2
scripted early "$tmp/early.qmp"
q vm-start early
ok "off as it starts" becomes early stopped
plan
