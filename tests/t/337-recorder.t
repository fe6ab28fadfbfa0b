#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The flight recorder: what it holds, and that it outlives the supervisor.
# shellcheck source=tests/t/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/t/daemon.sh
. "$TOP/tests/t/daemon.sh"

recorder=$run/web/priv/recorder
holds() { grep -qF -- "$1" "$recorder"; }

vm web </dev/null
daemon
q vm-start web
ok "what was sent" holds '> {"execute":"cont"'
ok "what came" holds '< {"QMP"'
ok "transitions, the one that led there too" holds 'stopped -> starting'
ok "and to where" holds 'starting -> running'
ok "for us alone" is "$(stat -c %a "$recorder")" 600
q vm-qmp web execute=object-add \
	'arguments:{"qom-type":"secret","id":"s0","data":"hunter2"}'
ok "a secret object" holds '"data":"***"'
ok "its secret is in no file of ours" sh -c \
	"! grep -rqs hunter2 '$run' '$tmp/var'"
fds=$(find "/proc/$daemon_pid/fd" -lname "$recorder" 2>/dev/null)
ok "no descriptor stays open" is "$fds" ''
daemon_ends KILL
ok "the supervisor is killed: it is there" holds 'starting -> running'
daemon
becomes web running >/dev/null
ok "its successor goes on with it" holds 'adopted pid'
ok "behind what was" holds 'starting -> running'
q vm-stop web
ok "stopped: nothing is left" test ! -e "$run/web"
daemon_ends TERM
plan
