#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# reset-failed of a running VM forgets that it died: the next death is again
# the first one, without back-off.
# shellcheck source=tests/t/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/t/daemon.sh
. "$TOP/tests/t/daemon.sh"

scripted web late-greeting
daemon
vmward start web

dies() # RESTARTS: its QEMU dies; true once that many were counted
{
	kill -9 "$(pid_of web)"
	tries=0
	until q vm-status web && is "$(field restarts)" "$1"; do
		tries=$((tries + 1))
		[ "$tries" -lt 500 ] || return 1
	done
}

ok "the first death: started again" dies 1
becomes web running
q vm-reset-failed web
ok "forgotten" test "$(field changed)" = true
ok "the next one: started again" dies 1
ok "at once" becomes web running
vmward log web
ok "it never waited" sh -c "! grep -q waiting '$tmp/out'"
plan
