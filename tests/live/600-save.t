#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# save and restore: the guest goes on where it was, once, on disks that are as
# they were; what fails, is cancelled or killed leaves one of the two.
# shellcheck source=tests/live/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/live/lib.sh"

saved=$tmp/var/lib/vmward/saved
guest one tcg </dev/null
printf '[stop]\non-host-shutdown = save\n' >>"$vms/one.ini"
sed -i 's/^\[start\]/&\nautostart = last/' "$vms/one.ini"
up
starts one --wait=ready
counts one >/dev/null
from=$(log_size one)

# ---- there and back ----

pid=$(pid_of one)
ok "save" does save one
ok "its QEMU is gone" is_gone "$pid"
ok "it is saved" is_state one saved
ok "that is the note's end" is "$(of one cause)" admin-stop
ok "explain says so" does explain one
ok "and how it goes on" says 'vmward restore one'
ok "saved already: exit 0" does save one
ok "its memory is QEMU's stream" is \
	"$(head -c 4 "$saved/one/memory")" QEVM
ok "nobody else may read that" is "$(stat -c %a "$saved/one/memory")" 600
ok "nothing of it runs" nothing_left
ok "restore" does restore one
ok "it runs" is_state one running
ok "and is ready, though it did not say it again" is "$(of one ready)" true
ok "it did not boot" is "$(said one "$from" | grep -c READY)" 0
ok "its memory is what it was" is "$(counts one)" 0002
ok "the file is used up" test ! -e "$saved/one"
ok "what is not saved is not restored" fails_with 3 restore one

ok "saved again" does save one
leave
up
ok "another supervisor knows" becomes one saved
ok "a start goes on as well" starts one
ok "where it was" is "$(counts one)" 0003

memory() # of the guest's program, as text
{
	vmward qmp one human-monitor-command 'command-line=xp /6000xb 0x7c00'
	cksum <"$tmp/out"
}
does pause one
was=$(memory)
ok "one that is paused" does save one
ok "stays paused" does restore one
ok "in its state" is_state one paused
ok "byte by byte" is "$(memory)" "$was"
ok "which is no empty memory" test "$(tr -d '0x, ' <"$tmp/out" | wc -c)" -gt 5000
ok "until it is resumed" does resume one
ok "and goes on" is "$(counts one)" 0004

# ---- refused ----

does save one
touch "$images/one.raw"
ok "a disk that was written to: refused" fails_with 3 restore one
ok "and named" complains "disk 'root' was written to"
ok "it stays saved" is_state one saved
ok "--fresh forgets its memory" starts one --fresh --wait=ready
ok "it booted" is "$(counts one)" 0005
ok "nothing is kept" test ! -e "$saved/one"
does save one
head -c 100 /dev/zero >"$saved/one/memory"
ok "a spoilt memory: refused" fails_with 1 restore one
ok "in QEMU's words" complains 'Not a migration stream'
ok "it stays saved" is_state one saved
ok "it can be forgotten" starts one --fresh --wait=ready
ok "from its disk" is "$(counts one)" 0006
ok "not with another disc" does save one
ok "or for once" fails_with 3 start one --ephemeral
ok "a dry run says what a start would do" does start one -n
ok "namely that" says 'restore one'
ok "it is still saved" does restore one

# ---- no room ----

if mount -t tmpfs -o size=64k none "$saved" 2>/dev/null; then
	ok "no room: refused before" fails_with 1 save one
	ok "with figures" complains 'MiB left'
	ok "and it runs on" is "$(counts one)" 0007
	umount "$saved"
else
	ok "no room: refused before # SKIP no mount" true
	ok "with figures # SKIP" true
	ok "and it runs on" is "$(counts one)" 0007
fi

# ---- the host goes down ----

ok "the host goes down" does host-shutdown
leave
ok "its memory is kept" test -s "$saved/one/saved.json"
from=$(log_size one)
up
ok "it comes back" becomes one running
ok "and does not boot" is "$(said one "$from" | grep -c READY)" 0
ok "where it was" is "$(counts one)" 0008
stops one
ok "and stops" nothing_left
plan
