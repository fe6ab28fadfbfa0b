#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# save and restore around deaths: of vmwardd before and after the memory
# counts, of QEMU, and a cancel; a save either was or was not.
# shellcheck source=tests/t/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/t/daemon.sh
. "$TOP/tests/t/daemon.sh"

saved=$tmp/var/lib/vmward/saved
vm web </dev/null
vm slow </dev/null
daemon
q vm-start web
pid=$(pid_of web)

# ---- there and back ----

ok "save" q vm-save web
ok "saved" state_is web saved
ok "its QEMU is gone" gone "$pid"
ok "the memory is kept" is "$(cat "$saved/web/memory")" QEVMfake
ok "explain" q vm-explain web
ok "says what a start does" grep -q 'goes on from there' "$tmp/out"
ok "pause: it is saved" refused STATE vm-pause web
ok "rename: refused" refused STATE vm-rename web new=two
ok "clone: refused" refused STATE vm-clone web new=two
ok "stop: it is down already" q vm-stop web
ok "and stays saved" state_is web saved
ok "restore" q vm-restore web
ok "running" state_is web running
ok "the memory is used up" test ! -e "$saved/web"
ok "restore again: refused" refused STATE vm-restore web
ok "what is down is not saved" refused STATE vm-save slow

# ---- a cancel ----

q vm-start slow
slow=$(pid_of slow)
ok "one that takes long" q vm-save slow job:true
job=$(field job)
ok "is saving" becomes slow saving
ok "stop: not now" refused STATE vm-stop slow
ok "it can be cancelled" q job-cancel "job=$job"
ok "the guest goes on" becomes slow running
ok "the same QEMU" is "$(pid_of slow)" "$slow"
ok "nothing is kept" test ! -e "$saved/slow"
q vm-pause slow
q vm-save slow job:true
becomes slow saving >/dev/null
q job-cancel "job=$(field job)"
q vm-kill slow
becomes slow stopped >/dev/null
ok "killed meanwhile: it is stopped" state_is slow stopped
ok "and nothing is kept" test ! -e "$saved/slow"

# ---- deaths before it counts ----

q vm-start slow
slow=$(pid_of slow)
q vm-save slow job:true
becomes slow saving >/dev/null
daemon_ends KILL
daemon
ok "we die before it counts: it goes on" becomes slow running
ok "and that is undone" wait_for "$tmp/var/log/vmward/slow/vm.log" "paused -> running"
ok "the same QEMU" is "$(pid_of slow)" "$slow"
ok "nothing is kept" test ! -e "$saved/slow"
q vm-save slow job:true
becomes slow saving >/dev/null
kill -9 "$slow"
ok "QEMU dies before it counts: restarted" becomes slow running
ok "as after any death" test "$(pid_of slow)" != "$slow"
ok "nothing is kept of that" test ! -e "$saved/slow"
q vm-kill slow

# ---- deaths after it counts ----

state='{"version":1,"generation":%s,"running":true,"ready":true,"time":1,"qemu":70222,"ports":0,"config":"[vm]\\nmemory = 64M\\naccel = tcg\\nkernel = %s\\n","disks":[]}'
counts() # NAME GENERATION: as if its memory had been saved
{
	mkdir -p "$saved/$1"
	printf QEVMfake >"$saved/$1/memory"
	# shellcheck disable=SC2059
	printf "$state" "$2" "$tmp/kernel" >"$saved/$1/saved.json"
}
generation() { q vm-status "$1" && field running_generation; }
q vm-start slow
slow=$(pid_of slow)
now=$(generation slow)
daemon_ends KILL
counts slow "$now"
daemon
ok "we die after it counts: saved" becomes slow saved
ok "that QEMU is ended" gone "$slow"
ok "its memory is kept" test -e "$saved/slow/saved.json"
daemon_ends KILL
daemon
ok "still" becomes slow saved
q vm-start slow
slow=$(pid_of slow)
now=$(generation slow)
daemon_ends KILL
counts slow "$((now - 1))"
daemon
ok "we die in the middle of a restore: once more" becomes slow running
ok "in another QEMU" test "$(pid_of slow)" != "$slow"
ok "which uses it up" test ! -e "$saved/slow"
q vm-kill slow

# ---- what cannot be restored stays ----

q vm-save web
echo junk >"$saved/web/memory"
ok "a bad memory: refused" refused QMP vm-restore web
ok "in QEMU's words" grep -q 'Not a migration stream' "$tmp/out"
ok "it stays saved" state_is web saved
echo junk >"$saved/web/saved.json"
ok "a bad description: refused" refused CONFIG vm-start web
ok "it stays saved" state_is web saved
ok "fresh forgets it" q vm-start web fresh:true
ok "it runs" state_is web running
q vm-save web
ok "a saved one can be deleted" q vm-delete web
ok "with its memory" test ! -e "$saved/web"
plan
