#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# C-1, C-9, C-20: seeds of the simulator with its faults as they are drawn;
# with crashes and power losses among those of each; with crashes and a wall
# clock that jumps.  SEEDS [600] of each.  A seed that was run is a point.
# shellcheck source=tests/t/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/t/lib.sh"
sim=$BUILD/tests/sim/sim
seeds=${SEEDS:-600}
first=${FIRST:-$((1000000 + $$ * 1000))}
ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0
export ASAN_OPTIONS

# runs CASE ARG...
runs()
{
	case=$1
	shift
	"$sim" --seeds "$first-$((first + seeds - 1))" "$@" >"$tmp/said"
	grep -v '^seeds=' "$tmp/said" | sed 's/^/# /'
	tail -n 1 "$tmp/said" >"$tmp/sum"
	ran=$(sed 's/^seeds=\([0-9]*\) .*/\1/' "$tmp/sum")
	failed=$(sed 's/.* failed=\([0-9]*\) .*/\1/' "$tmp/sum")
	line="case=$case points=$seeds injected=$ran \
survived=$((ran - failed)) first_seed=$first \
$(grep -o 'steps=[0-9]* lives=[0-9]*' "$tmp/sum")"
	echo "# $line"
	[ -z "${FAULTS_OUT-}" ] || echo "$line" >>"$FAULTS_OUT"
	ok "$case: all seeds pass" is "$ran $failed" "$seeds 0"
}

runs C-1-simulator
runs C-9-power-loss --with POWER,CRASH
runs C-20-clock --with CLOCK,CRASH
plan
