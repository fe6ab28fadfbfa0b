#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Diamonds of twelve VMs with random probe delays and failures, by the real
# supervisor in the simulator: every start and stop in the order of the graph.
# shellcheck source=tests/t/lib.sh
. "$(dirname "$0")/lib.sh"
sim=$BUILD/tests/sim/sim
ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0
export ASAN_OPTIONS

in_order()
{
	"$sim" --seeds 1-100 --diamonds >"$tmp/figures" || {
		cat "$tmp/figures"
		return 1
	}
	grep -q '100 of 100$' "$tmp/figures"
}

a_dropped_edge_is_seen()
{
	! "$sim" --seeds 1-8 --diamonds --drop
}

ok 'diamonds start and stop in order, 100 of 100' in_order
ok 'with one edge dropped that fails' a_dropped_edge_is_seen
tail -n 1 "$tmp/figures" | sed 's/^/# /'
plan
