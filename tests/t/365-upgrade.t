#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# vmward upgrade: the supervisor becomes the program on disk; what was open
# stays open, what was waited for comes, what cannot take over changes nothing.
# shellcheck source=tests/t/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/t/daemon.sh
. "$TOP/tests/t/daemon.sh"

program=$tmp/bin/vmwardd
cp "$BUILD/vmwardd" "$program"
install() # FILE: the program on disk is another one
{
	cp "$1" "$program.new"
	chmod +x "$program.new"
	mv "$program.new" "$program"
}
own_daemon()
{
	rm -f "$tmp/ready"
	mkfifo "$tmp/ready"
	PATH="$tmp/bin:$PATH" "$program" --confinement off --root "$tmp" --notify-fd 3 \
		--log-level debug 3>"$tmp/ready" 2>>"$daemon_log" &
	daemon_pid=$!
	read -r _ <"$tmp/ready"
}
upgraded() { vmward upgrade && says ' in ' && [ "$status" = 0 ]; }
children() { pgrep -P "$daemon_pid" -x qemu-system-x86 | sort | tr '\n' ' '; }
fds() { find "/proc/$daemon_pid/fd" -mindepth 1 | wc -l; }

vm web </dev/null
vm db </dev/null
vm off </dev/null
own_daemon
q vm-start web
q vm-start db
q vm-pause db
pid=$(pid_of web)
qemus=$(children)
q vm-status web
began=$(field started)

# ---- what stays ----

background watches events '?"event":"VM_QMP_EVENT"' '?"event":"VM_CONFIG"'
wait_for "$tmp/watches.out" '{"return":{}}'
background waits qmp \
	'>{"execute":"vm-wait","arguments":{"vm":"db","state":"running"}}' \
	'?"state":"running"'
wait_for "$tmp/waits.out" '{"return":{}}'
ok "upgrade" upgraded
ok "the same process" kill -0 "$daemon_pid"
ok "QEMUs are its children as before" is "$(children)" "$qemus"
ok "running as before" state_is web running
ok "paused as before" state_is db paused
ok "stopped as before" state_is off stopped
ok "the same QEMU" is "$(pid_of web)" "$pid"
q vm-status web
ok "its age goes on" is "$(field started)" "$began"
ok "no adoption" sh -c "! grep -q adopted '$daemon_log'"
ok "the program is the new one" is \
	"$(readlink "/proc/$daemon_pid/exe")" "$program"
q vm-resume db
ok "a client that waits is answered by the new one" ended waits
wait_for "$tmp/watches.out" VM_QMP_EVENT
vm new </dev/null
ok "a client that listens goes on" ended watches
q job-list
fds=$(fds)

i=0
while [ $i -lt 10 ] && upgraded; do
	i=$((i + 1))
done
ok "ten more" is $i 10
ok "no descriptor is left over" test "$(fds)" -le "$fds"
vmward upgrade --json
ok "--json" says '"version":'
ok "the end of a VM is seen" q vm-stop web
ok "and it starts again" q vm-start web
pid=$(pid_of web)
upgraded
background ends events '?"event":"VM_ENDED"'
wait_for "$tmp/ends.out" '{"return":{}}'
kill -9 "$pid"
ended ends
ok "a crash is seen, and its cause" grep -q '"cause":"qemu-signal"' "$tmp/ends.out"
ok "and answered" becomes web running

# ---- what does not take over ----

pid=$(pid_of web)
refuses() # CODE
{
	refused "$1" upgrade && is "$(pid_of web)" "$pid" &&
		kill -0 "$daemon_pid" && is "$(children)" "$qemus"
}
qemus=$(children)
install /bin/true
ok "another program" refuses UNSUPPORTED
install /bin/false
ok "one that fails" refuses UNSUPPORTED
printf 'no program\n' >"$tmp/text"
install "$tmp/text"
ok "no program" refuses OS
rm "$program"
ok "nothing there" q vm-list
q upgrade
ok "nothing there: an error" says '"error"'
ok "and all goes on" state_is web running
cat >"$tmp/liar" <<EOS
#!/bin/sh
case \$1 in --check-upgrade) echo 9.9 && rm "$program" ;; esac
EOS
install "$tmp/liar"
q upgrade
ok "gone between the look and the step" says '"error"'
ok "then all goes on as well" is "$(pid_of web)" "$pid"
install "$BUILD/vmwardd"
ok "the right one again" upgraded
ok "and the VM runs on" is "$(pid_of web)" "$pid"
daemon_ends TERM
ok "the end is an ordinary one" is "$daemon_status" 0
ok "VMs run on" kill -0 "$pid"
own_daemon
ok "and are adopted" becomes web running

# ---- a state that the new program does not read ----

echo '{"version":1}' >"$tmp/state"
ok "a state with nothing in it is refused" \
	sh -c "! '$program' --check-upgrade '$tmp/state'"
echo '{"version":99}' >"$tmp/state"
ok "a state of another version is refused" \
	sh -c "! '$program' --check-upgrade '$tmp/state'"
plan
