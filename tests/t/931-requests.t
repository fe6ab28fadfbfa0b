#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Requests that outlive what they began, and VMs that lose their file or
# their QEMU meanwhile.  (Each of these once took the supervisor with it.)
# shellcheck source=tests/t/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/t/daemon.sh
. "$TOP/tests/t/daemon.sh"

lives() { kill -0 "$daemon_pid" && q query-version; }

printf '[start]\nready = exec:/bin/false\n[disk.root]\nsize = 1M\n' | vm slow
printf '[restart]\npolicy = always\nbackoff = 1s-2s\n[raw]\narg-1 = -D %s\n' \
	"$TOP/tests/fake/exit-at-once.qmp" | vm broken
daemon

# ---- a cancel after the start, while it is waited for readiness ----
ok "a cancel of a request whose job is over" talk "$control" qmp \
	'>{"execute":"vm-start","arguments":{"vm":"slow","wait":"ready"},"id":"r1"}' \
	'>{"execute":"vm-wait","arguments":{"vm":"slow","state":"running"},"id":"r2"}' \
	'<"r2"' \
	'>{"execute":"job-cancel","arguments":{"request":"r1"},"id":"r3"}' \
	'<"r3"'
ok "is refused" says '"code":"NOT_FOUND"'
ok "the supervisor lives" lives

# ---- a disk, while the probe runs ----
q vm-disk-attach slow disk=data 'pairs:{"size":"1M"}'
ok "a disk is attached" says attached
sed -i 's/^memory.*/memory = 65M/' "$vms/slow.ini"
q reload
vmward status slow
ok "while it is probed" says 'waiting for exec'
ok "the supervisor lives" lives

# ---- a stop of another's is not cancelled by who waits ----
ok "who waits may leave" talk "$control" qmp \
	'>{"execute":"vm-wait","arguments":{"vm":"slow","state":"stopped"},"id":"r1"}' \
	'>{"execute":"vm-stop","arguments":{"vm":"slow"},"id":"r2"}' \
	'>{"execute":"job-cancel","arguments":{"request":"r1"},"id":"r3"}' \
	'<"r3"' '<"r1"' '<"r2"'
ok "the stop goes on" becomes slow stopped

# ---- two edits at once ----
ok "edits follow each other" talk "$control" qmp \
	'>{"execute":"vm-set","arguments":{"vm":"slow","pairs":{"vm.cpus":"2"}},"id":"r1"}' \
	'>{"execute":"vm-set","arguments":{"vm":"slow","pairs":{"vm.description":"x"}},"id":"r2"}' \
	'<"r1"' '<"r2"'
both() { grep -q '^cpus = 2' "$1" && grep -q '^description = x' "$1"; }
ok "and both are there" both "$vms/slow.ini.d/50-vmward.ini"

# ---- no file any more, in the back-off ----
# fails: it runs, dies, and does not come up again
fails()
{
	sed -i 's/exit-at-once/late-greeting/' "$vms/broken.ini"
	vmward start broken
	pid=$(pid_of broken)
	sed -i 's/late-greeting/exit-at-once/' "$vms/broken.ini"
	q reload
	kill -9 "$pid"
	becomes broken waiting
}
ok "it waits" fails
q vm-stop broken
ok "a stop takes it out" state_is broken stopped
ok "it waits again" fails
rm "$vms/broken.ini"
measure_ms 2500
ok "a file lost in the back-off" lives
vmward list
ok "and it is forgotten" sh -c "! grep -q broken '$tmp/out'"
plan
