#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# kill -9 at POINTS [40] of the supervisor's system calls while a VM moves into
# a new QEMU, and of either QEMU at any time of it: one QEMU is left.  The
# guest does not notice what happens to the supervisor or to the new one; an
# end of the old one is an end of the VM, unless the guest was over already.
# shellcheck source=tests/live/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/live/lib.sh"
points=${POINTS:-40}
may_trace
injected=0 survived=0

refresh()
{
	timeout -s KILL 60 "$BUILD/vmward" --root "$tmp" refresh web \
		>"$tmp/told" 2>&1 </dev/null
}
is_one()
{
	is "$(qemus "$tmp" | wc -l)" 1 &&
		is "$(find "$run/web/priv" -name 'next-*')" ""
}
goes_on() # BOOTS: at most so many; it counts one up, as one QEMU
{
	eventually is_state web running && eventually is_one || return 1
	count=$((count + 1))
	is "$(counts web)" "$(printf %04X "$count")" || return 1
	is "$(of web pid)" "$(qemus "$tmp")" || return 1
	boots=$(said web "$start" | grep -c READY)
	echo "boots: $boots"
	[ "$boots" -le "$1" ] && survived=$((survived + 1))
}

# killed POINT: the supervisor there.  Point 0 kills nobody, and tells how
# many calls there are; the others are spread over these.
killed()
{
	down
	start=$(log_size web)
	if [ "$1" -eq 0 ]; then
		up_under 0
	else
		up_under "$(($(cat "$tmp/total") * $1 / (points + 1)))"
	fi
	vmward wait web running --timeout 20s
	refresh
	acked=$?
	[ "$acked" -eq 6 ] || kill "$vmwardd_pid" 2>/dev/null
	wait "$vmwardd_pid" 2>/dev/null
	read -r how calls <"$tmp/calls"
	[ "$1" -ne 0 ] || echo "$calls" >"$tmp/total"
	[ "$how" != killed ] || injected=$((injected + 1))
	echo "$how at call $calls of $(cat "$tmp/total"): status $acked"
	up
	goes_on 0
}

# The two QEMUs of a move: the one that waits for the memory, and the other.
second() { qemus ' -incoming '; }
first() { qemus "$tmp" | grep -vxF "$(second)"; }

# ends WHO MS BOOTS: a QEMU is killed so long after the second one came
ends()
{
	was=$(qemus "$tmp")
	start=$(log_size web)
	refresh &
	mover=$!
	until qemus ' -incoming ' | grep -qvxF "$was"; do
		kill -0 "$mover" 2>/dev/null || break
	done
	now=$(qemus ' -incoming ' | grep -vxF "$was")
	timeout "0.$(printf %03d "$2")" tail -f /dev/null
	case $1 in
	new) kill -9 "$now" 2>/dev/null && injected=$((injected + 1)) ;;
	old) kill -9 "$was" 2>/dev/null && injected=$((injected + 1)) ;;
	esac
	wait "$mover"
	cat "$tmp/told"
	goes_on "$3"
}

guest web tcg <<-EOF
	[restart]
	burst = 16/1s
	backoff = 100ms
EOF
up
starts web --wait=ready
counts web >/dev/null
count=1
for at in $(seq 0 "$points"); do
	ok "the supervisor is killed at point $at" killed "$at"
done
for at in $(seq 1 "$points"); do
	ms=$((150 * at / points))
	ok "the new QEMU is killed after $ms ms" ends new "$ms" 1
	ok "the old QEMU is killed after $ms ms" ends old "$ms" 1
done
stops web --now
ok "nothing is left" nothing_left
survived=$((survived - 1)) # point 0 is no kill
echo "# case=kill-refresh points=$((3 * points)) injected=$injected" \
	"survived=$survived lost=$((3 * points - survived))"
plan
