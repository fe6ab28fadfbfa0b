#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# nic link: QEMU is told, then the file; of a VM that is down only the file.
# nic list says what there is.
# shellcheck source=tests/t/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/t/daemon.sh
. "$TOP/tests/t/daemon.sh"

cat >"$tmp/link.qmp" <<'EOS'
? {"execute": "set_link", "arguments": {"name": "net-lan", "up": false}}
= reply
! stderr the cable is out\n
? {"execute": "set_link", "arguments": {"name": "net-lan", "up": true}}
= reply
! stderr the cable is in\n
? {"execute": "set_link", "arguments": {"name": "net-lan", "up": false}}
< {"error": {"class": "GenericError", "desc": "the nic is stuck"}, "id": $ID}
= loop
EOS
vm web <<EOS
[net.lan]
user = yes
forward = 8080:80
[raw]
arg-1 = -D $tmp/link.qmp
EOS
hears() { wait_for "$tmp/var/log/vmward/web/vm.log" "$1"; }
pending() { q vm-status web && says "\"pending\":$1,"; }
file=$vms/web.ini.d/50-vmward.ini

daemon
vmward nic list web
ok "of a VM that is down: what is written" grep -qE \
	'^lan +user +- +up +52:54:[0-9a-f:]+ +- +tcp:8080:80' "$tmp/out"
vmward nic link web lan up --runtime
ok "what does not run has no link for now: exit 3" exits 3
ok "so it says" complains 'it is stopped'
vmward start web
ok "it runs" becomes web running
pid=$(pid_of web)
vmward -n nic link web lan down
ok "a dry run changes nothing" test ! -e "$file"
vmward nic link web lan down --runtime
ok "the cable is out" exits 0
ok "QEMU was told" hears 'the cable is out'
ok "the file was not" test ! -e "$file"
ok "that is a difference" pending 1
vmward nic list web
ok "nic list says so" grep -qE '^lan +user +- +down ' "$tmp/out"
daemon_ends KILL
daemon
becomes web running
vmward --json nic list web
ok "so does the next supervisor" says '"link": false'
vmward nic link web lan up
ok "the cable is in again" exits 0
ok "QEMU was told that, too" hears 'the cable is in'
ok "and the file" grep -qx 'link = up' "$file"
ok "so nothing differs" pending 0
ok "the same QEMU" is "$(pid_of web)" "$pid"
vmward nic link web lan down
ok "what QEMU refuses is refused" exits 1
ok "by its words" complains "net 'lan': set_link: the nic is stuck"
ok "and not written" grep -qx 'link = up' "$file"
vmward nic link web wan up
ok "no such nic: exit 4" exits 4
ok "it is named" complains "it has no nic 'wan'"
vmward nic link web lan sideways
ok "nonsense: exit 2" exits 2
vmward kill web -y
becomes web stopped
vmward nic link web lan down
ok "stopped: the file alone" exits 0
ok "says so" grep -qx 'link = down' "$file"
vmward nic list web
ok "and nic list" grep -qE '^lan +user +- +down ' "$tmp/out"
plan
