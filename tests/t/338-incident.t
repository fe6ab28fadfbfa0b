#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Incidents: made at abnormal ends, listed, shown, exported, capped, swept.
# shellcheck source=tests/t/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/t/daemon.sh
. "$TOP/tests/t/daemon.sh"
kept=$tmp/var/lib/vmward/incidents

# Until a VM has N finished incidents.
has() # NAME N
{
	for _ in $(seq 200); do
		found=$(find "$kept/$1" -mindepth 1 -maxdepth 1 \
			! -name '*.tmp' 2>/dev/null | wc -l)
		[ "$found" -ge "$2" ] && break
		measure_ms 50
	done
	is "$found" "$2"
}
ward() { vmward --root "$tmp" "$@"; }

printf '[restart]\npolicy = no\n[raw]\narg-1 = %s\n' \
	'-object secret,id=s0,data=hunter2' | vm web
scripted panics panic
printf '[restart]\npolicy = no\n' >>"$vms/panics.ini"
vm off </dev/null
daemon
for name in web off; do q vm-start "$name"; done
q vm-qmp off execute=system_powerdown
becomes off stopped >/dev/null
kill -9 "$(pid_of web)"
becomes web stopped >/dev/null
ok "a killed QEMU makes one" has web 1
ok "a guest that powers off makes none" test ! -e "$kept/off"
dir=$(find "$kept/web" -mindepth 1 -maxdepth 1)
ok "its name says when and why" sh -c "echo '$dir' |
	grep -qE '/20[0-9]{6}T[0-9]{6}\.[0-9]{3}Z-qemu-signal\$'"
ok "for us alone" is "$(stat -c '%a' "$dir") $(stat -c %a "$dir/argv.txt")" \
	'700 600'
for file in incident.json explain.txt recorder.txt config.ini argv.txt \
	host.txt log.txt; do
	ok "there is $file" test -s "$dir/$file"
done
ok "the cause" grep -q '"cause": "qemu-signal"' "$dir/incident.json"
ok "the sentences" grep -q 'It last ended at .*: qemu-signal 9' \
	"$dir/explain.txt"
ok "the monitor" grep -q '"execute":"cont"' "$dir/recorder.txt"
ok "the arguments" grep -q 'id=mon-g1' "$dir/argv.txt"
ok "no secret" sh -c "! grep -rq hunter2 '$kept'"

ward incident list
ok "list: exit" is "$status" 0
ok "list: a row" says 'qemu-signal'
ward incident list off
ok "list: none" is "$(cat "$tmp/out")" 'no incidents'
ward --json incident list web
ok "list: JSON" says '"cause": "qemu-signal"'
ward incident show web
ok "show: the newest" says 'It last ended at'
ok "show: its files" says recorder.txt
ward incident show web 20990101T000000.000Z-panic
ok "show: no such" is "$status" 4
ward incident show web ../../../etc
ok "show: a path" is "$status" 4
ward incident show off
ok "show: none at all" is "$status" 4
ward status web
q vm-status web
ok "status names it" is "$(field last_incident)" "$(basename "$dir")"
q vm-explain web
ok "explain names it" says "vmward incident show web $(basename "$dir")"

ward incident export web >/dev/null
ok "export: exit" is "$status" 0
cp "$tmp/out" "$tmp/web.tar"
mkdir "$tmp/x"
ok "export: a tar archive" tar -C "$tmp/x" -xf "$tmp/web.tar"
ok "export: the very files" diff -r "$dir" "$tmp/x/web-$(basename "$dir")"
ward incident export web -o "$tmp/new.tar"
ok "export -o" cmp "$tmp/new.tar" "$tmp/web.tar"
ward incident export web -o "$tmp/new.tar"
ok "export -o: not over a file" is "$status" 1
ok "export -o: which stays" cmp "$tmp/new.tar" "$tmp/web.tar"
ok "a file of it that is none" refused NOT_FOUND vm-incident-read web \
	file=../explain.txt

q vm-start panics
ok "a panic makes one" has panics 1
ok "its recorder has the event" grep -rq GUEST_PANICKED "$kept/panics"

# what we left when we were killed, and too many
mkdir "$kept/web/20260101T000000.000Z-panic.tmp"
for day in 01 02 03 04 05 06 07 08 09 10 11; do
	mkdir -p "$kept/web/202601${day}T000000.000Z-panic"
done
q vm-start web
kill -9 "$(pid_of web)"
becomes web stopped >/dev/null
newest=$(q vm-status web && field last_incident)
for _ in $(seq 200); do
	[ -e "$kept/web/$newest/incident.json" ] && [ ! -e "$kept/web/$newest.tmp" ] &&
		break
	measure_ms 50
done
ok "ten are kept" is "$(find "$kept/web" -mindepth 1 -maxdepth 1 | wc -l)" 10
ok "the newest among them" test -e "$kept/web/$newest/incident.json"
ok "nothing that was not finished" is "$(find "$kept" -name '*.tmp')" ''
daemon_ends KILL
mkdir -p "$kept/web/20260101T000000.000Z-panic.tmp"
daemon
ok "nor after a supervisor that died over it" \
	is "$(find "$kept" -name '*.tmp')" ''
ok "the finished ones stay" test -e "$kept/web/$newest/incident.json"

# a state directory that takes nothing
rm -rf "$kept"
: >"$kept"
q vm-start web
kill -9 "$(pid_of web)"
becomes web stopped >/dev/null
ok "it cannot be written: said" wait_for "$daemon_log" 'no incident: '
ok "and the VM starts" q vm-start web
daemon_ends TERM
plan
