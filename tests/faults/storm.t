#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# C-22: eight clients ask at random about five VMs for SECONDS_OF_STORM [2] a
# point, POINTS [8] of them, while the supervisor is killed in the midst of
# every second.  Each request is answered once; then the oracle looks.
# shellcheck source=tests/faults/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/faults/lib.sh"
wanted=${POINTS:-${LONG:+100}}
: "${wanted:=8}"
seconds=${SECONDS_OF_STORM:-2}
cp "$BUILD/tests/peer/storm" "$tmp/bin"
for name in a b c d e; do
	printf '[stop]\ntimeout = 2s\n' | vm "$name"
done
vm calm </dev/null
daemon
vmward start calm
pid=$(pid_of calm)
storm() { timeout -s KILL 120 "$tmp/bin/storm" "$control" "$@"; }

case_begin C-22-storm
expects "calm up $pid"
i=0
while [ "$i" -lt "$wanted" ]; do
	i=$((i + 1))
	point "seed $i"
	if [ $((i % 2)) = 0 ]; then
		storm "$i" 30 >/dev/null 2>&1 &
		child=$!
		started="$started $child"
		measure_ms 700
		daemon_ends KILL && : # its status is the signal's
		wait "$child" 2>/dev/null
		struck
		again
	elif storm "$i" "$seconds" >"$tmp/storm.out" 2>&1; then
		struck
	else
		bad "$(tail -n 1 "$tmp/storm.out")"
	fi
	look
done
vmward kill -q calm a b c d e
expects "calm down" "a down" "b down" "c down" "d down" "e down"
eventually oracle
points=$((points + 1)) injected=$((injected + 1))
look
tell
daemon_ends TERM
plan
