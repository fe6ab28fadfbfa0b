# shellcheck shell=sh disable=SC2034,SC2154
# SPDX-License-Identifier: GPL-2.0-or-later
# For tests/faults/*.t with the fake QEMU: a case is a number of points; at
# each a fault is injected, the supervisor is there again if it died, and the
# oracle looks.  The case ends with its result line (RELIABILITY C.1), which
# goes to $FAULTS_OUT as well.
TOP=${TOP:-$(cd "$(dirname "$0")/../.." && pwd)}
# shellcheck source=tests/t/lib.sh
. "$TOP/tests/t/lib.sh"
# shellcheck source=tests/t/daemon.sh
. "$TOP/tests/t/daemon.sh"
patience=20
also=

eventually() # COMMAND...: tries again until it is true
{
	end=$(($(date +%s) + patience))
	until "$@" >/dev/null 2>&1; do
		[ "$(date +%s)" -lt "$end" ] || return 1
		measure_ms 10
	done
}
now_ms() { echo $(($(date +%s%N) / 1000000)); }
lives() { kill -0 "$daemon_pid" 2>/dev/null; }
is_down() { ! lives; }

case_begin() # NAME
{
	case=$1
	points=0 injected=0 survived=0 acked_lost=0 double=0 vm_killed=0
	leaked=0 max_recover_ms=0 silent=0
	: >"$tmp/expect"
}
expects() { printf '%s\n' "$@" >"$tmp/expect"; } # "NAME up|down|any [PID]"...
bad() { echo "# $case, $at: $*"; }

# one more point, and whether the fault was proven to have struck
point() # AT
{
	at=$1
	points=$((points + 1))
}
struck() { injected=$((injected + 1)); }

# the supervisor again, if it died; how long until it answers
again()
{
	began=$(now_ms)
	lives || {
		wait "$daemon_pid" 2>/dev/null
		daemon
	}
	vmward list >/dev/null 2>&1
	took=$(($(now_ms) - began))
	[ "$took" -le "$max_recover_ms" ] || max_recover_ms=$took
}

# the oracle's look; what is still under way is given its time
oracle()
{
	DAEMON_PID=$daemon_pid "$TOP/tests/faults/oracle" "$tmp" "$tmp/expect" \
		>"$tmp/verdict" 2>"$tmp/why"
}
look()
{
	lives && survived=$((survived + 1))
	eventually oracle || {
		sed "s/^/# $case, $at: /" "$tmp/why"
		[ -s "$tmp/verdict" ] || silent=$((silent + 1))
		for word in $(cat "$tmp/verdict"); do
			[ "${word%%=*}" = list_ms ] ||
				eval "${word%%=*}=\$((${word%%=*} + ${word#*=}))"
		done
	}
}

tell() # with what $also says
{
	line="case=$case points=$points injected=$injected survived=$survived \
acked_lost=$acked_lost double=$double vm_killed=$vm_killed leaked=$leaked \
max_recover_ms=$max_recover_ms${also:+ $also}"
	echo "# $line"
	[ -z "${FAULTS_OUT-}" ] || echo "$line" >>"$FAULTS_OUT"
	ok "$case: every point was injected" is "$injected" "$points"
	ok "$case: the supervisor was there each time" is "$survived" "$points"
	ok "$case: nothing lost, doubled, killed, left, unanswered" is \
		"$acked_lost $double $vm_killed $leaked $silent" '0 0 0 0 0'
}
