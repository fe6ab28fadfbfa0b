#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Tests of networks change addresses and flush rules: none goes on in a
# namespace that has a device, whatever its environment says.
# shellcheck source=tests/t/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/t/lib.sh"
unshare -n true 2>/dev/null || skip_all "no right to make a network namespace"
in_a_net() # COMMAND: in a namespace that has it, then the tests' file
{
	NETNS=yes timeout 60 unshare -n sh -c \
		"$1 && exec sh '$TOP/tests/live/net.sh'" >"$tmp/out" 2>"$tmp/err"
	status=$?
}
in_a_net "ip link add x0 type veth peer name x1"
ok "where a device is, a test of networks ends" exits 1
ok "and says why" says "not in a network namespace of its own: x"
in_a_net true
ok "where none is, it goes on" exits 0
ok "silently, or as it lacks something" is "$(grep -v '^1..0 # SKIP' \
	"$tmp/out")" ""
uses=$(grep -lE '(^|[ ;&(])(ip (link|addr|route|rule)|nft|sysctl -w) ' \
	"$TOP"/tests/live/*.t "$TOP"/tests/faults/*.t)
for file in $uses; do
	ok "${file#"$TOP/tests/"} sources live/net.sh" \
		grep -q '^\. .*/tests/live/net\.sh"$' "$file"
done
plan
