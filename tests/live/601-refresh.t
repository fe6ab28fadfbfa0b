#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# refresh: a running VM in a new QEMU process, with its memory, disks and
# console; whatever ends half way, one QEMU is left and the guest goes on.
# shellcheck source=tests/live/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/live/lib.sh"

count() { qemus "$tmp" | wc -l; }
memory() # of the guest's program, as text
{
	vmward qmp one human-monitor-command 'command-line=xp /6000xb 0x7c00'
	cksum <"$tmp/out"
}
boots() { said one "$from" | grep -c READY; }
moved() # the guest was not told of anything
{
	is "$(count)" 1 && is "$(boots)" 0
}

guest one tcg </dev/null
up
starts one --wait=ready
counts one >/dev/null
from=$(log_size one)

# ---- there ----

pid=$(pid_of one)
console one "$tmp/seen"
ok "a dry run says what it would do" does refresh one -n
ok "and does nothing" same_pid one "$pid"
ok "refresh" does refresh one
ok "it says how long the guest stood still" says 'the guest stood still for'
ok "the old QEMU is gone" is_gone "$pid"
ok "another one runs" other_pid one "$pid"
ok "one, and the guest did not boot" moved
ok "its disk is what it was" is "$(counts one)" 0002
ok "who looks at its console still does" eventually has "$tmp/seen" 0002
ok "it is ready, though it did not say it again" is "$(of one ready)" true
ok "it obeys" obeys one
ok "and nothing is left in between" sh -c "! ls '$run/one/priv' | grep next-"

does pause one
was=$(memory)
ok "one that is paused" does refresh one
ok "stays paused" is_state one paused
ok "also one more time" does refresh one
ok "and is as it was" is_state one paused
ok "its memory is what it was, byte by byte" is "$(memory)" "$was"
ok "until it is resumed" does resume one
ok "and goes on" is "$(counts one)" 0003
ok "another supervisor" leave
up
ok "knows it" becomes one running
ok "as the one QEMU" moved
ok "which can move again" does refresh one
ok "and again" does refresh one
ok "and is where it was" is "$(counts one)" 0004
pid=$(pid_of one)
ok "an end of it has its cause" kill -9 "$pid"
ok "and a successor" restarted one "$pid"
ok "at the next boot" is "$(counts one)" 0005

# ---- refused ----

stops one
ok "one that is down: refused" fails_with 3 refresh one
ok "nobody of that name" fails_with 4 refresh nobody
printf '[net.lan]\nuser = yes\nforward = %d:80\n' "$((20000 + $$ % 20000))" \
	>>"$vms/one.ini"
starts one --wait=ready
ok "two QEMUs cannot listen on one port" fails_with 1 refresh one
ok "it says which nic" complains "net 'lan' (forward) cannot be in two QEMUs"
plan
