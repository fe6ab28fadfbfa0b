#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# top on a terminal and without one; what list tells of the host.
# shellcheck source=tests/t/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/t/daemon.sh
. "$TOP/tests/t/daemon.sh"

esc=$(printf '\033')
daemon
for name in ant bee cat; do
	vm "$name" </dev/null
	q vm-start "$name"
done

# ---- without a terminal ----

vmward top --once
ok "once: it ends" exits 0
ok "once: a line per VM" is "$(grep -cE '^(ant|bee|cat) +running ' "$tmp/out")" 3
ok "once: what was promised" says '3 running  3 of '
ok "once: of memory" says 'memory: 192M of '
ok "once: nothing for a terminal" sh -c "! grep -q '$esc' '$tmp/out'"
vmward top --once --sort name
ok "sorted by name" is "$(grep -oE '^(ant|bee|cat)' "$tmp/out" |
	tr '\n' ' ')" 'ant bee cat '
vmward --json top --interval 100ms --count 3
ok "JSON: a line per look" is "$(grep -c '^{"host":{' "$tmp/out")" 3
ok "JSON: nothing else" is "$(wc -l <"$tmp/out")" 3
ok "JSON: rates" grep -q '"cpu":[0-9]' "$tmp/out"
vmward top --batch --interval 100ms --count 2
ok "batch: two tables" is "$(grep -c '^NAME ' "$tmp/out")" 2
vmward top </dev/null
ok "no terminal: said" complains 'this is no terminal'
ok "no terminal: exit 2" exits 2
vmward top --sort colour --once
ok "sort by what?" exits 2
vmward top --interval 1ms --once
ok "too fast" exits 2

# ---- on a terminal ----

# keys TEXT...: typed one after the other, each once a new frame is there
keys()
{
	for key; do
		measure_ms 300
		printf '%s' "$key"
	done
	measure_ms 300
}
mkfifo "$tmp/keys"
keys n q >"$tmp/keys" &
on_terminal top --interval 200ms <"$tmp/keys"
wait $!
ok "screen: q ends it" exits 0
ok "screen: the alternate one, and back" is \
	"$(grep -o "$esc\[?1049[hl]" "$tmp/raw" | tr -d '\n')" \
	"${esc}[?1049h${esc}[?1049l"
ok "screen: the cursor comes back" is \
	"$(grep -o "$esc\[?25[hl]" "$tmp/raw" | tail -n 1)" "${esc}[?25h"
ok "screen: drawn over, not cleared" is \
	"$(grep -o "$esc\[2J" "$tmp/raw" | wc -l)" 1
ok "screen: the VMs" grep -q '^ant ' "$tmp/out"
ok "screen: the keys" says 'uit  sort:'
sed "s/$esc\[[?0-9;]*[a-zA-Z]//g" "$tmp/out" >"$tmp/plain"
ok "eighty columns: nothing is cut" grep -q ' UPTIME$' "$tmp/plain"
keys q >"$tmp/keys" &
cols=40 on_terminal top <"$tmp/keys"
wait $!
sed "s/$esc\[[?0-9;]*[a-zA-Z]//g" "$tmp/out" >"$tmp/plain"
ok "forty columns: no line is longer" is \
	"$(awk 'length > 40' "$tmp/plain")" ''
kill -STOP "$(pid_of bee)"
measure_ms 300
vmward top --once
ok "a stopped QEMU is shown as stale" grep -qE '^bee .* stale$' "$tmp/out"
ok "the others are not" grep -qE '^cat .*[0-9]s$' "$tmp/out"
kill -CONT "$(pid_of bee)"

# ---- list and the host ----

on_terminal list </dev/null
ok "list: a last line for people" grep -Eq \
	'^3 running: 3 of [0-9]+ CPUs, 192M of .* memory promised$' "$tmp/out"
vmward list
ok "list: none in a pipe" sh -c "! grep -q promised '$tmp/out'"
vmward list --host
ok "list --host: that line alone" is "$(grep -c . "$tmp/out")" 1
vmward --json list --host
ok "list --host: JSON" grep -q '"memory_promised": 201326592' "$tmp/out"
vm huge </dev/null
sed -i 's/^memory = .*/memory = 900G/' "$vms/huge.ini"
q vm-start huge
vmward list --host
ok "list --host: more than there is" grep -Eq \
	'\(over-committed: [0-9]{4,} %\)' "$tmp/out"
vmward -y kill --all
daemon_ends TERM
plan
