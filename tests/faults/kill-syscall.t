#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# kill -9 of the supervisor at its system calls during one start and one
# stop.  A clean trace tells the pairs (call, how many-th); POINTS [30] of
# them, evenly spread, or POINTS=all of them, are injected by strace.
# MUTATE=kill: the test itself kills a guest once, to see vm_killed count.
# shellcheck source=tests/live/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/live/lib.sh"
command -v strace >/dev/null || skip_all "no strace"
strace -o /dev/null true 2>/dev/null || skip_all "strace may not trace here"
points=${POINTS:-${LONG:+150}}
: "${points:=30}"
injected=0 survived=0 lost=0 double=0 killed=0 leaked=0 slowest=0

# traced ARG...: vmwardd under strace; true when it is ready
traced()
{
	rm -f "$tmp/ready"
	strace "$@" "$BUILD/vmwardd" --root "$tmp" --notify-fd 9 \
		9<>"$tmp/notify" </dev/null >>"$tmp/sup.log" 2>&1 &
	vmwardd_pid=$!
	timeout 5 head -n 1 <>"$tmp/notify" >"$tmp/ready"
	[ -s "$tmp/ready" ]
}

# its tracee, which is the supervisor
supervisor()
{
	pgrep -P "$vmwardd_pid" vmwardd
}

ask() # VERB
{
	timeout -s KILL 20 "$BUILD/vmward" --root "$tmp" "$1" vm \
		>"$tmp/$1.out" 2>&1
	echo $? >"$tmp/$1.status"
}

count_qemus()
{
	qemus "/vm.raw" | wc -l
}

bad()
{
	echo "# $name $number: $*"
}

# the pairs of a start and a stop: all calls after the first connection;
# not of the very first start, which makes files that are there later
enumerate()
{
	up
	ask start
	ask stop
	leave
	traced -o "$tmp/trace" || return 1
	ask start
	ask stop
	kill "$(supervisor)"
	wait "$vmwardd_pid"
	vmwardd_pid=
	awk -f "$TOP/tests/faults/points.awk" "$tmp/trace" >"$tmp/all"
	[ "$points" != all ] || points=$(wc -l <"$tmp/all")
	# the last calls are those of the leave
	awk -v points="$points" -v n="$(wc -l <"$tmp/all")" '
		int(NR * points / n) != int((NR - 1) * points / n)' \
		"$tmp/all" >"$tmp/pairs"
}

# the call may come once less than in the clean trace: then the one before
inject() # NAME NUMBER
{
	number=$2
	while [ "$number" -gt 0 ]; do
		rm -f "$tmp"/*.status
		if traced -o /dev/null -e "inject=$1:signal=KILL:when=$number"
		then
			ask start
			ask stop
		fi
		child=$(supervisor)
		if [ -z "$child" ] || ! kill -0 "$child" 2>/dev/null; then
			wait "$vmwardd_pid" 2>/dev/null
			vmwardd_pid=
			return 0
		fi
		kill "$child"
		wait "$vmwardd_pid"
		if [ $? -gt 128 ]; then # it was a call of the leave
			vmwardd_pid=
			return 0
		fi
		number=$((number - 1))
	done
	return 1
}

# at the death of the supervisor: who lives, and whether a stop was heard
look_at_dead()
{
	lived=$(qemus "/vm.raw")
	stopping=$(tail -c "+$((log_from + 1))" "$logs/vm/vm.log" |
		grep -c -e '-> stopping')
	[ "${MUTATE-}" != kill ] || [ -z "$lived" ] || [ "$stopping" != 0 ] ||
		{ kill -9 "$lived" && MUTATE= && is_gone "$lived"; }
}

# a guest that ran and was not to stop runs on; no other takes its place
check_lived()
{
	now=$(qemus "/vm.raw")
	[ -n "$lived" ] && [ "$now" != "$lived" ] || return 0
	[ "$stopping" = 0 ] || [ -n "$now" ] || return 0
	killed=$((killed + 1))
	bad "pid $lived ran before, '$now' now"
}

settled()
{
	state=$(state_of vm)
	[ "$state" = running ] || [ "$state" = stopped ]
}

recover()
{
	began=$(now_ms)
	up
	eventually settled || bad "it is $state"
	took=$(($(now_ms) - began))
	[ "$took" -le "$slowest" ] || slowest=$took
	kill -0 "$vmwardd_pid" && survived=$((survived + 1))
	check_lived
	n_qemus=$(count_qemus)
	if [ "$n_qemus" -gt 1 ]; then
		double=$((double + 1))
		bad "$n_qemus QEMUs"
	fi
	case "$state $n_qemus" in
	'running 1' | 'stopped 0') ;;
	*)
		leaked=$((leaked + 1))
		bad "it is $state with $n_qemus QEMUs"
		;;
	esac
	case "$(cat "$tmp/start.status" "$tmp/stop.status" 2>/dev/null |
		tr '\n' ' ')$state" in
	'0 0 running' | '0 '[1-9]*' stopped')
		# a stop that was not answered may be done or not
		[ "$(cat "$tmp/stop.status")" = 0 ] || return 0
		lost=$((lost + 1))
		bad "answered, but it is $state"
		;;
	esac
}

guest vm tcg <<EOF
[stop]
steps = quit:2s, kill
EOF
sed -i '/^\[start\]/d; /^ready/d' "$vms/vm.ini"
ok "a clean trace" enumerate
points=$(wc -l <"$tmp/pairs")
while read -r name number <&7; do
	log_from=$(size_of "$logs/vm/vm.log")
	if inject "$name" "$number"; then
		injected=$((injected + 1))
	else
		bad "was never reached"
	fi
	look_at_dead
	recover
	vmward stop vm
	[ "$status" = 0 ] || bad "the stop failed: $(cat "$tmp/err")"
	if ! nothing_left >/dev/null; then
		leaked=$((leaked + 1))
		bad "left: $(cat "$tmp/left")"
	fi
	leave
done 7<"$tmp/pairs"
line="case=C-2-start-stop points=$points injected=$injected \
survived=$survived acked_lost=$lost double=$double vm_killed=$killed \
leaked=$leaked max_recover_ms=$slowest"
echo "# $line"
[ -z "${FAULTS_OUT-}" ] || echo "$line" >>"$FAULTS_OUT"
ok "every point was injected" is "$injected" "$points"
ok "no answer was lost" is "$lost" 0
ok "no VM was doubled" is "$double" 0
ok "no guest was killed" is "$killed" 0
ok "nothing leaked" is "$leaked" 0
ok "the supervisor came back each time" is "$survived" "$points"
plan
