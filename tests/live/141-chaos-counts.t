#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The counters of 140-chaos.t can count: each is shown a damage that the test
# itself does, and has to tell it.
# shellcheck source=tests/live/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/live/lib.sh"

# counts WHAT COUNTER: a run with this damage fails and its counter is not 0
counts()
{
	! POINTS=6 SEED=7 MUTATE=$1 timeout 120 sh "$TOP/tests/live/140-chaos.t" \
		>"$tmp/out" 2>&1 </dev/null
	sed -n 's/^# case=/case=/p' "$tmp/out"
	grep -qE "^# case=.* $2=[1-9]" "$tmp/out" && grep -q '^not ok' "$tmp/out"
}

ok "a doubled QEMU" counts double double
ok "a start that was answered and is undone" counts lost acked_lost
ok "a file that is left" counts leak leaked
plan
