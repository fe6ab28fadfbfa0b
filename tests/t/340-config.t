#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Files change under running VMs: nothing that runs follows a bad one.
# shellcheck source=tests/t/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/t/daemon.sh
. "$TOP/tests/t/daemon.sh"

bad() { printf '[vm]\nmemmory = 1G\nkernel = /k\n' >"$vms/$1.ini"; }
listed() { q vm-list && says "\"name\":\"$1\""; }
not() { ! "$@"; }

vm web </dev/null
daemon

# ---- known at once ----

vm new </dev/null
ok "a file made just now can be started" q vm-start new
background sees events '?"vm":"later"'
wait_for "$tmp/sees.out" '{"return":{}}'
vm later </dev/null
ok "a new file is seen without being asked" ended sees
background sees events '?"event":"VM_CONFIG"' '?"vm":"web","pending":1'
q vm-start web
wait_for "$tmp/sees.out" '{"return":{}}'
sed 's/64M/96M/' "$vms/web.ini" >"$vms/web.tmp"
mv "$vms/web.tmp" "$vms/web.ini"
q reload
q vm-status web
ok "a change is pending, nothing runs otherwise" says '"pending":1'
ok "a change is listed by plan" q vm-plan web
ok "plan names it" says memory
pid=$(pid_of web)
vm web </dev/null
q reload
q vm-status web
ok "changed back: nothing pending" says '"pending":0'
ok "nobody was touched" is "$(pid_of web)" "$pid"

# ---- a broken file ----

bad web
ok "broken: reload names file, line and key" sh -c "$(
	q reload
	echo :
); grep -q '\"file\":\"web.ini\",\"line\":2.*memmory' '$tmp/out'"
q vm-status web
ok "broken: it runs on" is "$(pid_of web)" "$pid"
ok "broken: still called running" state_is web running
ok "broken: it can be paused" q vm-pause web
ok "broken: and resumed" q vm-resume web
ok "broken: restart is refused before anything stops" \
	refused CONFIG vm-restart web
ok "broken: the same QEMU" is "$(pid_of web)" "$pid"
background seen events '?"event":"VM_ENDED"'
wait_for "$tmp/seen.out" '{"return":{}}'
kill -9 "$pid"
ended seen
ok "broken: a crash is answered with the last good version" \
	becomes web running
pid=$(pid_of web)
daemon_ends KILL
daemon
ok "broken: adopted after our own restart" becomes web running
ok "broken: the same QEMU again" is "$(pid_of web)" "$pid"
q vm-show web
ok "broken: shown is the last good version" says 'memory = 64M'
ok "broken: it can be stopped" q vm-stop web
ok "broken: then it is invalid" state_is web invalid
ok "broken: and not started" refused CONFIG vm-start web
ok "broken: the reason has file and line" says 'web.ini:2: '
vm web </dev/null
ok "mended: starts at once" q vm-start web
ok "mended: is fine" state_is web running

# ---- a file that goes ----

pid=$(pid_of web)
rm "$vms/web.ini"
q reload
ok "removed: it runs on" state_is web running
ok "removed: that is said" says 'its file is gone'
daemon_ends KILL
daemon
ok "removed: adopted all the same" becomes web running
ok "removed: the same QEMU" is "$(pid_of web)" "$pid"
ok "removed: start again is fine" q vm-start web
ok "removed: stop" q vm-stop web
ok "removed: forgotten" refused NOT_FOUND vm-status web
ok "removed: its record as well" not test -e "$records/web"

# ---- set and unset ----

vm web </dev/null
dropin=$vms/web.ini.d/50-vmward.ini
ok "set" q vm-set web 'pairs:{"vm.memory":"96M","start.autostart":"yes"}'
ok "set: in the drop-in" grep -qx 'memory = 96M' "$dropin"
ok "set: not in the person's file" grep -q 'memory = 64M' "$vms/web.ini"
q vm-show web
ok "set: shown" says 'memory = 96M'
cp "$dropin" "$tmp/before"
ok "set nonsense" refused CONFIG vm-set web 'pairs:{"vm.memmory":"1G"}'
ok "set a bad value" refused CONFIG vm-set web 'pairs:{"vm.memory":"1024"}'
ok "set half of it wrong" refused CONFIG vm-set web \
	'pairs:{"vm.cpus":"2","vm.memory":"many"}'
ok "set no key" refused USAGE vm-set web 'pairs:{"memory":"1G"}'
ok "set a line of its own" refused CONFIG vm-set web \
	'pairs:{"vm.description":"x\u000a[raw]\u000aarg-1 = -S"}'
ok "refused: nothing was written" cmp "$tmp/before" "$dropin"
ok "dry run" q vm-set web 'pairs:{"vm.cpus":"2"}' dry-run:true
ok "dry run: nothing was written" cmp "$tmp/before" "$dropin"
ok "unset" q vm-unset web 'keys:["vm.memory","start.autostart"]'
q vm-show web
ok "unset: shown" says 'memory = 64M'

# ---- instances ----

printf 'instances = 1-3\n' | vm ci@
printf 'ephemeral = yes\n' | vm tmp@
q reload
for i in 1 2 3; do ok "instance $i is listed" listed "ci@$i"; done
ok "the template is no VM" not listed 'ci@'
ok "one that was only asked about" q vm-status ci@77
ok "is not kept" not listed ci@77
ok "one is started by its name" q vm-start ci@9
ok "and listed" listed ci@9
ok "and kept when it was stopped" q vm-stop ci@9
ok "by name" listed ci@9
ok "an ephemeral one" q vm-start tmp@a
ok "is listed" listed tmp@a
ok "stops" q vm-stop tmp@a
ok "and is forgotten" not listed tmp@a
ok "its record too" not test -e "$records/tmp@a"
ok "an instance of nothing" refused NOT_FOUND vm-start nothing@1
ok "a template" refused NOT_FOUND vm-start ci@
kill -HUP "$daemon_pid"
ok "SIGHUP reads the files" wait_for "$daemon_log" 'reading the files again'
q vm-kill new
daemon_ends TERM
ok "all QEMUs are gone" is "$(qemus)" ''
plan
