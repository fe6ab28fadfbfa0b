#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The stop ladder, by what QEMU is told: the button twice, each step in its
# turn and for its part of the time, the step that worked, a paused guest
# woken first, one time limit for several.
# shellcheck source=tests/t/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/t/daemon.sh
. "$TOP/tests/t/daemon.sh"
TALK_MS=40000
export TALK_MS

# ladder NAME SCRIPT STEPS
ladder()
{
	printf '[stop]\ntimeout = 60s\nsteps = %s\n[raw]\narg-1 = -D %s\n' \
		"$3" "$TOP/tests/fake/$2.qmp" | vm "$1"
}
mkdir -p "$tmp/etc/vmward"
printf '[vmward]\nshutdown-timeout = 2s\n' >"$tmp/etc/vmward/vmward.ini"
log_of() { echo "$tmp/var/log/vmward/$1/vm.log"; }
count() { grep -cF -- "$2" "$(log_of "$1")"; }
step_of()
{
	q vm-status "$1"
	# without its time
	field stop_step | sed 's/ [0-9.]* s:/:/'
}
# phases NAME: what its stop came to, in order, as the events told
phases()
{
	"$BUILD/vmward" --root "$tmp" events --since 0 --no-follow --json "$1" \
		</dev/null 2>"$tmp/err" | grep '"kind": "stop"' |
		sed -n 's/.*"phase": "\([a-z-]*\)".*/\1/p' | uniq | tr '\n' ' '
}

ladder deaf deaf 'acpi:300ms, acpi:300ms, quit:3s'
ladder once deaf 'acpi:300ms, quit:3s'
ladder heeds woken 'acpi:20s, acpi:15s, quit:3s'
ladder frozen frozen 'acpi:200ms, acpi:200ms, quit:200ms, term:200ms, kill'
ladder cut frozen 'acpi:1h, acpi:1h, quit:1h, term:1h, kill'
ladder one frozen 'acpi:1h, kill'
ladder two frozen 'acpi:1h, kill'
ladder dry frozen 'acpi:1h, kill'
daemon
for name in deaf once heeds frozen cut one two dry; do
	q vm-start $name
done

# ---- the button ----

q vm-stop deaf
ok "a button that is not heeded is pressed again" \
	is "$(count deaf 'button pressed again')" 1
ok "then QEMU quits, and that is told" \
	is "$(step_of deaf)" 'quit: QEMU quit (step 3 of 4)'
ok "each step in its turn" is "$(phases deaf)" 'acpi quit '
q vm-stop once
ok "pressed once where once is written" is \
	"$(count once 'button pressed') $(count once 'again')" '1 0'
ok "and the next step worked" \
	is "$(step_of once)" 'quit: QEMU quit (step 2 of 3)'

# ---- a paused guest ----

q vm-pause heeds
q vm-stop heeds
ok "a paused guest is woken first" is \
	"$(grep -oE 'woken|button pressed' "$(log_of heeds)" | tr '\n' ' ')" \
	'woken button pressed '
ok "so the button works" is "$(step_of heeds)" 'acpi: powered off (step 1 of 4)'

# ---- one that nothing reaches ----

q vm-stop frozen
ok "every step is tried" is "$(phases frozen)" 'acpi quit term kill '
ok "and the last one helps" \
	is "$(step_of frozen)" 'kill: QEMU killed (step 5 of 5)'
ok "its cause is the admin's all the same" says '"cause":"admin-stop"'
# four hours of budgets in a limit of two seconds
ok "the time limit is divided among the steps" q vm-stop cut timeout:2
ok "all of them" is "$(phases cut)" 'acpi quit term kill '

# ---- several at once: shutdown-timeout is for all of them ----

vmward stop one two
ok "several stop at once" exits 0
ok "within the time that is theirs together" is \
	"$(step_of one), $(step_of two)" \
	'kill: QEMU killed (step 2 of 2), kill: QEMU killed (step 2 of 2)'

# ---- a dry run of a stop, while it stops ----

vmward stop dry --no-block
ok "a stop under way" becomes dry stopping
vmward -n stop dry --now
ok "a dry run says what it would do" says 'stop dry (it is stopping)'
ok "and does not hurry the stop" becomes dry stopping
vmward kill dry
ok "kill ends it" exits 0
plan
