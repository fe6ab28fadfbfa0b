#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The host's own file: show, check, reload, SIGHUP, and bad ones.
# shellcheck source=tests/t/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/t/daemon.sh
. "$TOP/tests/t/daemon.sh"

host=$tmp/etc/vmward/vmward.ini
settings() # stdin: the file, put in place at once
{
	cat >"$host.new"
	mv "$host.new" "$host"
}
shown() { vmward show && says "$1"; }

settings <<EOS
[vmward]
on-exit = shutdown
log-level = warn
[roles]
viewer = @root
EOS
vm web </dev/null
daemon

ok "show without a name: the host's file" shown 'on-exit = shutdown'
vmward show --origin --section vmward
ok "show: with its origin" says 'log-level = warn  ; vmward.ini:3'
vmward show --section confinement
ok "show: a section it has not" is "$status" 4
vmward check
ok "check: that is no mistake" is "$status" 0
vmward show --defaults
ok "show --defaults has the host's keys" says ';parallel-starts = '
vmward check "$host"
ok "check of the FILE" is "$status" 0
vmward show "$host"
ok "show of the FILE" says 'viewer = @root'

# ---- a bad one ----

settings <<EOS
[vmward]
on-exit = perhaps
EOS
vmward reload
ok "reload: file and line" says 'vmward.ini:2: [vmward] on-exit = perhaps: say one of'
ok "reload: its status" is "$status" 1
ok "the old values stay" shown 'on-exit = shutdown'
vmward check
ok "check: the same, and fails" is "$status" 1
vmward check "$host"
ok "check of the FILE fails" is "$status" 1
vmward show "$host"
ok "show of the FILE fails" is "$status" 1
ok "nobody was disturbed" q vm-start web
daemon_ends KILL
daemon
ok "a bad file from the start: the supervisor works" becomes web running
ok "with the defaults" vmward show
ok "and says why" logged 'vmward.ini:2: '

# ---- SIGHUP ----

settings <<EOS
[vmward]
on-exit = leave
EOS
kill -HUP "$daemon_pid"
wait_for "$daemon_log" 'reading the files again'
ok "SIGHUP: read again" shown 'on-exit = leave'
rm "$host"
vmward reload
vmward show
ok "removed: nothing is set" is "$(cat "$tmp/out")" ""
plan
