#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The clients of examples/clients, unmodified, against a real vmwardd with
# more VMs than one reply holds.
# shellcheck source=tests/t/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/t/daemon.sh
. "$TOP/tests/t/daemon.sh"

i=0
while [ "$i" -lt 250 ]; do
	i=$((i + 1))
	vm "vm$i" </dev/null
done
daemon
clients=$TOP/examples/clients
find "$vms" -name '*.ini' | sed 's|.*/\(.*\)\.ini|\1|' | LC_ALL=C sort |
	awk '{ printf "%-16s stopped\n", $1 }' >"$tmp/expected"

lists() # COMMAND...: prints the VMs
{
	timeout 60 "$@" "$control" >"$tmp/out" 2>"$tmp/err"
	status=$?
	exits 0 && diff -u "$tmp/expected" "$tmp/out"
}

refuses() # COMMAND...: fails when nobody serves
{
	! timeout 60 "$@" "$tmp/nothing" >"$tmp/out" 2>&1
}

client() # NAME TOOL COMMAND...
{
	name=$1 tool=$2
	shift 2
	if command -v "$tool" >/dev/null; then
		ok "$name: lists 250 VMs" lists "$@"
		ok "$name: fails without a supervisor" refuses "$@"
	else
		n=$((n + 1))
		echo "ok $n - $name # SKIP no $tool"
	fi
}

# What is no comment, no blank line and no lone brace.
lines_of() { grep -cvE '^[[:space:]]*([{}]?|#( .*|!.*)|//.*|/?\*.*)$' "$1"; }
for f in "$clients"/*; do
	count=$(lines_of "$f")
	echo "# ${f##*/}: $count lines"
	ok "${f##*/}: 20 lines at most" test "$count" -le 20
done
if command -v gofmt >/dev/null; then
	ok "the Go client is as gofmt would have it" \
		is "$(gofmt -l "$clients/list-vms.go")" ''
fi

client python python3 python3 "$clients/list-vms.py"
client sh socat sh "$clients/list-vms.sh"
client C "${CC:-cc}" sh -c "[ -x list ] || ${CC:-cc} '$clients/list-vms.c' \
	-ljansson -o list && exec ./list \"\$0\""
HOME=$tmp GOCACHE=$tmp/go GO111MODULE=off GOFLAGS=
export HOME GOCACHE GO111MODULE GOFLAGS
client Go go go run "$clients/list-vms.go"
plan
