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

# ---- hooks that never end: one in silence, one that talks ----

for name in agent-flood agent-lie agent-noise agent-blank agent-wall; do
	q vm-kill "$name"
done
for name in silent talking; do
	hook=$tmp/hook-$name
	echo '#!/bin/sh' >"$hook"
	echo "echo \$\$ >'$tmp/pid-$name'; echo runs >>'$tmp/runs-$name'" \
		>>"$hook"
	: >"$tmp/runs-$name"
	case $name in
	silent) echo 'exec tail -f /dev/null' ;;
	talking) echo 'exec yes "and so on"' ;;
	esac >>"$hook"
	chmod 755 "$hook"
	printf '[hooks]\nstarted = %s\ntimeout = 5min\n' "$hook" |
		vm "hook-$name"
	q vm-start "hook-$name"
	ok "a hook that never ends, $name" wait_for "$tmp/runs-$name" runs
done
before=$(ticks "$daemon_pid")
began=$(cut -d' ' -f1 </proc/uptime)
measure_ms 3000
spent=$(($(ticks "$daemon_pid") - before))
took=$(echo "$(cut -d' ' -f1 </proc/uptime) $began" |
	awk '{ printf "%d", ($1 - $2) * 100 }')
echo "# two hooks that never end: $spent of $took ticks," \
	"$((spent * 100 / took)) % of a core"
most=$((took / 20))
[ "$(rss_margin 0)" -eq 0 ] || most=$((took / 2))
ok "they cost at most 5 % of a core" test "$spent" -le "$most"
for name in silent talking; do
	ok "it was there all the time, $name" \
		kill -0 "$(cat "$tmp/pid-$name")"
	ok "at most a line a second, $name" test \
		"$(wc -l <"$tmp/var/log/vmward/hook-$name/vm.log")" -le \
		$((30 + took / 100))
done
ok "pause" q vm-pause well
ok "and resume" q vm-resume well
plan
