#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What people of virsh type, line by line of REFERENCE's table: it does the
# same here, or says what does.
# shellcheck source=tests/t/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/t/daemon.sh
. "$TOP/tests/t/daemon.sh"

v() # ARG...: virsh's words, said to vmward
{
	timeout 30 "$BUILD/vmward" --root "$tmp" "$@" \
		>"$tmp/out" 2>"$tmp/err" </dev/null
	status=$?
	return "$status"
}
# Of what is down `status` tells with 3, as systemctl does.
state_is()
{
	v status "$1" --json || [ "$status" -eq 3 ]
	grep -q "\"state\": *\"$2\"" "$tmp/out"
}
autostart_is() { v show "$1" && grep -qx "autostart = $2" "$tmp/out"; }
says() { grep -qF -- "$1" "$tmp/out" "$tmp/err"; }

vm web </dev/null
vm db </dev/null
PATH="$tmp/bin:$PATH"
export PATH
daemon

ok "list" v list
ok "list --all: the same" v list --all
ok "list --all: with those that are down" says web
ok "start N" v start web
ok "start N: runs" state_is web running
ok "domstate N" v domstate web
ok "domstate N: says so" says running
ok "dominfo N" v dominfo web
ok "dominfo N: says so" says running
ok "suspend N" v suspend web
ok "suspend N: is paused" state_is web paused
ok "resume N" v resume web
ok "resume N: runs" state_is web running
ok "reset N" v reset web
ok "dommemstat N" v dommemstat web
ok "vcpuinfo N" v vcpuinfo web
v domifaddr web
ok "domifaddr N: asks for its addresses" says "no address is known"
v domiffadr web
ok "domiffadr N: a usage error" test "$status" -eq 2
ok "domiffadr N: the word that was meant" says domifaddr
ok "autostart N" v autostart web
ok "autostart N: is enabled" autostart_is web yes
ok "autostart --disable N" v autostart --disable web
ok "autostart --disable N: is not" autostart_is web no
ok "shutdown N" v shutdown web
ok "shutdown N: is down" state_is web stopped
v start db
v destroy db
ok "destroy N: does nothing" test "$status" -eq 2
ok "destroy N: names what does" says 'vmward kill db'
ok "destroy N: it runs on" state_is db running
ok "kill N" v kill db --yes
ok "kill N: is down" state_is db stopped
ok "undefine N" v undefine db --yes
v status db
ok "undefine N: is gone" test "$status" -eq 4
ok "net-list" v net-list
ok "net-list: the default one" says default
v migrate web
ok "migrate: of no version yet, not of another thing" test "$status" -eq 2
v snapshot-create-as web --name before --description why
ok "snapshot-create-as N: it has no disk" says 'no disk'
ok "snapshot-list N" v snapshot-list web
ok "snapshot-list N: none" says 'no snapshots'
v snapshot-revert web --current --yes
ok "snapshot-revert N --current: there is none" \
	says 'its disks come from no snapshot'
v snapshot-info web before
ok "snapshot-info N S: is not there" test "$status" -eq 4
plan
