#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A QEMU whose monitor is gone before its process: how it ended is known all
# the same.  (Its exit status once got lost in the adoption that began.)
# shellcheck source=tests/t/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/t/daemon.sh
. "$TOP/tests/t/daemon.sh"

printf '[restart]\npolicy = no\n[raw]\narg-1 = -D %s\n' \
	"$TOP/tests/fake/lost-before-dead.qmp" | vm web
daemon
i=0
while [ $i -lt 5 ]; do
	i=$((i + 1))
	q vm-start web
	q vm-qmp web execute=query-balloon
	becomes web stopped >"$tmp/said"
	q vm-status web
	echo "$(field cause) $(field detail)" >>"$tmp/causes"
done
ok "how it ended is known" is "$(sort -u "$tmp/causes")" "qemu-exit 7"
plan
