#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# C-3: the child that is to become QEMU or qemu-img is killed at each system
# call between fork and exec, and each call is refused once.  The order fails,
# or what starts is confined as ever: never half.  A clean trace tells the
# calls; those that the supervisor makes as well are left out.  POINTS [40] of
# them, evenly spread; with LONG=yes all.
# shellcheck source=tests/live/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/live/lib.sh"
[ "$(id -u)" = 0 ] || skip_all "confinement takes root"
command -v strace >/dev/null || skip_all "no strace"
strace -o /dev/null true 2>/dev/null || skip_all "strace may not trace here"

# traced ARG...: strace of the supervisor and its children up to their exec
traced()
{
	rm -f "$tmp/strace.err"
	strace -f -b execve -o "$tmp/trace" "$@" -p "$vmwardd_pid" \
		2>"$tmp/strace.err" </dev/null &
	tracer=$!
	started="$started $tracer"
	eventually grep -q attached "$tmp/strace.err"
}
untraced()
{
	kill "$tracer"
	wait "$tracer" 2>/dev/null
	tracer=
}

# calls_of NAME: "call number" of the children that its start makes
calls_of()
{
	traced
	vmward start "$1"
	[ "$status" = 0 ] || cat "$tmp/err"
	untraced
	vmward kill -q "$1"
	awk -v me="$vmwardd_pid" '
		{ sub(/\(.*/, "", $2) }
		$2 !~ /^[a-z_0-9]+$/ { next }
		$1 == me { ours[$2] = 1; next }
		over[$1] { next }
		{ n[$1, $2]++; if (n[$1, $2] > most[$2]) most[$2] = n[$1, $2] }
		$2 == "execve" { over[$1] = 1 }
		END {
			for (call in most)
				for (k = 1; !ours[call] && k <= most[call]; k++)
					print call, k
		}' "$tmp/trace" | sort
}

# What runs is confined as ever.
is_whole() # PID
{
	awk '$1 == "Uid:" && $2 == 0 { bad = "root" }
		$1 == "CapEff:" && $2 != "0000000000000000" { bad = "capable" }
		$1 == "NoNewPrivs:" && $2 != 1 { bad = "may gain privileges" }
		$1 == "Seccomp:" && $2 != 2 { bad = "without seccomp" }
		END { if (bad) { print bad; exit 1 } }' "/proc/$1/status"
}
bad() { echo "# $name, $how at $call $number: $*"; }

try() # NAME HOW CALL NUMBER
{
	name=$1 how=$2 call=$3 number=$4
	points=$((points + 1))
	rm -f "$images/made"-*
	traced -e "inject=$call:$how:when=$number"
	vmward start "$name"
	answered=$status
	untraced
	grep -qE 'INJECTED|killed by SIGKILL' "$tmp/trace" &&
		injected=$((injected + 1))
	kill -0 "$vmwardd_pid" && survived=$((survived + 1))
	pids=$(qemus "$tmp")
	for pid in $pids; do
		is_whole "$pid" >"$tmp/why" && continue
		part=$((part + 1))
		bad "a QEMU $(cat "$tmp/why")"
	done
	case "$answered ${pids:+up}" in
	'0 up') went_on=$((went_on + 1)) ;;
	'0 ')
		lost=$((lost + 1))
		bad "done, and no QEMU is there"
		;;
	*' up')
		leaked=$((leaked + 1))
		bad "failed, and a QEMU is there: $(cat "$tmp/err")"
		;;
	*) failed=$((failed + 1)) ;;
	esac
	vmward kill -q "$name"
	nothing_left >/dev/null || {
		leaked=$((leaked + 1))
		bad "left: $(cat "$tmp/left")"
	}
}

guest there tcg </dev/null
sed '/^image = /s/.*/size = 1M/; /^ready = /d' "$vms/there.ini" \
	>"$vms/made.ini"
sed -i '/^ready = /d' "$vms/there.ini"
points=0 injected=0 survived=0 leaked=0 lost=0 part=0 failed=0 went_on=0
up
calls_of there >"$tmp/calls.there"
rm -f "$images/made"-*
calls_of made >"$tmp/calls.made"
ok "a clean trace of QEMU's child" grep -q '^execve 1' "$tmp/calls.there"
for vm in there made; do
	for how in signal=KILL error=EPERM; do
		sed "s/^/$vm $how /" "$tmp/calls.$vm"
	done
done >"$tmp/all"
wanted=${POINTS:-${LONG:+$(wc -l <"$tmp/all")}}
awk -v points="${wanted:-40}" -v n="$(wc -l <"$tmp/all")" '
	int(NR * points / n) != int((NR - 1) * points / n)' "$tmp/all" \
	>"$tmp/some"
while read -r vm how one k <&7; do
	try "$vm" "$how" "$one" "$k"
done 7<"$tmp/some"
line="case=C-3-kill-child points=$points injected=$injected \
survived=$survived acked_lost=$lost double=0 vm_killed=0 leaked=$leaked \
max_recover_ms=0 half_confined=$part failed=$failed went_on=$went_on"
echo "# $line"
[ -z "${FAULTS_OUT-}" ] || echo "$line" >>"$FAULTS_OUT"
ok "every point was injected" is "$injected" "$points"
ok "the supervisor was there each time" is "$survived" "$points"
ok "no QEMU was half confined" is "$part" 0
ok "what was answered is so" is "$lost" 0
ok "nothing was left" is "$leaked" 0
ok "most of it is told as a failure" test "$failed" -gt "$went_on"
leave
plan
