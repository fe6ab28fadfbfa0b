#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A guest that resets 2,000 times a second may cost 5 % of a core: 25 us an
# event.  Many more at once are counted here, as the supervisor's own time.
# shellcheck source=tests/t/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/t/daemon.sh
. "$TOP/tests/t/daemon.sh"
events=50000
most=25 # us each; what sanitizers add is not the question
[ "$(rss_margin 0)" -eq 0 ] || most=250

sed "s/repeat 5000/repeat $events/" "$TOP/tests/fake/reset-storm.qmp" \
	>"$tmp/storm.qmp"
scripted storm "$tmp/storm.qmp"
vm well </dev/null
daemon
q vm-start well
pid=$(pid_of well)
before=$(ticks "$daemon_pid")
q vm-start storm
ok "a guest that resets without end is seen to its end" becomes storm stopped
cost=$((($(ticks "$daemon_pid") - before) * 10000 / events))
echo "# reset storm: $cost us of CPU an event," \
	"$((cost * 2000 / 10000)) % of a core at 2,000 a second"
ok "an event costs at most $most us" test "$cost" -le "$most"
ok "the log has few lines of it" test \
	"$(grep -c 'vm=storm' "$daemon_log")" -lt 50
ok "the others are untouched" is "$(pid_of well)" "$pid"
ok "and running" state_is well running
plan
