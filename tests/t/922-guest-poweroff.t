#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A guest that powers itself off has done so, whatever QEMU says when we make
# it quit.  (The reason of that second SHUTDOWN was once taken for the cause:
# the VM was restarted.)
# shellcheck source=tests/t/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/t/daemon.sh
. "$TOP/tests/t/daemon.sh"

scripted web guest-poweroff
daemon
vmward start web
ok "it is stopped" becomes web stopped
vmward status web --json
ok "by its guest" says '"cause": "guest-poweroff"'
ok "and was not restarted" says '"restarts": 0'
plan
