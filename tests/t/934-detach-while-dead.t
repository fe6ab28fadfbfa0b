#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Once: a detach that the guest obeyed while vmwardd was dead was closed by
# the next one, but never written, so that the disk was back at the next
# start.
# shellcheck source=tests/t/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/t/daemon.sh
. "$TOP/tests/t/daemon.sh"

# its guest keeps a disk when a connection asks for the first time
cat >"$tmp/keeps.qmp" <<'EOS'
? {"execute": "device_del"}
< {"return": {}, "id": $ID}
= loop
EOS
dropin() { cat "$vms/$1.ini.d/50-vmward.ini" 2>/dev/null; }
has_disk() { dropin "$1" | grep -q "^\[disk.$2\]"; }
has_no_disk() { ! has_disk "$@"; }
# eventually COMMAND...: twenty seconds at most
eventually()
{
	tries=2000
	until "$@"; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || return 1
		measure_ms 10
	done
}
# lets_go NAME DISK: the guest does, behind our back
lets_go()
{
	del="{\"execute\":\"device_del\",\"arguments\":{\"id\":\"disk-$2\"}}"
	talk "$run/$1/priv/monitor" qmp ">$del" '<return' ">$del" \
		'?DEVICE_DELETED'
}

for name in one two three; do
	scripted "$name" "$tmp/keeps.qmp"
done
printf '[disk.own]\nsize = 1M\n' >>"$vms/three.ini"
daemon
for name in one two three; do
	q vm-start "$name"
	q vm-disk-attach "$name" disk=data 'pairs:{"size":"1M"}'
	ok "$name: the disk is in the drop-in" has_disk "$name" data
done
ok "asked, and kept" refused GUEST vm-disk-detach one disk=data timeout:0.1
ok "the same for this life only" \
	refused GUEST vm-disk-detach two disk=data timeout:0.1 runtime:true
ok "one that a file of the user has" \
	refused GUEST vm-disk-detach three disk=own timeout:0.1
ok "nothing is written so far" has_disk one data
daemon_ends KILL
ok "the guest lets it go" lets_go one data
ok "and the others" lets_go two data
ok "all of them" lets_go three own
daemon
ok "the next one writes it" eventually has_no_disk one data
q vm-disk-list one
ok "the VM has it no longer" sh -c "! grep -q '\"data\"' '$tmp/out'"
ok "one of the user is switched off" eventually \
	grep -qx 'enabled = no' "$vms/three.ini.d/50-vmward.ini"
ok "another disk of it stays" has_disk three data
ok "for this life only: it stays" has_disk two data
q vm-stop one
q vm-start one
q vm-disk-list one
ok "nor at the next start" sh -c "! grep -q '\"data\"' '$tmp/out'"

# a successor that sees the guest let go itself
q vm-disk-attach one disk=more 'pairs:{"size":"1M"}'
ok "another one is asked for" \
	refused GUEST vm-disk-detach one disk=more timeout:0.1
daemon_ends KILL
daemon
becomes one running
ok "it is still there" has_disk one more
q vm-qmp one execute=device_del 'arguments:{"id":"disk-more"}'
ok "it goes later, and is written" eventually has_no_disk one more

# once the copy of what runs was what is written, so that nothing was left to
# say of a disk that a successor detached
q vm-disk-attach one disk=third 'pairs:{"size":"1M"}'
daemon_ends KILL
sed -i '/^?/d; /^</d' "$tmp/keeps.qmp"
daemon
becomes one running
ok "a successor detaches" q vm-disk-detach one disk=third
ok "and writes it" has_no_disk one third

# asked for, then plugged in again: that is another one
q vm-disk-attach one disk=more 'pairs:{"size":"1M"}'
daemon_ends KILL
daemon
becomes one running
q vm-disk-list one
ok "what came back stays" says '"more"'
ok "also in the drop-in" has_disk one more
for name in one two three; do q vm-kill "$name"; done
daemon_ends TERM
plan
