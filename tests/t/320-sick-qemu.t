#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A QEMU that is missing, dies, hangs, floods or lies: the failing stage and
# its own last words, a bounded wait, and nobody else is delayed.
# shellcheck source=tests/t/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/t/daemon.sh
. "$TOP/tests/t/daemon.sh"

# script NAME: a script of our own, from stdin, for VM NAME
script()
{
	cat >"$tmp/$1.qmp"
	scripted "$1" "$tmp/$1.qmp"
}

fails() # NAME TEXT: its start is refused and says TEXT
{
	! q vm-start "$1" || return
	says "$2" || {
		cat "$tmp/out"
		false
	}
}

# A reply of others: a busy machine is slow, but does not wait for a sick one
prompt=1000
answers()
{
	talk "$control" qmp '>{"execute":"vm-list"}' '?"vms"' ms $prompt \
		'>{"execute":"vm-status","arguments":{"vm":"well"}}' \
		'?"state":"running"' ms $prompt || {
		cat "$tmp/err"
		false
	}
}

# ---- no QEMU at all ----

vm well </dev/null
mv "$qemu_exe" "$qemu_exe.away"
mkfifo "$tmp/first"
env PATH=/nowhere "$BUILD/vmwardd" --confinement off --root "$tmp" --notify-fd 3 \
	3>"$tmp/first" 2>"$daemon_log" &
daemon_pid=$!
read -r _ <"$tmp/first"
ok "missing: said at the start" logged 'qemu-system-x86_64 is not on PATH'
ok "missing: said to who starts" fails well 'not installed or not on PATH'
ok "missing: the VM is stopped" state_is well stopped
daemon_ends TERM
mv "$qemu_exe.away" "$qemu_exe"

# ---- it dies at once ----

daemon
q vm-start well
scripted exits exit-at-once
ok "exits: its last words" fails exits \
	"QEMU did not start: -device nonsense: 'nonsense' is not a valid"
ok "exits: not tried again" state_is exits stopped
script mute <<'EOS'
! exit 3
EOS
ok "says nothing: that is said" fails mute 'ended with status 3 and said nothing'
script seccomp <<'EOS'
! kill SYS
EOS
ok "signal 31: named" fails seccomp 'killed by its sandbox (signal 31)'
scripted cut eof-in-greeting
ok "dies within its greeting" fails cut 'ended with status 1'
scripted old too-old
ok "too old: named" fails old 'QEMU 7.1 is too old: 7.2 or later is needed'
ok "too old: it is taken away" state_is old stopped
scripted later sigsys
q vm-start later
q vm-qmp later execute=query-status
talk "$control" qmp '>{"execute":"vm-log","arguments":{"vm":"later"}}' '<'
ok "signal 31 while it runs: the cause" says 'ended: sandbox'
q vm-stop later

# ---- it hangs ----

scripted silent no-greeting
background waits qmp \
	'>{"execute":"vm-start","arguments":{"vm":"silent"}}' '<"error"'
ok "no greeting: starting" becomes silent starting
ok "no greeting: others are answered" answers
ok "no greeting: a second start waits as well" talk "$control" qmp \
	'>{"execute":"vm-start","arguments":{"vm":"silent","timeout":0.2}}' \
	'<"code":"TIMEOUT"' ms 2000
ok "no greeting: kill" talk "$control" qmp \
	'>{"execute":"vm-kill","arguments":{"vm":"silent"}}' '<"return"' \
	ms 2000
ok "no greeting: the start was told" ended waits
ok "no greeting: stopped" state_is silent stopped
script stops <<'EOS'
= greet
= loop
EOS
q vm-start stops
kill -STOP "$(pid_of stops)"
background asks qmp '>{"execute":"vm-pause","arguments":{"vm":"stops"}}' hold
ok "SIGSTOP: list and status are answered" answers
ok "SIGSTOP: also of itself" talk "$control" qmp \
	'>{"execute":"vm-status","arguments":{"vm":"stops"}}' \
	'<"name":"stops"' ms $prompt
ok "SIGSTOP: kill within 2 s" talk "$control" qmp \
	'>{"execute":"vm-kill","arguments":{"vm":"stops"}}' '<"return"' ms 2000
kill "$(peer asks)"

# ---- it talks nonsense ----

before=$(rss_kib "$daemon_pid")
for story in garbage wrong-id reply-twice event-before-reply \
	event-before-greeting no-oob late-greeting byte-by-byte; do
	scripted tale $story
	ok "$story: runs" q vm-start tale
	ok "$story: others are answered" answers
	ok "$story: stops" q vm-kill tale
done
for story in flood-no-newline heap-bomb depth-bomb bad-utf8; do
	scripted tale $story
	q vm-start tale
	ok "$story: others are answered" answers
	ok "$story: kill works" talk "$control" qmp \
		'>{"execute":"vm-kill","arguments":{"vm":"tale"}}' \
		'<"return"' ms 2000
	ok "$story: nothing is left of it" state_is tale stopped
done
scripted tale close-mid-reply
q vm-start tale
pid=$(pid_of tale)
q vm-qmp tale execute=query-status
ok "closed within a reply: who asked is told" says '"error"'
ok "closed within a reply: connected again" becomes tale running
ok "closed within a reply: the same QEMU" is "$(pid_of tale)" "$pid"
q vm-kill tale
# events with much in them are not kept
script fat <<EOS
? {"execute": "cont"}
= reply
! repeat 60 {"event":"FAT","data":{"a":"$(head -c 400000 /dev/zero | tr '\0' x)"}}\r\n
= loop
EOS
q vm-start fat
ok "fat events: others are answered" answers
talk "$control" events \
	'>{"execute":"vm-qmp","arguments":{"vm":"fat","execute":"query-name"}}' \
	'?"return"'
echo "# RSS $before KiB -> $(rss_kib "$daemon_pid") KiB"
ok "all of them cost less than 8 MiB" test \
	$(($(rss_kib "$daemon_pid") - before)) -lt "$(rss_margin 8192)"
q vm-kill fat

# ---- it storms ----

script storm <<'EOS'
? {"execute": "cont"}
= reply
! repeat 100000 {"timestamp": {"seconds": 1700000000, "microseconds": 1}, "event": "RESET", "data": {"guest": true, "reason": "guest-reset"}}\r\n
= loop
EOS
q vm-start storm
ok "a storm of events: others are answered" answers
q vm-kill storm
script calm <<'EOS'
? {"execute": "cont"}
= reply
! drip 1 {"timestamp": {"seconds": 1, "microseconds": 1}, "event": "RESET", "data": {"guest": true, "reason": "guest-reset"}}\r\n{"timestamp": {"seconds": 1, "microseconds": 1}, "event": "RESET", "data": {"guest": true, "reason": "guest-reset"}}\r\n{"timestamp": {"seconds": 1, "microseconds": 1}, "event": "RESET", "data": {"guest": true, "reason": "guest-reset"}}\r\n{"timestamp": {"seconds": 1, "microseconds": 1}, "event": "RESET", "data": {"guest": true, "reason": "guest-reset"}}\r\n{"timestamp": {"seconds": 1, "microseconds": 1}, "event": "RESET", "data": {"guest": true, "reason": "guest-reset"}}\r\n{"timestamp": {"seconds": 1, "microseconds": 1}, "event": "RESET", "data": {"guest": true, "reason": "guest-reset"}}\r\n{"timestamp": {"seconds": 1, "microseconds": 1}, "event": "RESET", "data": {"guest": true, "reason": "guest-reset"}}\r\n{"timestamp": {"seconds": 1, "microseconds": 1}, "event": "RESET", "data": {"guest": true, "reason": "guest-reset"}}\r\n
= loop
EOS
before=$(ticks "$daemon_pid")
q vm-start calm
measure_ms 1000
spent=$(($(ticks "$daemon_pid") - before))
echo "# $spent of 100 ticks while it reads a byte a millisecond"
ok "a trickle costs little" test "$spent" -le 10
q vm-kill calm
script loud <<EOS
? {"execute": "cont"}
= reply
$(awk 'BEGIN { for (i = 0; i < 3000; i++) print "! stderr line " i " of a loud QEMU \\x1b[31m" }')
= loop
EOS
q vm-start loud
ok "a loud stderr: others are answered" answers
ok "a loud stderr: QEMU runs" state_is loud running
q vm-log loud lines:1000
ok "a loud stderr: most of it is not kept" test \
	"$(grep -o 'of a loud' "$tmp/out" | wc -l)" -lt 100
ok "a loud stderr: nothing for a terminal in it" sh -c \
	"! grep -q '\\\\\\\\u001b' '$tmp/out'"
q vm-kill loud
ok "the well one never noticed" state_is well running
q vm-stop well
ok "all QEMUs are gone" is "$(qemus)" ''
daemon_ends TERM
ok "nothing is left" is "$(ls "$run")" supervisor.lock
plan
