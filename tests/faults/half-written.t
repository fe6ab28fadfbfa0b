#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# C-12: an editor cuts the file of a VM that runs and writes it anew, byte by
# byte; after each byte the supervisor is told to look.  What runs is left
# alone, a part of a line is never taken for a line, and the whole file is.
# shellcheck source=tests/faults/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/faults/lib.sh"
file=$vms/web.ini

vm web <<'EOS'
description = the first one
cpus = 2
[disk.root]
size = 16M
[stop]
timeout = 20s
[restart]
policy = on-failure
EOS
daemon
vmward start web
pid=$(pid_of web)
cp "$file" "$tmp/first"
sed 's/first/second/' "$file" >"$tmp/second"
size=$(stat -c %s "$tmp/second")

case_begin C-12-half-written
expects "web up $pid"
i=0
: >"$file"
while [ "$i" -lt "$size" ]; do
	i=$((i + 1))
	point "byte $i"
	dd if="$tmp/second" bs=1 skip=$((i - 1)) count=1 2>/dev/null >>"$file"
	[ "$(stat -c %s "$file")" != "$i" ] || struck
	q reload
	# only whole lines mean something
	if [ "$(tail -c 1 "$file" | od -An -tx1 | tr -d ' ')" != 0a ] &&
		! says 'the last line has no end'; then
		acked_lost=$((acked_lost + 1))
		bad "a cut line was believed"
	fi
	if lives && [ "$(qemus)" = "$pid" ]; then
		survived=$((survived + 1))
	else
		vm_killed=$((vm_killed + 1))
	fi
done
survived=$((survived - 1))
look
vmward show web
ok "the whole file is believed" says second
vmward kill web
daemon_ends TERM
tell
plan
