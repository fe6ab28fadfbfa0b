#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Each command of a VM's life, in each state that matters.
# shellcheck source=tests/t/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/t/daemon.sh
. "$TOP/tests/t/daemon.sh"

script()
{
	cat >"$tmp/$1.qmp"
	scripted "$1" "$tmp/$1.qmp"
}
changed() { is "$(field changed)" "$1"; }
# says what the last reply has
has() { says "$1" || { cat "$tmp/out" && false; }; }

printf 'tags = front\n' | vm web
daemon

# ---- start, pause, resume, reset, reboot, stop, kill ----

ok "dry run of a start" q vm-start web dry-run:true
ok "dry run: says what it would do" has '"start QEMU and let'
ok "dry run: nothing was done" state_is web stopped
ok "start" q vm-start web
ok "start: changed" changed true
nice_of() { cut -d' ' -f19 "/proc/$1/stat"; }
if [ "$(id -u)" = 0 ] && [ "$(nice)" = 0 ]; then
	ok "guests do not delay the supervisor" is "$(nice_of "$daemon_pid")" -10
fi
ok "its children keep the nice of who started it" is \
	"$(nice_of "$(pid_of web)")" "$(nice)"
q vm-start web
ok "start again: not changed" changed false
ok "pause" q vm-pause web
ok "paused" state_is web paused
q vm-pause web
ok "pause again: not changed" changed false
ok "resume" q vm-resume web
ok "running" state_is web running
ok "reset" q vm-reset web
ok "reboot" q vm-reboot web
becomes web running
for command in vm-pause vm-reset vm-reboot vm-stop vm-kill vm-restart; do
	pid=$(pid_of web)
	ok "dry run of $command" q "$command" web dry-run:true
	ok "dry run of $command: nothing was done" is "$(pid_of web)" "$pid"
done
pid=$(pid_of web)
ok "restart" q vm-restart web
ok "restart: a new QEMU" test "$(pid_of web)" != "$pid"
ok "restart: the old one is gone" gone "$pid"
ok "stop" q vm-stop web
ok "stop: the step that worked" has 'acpi 0.'
q vm-stop web
ok "stop again: not changed" changed false
q vm-kill web
ok "kill of a stopped VM: not changed" changed false
for command in vm-pause vm-resume vm-reset vm-reboot; do
	ok "$command of a stopped VM" refused STATE "$command" web
done
ok "qmp of a stopped VM" refused STATE vm-qmp web execute=query-status
ok "attach --runtime to a stopped VM" refused STATE vm-disk-attach web \
	disk=data 'pairs:{"size":"1M"}' runtime:true
ok "attach without keys to a stopped VM" refused CONFIG vm-disk-attach web \
	disk=data
ok "restart of a stopped VM starts it" q vm-restart web
ok "kill" q vm-kill web
q vm-status web
ok "the cause is told" has admin-kill
ok "start --paused" q vm-start web paused:true
ok "it is paused" state_is web paused
q vm-stop web
ok "start with a job: answers at once" q vm-start web job:true
job=$(field job)
q job-wait "job=$job" || q vm-wait web state=running timeout:5
ok "and goes on" becomes web running
ok "unknown job" refused NOT_FOUND job-wait job=j9999
ok "no such job to cancel" refused NOT_FOUND job-cancel job=j9999
ok "jobs: none now" talk "$control" qmp '>{"execute":"job-list"}' \
	'<"jobs":[]'
q vm-kill web

# ---- states in between ----

script slow <<'EOS'
~ 30000ms
= greet
= loop
EOS
background starts qmp \
	'>{"execute":"vm-start","arguments":{"vm":"slow"},"id":"s"}' \
	'<"code":"CANCELLED"'
ok "a slow start" becomes slow starting
ok "pause while it starts" refused STATE vm-pause slow
ok "attach while it starts" refused STATE vm-disk-attach slow disk=d
ok "stop while it starts: at once" talk "$control" qmp \
	'>{"execute":"vm-stop","arguments":{"vm":"slow"}}' '<"return"' ms 2000
ok "the start is told that it was cancelled" ended starts
ok "a stop undid it" state_is slow stopped
background starts qmp \
	'>{"execute":"vm-start","arguments":{"vm":"slow"},"id":"s"}' \
	'<"error"'
becomes slow starting
q job-list
ok "the start is a job" has '"kind":"start"'
job=$(field job)
ok "cancel it" q job-cancel "job=$job"
ok "its start is told" ended starts
ok "cancelled is stopped" becomes slow stopped
talk "$control" qmp '>{"execute":"vm-start","arguments":{"vm":"slow"},"id":"s"}' \
	'>{"execute":"job-cancel","arguments":{"request":"s"},"id":"c"}' \
	'?"id":"s"'
ok "cancel by the request's id" has '"code":"CANCELLED"'
becomes slow stopped

script deaf <<'EOS'
? {"execute": "system_powerdown"}
< {"return": {}, "id": $ID}
? {"execute": "quit"}
EOS
script firm <<'EOS'
? {"execute": "quit"}
EOS
printf '[stop]\nsteps = acpi:200ms, quit:200ms, term:5s, kill\n' \
	>>"$vms/deaf.ini"
q vm-start deaf
background stops qmp '>{"execute":"vm-stop","arguments":{"vm":"deaf"}}' \
	'<"return"'
ok "a ladder of steps: stopping" becomes deaf stopping
ok "start while it stops" refused STATE vm-start deaf
ok "pause while it stops" refused STATE vm-pause deaf
ok "restart while it stops" refused STATE vm-restart deaf
ok "the stop ends" ended stops
ok "at the step that worked" grep -q 'term .*step 3 of 4' "$tmp/stops.out"
q vm-start firm
ok "stop --now skips the guest" q vm-stop firm now:true
ok "stop --now: QEMU quit or was ended" has 'term '
q vm-start deaf
ok "kill while it stops" talk "$control" qmp \
	'>{"execute":"vm-stop","arguments":{"vm":"deaf"}}' \
	'>{"execute":"vm-kill","arguments":{"vm":"deaf"},"id":"k"}' \
	'?"id":"k"' ms 2000
q vm-set deaf 'pairs:{"stop.steps":"acpi:30s, kill"}'
q vm-start deaf
ok "stop --timeout cuts the steps" talk "$control" qmp \
	'>{"execute":"vm-stop","arguments":{"vm":"deaf","timeout":0.3}}' \
	'<kill ' ms 3000

# stop during the stop of a restart, and of a guest that went off
q vm-start deaf
background again qmp \
	'>{"execute":"vm-restart","arguments":{"vm":"deaf"}}' '<"error"'
becomes deaf stopping
background back qmp '>{"execute":"vm-stop","arguments":{"vm":"deaf"}}' \
	'>{"execute":"query-version"}' '<"qemu"' '<"state":"stopped"'
wait_for "$tmp/back.out" '"qemu"'
kill -TERM "$(pid_of deaf)"
ok "a stop takes a restart back" ended back
ok "it stays stopped" state_is deaf stopped
ok "the restart is told" ended again

# ---- wait, deadlines ----

ok "wait: a time limit" refused TIMEOUT vm-wait web state=running timeout:0.1
ok "wait: there already" q vm-wait web state=stopped
background waiter qmp \
	'>{"execute":"vm-wait","arguments":{"vm":"web","state":"running"}}' \
	'<"return"'
q vm-start web
ok "wait: woken by the start" ended waiter
ok "wait for ready" q vm-wait web state=ready timeout:5

# ---- protect ----

q vm-set web 'pairs:{"vm.protect":"stop"}'
ok "protect = stop" refused DENIED vm-stop web
ok "protect = stop: restart as well" refused DENIED vm-restart web
q vm-unset web 'keys:["vm.protect"]'
ok "without it" q vm-stop web
q vm-set web 'pairs:{"vm.protect":"start"}'
ok "protect = start" refused DENIED vm-start web
q vm-unset web 'keys:["vm.protect"]'

# ---- show, check, plan, log, console, resolve ----

ok "show" q vm-show web
ok "show: its keys" has 'memory = 64M'
ok "show --origin" q vm-show web origin:true
ok "show --origin: file and line" has 'web.ini:2'
ok "check" q vm-check web
ok "plan" q vm-plan web
ok "plan: the command line" has 'qemu-system-x86_64'
ok "log" q vm-log web lines:5
ok "log: what happened" has 'stopped'
ok "log --console" q vm-log web console:true
ok "console of a stopped VM" refused STATE vm-console web
q vm-start web
ok "console" q vm-console web
ok "console: a socket" test -S "$(field path)"
ok "console: no such" refused NOT_FOUND vm-console web serial=odd
ok "resolve a tag" q vm-resolve 'patterns:["@front"]'
ok "resolve a tag: the name" has '"names":["web"]'
ok "resolve a glob that matches nothing" refused NOT_FOUND \
	vm-resolve 'patterns:["x*"]'
ok "list a glob that matches nothing" refused NOT_FOUND \
	vm-list 'patterns:["w*","x*"]'
ok "enable" q vm-enable web
q vm-status web
ok "enable: said" has '"autostart":"yes"'
q vm-enable web
ok "enable again: not changed" changed false
ok "disable" q vm-disable web
ok "qmp: an answer" q vm-qmp web execute=query-name
ok "qmp: QEMU's refusal" refused UNSUPPORTED vm-qmp web execute=nonsense
ok "qmp: arguments" q vm-qmp web execute=qom-list 'arguments:{"path":"/"}'

# ---- disks ----

ok "attach" q vm-disk-attach web disk=data 'pairs:{"size":"1M"}'
q vm-disk-list web
ok "attach: listed" has '"name":"data"'
ok "attach again" refused EXISTS vm-disk-attach web disk=data \
	'pairs:{"size":"1M"}'
ok "attach nonsense" refused CONFIG vm-disk-attach web disk=more \
	'pairs:{"bogus":"1"}'
ok "attach: dry run" q vm-disk-attach web disk=dry 'pairs:{"size":"1M"}' \
	dry-run:true
ok "attach: written for the next start" grep -q 'disk.data' \
	"$vms/web.ini.d/50-vmward.ini"
ok "detach" q vm-disk-detach web disk=data
q vm-disk-list web
ok "detach: gone" sh -c "! grep -q '\"data\"' '$tmp/out'"
ok "detach again" refused NOT_FOUND vm-disk-detach web disk=data
background plugs events '?"kind":"disk-attach","vm":"web","status":"done"' \
	'?"kind":"edit","vm":"web","status":"done"' \
	'?"kind":"disk-detach","vm":"web","status":"done"' \
	'?"kind":"edit","vm":"web","status":"done"'
wait_for "$tmp/plugs.out" '{"return":{}}'
ok "attach: as a job" q vm-disk-attach web disk=job 'pairs:{"size":"1M"}' \
	job:true
ok "attach: its number is the answer" says '"job":"j'
wait_for "$tmp/plugs.out" '"kind":"edit","vm":"web","status":"done"'
ok "attach: the job wrote it, too" grep -q 'disk.job' \
	"$vms/web.ini.d/50-vmward.ini"
ok "detach: as a job" q vm-disk-detach web disk=job job:true
ok "detach: its number is the answer" says '"job":"j'
ok "detach: it ends, and the file is written" ended plugs
q vm-disk-list web
ok "detach: as a job: gone" sh -c "! grep -q '\"job\"' '$tmp/out'"
ok "attach --runtime" q vm-disk-attach web disk=tmp 'pairs:{"size":"1M"}' \
	runtime:true
ok "attach --runtime: not written" sh -c \
	"! grep -q 'disk.tmp' '$vms/web.ini.d/50-vmward.ini'"
q vm-stop web
q vm-start web
q vm-disk-list web
ok "attach --runtime: forgotten with the QEMU" sh -c \
	"! grep -q '\"tmp\"' '$tmp/out'"
script keeps <<'EOS'
? {"execute": "device_del"}
< {"return": {}, "id": $ID}
= loop
EOS
q vm-start keeps
q vm-disk-attach keeps disk=data 'pairs:{"size":"1M"}'
ok "a guest that keeps its disk: told after the time limit" \
	refused GUEST vm-disk-detach keeps disk=data timeout:0.2
q job-list
ok "a guest that keeps its disk: pending" has '"phase":"pending"'
background lets events '?DEVICE_DELETED' \
	'?"kind":"disk-detach","vm":"keeps","status":"done"' \
	'?"kind":"edit","vm":"keeps","status":"done"'
wait_for "$tmp/lets.out" '{"return":{}}'
q vm-qmp keeps execute=device_del 'arguments:{"id":"disk-data"}'
ok "it lets go later: the job ends" ended lets
q vm-disk-list keeps
ok "it lets go later: the disk is gone" sh -c \
	"! grep -q '\"data\"' '$tmp/out'"
ok "and may come back" q vm-disk-attach keeps disk=data \
	'pairs:{"size":"1M"}'
scripted refuses unplug-refused
q vm-start refuses
q vm-disk-attach refuses disk=data 'pairs:{"size":"1M"}'
ok "a guest that refuses: told at once" talk "$control" qmp \
	'>{"execute":"vm-disk-detach","arguments":{"vm":"refuses","disk":"data"}}' \
	'<the guest refuses' ms 2000
for name in web keeps refuses; do q vm-kill "$name"; done
ok "all QEMUs are gone" is "$(qemus)" ''
daemon_ends TERM
ok "nothing is left" is "$(ls "$run")" supervisor.lock
plan
