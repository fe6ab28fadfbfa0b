#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# C-18: ROUNDS [1000, LONG=yes 10000] of each verb that looks or changes
# little, and a tenth of that of starts and stops, on one supervisor: its
# memory, its descriptors and its children are as before.
# shellcheck source=tests/faults/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/faults/lib.sh"
rounds=${ROUNDS:-${LONG:+10000}}
: "${rounds:=1000}"

fds() { find "/proc/$daemon_pid/fd" -mindepth 1 | wc -l; }
# many N REQUEST: sent one after the other by one client, each is answered
many()
{
	i=0
	while [ "$i" -lt "$1" ]; do
		timeout -s KILL 100 "$tmp/bin/talk" "$control" qmp \
			"*100 $2" '>{"execute":"query-version","id":7}' \
			'?"id":7' >/dev/null 2>&1 || return 1
		i=$((i + 100))
	done
}
cycles() # N: starts and stops
{
	i=0
	while [ "$i" -lt "$1" ]; do
		i=$((i + 1))
		vmward start other && vmward stop other || return 1
	done
}
# one soaked VERB COMMAND...
soaked()
{
	point "$1"
	shift
	"$@" && struck
	look
}
verb() { echo "{\"execute\":\"$1\",\"arguments\":{${2-}}}"; }

vm web </dev/null
vm other <<'EOS'
[stop]
steps = quit:2s, kill
EOS
daemon
vmward start web
pid=$(pid_of web)
a='"vm":"web"'
looks="query-version vm-list job-list reload"
ones="vm-status vm-show vm-explain vm-log vm-pause vm-resume vm-disk-list"
all()
{
	for name in $looks; do
		soaked "$name" many "$1" "$(verb "$name")"
	done
	for name in $ones; do
		soaked "$name" many "$1" "$(verb "$name" "$a")"
	done
	soaked "start and stop" cycles "$2"
}
case_begin C-18-warm-up
expects "web up $pid" "other down"
all 100 10
case_begin C-18-soak
expects "web up $pid" "other down"
before=$(rss_kib "$daemon_pid") fds=$(fds)
all "$rounds" $((rounds / 20))
grown=$(($(rss_kib "$daemon_pid") - before)) more=$(($(fds) - fds))
vmward kill web
also="rounds=$rounds rss_grown_kib=$grown fds_grown=$more"
tell
ok "its memory is as before" test "$grown" -lt "$(rss_margin 256)"
ok "so are its descriptors" is "$more" 0
daemon_ends TERM
plan
