#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# C-7: a guest resets itself without end (a ROM of 64 KiB) for SECONDS [5] in
# each of five looks.  It costs the supervisor five percent of a processor at
# most, its log a line a second, and others are not delayed.
# shellcheck source=tests/live/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/live/lib.sh"
seconds=${SECONDS_OF_STORM:-5}

# at the end of 64 KiB: jump to ff00, where 0xfe is written to port 0x64
{
	head -c $((0xff00)) /dev/zero
	printf '\260\376\346\144\353\372'
	head -c $((0xfff0 - 0xff06)) /dev/zero
	printf '\351\015\377'
	head -c 13 /dev/zero
} >"$tmp/storm.rom"
ticks() { awk '{ print $14 + $15 }' "/proc/$1/stat"; }
# as its second monitor hears them, in a second
resets()
{
	{
		printf '{"execute":"qmp_capabilities"}'
		timeout 1 tail -f /dev/null
	} | timeout 10 socat - "UNIX:$run/storm/priv/yank" 2>/dev/null |
		grep -c '"RESET"'
}

up
guest well tcg </dev/null
guest storm tcg <<EOF
[restart]
on-guest-reboot = warm
[raw]
arg-1 = -bios $tmp/storm.rom
EOF
sed -i '/^ready = /d' "$vms/storm.ini"
vmward reload
vmward start --wait=ready well
vmward start storm
pid=$(pid_of well)
echo "well up $pid" >"$tmp/oracle.expect"
worst=0 points=0 injected=0 survived=0 slowest=0
sum=$(stat -c %s "$logs/storm/vm.log")
while [ "$points" -lt 5 ]; do
	points=$((points + 1))
	before=$(ticks "$vmwardd_pid")
	# time goes by: what is measured is what it costs
	timeout "$seconds" tail -f /dev/null
	took=$(($(ticks "$vmwardd_pid") - before))
	share=$((took * 10 / seconds)) # a thousandth of a processor
	[ "$share" -le "$worst" ] || worst=$share
	rate=$(resets)
	[ "$rate" -lt 20 ] || injected=$((injected + 1))
	kill -0 "$vmwardd_pid" && survived=$((survived + 1))
	began=$(now_ms)
	vmward list
	took=$(($(now_ms) - began))
	[ "$took" -le "$slowest" ] || slowest=$took
done
lines=$(tail -c "+$((sum + 1))" "$logs/storm/vm.log" | wc -l)
"$TOP/tests/faults/oracle" "$tmp" "$tmp/oracle.expect" >"$tmp/verdict"
counts=$(sed 's/ list_ms.*//; s/ silent=[0-9]*//' "$tmp/verdict")
line="case=C-7-reset-storm points=$points injected=$injected \
survived=$survived $counts max_recover_ms=0 cpu_permille=$worst \
resets_per_s=$rate log_lines=$lines list_worst_ms=$slowest"
echo "# $line"
[ -z "${FAULTS_OUT-}" ] || echo "$line" >>"$FAULTS_OUT"
ok "it was there each time" is "$injected $survived" "5 5"
ok "it costs five percent of a processor at most" test "$worst" -le 50
ok "its log has a line a second at most" test "$lines" -le \
	$((5 * seconds + 5))
vmward kill storm well
ok "nothing is left" nothing_left
leave
plan
