#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# C-7: VMS [100] VMs, ten of their QEMUs are stopped by SIGSTOP.  `list`
# answers within 100 ms (the best of five: other load is not ours), and `kill`
# of a stopped one has ended it within two seconds.
# shellcheck source=tests/faults/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/faults/lib.sh"
many=${VMS:-100}

names=
i=0
while [ "$i" -lt "$many" ]; do
	i=$((i + 1))
	vm "vm$i" </dev/null
	names="$names vm$i"
done
daemon
# shellcheck disable=SC2086 # names
vmward start $names
"$BUILD/vmward" --root "$tmp" --json list |
	jq -r '.[] | "\(.name) up \(.pid)"' >"$tmp/all"
head -n 10 "$tmp/all" >"$tmp/ten"
is_frozen() { grep -q '^[0-9]* (.*) T' "/proc/$1/stat"; }

case_begin C-7-frozen
cp "$tmp/all" "$tmp/expect"
while read -r name _ pid <&7; do
	point "$name stops"
	kill -STOP "$pid"
	eventually is_frozen "$pid" && struck
	look
done 7<"$tmp/ten"
best=999999 worst=0
for _ in 1 2 3 4 5; do
	began=$(now_ms)
	vmward list
	took=$(($(now_ms) - began))
	[ "$took" -ge "$best" ] || best=$took
	[ "$took" -le "$worst" ] || worst=$took
done
slowest=0
while read -r name _ pid <&7; do
	point "$name is killed"
	is_frozen "$pid" && struck
	began=$(now_ms)
	vmward kill "$name"
	took=$(($(now_ms) - began))
	[ "$took" -le "$slowest" ] || slowest=$took
	sed -i "s/^$name up .*/$name down/" "$tmp/expect"
	look
done 7<"$tmp/ten"
# shellcheck disable=SC2086 # names
vmward kill $names
daemon_ends TERM
also="list_ms=$best list_worst_ms=$worst kill_worst_ms=$slowest vms=$many"
tell
ok "list answers within 100 ms" test "$best" -le "${LIST_MS:-100}"
ok "kill has ended a stopped one within two seconds" test "$slowest" -le \
	"${KILL_MS:-2000}"
plan
