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

# ---- agents that flood, lie and talk nonsense ----

for name in flood lie noise blank wall; do
	printf '[start]\nready = agent\n[raw]\narg-1 = -D %s\n' \
		"$TOP/tests/fake/agent-$name.qmp" | vm "agent-$name"
done
for name in flood lie noise blank wall; do
	q vm-start "agent-$name"
done
before=$(ticks "$daemon_pid")
began=$(cut -d' ' -f1 </proc/uptime)
measure_ms 4000
spent=$(($(ticks "$daemon_pid") - before))
took=$(echo "$(cut -d' ' -f1 </proc/uptime) $began" |
	awk '{ printf "%d", ($1 - $2) * 100 }')
echo "# five agents that talk without end: $spent of $took ticks," \
	"$((spent * 100 / took)) % of a core"
# 5 % of a core for each of them
most=$((took / 4))
[ "$(rss_margin 0)" -eq 0 ] || most=$((took * 2))
ok "they cost at most 5 % of a core each" test "$spent" -le "$most"
for name in flood lie noise blank wall; do
	ok "agent-$name: not ready" sh -c "
		! grep -q ' ready\$' '$tmp/var/log/vmward/agent-$name/vm.log'"
	ok "agent-$name: at most a line a second" test \
		"$(wc -l <"$tmp/var/log/vmward/agent-$name/vm.log")" -le \
		$((6 + took / 100))
done
ok "the others are untouched by them" is "$(pid_of well)" "$pid"
ok "pause" q vm-pause well
ok "and resume" q vm-resume well
plan
