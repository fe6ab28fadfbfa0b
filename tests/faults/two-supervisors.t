#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# C-21: twenty supervisors at once on one directory, ROUNDS [20] times, now
# and then with the lock file deleted before: one wins, nineteen exit 100.
# shellcheck source=tests/faults/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/faults/lib.sh"
rounds=${ROUNDS:-20}

# all at once; the winner's pid in daemon_pid
crowd()
{
	rm -f "$tmp/ready"
	mkfifo "$tmp/ready"
	exec 4<>"$tmp/ready"
	pids=
	for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		PATH="$tmp/bin:$PATH" "$BUILD/vmwardd" --root "$tmp" \
			--notify-fd 3 3>"$tmp/ready" 4>&- 2>>"$daemon_log" &
		pids="$pids $!"
	done
	started=$pids
	read -r _ <&4
	exec 4>&-
}
# the losers are gone, each with 100
count_losers()
{
	losers=0 daemon_pid=
	eventually nineteen_ended || bad "more than one lives"
	for pid in $pids; do
		if kill -0 "$pid" 2>/dev/null; then
			daemon_pid=$pid
		else
			wait "$pid"
			[ $? -ne 100 ] || losers=$((losers + 1))
		fi
	done
}
nineteen_ended()
{
	alive=0
	for pid in $pids; do
		! running "$pid" || alive=$((alive + 1))
	done
	[ "$alive" -le 1 ]
}
# a child that ended waits to be asked for its status
running() { ! grep -q '^[0-9]* (.*) Z' "/proc/$1/stat" 2>/dev/null && [ -e "/proc/$1" ]; }

vm web </dev/null
daemon
q vm-start web
pid=$(pid_of web)
daemon_ends TERM
case_begin C-21-two-supervisors
expects "web up $pid"
i=0
while [ "$i" -lt "$rounds" ]; do
	i=$((i + 1))
	point "round $i"
	[ $((i % 3)) != 0 ] || rm -f "$run/supervisor.lock"
	crowd
	count_losers
	if [ "$losers" = 19 ] && [ -n "$daemon_pid" ]; then
		struck
	else
		bad "$losers left with 100"
	fi
	again
	look
	daemon_ends TERM
done
tell
plan
