#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Twenty upgrades below five VMs: a console session stays open and misses no
# byte, QEMU's events come, nobody is restarted or adopted.
# shellcheck source=tests/live/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/live/lib.sh"

UPGRADES=${UPGRADES:-20}
PAUSES=400

names="v1 v2 v3 v4 v5"
for v in $names; do
	guest "$v" tcg <<-EOF
	[serial.console]
	log = 64M
	[stop]
	steps = quit:2s, kill
	EOF
done
up
for v in $names; do
	starts "$v" --wait=ready >/dev/null
done
pids() { for v in $names; do pid_of "$v"; done | tr '\n' ' '; }
started_at() { for v in v1 v4 v5; do of "$v" since; done | tr '\n' ' '; }
before="$(pids)"
since="$(started_at)"

# ---- somebody looks and types, the guest talks for ever ----

mkfifo "$tmp/keys"
socat "UNIX:$run/v1/console.sock" "STDIO" <>"$tmp/keys" >"$tmp/session" \
	2>/dev/null &
session=$!
started="$started $session"
eventually has "$tmp/session" '^READY v1'
printf b >"$tmp/keys"
ok "the guest chats" eventually has "$tmp/session" '^chat 00'

# ---- and QEMU has events, ordered over its other monitor ----

"$BUILD/vmward" --root "$tmp" events >"$tmp/events" 2>/dev/null &
listener=$!
started="$started $listener"
doer=$tmp/pauses
{
	echo '{"execute":"qmp_capabilities"}'
	i=0
	while [ $i -lt $PAUSES ]; do
		echo '{"execute":"stop"}{"execute":"cont"}'
		i=$((i + 1))
	done
} >"$doer"
events_of() { grep -c "VM_QMP_EVENT $1 event=$2" "$tmp/events"; } # NAME TYPE
first_event()
{
	does pause v3 && does resume v3 && events_of v3 RESUME
}
ok "somebody listens" eventually first_event
resumed=$(events_of v2 RESUME)

upgrade() { does upgrade --json && jq -r '.[0].gap' "$tmp/out"; }
i=0
: >"$tmp/gaps"
while [ $i -lt "$UPGRADES" ]; do
	if [ $i = 3 ]; then
		# QEMU forgets what a writer who left has in its queue
		tail --pid=$$ -n +1 -f "$doer" |
			socat - "UNIX:$run/v2/priv/yank" >/dev/null 2>&1 &
		started="$started $!"
	fi
	upgrade >>"$tmp/gaps" || break
	i=$((i + 1))
done
ok "$UPGRADES upgrades" is "$i" "$UPGRADES"
sort -n "$tmp/gaps" | awk '{ a[NR] = $1 * 1000 }
	END { printf "# figure: upgrade gap %.1f ms median, %.1f ms at most\n",
		a[int((NR + 1) / 2)], a[NR] }'

# ---- nothing happened ----

ok "the same supervisor" kill -0 "$vmwardd_pid"
ok "the same QEMUs" is "$(pids)" "$before"
ok "no VM changed its state" is "$(started_at)" "$since"
not_adopted() { ! grep -q 'adopted\|monitor lost' "$tmp/sup.log"; }
ok "no monitor was connected anew" not_adopted
ok "the session is open" kill -0 "$session"
# the guest is silent again: all that it said must be there
printf ' ' >"$tmp/keys"
does pause v1 >/dev/null
ok "the session has each byte once" eventually cmp "$tmp/session" "$logs/v1/console.log"
contiguous()
{
	tr -d '\r' <"$tmp/session" | grep -aoE '^chat [0-9A-F]{4}$' | awk '
	{ n = 0; for (i = 6; i <= 9; i++)
		n = n * 16 + index("0123456789ABCDEF", substr($0, i, 1)) - 1
	  if (NR > 1 && n != (last + 1) % 65536) bad++
	  last = n }
	END { print NR " lines, " bad + 0 " gaps"; exit NR < 100 || bad > 0 }'
}
ok "the guest's lines are all there, in order" contiguous
sed 's/^/# /' "$tmp/said"
stops_seen() { is "$(events_of v2 STOP)" $PAUSES; }
resumes_seen() { is "$(events_of v2 RESUME)" $((PAUSES + resumed)); }
eventually stops_seen
ok "every STOP came, once" stops_seen
eventually resumes_seen
ok "every RESUME came, once" resumes_seen
in_order()
{
	awk 'NR > 1 && $2 != last + 1 { bad++ } { last = $2 }
		END { print NR, bad + 0; exit bad > 0 }' "$tmp/events"
}
ok "the listener's events are numbered without a gap" in_order
kill "$listener"
for v in $names; do
	stops "$v" >/dev/null
done
ok "they stop as ever" is "$(qemus "$tmp")" ""
kill "$session" 2>/dev/null
ok "nothing is left" nothing_left
plan
