#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A VM whose guest's reboots end its QEMU is adopted while it is paused, and
# reset: QEMU is told first that a reset is none.  (It was not, and the reset
# would have ended the VM.)
# shellcheck source=tests/t/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/t/daemon.sh
. "$TOP/tests/t/daemon.sh"

told_to_reset() { grep -qF '{"reboot":"reset"}' "$run/web/priv/recorder"; }

vm web <<'EOS'
[restart]
on-guest-reboot = cold
EOS
daemon
q vm-start web paused:true
pid=$(pid_of web)
daemon_ends KILL
daemon
ok "adopted paused" becomes web paused
ok "reset" q vm-reset web
ok "QEMU was told that this is no end" told_to_reset
ok "it is the same QEMU" is "$(pid_of web)" "$pid"
daemon_ends TERM
plan
