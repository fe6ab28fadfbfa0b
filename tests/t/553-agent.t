#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The verbs of the guest agent where there is none to answer: refused before
# anything is asked, or in time, with nothing left.
# shellcheck source=tests/t/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/t/daemon.sh
. "$TOP/tests/t/daemon.sh"
printf '[agent]\nenabled = no\n' | vm deaf
vm web </dev/null
daemon
for verb in ping info fstrim set-time shutdown freeze thaw; do
	ok "$verb of what is down" refused STATE "vm-agent-$verb" web
done
q vm-start web
q vm-start deaf
for verb in ping info fstrim set-time shutdown; do
	ok "$verb without an agent" refused GUEST "vm-agent-$verb" web
	ok "$verb: with the remedy" says 'install qemu-guest-agent'
	ok "$verb without its port" refused STATE "vm-agent-$verb" deaf
	ok "$verb: names the key" says 'enabled = no'
	ok "dry run of $verb" q "vm-agent-$verb" web dry-run:true
done
ok "--wait gives up in time" refused GUEST vm-agent-ping web wait:true \
	timeout:0.2
ok "freeze without an agent" refused GUEST vm-agent-freeze web
ok "leaves no mark" test ! -e "$run/web/priv/frozen"
ok "thaw without an agent" refused GUEST vm-agent-thaw web
ok "freeze for no time" refused USAGE vm-agent-freeze web for:0
ok "freeze for too long" refused USAGE vm-agent-freeze web for:3601
ok "exec of nothing" refused USAGE vm-agent-exec web 'command:[]'
ok "exec of no words" refused USAGE vm-agent-exec web 'command:[1]'
ok "push without a descriptor" refused USAGE vm-agent-push web file=/x path=/x
ok "says how to send one" says SCM_RIGHTS
for mode in rwx 75 07555 789 -1; do
	ok "mode $mode" refused USAGE vm-agent-push web file=/x path=/x \
		"mode=$mode"
done
for path in '' x /tmp/ ../x; do
	ok "path '$path'" refused USAGE vm-agent-pull web file=/x "path=$path"
done
ok "an empty password" refused USAGE vm-agent-set-password web user=root \
	'password=\nx'
ok "two ways at once" refused USAGE vm-agent-ssh-keys web user=root add=a \
	remove=b
ok "no key" refused USAGE vm-agent-ssh-keys web user=root 'add=# none'
ok "no such mode" refused USAGE vm-agent-shutdown web mode=explode
q vm-pause web
ok "paused" refused STATE vm-agent-ping web
ok "says what to do" says 'vmward resume web'
q vm-resume web
echo x >file
vmward agent push web file /tmp/x
ok "push by hand: no agent" complains 'its guest has no agent'
vmward agent pull web /tmp/x got
ok "pull as well" complains 'its guest has no agent'
ok "and makes no file" test ! -e got
vmward agent pull web /tmp/x file
ok "nor takes one" is "$(cat file)" x
vmward --dry-run agent pull web /tmp/x got
ok "a dry run makes none" test ! -e got
vmward agent exec web -x
ok "an option before the command" complains 'unknown option -x'
ok "is no command" exits 2
vmward agent exec web true
ok "exec that never ran" exits 125
daemon_ends TERM
plan
