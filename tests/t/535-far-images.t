#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Images on a file system whose server stops answering: what touches them
# fails with their name in it, all else is answered at once, and what was
# refused works again when the server is back.  The server is a process that
# is stopped; the kernel's part of it is real.
# shellcheck source=tests/t/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/t/daemon.sh
. "$TOP/tests/t/daemon.sh"

far=$tmp/far
mkdir "$far" "$tmp/behind"
truncate -s 1M "$tmp/behind/data.raw"
qcow2 "$tmp/behind/old.qcow2"
mkfifo "$tmp/mounted"
"$BUILD/tests/peer/slowfs" "$far" "$tmp/behind/data.raw" \
	"$tmp/behind/old.qcow2" >"$tmp/mounted" 2>/dev/null &
server=$!
started="$started $server"
read -r mounted <"$tmp/mounted"
[ "${mounted-}" = ready ] || skip_all "no FUSE here"
end_far()
{
	kill -9 "$server"
	umount -l "$far"
	clean_daemon
}
trap end_far EXIT
now_ms() { echo $(($(date +%s%N) / 1000000)); }
# takes_less MS COMMAND...
takes_less()
{
	most=$1
	shift
	began=$(now_ms)
	"$@" || return 1
	took=$(($(now_ms) - began))
	[ "$took" -lt "$most" ] || {
		echo "it took $took ms"
		false
	}
}
refuses() # TEXT ARG...
{
	text=$1
	shift
	vmward "$@"
	[ "$status" -ne 0 ] && complains "$text" &&
		is "$(wc -l <"$tmp/err")" 1
}
no_touchers() { ! pgrep -f -- "--touch $tmp" >"$tmp/left"; }

ln -s "$far" "$tmp/link"
vm near </dev/null
printf '[disk.data]\nimage = %s/data.raw\nreadonly = yes\n' "$far" | vm away
printf '[disk.data]\nimage = %s/data.raw\nreadonly = yes\n' "$tmp/link" |
	vm linked
daemon
ok "while it answers, a VM starts" q vm-start away
q vm-kill away
ok "and one that comes there by a link" q vm-start linked
q vm-kill linked
ok "its images are looked at" q image-info image="$far/data.raw"

kill -STOP "$server"
background stuck qmp '>{"execute":"vm-start","arguments":{"vm":"away"}}' '<"'
ok "while a start waits for it, list answers" takes_less 9000 q vm-list
ok "and status" takes_less 9000 q vm-status away
ok "and another VM starts" takes_less 20000 q vm-start near
ok "the start is answered" ended stuck
ok "with what does not answer" grep -q "$far/data.raw.*Host is down" \
	"$tmp/stuck.out"
ok "the log says it" logged "'$far' (fuse) does not answer"
ok "and so is the next one" refuses "$far/data.raw" start away
ok "nor by a link" refuses 'Host is down' start linked
ok "nor for an image" refuses "$far/old.qcow2" \
	image info "$far/old.qcow2"
ok "images elsewhere are made" q image-create image=new.raw size:1048576
ok "and listed" q image-list
ok "VMs elsewhere go on" state_is near running
q vm-kill near
ok "and start" q vm-start near
ok "the supervisor is not held up" takes_less 9000 q vm-list

kill -CONT "$server"
ok "it answers again" wait_for "$daemon_log" "'$far' (fuse) answers again"
ok "the VM starts" q vm-start away
ok "no child is left" no_touchers
q vm-kill away

# one that is there from the beginning
daemon_ends KILL
kill -STOP "$server"
daemon
ok "a new supervisor comes up beside it" takes_less 9000 q vm-list
ok "and says what it cannot do" refuses 'Host is down' start away
kill -CONT "$server"
ok "until it can" wait_for "$daemon_log" "'$far' (fuse) answers again"
ok "as before" q vm-start away
daemon_ends TERM
plan
