#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# refresh of a Linux guest on a network: its tap goes with it, and what it
# talks to does not notice, but for a packet that the QEMU that waits may have
# taken, and what comes while a busy host does not let the supervisor run.
# shellcheck source=tests/live/net.sh
. "${TOP:-$(dirname "$0")/../..}/tests/live/net.sh"

a_world
linux a </dev/null
up
ok "a guest on the default network" starts a --wait=ready
from=$(log_size a)
types a 'ping -c 30 -i 0.2 192.0.2.2
' >/dev/null
ok "it talks to the world" eventually says_after a "$from" 'seq=2 '
pid=$(pid_of a)
ok "refresh" does refresh a --json
pause=$(jq -r '.. | .paused_ms? // empty' "$tmp/out")
ok "another QEMU" other_pid a "$pid"
ok "the old one is gone" is_gone "$pid"
ok "of 30 packets hardly one was lost" eventually says_after a "$from" \
	'30 packets transmitted, (2[6-9]|30) packets received'
ok "its tap is the one it was" is_taps 1
ok "it says how long it stood still" test "$pause" -gt 0
echo "# $pause ms, with 128 MiB"
stops a --now
ok "and goes with it" eventually is_gone_all
plan
