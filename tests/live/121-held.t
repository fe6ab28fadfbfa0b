#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A command that comes while its VM is being adopted waits for that moment to
# pass: pause right behind a start of vmwardd was refused ("unreachable").
# shellcheck source=tests/live/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/live/lib.sh"
guest g tcg </dev/null
up
starts g --wait=ready
pid=$(pid_of g)
mkfifo "$tmp/in"
replied() { jq -c "select(.id == $1)" "$tmp/answers" | grep .; } # ID
# talk COMMAND: asks for it while QEMU does not answer, then for a list
talk()
{
	kill -STOP "$pid"
	down
	up
	: >"$tmp/answers"
	socat - "UNIX:$control" <"$tmp/in" >"$tmp/answers" &
	socat=$!
	started="$started $socat"
	exec 7>"$tmp/in"
	printf '%s\n' '{"execute":"qmp_capabilities"}' \
		"{\"execute\":\"$1\",\"arguments\":{\"vm\":\"g\"},\"id\":1}" \
		'{"execute":"vm-list","id":2}' >&7
	eventually replied 2
}
finish()
{
	kill -CONT "$pid"
	eventually replied 1
	exec 7>&-
	wait "$socat"
}
# once more where the machine was too slow for the adoption itself
rounds=0
holds()
{
	while [ "$((rounds += 1))" -le 5 ]; do
		talk "$1"
		! replied 1 >"$tmp/early"
		early=$?
		finish
		[ "$early" = 1 ] || return 0
		grep -q 'does not answer' "$tmp/sup.log" || break
	done
	cat "$tmp/answers"
	return 1
}
answered() { replied 1 >"$tmp/reply" && grep -q '"return"' "$tmp/reply"; }
ok "who asks for a pause of a VM that is being adopted waits" holds vm-pause
ok "and gets it" answered
ok "it is paused" is_state g paused
talk vm-kill
ok "a kill waits for nobody" eventually replied 1
exec 7>&-
ok "it is gone" is_gone "$pid"
kill -CONT "$pid" 2>/dev/null
becomes g stopped
ok "nothing is left" nothing_left
leave
plan
