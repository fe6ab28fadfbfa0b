#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# [snapshot] schedule: one that was missed is made once, those that no rule of
# keep keeps are deleted, and what a person made stays.
# shellcheck source=tests/live/lib.sh
. "$(dirname "$0")/lib.sh"
stamp=$tmp/var/lib/vmward/schedules

with() # NAME LINE...
{
	name=$1
	shift
	{
		printf '[vm]\nmemory = 8M\naccel = tcg\n'
		printf '[disk.root]\nimage = %s.qcow2\n' "$name"
		printf '[start]\nready = serial:READY\n[snapshot]\n'
		printf '%s\n' "$@"
	} >"$vms/$name.ini"
}
missed() # NAME: the last one was long ago, and we were not there
{
	down
	printf '{"snapshot":1000000}' >"$stamp/$1.json"
	up
}
all() # NAME FILTER: of its snapshots
{
	"$BUILD/vmward" --root "$tmp" snapshot list "$1" --json | jq "$2"
}
made() # NAME N: so many were made by the calendar
{
	is "$(grep -c "snapshot '20.*': created" "$logs/$1/vm.log")" "$2"
}
has() { is "$(all "$1" "$2")" "$3"; }
idle() { is "$("$BUILD/vmward" --root "$tmp" jobs --json | jq length)" 0; }

qimage web
qimage db
with web 'schedule = hourly' 'keep = 2 last'
with db 'schedule = daily' 'memory = yes'
up
ok "nothing is due yet" has web length 0
vmward status web --json
ok "status says when" says '"next_snapshot": "20'
ok "explain in words" sh -c "'$BUILD/vmward' --root '$tmp' explain web |
	grep -q 'Its next snapshot is due at'"
ok "one by hand" does snapshot create web --name mine
for turn in 1 2 3; do
	missed web
	ok "missed, $turn: it is made" eventually made web "$turn"
	ok "missed, $turn: two of them are kept at most" eventually has web \
		'[.[] | select(.scheduled)] | length' "$((turn < 2 ? turn : 2))"
	ok "missed, $turn: nothing is left to do" eventually idle
done
ok "what a person made as well" has web '[.[] | select(.name == "mine")]
	| length' 1
ok "three were made, not more" made web 3
ok "the file has no more than that" is "$(qemu-img snapshot -l \
	"$images/web.qcow2" | grep -c '^[0-9]')" 3

ok "one that runs" does start db --wait
missed db
ok "its memory is kept" eventually has db '[.[] | select(.memory)] | length' 1
ok "nothing is left to do" eventually idle
ok "it runs on" is_state db running
ok "it can go on from there" does snapshot revert db --latest --yes

# what cannot be is said, and waits for the next time
with db 'schedule = daily' 'freeze = yes'
missed db
vmlog_says_failed() { vmlog_says db "guest has no agent"; }
ok "freeze = yes without an agent: it fails" eventually vmlog_says_failed
ok "and says so" eventually sh -c "'$BUILD/vmward' --root '$tmp' status db |
	grep -q 'the scheduled snapshot failed: its guest has no agent'"
ok "it runs on" is_state db running
with db 'schedule = daily' 'freeze = if-agent'
missed db
ok "freeze = if-agent: it is made" eventually has db length 2
with db 'schedule = sometimes'
ok "a bad schedule: refused" fails_with 1 check db
ok "with what to write" says 'say hourly, daily'
with db 'memory = perhaps'
ok "a bad memory: refused" fails_with 1 check db
with db 'freeze = perhaps'
ok "a bad freeze: refused" fails_with 1 check db
with db 'keep = 0 daily'
ok "a bad keep: refused" fails_with 1 check db
plan
