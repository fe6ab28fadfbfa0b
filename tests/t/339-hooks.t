#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Hooks: facts, deadline, floods, storms, and files that others can change.
# shellcheck source=tests/t/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/t/daemon.sh
. "$TOP/tests/t/daemon.sh"
vmlog() { echo "$tmp/var/log/vmward/$1/vm.log"; }

# hook NAME: a script from stdin; its path
hook()
{
	{
		echo '#!/bin/sh'
		cat
	} >"$tmp/hook-$1"
	chmod 755 "$tmp/hook-$1"
	echo "$tmp/hook-$1"
}

facts=$(hook facts <<EOS
env | grep ^VMWARD_ | sort >"$tmp/\$VMWARD_EVENT.new"
env | wc -l >>"$tmp/\$VMWARD_EVENT.new"
mv "$tmp/\$VMWARD_EVENT.new" "$tmp/\$VMWARD_EVENT.env"
echo told >>"$tmp/told"
EOS
)
{
	echo '[hooks]'
	for event in started stopped incident; do
		echo "$event = $facts"
	done
	printf '[restart]\npolicy = no\n'
} | vm web

# a hook that never ends, with a child that never ends
endless=$(hook endless <<EOS
tail -f /dev/null &
echo \$! >"$tmp/endless.pid"
echo \$\$ >>"$tmp/endless.pid"
echo ready >>"$tmp/endless.ready"
trap '' TERM INT HUP
while :; do tail -f /dev/null; done
EOS
)
printf '[hooks]\nstarted = %s\ntimeout = 300ms\n' "$endless" | vm slow
# one that says too much
flood=$(hook flood <<'EOS'
i=0
while [ $i -lt 20000 ]; do echo "line $i"; i=$((i + 1)); done
EOS
)
printf '[hooks]\nstarted = %s\n' "$flood" | vm loud
# one that takes its time, and knows whether it is alone
lone=$(hook lone <<EOS
mkdir "$tmp/alone" || echo "two at once" >>"$tmp/twice"
echo "\$VMWARD_PID" >>"$tmp/lone.runs"
timeout 0.3 tail -f /dev/null
rmdir "$tmp/alone"
EOS
)
printf '[hooks]\nstarted = %s\n' "$lone" | vm storm
open=$(hook open </dev/null)
printf '[hooks]\nstarted = %s\n' "$open" | vm open
printf '[hooks]\nstarted = /nonexistent/hook\n' | vm none
gives_up=$(hook gives-up <<EOS
echo "\$VMWARD_EVENT \$VMWARD_STATE \$1 \$2" >"$tmp/gave-up"
echo told >>"$tmp/gave-up.told"
EOS
)
printf '[restart]\nburst = 1/10min\nbackoff = 1ms\non-crash-loop = exec:%s a  %%n\n[raw]\narg-1 = -D %s\n' \
	"$gives_up" "$TOP/tests/fake/panic.qmp" | vm loop
: >"$tmp/told"
: >"$tmp/endless.ready"
: >"$tmp/lone.runs"
: >"$tmp/gave-up.told"
daemon

q vm-start web
ok "started: run" wait_for "$tmp/told" told
ok "started: the VM" grep -q '^VMWARD_VM=web$' "$tmp/started.env"
ok "started: its state" grep -q '^VMWARD_STATE=running$' "$tmp/started.env"
ok "started: its QEMU" grep -q "^VMWARD_PID=$(pid_of web)\$" \
	"$tmp/started.env"
ok "started: nothing of our environment" sh -c \
	"[ \$(tail -n 1 '$tmp/started.env') -le 16 ]"
kill -9 "$(pid_of web)"
becomes web stopped >/dev/null
for _ in $(seq 100); do
	[ -e "$tmp/incident.env" ] && [ -e "$tmp/stopped.env" ] && break
	measure_ms 50
done
ok "stopped: the cause" grep -q '^VMWARD_CAUSE=qemu-signal$' \
	"$tmp/stopped.env"
ok "stopped: its detail" grep -q '^VMWARD_DETAIL=9$' "$tmp/stopped.env"
dir=$(sed -n 's/^VMWARD_INCIDENT=//p' "$tmp/incident.env")
ok "incident: its directory, whole" test -s "$dir/host.txt"

q vm-start slow
ok "endless: it runs" wait_for "$tmp/endless.ready" ready
ok "endless: the VM, too" state_is slow running
ok "endless: it is ended" wait_for "$(vmlog slow)" \
	'hook started: killed, it took longer than'
ok "endless: its child, too" gone "$(head -n 1 "$tmp/endless.pid")"
ok "endless: all of it" gone "$(tail -n 1 "$tmp/endless.pid")"
q vm-start loud
ok "flood: counted" wait_for "$(vmlog loud)" 'more lines'
ok "flood: twenty are kept" is \
	"$(grep -c 'hook started: line' "$(vmlog loud)")" 20

q vm-start storm
for _ in 1 2 3 4 5 6 7 8; do q vm-restart storm; done
q vm-status storm
last=$(field pid)
ok "storm: the last one is told" wait_for "$tmp/lone.runs" "$last"
ok "storm: one at a time" test ! -e "$tmp/twice"
ok "storm: not all of them" sh -c "[ \$(wc -l <'$tmp/lone.runs') -lt 9 ]"

chmod 777 "$open"
q vm-start open
ok "others can change it: not run" wait_for "$(vmlog open)" \
	'others can change it'
q vm-start none
ok "no such file: said" wait_for "$(vmlog none)" \
	"cannot run '/nonexistent/hook': No such file"
ok "no such file: the VM runs" state_is none running
vmward --root "$tmp" check none open
ok "check: with the line" says 'none.ini:6: [hooks] started: cannot run'
ok "check: others can change it" says 'open.ini:6: [hooks] started: cannot run'

q vm-start loop
ok "crash loop: run" wait_for "$tmp/gave-up.told" told
ok "crash loop: with its words" is "$(cat "$tmp/gave-up")" \
	'crash-loop failed a loop'
daemon_ends TERM
plan
