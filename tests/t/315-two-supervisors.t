#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A second supervisor on the same directories exits 100 and touches nothing.
# shellcheck source=tests/t/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/t/daemon.sh
. "$TOP/tests/t/daemon.sh"

# Names, kinds, inodes, sizes and times of everything below the root.
listing()
{
	find "$tmp/run" "$tmp/var" "$tmp/etc" -printf '%p %y %i %m %s %T@\n' |
		sort
}

second() # PROGRAM: its status
{
	PATH="$tmp/bin:$PATH" "$BUILD/vmwardd" --confinement off --root "$tmp" \
		>"$tmp/second" 2>&1
}

vm web </dev/null
daemon
q vm-start web
pid=$(pid_of web)
listing >"$tmp/before"
second
ok "it exits 100" is "$?" 100
ok "and says why" grep -q 'runs on .* already' "$tmp/second"
listing >"$tmp/after"
ok "nothing was touched" diff "$tmp/before" "$tmp/after"
ok "the first one goes on" q vm-list
ok "so does its VM" is "$(pid_of web)" "$pid"
rm "$run/supervisor.lock"
second
ok "also when the lock file was deleted" is "$?" 100
ok "the first one still listens" q vm-list
daemon_ends TERM

# Twenty at once, five rounds: one wins each.
round=0
while [ "$round" -lt 5 ]; do
	round=$((round + 1))
	rm -f "$tmp/ready"
	mkfifo "$tmp/ready"
	exec 4<>"$tmp/ready"
	i=0
	while [ "$i" -lt 20 ]; do
		i=$((i + 1))
		PATH="$tmp/bin:$PATH" "$BUILD/vmwardd" --confinement off --root "$tmp" \
			--notify-fd 3 3>"$tmp/ready" 4>&- 2>"$tmp/log.$i" &
		eval "pid_$i=$!"
		started="$started $!"
	done
	read -r _ <&4
	winners=
	losers=0
	i=0
	while [ "$i" -lt 20 ]; do
		i=$((i + 1))
		if grep -q 'vmward .* on ' "$tmp/log.$i"; then
			winners="$winners $i"
		else
			eval "wait \"\$pid_$i\""
			[ $? -ne 100 ] || losers=$((losers + 1))
		fi
	done
	ok "round $round: the VM is known to the winner" becomes web running
	for i in $winners; do
		eval "kill \"\$pid_$i\"; wait \"\$pid_$i\""
	done
	exec 4>&-
	ok "round $round: one winner, nineteen leave with 100" \
		is "$(echo "$winners" | wc -w) $losers" '1 19'
done
started=
daemon
ok "one VM, one QEMU, the same" is "$(qemus)" "$pid"
q vm-kill web
daemon_ends TERM
ok "nothing is left" is "$(qemus)$(ls "$run")" supervisor.lock
plan
