#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What follows from the file while a guest runs: pending edits arrive with
# the guest's own reboot, a panicked guest is kept, a life has its limit.
# shellcheck source=tests/live/lib.sh
. "$(dirname "$0")/lib.sh"

is_kept() { is "$(state_of kept)" paused; }

guest web tcg </dev/null
guest kept tcg <<END
[restart]
panic = pause
END
guest short tcg <<END
[stop]
runtime-max = 1s
timeout = 3s
END
up
ok "it boots" starts web --wait=ready
old=$(pid_of web)
vmward set web vm.memory=20M
ok "an edit is pending" says "1 change pending"
types web r >/dev/null
ok "the guest's reboot brings a new QEMU" restarted web "$old"
ok "with the edit" is "$(of web memory)" 20971520
ok "and nothing is pending" is "$(of web pending)" 0
old=$(pid_of web)
from=$(size_of "$logs/web/console.log")
types web r >/dev/null
ok "without edits a reboot is warm" eventually boots_again web "$from"
ok "in the same QEMU" same_pid web "$old"

ok "another boots" starts kept --wait=ready
types kept c >/dev/null
ok "a panicked guest is kept" eventually is_kept
vmward list kept
ok "and says so" says "panicked; kept for a look"
ok "until it is killed" vmward kill kept

ok "a third boots" starts short --wait=ready
ok "a life has its limit" ends_with short admin-stop
ok "and says which" is "$(of short detail)" runtime-max
leave
plan
