#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Eight clients ask at random about five VMs: each request is answered once,
# the supervisor lives, one QEMU a VM at most, and in the end nothing is left.
# STORM_SEED and STORM_SECONDS choose another one.
# shellcheck source=tests/t/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/t/daemon.sh
. "$TOP/tests/t/daemon.sh"
seed=${STORM_SEED:-$$}
seconds=${STORM_SECONDS:-10}
cp "$BUILD/tests/peer/storm" "$tmp/bin"

printf '[stop]\ntimeout = 2s\n' | vm a
printf '[start]\nready = exec:/bin/false\nready-timeout = 2s\n' | vm b
printf '[restart]\npolicy = always\nbackoff = 1s-2s\n[raw]\narg-1 = -D %s\n' \
	"$TOP/tests/fake/panic.qmp" | vm c
printf '[restart]\npolicy = always\nbackoff = 1s-2s\n[raw]\narg-1 = -D %s\n' \
	"$TOP/tests/fake/exit-at-once.qmp" | vm d
printf '[disk.root]\nsize = 1M\n[agent]\nenabled = yes\n' | vm e
daemon
echo "# seed $seed"

# No VM has two; one that was killed may be on its way out.
one_each()
{
	for pid in $(qemus); do
		tr '\0' '\n' <"/proc/$pid/cmdline" 2>/dev/null | grep -m 1 guest=
	done | sort | uniq -d >"$tmp/double"
	is "$(cat "$tmp/double")" ''
}

storm()
{
	timeout -s KILL 120 "$tmp/bin/storm" "$control" "$1" "$2"
}

ok "every request is answered once" storm "$seed" "$seconds"
sed 's/^/# /' "$tmp/said"
ok "the supervisor lives" kill -0 "$daemon_pid"
ok "one QEMU a VM at most" one_each

# the supervisor dies now and then, and the storm goes on with the next one
for round in 1 2 3; do
	timeout -s KILL 60 "$tmp/bin/storm" "$control" "$((seed + round))" 30 \
		>/dev/null 2>&1 &
	started="$started $!"
	measure_ms 700
	daemon_ends KILL
	daemon
done
ok "and after three crashes" storm "$((seed + 9))" 2
sed 's/^/# /' "$tmp/said"
ok "one QEMU a VM at most" one_each

vmward kill -q a b c d e
for vm in a b c d e; do
	becomes "$vm" stopped >"$tmp/said" || break
done
ok "all can be stopped" state_is e stopped
ok "no QEMU is left" is "$(qemus)" ''
ok "nor a directory" is "$(find "$run" -mindepth 1 -type d)" ''
daemon_ends TERM
ok "it leaves in order" is "$daemon_status" 0
ok "and found no bug" sh -c \
	"! grep -E 'Sanitizer|runtime error|error bug' '$daemon_log'"
plan
