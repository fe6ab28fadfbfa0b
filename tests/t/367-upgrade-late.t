#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# An upgrade in the middle of things: a VM that hangs, incidents, hosts that
# go down, what the service manager hears, and a state that is bad although
# it was good a moment before: then VMs are adopted.
# shellcheck source=tests/t/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/t/daemon.sh
. "$TOP/tests/t/daemon.sh"
TALK_MS=30000
export TALK_MS

program=$tmp/bin/vmwardd
cp "$BUILD/vmwardd" "$program"
chmod +x "$program"
own_daemon()
{
	rm -f "$tmp/ready"
	mkfifo "$tmp/ready"
	NOTIFY_SOCKET="$tmp/notify.sock" PATH="$tmp/bin:$PATH" \
		"$program" --confinement off --root "$tmp" --notify-fd 3 --log-level debug \
		3>"$tmp/ready" 2>>"$daemon_log" </dev/null &
	daemon_pid=$!
	timeout 30 head -n 1 "$tmp/ready" >/dev/null
}
upgraded() { vmward upgrade && says ' in ' && [ "$status" = 0 ]; }
told() { wait_for "$daemon_log" "$1"; }
log_of() { echo "$tmp/var/log/vmward/$1/vm.log"; }

printf '[restart]\nhang-after = 1s\n' | vm before
printf '[restart]\nhang-after = 1s\n' | vm after
printf '[restart]\npolicy = no\n' | vm dies
printf '[stop]\nsteps = acpi:20s, kill\n[raw]\narg-1 = -D %s\n' \
	"$TOP/tests/fake/deaf.qmp" | vm deaf
vm web </dev/null
own_daemon
: >"$tmp/notes"
"$tmp/bin/talk" - notes "$tmp/notify.sock" 'nothing else' >"$tmp/notes" \
	2>/dev/null &
started="$started $!"
wait_for "$tmp/notes" bound
for name in before after dies web deaf; do
	q vm-start $name
done

# ---- a VM that hangs ----

pid=$(pid_of before)
kill -STOP "$pid"
ok "a VM hangs" told 'vm=before hangs: its monitor'
ok "which is not in the way of an upgrade" upgraded
ok "the service manager hears of it" wait_for "$tmp/notes" MONOTONIC_USEC=
ok "and of its end" wait_for "$tmp/notes" READY=1
ok "in this order" is "$(grep -oE 'RELOADING=1|READY=1' "$tmp/notes" |
	tr '\n' ' ')" 'RELOADING=1 READY=1 '
q vm-status before
ok "the next one knows" is "$(field hang)" monitor
kill -CONT "$pid"
ok "and sees when it goes on" told 'vm=before hangs no more'
ok "it is told once" is "$(grep -c 'vm=before hangs: ' "$daemon_log")" 1
other=$(pid_of after)
kill -STOP "$other"
ok "it looks at the others as well" told 'vm=after hangs: its monitor'
kill -CONT "$other"
told 'vm=after hangs no more'

# ---- an end after it ----

kill -9 "$(pid_of dies)"
becomes dies stopped >/dev/null
q vm-status dies
ok "a crash after an upgrade has its cause" is "$(field cause)" qemu-signal
recorded() { cat "$tmp"/var/lib/vmward/incidents/dies/*/recorder.txt; }
listed() { vmward incident list dies && says qemu-signal; }
tries=0
until listed >"$tmp/said" 2>&1 || [ $tries -gt 400 ]; do
	tries=$((tries + 1))
	measure_ms 50
done
ok "and its incident is listed, once it is whole" listed
recorded >"$tmp/record"
ok "with what QEMU was told before the upgrade" grep -q '"cont"' "$tmp/record"

# ---- a file that is broken by now ----

printf '[restart]\npolicy = always\nbackoff = 3s\n' | vm again
q vm-start again
for _ in 1 2; do
	becomes again running >/dev/null
	pid=$(pid_of again)
	kill -9 "$pid"
	gone "$pid"
done
ok "a VM that waits for its next try" becomes again waiting
printf '[vm]\nmemmory = 1G\n' >"$vms/again.ini"
q reload
vmward upgrade
ok "its file is broken, and there is an upgrade" is "$status" 0
ok "it comes by the last good version" becomes again running
q vm-kill again

# ---- a hook that runs ----

cat >"$tmp/bin/hook" <<EOS
#!/bin/sh
echo begun
read -r _ <'$tmp/hook.end'
echo over
EOS
chmod 755 "$tmp/bin/hook"
mkfifo "$tmp/hook.end"
printf '[hooks]\nstarted = %s/bin/hook\n' "$tmp" | vm hooked
q vm-start hooked
ok "a hook" wait_for "$(log_of hooked)" begun
ok "no upgrade before its end" refused BUSY upgrade timeout:1
ok "and that is said" says 'this does not end: hooked: hook started'
echo >"$tmp/hook.end"
vmward upgrade
ok "then there is one" is "$status" 0
ok "what it said is kept, from first to last" \
	wait_for "$(log_of hooked)" over

# ---- the host goes down ----

background down qmp '>{"execute":"host-shutdown","arguments":{}}' '<"'
wait_for "$(log_of deaf)" 'button pressed'
ok "no upgrade while the host goes down" refused BUSY upgrade timeout:1
q vm-kill deaf
ended down
q vm-start web
pid=$(pid_of web)

# ---- a state that is bad after all ----

mv "$program" "$program.real"
cat >"$program" <<EOS
#!/bin/sh
case " \$* " in
*--check-upgrade*) exec '$program.real' "\$@" ;;
esac
echo '{"version":1,"lost":true}' >'$tmp/bad'
while [ "\$1" != --upgrade-fd ]; do
	set -- "\$@" "\$1"
	shift
done
shift 2
exec '$program.real' "\$@" --upgrade-fd 9 9<'$tmp/bad'
EOS
chmod +x "$program"
: >"$daemon_log"
vmward upgrade
ok "a state that is bad is told of" told 'VMs are adopted instead'
ok "then VMs are adopted" told 'vm=web adopted pid'
ok "the same supervisor" kill -0 "$daemon_pid"
ok "the same QEMU" is "$(pid_of web)" "$pid"
ok "it runs" state_is web running
kill -9 "$pid"
ok "its end is seen, and answered" told 'vm=web ended: qemu-signal'
ok "as ever" becomes web running
ok "nobody is a zombie" sh -c \
	"! ps -o stat= --ppid $daemon_pid | grep -q Z"
daemon_ends TERM
plan
