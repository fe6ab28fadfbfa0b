#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A guest that talks for ever: it is never held up, and costs little.
# shellcheck source=tests/live/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/live/lib.sh"

# the last number that the guest said
last_chat() # FILE
{
	tr -d '\r' <"$1" | grep -aoE '^chat [0-9A-F]{4}$' | tail -n 1 |
		cut -d ' ' -f 2
}

# chat numbers run to ffff and begin anew: how far the second is from the first
distance() # HEX HEX
{
	echo $(((0x$2 - 0x$1 + 65536) % 65536))
}

rss_kib() { awk '/^VmRSS/ { print $2 }' "/proc/$1/status"; }
ticks() { awk '{ print $14 + $15 }' "/proc/$1/stat"; }

at_least() # GOT WANT
{
	[ "$1" -ge "$2" ] || { echo "$1, want $2"; false; }
}

at_most() # GOT WANT
{
	[ "$1" -le "$2" ] || { echo "$1, want at most $2"; false; }
}

log_grows() # FROM
{
	[ "$(stat -c %s "$log" "$log.1" 2>/dev/null | awk '{ n += $1 }
		END { print n }')" -gt "$1" ] || [ -e "$log.1" ]
}

chatty() # ACCEL
{
	a=$1 v=chat-$1
	log=$logs/$v/console.log
	guest "$v" "$a" <<-EOF
	[serial.console]
	log = 64K
	[stop]
	steps = quit:2s, kill
	EOF
	starts "$v" --wait=ready >/dev/null
	# somebody who never reads
	"$BUILD/tests/peer/talk" "$run/$v/console.sock" hold \
		>/dev/null 2>&1 &
	started="$started $!"
	rss=$(rss_kib "$vmwardd_pid")
	types "$v" b >/dev/null
	ok "$a: it chats" eventually says_after "$v" 0 '^chat 00'
	used=$(ticks "$vmwardd_pid")
	began=$(now_ms)
	ok "$a: the log is capped and begins anew" eventually test -e "$log.1"
	took=$(($(now_ms) - began + 1))
	used=$(($(ticks "$vmwardd_pid") - used))
	echo "# $a: supervisor's share of a CPU: $((used * 1000 / took)) %" \
		"over $took ms"
	ok "$a: at its size" at_most "$(size_of "$log.1")" 98304
	ok "$a: a reader that does not read holds nobody" \
		eventually later_chat "$(last_chat "$log")"
	ok "$a: the supervisor's memory is bounded" \
		at_most "$(($(rss_kib "$vmwardd_pid") - rss))" 1024

	before=$(last_chat "$log")
	down
	# fifty milliseconds go by: what is measured is done meanwhile
	TALK_MS=50 "$BUILD/tests/peer/talk" - gone $$ >/dev/null 2>&1 || :
	timeout 5 socat -u "UNIX:$run/$v/priv/serial0" - 2>/dev/null |
		head -n 3 | tail -n 1 >"$tmp/after"
	after=$(last_chat "$tmp/after")
	echo "# $a: chat $before before the kill, $after after 50 ms"
	ok "$a: the guest went on within 50 ms of kill -9" \
		at_least "$(distance "$before" "${after:-$before}")" 1
	up
	ok "$a: adopted" becomes "$v" running
	before=$(last_chat "$log")
	ok "$a: and its console goes on" eventually later_chat "$before"
	kill -STOP "$vmwardd_pid"
	kill -CONT "$vmwardd_pid"
	before=$(last_chat "$log")
	ok "$a: after a stop of the supervisor as well" \
		eventually later_chat "$before"
	ok "$a: stops" stops "$v"
}

later_chat() # HEX
{
	now=$(last_chat "$log")
	[ -n "$now" ] && [ "$now" != "$1" ]
}

up
for accel in $(accelerators); do
	chatty "$accel"
done
ok "nothing is left" nothing_left
plan
