#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# C-14: clients that mean harm, SECONDS_OF_ATTACK [2] of each kind, once with
# all descriptors of the supervisor in use.  An admin is served meanwhile, no
# VM notices, and little memory is taken for good.
# shellcheck source=tests/faults/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/faults/lib.sh"
seconds=${SECONDS_OF_ATTACK:-${LONG:+10}}
: "${seconds:=2}"
prompt=1000 # ms; a busy machine is slow
attacks='endless-line no-newline depth heap utf8 nul twice half-closed reset
	deaf silent-crowd greeting-crowd slow unknown'
[ "$(id -u)" != 0 ] || attacks="$attacks stranger"

vm calm </dev/null
vm other </dev/null
chmod 711 "$tmp"
daemon
vmward start calm
pid=$(pid_of calm)

# one of the kept places is an admin's: it is served at once, if at all
is_served()
{
	talk "$control" qmp '>{"execute":"vm-status","arguments":{"vm":"calm"}}' \
		'<"state":"running"' ms $prompt
}
serve_under() # PID of the attack
{
	asked=0 refused=0
	while kill -0 "$1" 2>/dev/null; do
		asked=$((asked + 1))
		is_served || refused=$((refused + 1))
		measure_ms 100
	done
}
# a place may be taken by a crowd of the same user; never all the time
was_served() { [ "$asked" -gt 0 ] && [ "$refused" -lt "$asked" ]; }

case_begin C-14-hostile-client
expects "calm up $pid"
before=$(rss_kib "$daemon_pid")
late=0
for how in $attacks few-descriptors; do
	point "$how"
	attack=$how
	if [ "$how" = few-descriptors ]; then
		attack='silent-crowd'
		fds=$(find "/proc/$daemon_pid/fd" -mindepth 1 | wc -l)
		prlimit --pid "$daemon_pid" --nofile=$((fds + 3)):4096
	fi
	"$TOP/tests/faults/attacker" "$control" "$attack" "$seconds" \
		>"$tmp/attack" 2>&1 </dev/null &
	attacker=$!
	started="$started $attacker"
	serve_under "$attacker"
	wait "$attacker" 2>/dev/null
	[ "$how" != few-descriptors ] ||
		prlimit --pid "$daemon_pid" --nofile=1024:4096
	grep -q '^times=[1-9]' "$tmp/attack" && struck
	echo "# $how: $(cat "$tmp/attack"), an admin asked $asked times, refused $refused"
	was_served || [ "$how" = few-descriptors ] || {
		late=$((late + 1))
		bad "an admin was never served"
	}
	eventually is_served || bad "and is not served afterwards"
	look
done
grown=$(($(rss_kib "$daemon_pid") - before))
also="unserved=$late rss_grown_kib=$grown"
tell
ok "an admin was served under each attack" is "$late" 0
ok "less than 8 MiB were taken for good" test "$grown" -lt "$(rss_margin 8192)"
ok "no order of a stranger's was obeyed" state_is calm running
vmward kill -q calm
daemon_ends TERM
plan
