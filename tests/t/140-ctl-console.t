#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# console: a dialogue, a pipe, several at once; jobs: progress and Ctrl-C.
# shellcheck source=tests/t/lib.sh
. "$(dirname "$0")/lib.sh"

supervisor <<EOS
= console $tmp/console.sock login: 
> {"execute": "vm-console", "arguments": {"vm": "off"}}
< {"error": {"class": "GenericError", "desc": "it is stopped", "code": "STATE"}, "id": \$ID}
> {"execute": "vm-console"}
< {"return": {"path": "$tmp/console.sock"}, "id": \$ID}
> {"execute": "vm-resolve"}
< {"return": {"names": ["a", "bb"]}, "id": \$ID}
EOS

vmward console web --expect 'log+in:' --send root --expect 'r(oo)t'
ok "a dialogue" exits 0
ok "prints what it saw" says 'login: root'
vmward console web --expect login --send 'x\c' --expect 'login' --timeout 200ms
ok "what was matched is not seen again: exit 5" exits 5
ok "says what was not seen" complains "web: --expect 'login': not seen in time"
vmward console web --expect '('
ok "a bad expression is usage" exits 2
vmward console off
ok "a stopped VM: exit 3" exits 3
printf 'hello\n' | timeout 20 "$BUILD/vmward" --root "$tmp" console web \
	>"$tmp/out" 2>"$tmp/err"
status=$?
ok "a pipe is typed in, then it detaches" exits 0
ok "and shows the answer" says 'login: hello'
printf 'abc\035' | on_terminal console web
ok "the escape key detaches" exits 0
ok "and says so" says 'web: detached'
ok "it named the key" says 'escape is ^]'
greeted() { grep -c '^console greeted' "$control.log"; }
before=$(greeted)
(timeout 20 "$BUILD/vmward" --root "$tmp" console '*' >"$tmp/out" 2>"$tmp/err") &
pid=$!
supervisor_of_consoles=$supervisor_pid
tries=0
until [ "$(greeted)" -ge $((before + 2)) ] || [ $tries -gt 400 ]; do
	tries=$((tries + 1))
	timeout 0.05 tail -f /dev/null
done
kill "$supervisor_of_consoles"
wait "$pid"
sort -o "$tmp/out" "$tmp/out" # who was first is chance
ok "several consoles stand side by side" output_is <<'EOS'
a  | login: 
bb | login: 
EOS

# ---- jobs ----
supervisor <<'EOS'
> {"execute": "vm-start", "arguments": {"vm": "big"}}
< {"event": "JOB_STATUS", "data": {"seq": 1, "job": "j7", "request": $ID, "vm": "big", "kind": "start", "status": "running", "phase": "convert", "done": 0, "total": 1073741824}, "timestamp": {"seconds": 1, "microseconds": 0}}
~ 1200
< {"event": "JOB_STATUS", "data": {"seq": 2, "job": "j7", "request": $ID, "vm": "big", "kind": "start", "status": "running", "phase": "convert", "done": 536870912, "total": 1073741824}, "timestamp": {"seconds": 1, "microseconds": 0}}
~ 400
< {"return": {"changed": true, "state": "running"}, "id": $ID}
> {"execute": "vm-start", "arguments": {"vm": "stuck"}}
< {"event": "JOB_STATUS", "data": {"seq": 1, "job": "j8", "request": $ID, "vm": "stuck", "kind": "start", "status": "running"}, "timestamp": {"seconds": 1, "microseconds": 0}}
> {"execute": "vm-start", "arguments": {"vm": "long"}}
< {"event": "JOB_STATUS", "data": {"seq": 1, "job": "j9", "request": $ID, "vm": "long", "kind": "start", "status": "running"}, "timestamp": {"seconds": 1, "microseconds": 0}}
> {"execute": "job-cancel", "arguments": {"request": "r0"}}
< {"return": {"changed": true}, "id": $ID}
< {"error": {"class": "GenericError", "desc": "cancelled; nothing was changed", "code": "CANCELLED"}, "id": "r0"}
EOS
vmward start big
ok "no terminal: start and end lines only" [ "$(grep -c convert "$tmp/err")" -eq 2 ]
ok "the line has a bar and bytes" complains 'big  convert  0 % [------------]  0.0 of 1.0 GiB'
ok "the end line" complains 'big  convert  done after 1'
on_terminal start big </dev/null
ok "a terminal gets a bar" says 'big  convert  50 % [######------]'
vmward start big --progress none
ok "--progress none" is_silent

# interrupted VM: starts it and sends SIGINT once the job is known
interrupted()
{
	"$BUILD/vmward" --root "$tmp" start "$1" >"$tmp/out" 2>"$tmp/err" &
	client=$!
	started="$started $client"
	tries=0
	until sent "\"vm\":\"$1\"" || [ $tries -gt 100 ]; do
		tries=$((tries + 1))
		timeout 0.05 tail -f /dev/null
	done
	timeout 0.2 tail -f /dev/null
}
interrupted long
kill -TERM "$client"
wait "$client"
status=$?
ok "Ctrl-C cancels: exit 130" exits 130
ok "by the id of the request" sent '"execute":"job-cancel","arguments":{"request":"r0"}'
ok "and says what is left" complains 'long: cancelled; nothing was changed'

supervisor <<'EOS'
> {"execute": "vm-start", "arguments": {"vm": "stuck"}}
< {"event": "JOB_STATUS", "data": {"seq": 1, "job": "j8", "request": $ID, "vm": "stuck", "kind": "start", "status": "running"}, "timestamp": {"seconds": 1, "microseconds": 0}}
> {"execute": "job-cancel"}
< {"return": {"changed": true}, "id": $ID}
EOS
interrupted stuck
kill -TERM "$client"
until sent job-cancel; do timeout 0.05 tail -f /dev/null; done
kill -TERM "$client"
wait "$client"
status=$?
ok "the second Ctrl-C returns at once: 130" exits 130
ok "and names the job" complains 'left while it is being cancelled: j8'
plan
