#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A file that changes while its VM starts: the start goes by what it began
# with.  (The supervisor once walked a list of the freed configuration for
# ever.)
# shellcheck source=tests/t/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/t/daemon.sh
. "$TOP/tests/t/daemon.sh"

printf '~ 300ms\n= greet\n= loop\n' >"$tmp/late.qmp"
scripted web "$tmp/late.qmp"
printf '[raw]\narg-1 = -D %s\n[disk.data]\nsize = 1M\n' "$tmp/late.qmp" | vm db
daemon

# disturbed NAME: it is started, and its file changes twice before it runs
disturbed()
{
	vmward --no-block start "$1"
	for memory in 65M 66M; do
		sed -i "s/^memory = .*/memory = $memory/" "$vms/$1.ini"
		vmward reload
	done
	becomes "$1" running
}
ok "a reload while a VM starts" disturbed web
ok "while one with a disk starts" disturbed db
vmward plan web
ok "what came later is pending" says memory
vmward show web
ok "and is what is written" says 'memory = 66M'
plan
