#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The simulator for a short while: a seed is the same run each time, the
# seeds that once failed pass, and so do as many new ones as fit.
# shellcheck source=tests/t/lib.sh
. "$(dirname "$0")/lib.sh"
sim=$BUILD/tests/sim/sim
: "${SIM_SECONDS:=20}" "${SIM_SEEDS:=700}"

# a life that crashes leaves its memory behind
ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0
export ASAN_OPTIONS

# All that everybody said and did, with its time, byte for byte.
same_twice()
{
	for seed in 7 1081 26; do
		"$sim" --seed "$seed" --trace >"$tmp/one" || return 1
		"$sim" --seed "$seed" --trace >"$tmp/two" || return 1
		[ "$(wc -l <"$tmp/one")" -gt 100 ] || return 1
		cmp "$tmp/one" "$tmp/two" || return 1
	done
	"$sim" --seed 8 --trace >"$tmp/two" || return 1
	! cmp -s "$tmp/one" "$tmp/two"
}

# A failure is seen, told with its replay line, and is the same again.
breaks()
{
	! "$sim" --seed 7 --break "$1" >"$tmp/breach" || return 1
	grep "^seed 7: I$1:" "$tmp/breach" || { cat "$tmp/breach"; return 1; }
	! "$sim" --seed 7 --break "$1" --trace >"$tmp/one" || return 1
	! "$sim" --seed 7 --break "$1" --trace >"$tmp/two" || return 1
	cmp "$tmp/one" "$tmp/two"
}

track_record()
{
	grep -v '^#' "$TOP/tests/sim/track-record" | while read -r seed _; do
		"$sim" --seed "$seed" || exit 1
	done
}

# At least SIM_SEEDS of them, on a slow machine for longer.
new_seeds()
{
	"$sim" --seeds 1000-1000000 --for "$SIM_SECONDS" \
		--least "$SIM_SEEDS" >"$tmp/said"
	rc=$?
	tail -n 1 "$tmp/said" >"$tmp/figures"
	cat "$tmp/said"
	return $rc
}

ok 'the same seed is the same run' same_twice
for i in 1 2 3 4 5 6 7 8; do
	ok "I$i can fail, and fails the same again" breaks $i
done
ok 'the seeds of the track record pass' track_record
ok 'new seeds pass' new_seeds
sed 's/^/# /' "$tmp/figures"
plan
