#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# C-11: QEMU dies while no supervisor lives, and somebody else gets its pid,
# ROUNDS [20] times, in a pid namespace of its own.  The next supervisor knows
# that the VM is down, and a stop and a kill leave the stranger alone.
if [ "$$" != 1 ]; then
	unshare -p -f --mount-proc true 2>/dev/null || {
		echo "1..0 # SKIP no pid namespace"
		exit 0
	}
	exec unshare -p -f --mount-proc --kill-child "$0"
fi
# shellcheck source=tests/faults/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/faults/lib.sh"
rounds=${ROUNDS:-20}
[ -w /proc/sys/kernel/ns_last_pid ] || skip_all "pids cannot be chosen"

# a stranger with a given pid, if nobody else was faster
take_pid() # PID
{
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		echo $(($1 - 1)) >/proc/sys/kernel/ns_last_pid
		tail -f /dev/null >/dev/null 2>&1 &
		stranger=$!
		[ "$stranger" != "$1" ] || return 0
		kill "$stranger"
		wait "$stranger" 2>/dev/null
	done
	return 1
}
# as init we reap whom nobody else does
is_reaped() { true & wait $!; [ ! -e "/proc/$1" ]; }

vm web <<'EOS'
[restart]
policy = no
EOS
case_begin C-11-pid-reuse
i=0
while [ "$i" -lt "$rounds" ]; do
	i=$((i + 1))
	point "round $i"
	daemon
	vmward start web
	pid=$(pid_of web)
	daemon_ends KILL
	kill -9 "$pid"
	eventually is_reaped "$pid"
	take_pid "$pid" && struck
	expects "web down"
	again
	look
	vmward stop web
	vmward kill web
	vmward status web
	kill -0 "$stranger" 2>/dev/null || {
		vm_killed=$((vm_killed + 1))
		bad "the stranger was killed"
	}
	kill "$stranger" 2>/dev/null
	wait "$stranger" 2>/dev/null
	daemon_ends TERM
done
tell
plan
