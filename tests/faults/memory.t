#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# C-5: an allocation of the supervisor fails, the N-th of a start, a set, a
# list and a stop; every second time all after it as well.  POINTS [40] of
# them, evenly spread, or POINTS=all.  An abort and an adoption are survived.
# shellcheck source=tests/faults/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/faults/lib.sh"
oom=$BUILD/tests/peer/oom.so
wanted=${POINTS:-${LONG:+all}}
: "${wanted:=40}"
[ -e "$oom" ] || skip_all "no oom.so"
! nm "$BUILD/vmwardd" 2>/dev/null | grep -q __asan ||
	skip_all "a sanitizer has its own malloc"

ask() # WORD...
{
	timeout -s KILL 20 "$BUILD/vmward" --root "$tmp" "$@" \
		>"$tmp/ask.out" 2>&1 </dev/null
}
# failing N: vmwardd whose N-th allocation fails
failing()
{
	rm -f "$tmp/oom"
	sticky=
	[ $(($1 % 2)) = 0 ] || [ "$1" = 0 ] || sticky=OOM_STICKY=1
	daemon_under="env LD_PRELOAD=$oom OOM_AT=$1 OOM_FILE=$tmp/oom $sticky"
	daemon
	daemon_under=
}
work()
{
	want=down
	ask start other && want=up || want=any
	ask list
	ask set other vm.description=said
	ask status web
	if [ "$want" = up ] && [ $(($1 % 3)) = 0 ]; then
		ask stop other && want=down || want=any
	fi
}

vm web </dev/null
vm other <<'EOS'
[stop]
steps = quit:2s, kill
EOS
daemon
vmward start web
pid=$(pid_of web)
ask start other
ask stop other
daemon_ends TERM
failing 0
work 0
daemon_ends TERM
read -r _ all <"$tmp/oom" || skip_all "nothing can be preloaded"
[ "$wanted" != all ] && [ "$wanted" -lt "$all" ] || wanted=$all

case_begin C-5-memory
died=0 i=0
while [ "$i" -lt "$wanted" ]; do
	i=$((i + 1))
	nth=$((i * all / wanted))
	point "allocation $nth of $all"
	# it may take a few less than the last time
	while [ "$nth" -gt 0 ]; do
		failing "$nth"
		work "$i"
		! grep -q failed "$tmp/oom" 2>/dev/null || break
		daemon_ends TERM
		nth=$((nth - 1 - nth / 20))
	done
	[ "$nth" = 0 ] || struck
	expects "web up $pid" "other $want"
	lives || died=$((died + 1))
	again
	# one that cannot have memory any more lives on: its successor looks
	[ -z "$sticky" ] || daemon_ends KILL
	again
	look
	ask kill other
	daemon_ends TERM
done
also="died=$died allocations=$all"
tell
plan
