#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# All VMs go down: with the host, with the supervisor, in order and in time.
# shellcheck source=tests/t/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/t/daemon.sh
. "$TOP/tests/t/daemon.sh"

# goes NAME AUTOSTART FATE [LINE]...: what becomes of it with the host
goes()
{
	name=$1
	printf '[stop]\non-host-shutdown = %s\n[start]\nautostart = %s\n' \
		"$3" "$2" >"$tmp/part"
	shift 3
	printf '%s\n' "$@" >>"$tmp/part"
	vm "$name" <"$tmp/part"
}

states()
{
	for name; do
		q vm-status "$name" >/dev/null
		printf '%s:%s ' "$name" "$(field state)"
	done
}

came_down() # the order in which they did
{
	sed -n 's/.*vm=\([^ ]*\) .*stopping -> stopped.*/\1/p' "$daemon_log" |
		tr '\n' ' '
}

goes db yes shutdown
goes app last shutdown 'after = db' 'requires = db'
goes hard no stop 'after = app'
goes kept no leave
goes saved no save
daemon
for name in db app hard kept saved; do q vm-start "$name"; done
ok "dry run" q host-shutdown dry-run:true
ok "dry run: all run" is "$(states db app)" 'db:running app:running '
kept=$(pid_of kept)

: >"$daemon_log"
ok "host-shutdown" q host-shutdown
ok "says who went" says '"stopped":["app","db","hard","saved"]'
ok "says who was left" says '"left":["kept"]'
ok "they are down" is "$(states db app hard saved kept)" \
	'db:stopped app:stopped hard:stopped saved:saved kept:running '
ok "backwards through the order" is "$(came_down | sed 's/saved //')" \
	'hard app db '
q vm-status db
ok "the cause" is "$(field cause)" host-shutdown
ok "one that may stop at once is not asked" sh -c \
	"grep 'vm=hard.*stop: ' '$daemon_log' | grep -q 'quit'"
ok "again: nothing to do" q host-shutdown
ok "then VMs start again" q vm-start hard
q vm-kill hard

daemon_ends TERM
daemon
ok "the next supervisor goes by autostart" becomes app running
ok "as after a boot" is "$(states db app hard saved kept)" \
	'db:running app:running hard:stopped saved:saved kept:running '
ok "the one that was left is the same" is "$(pid_of kept)" "$kept"

# ---- signals ----

: >"$daemon_log"
daemon_ends INT
ok "SIGINT without a terminal: exits 0" is "$daemon_status" 0
ok "SIGINT: all are down" is "$(qemus | wc -l)" 0
ok "SIGINT: in order" is "$(came_down | sed 's/kept //')" 'app db '
daemon
ok "SIGINT: they come back with us" becomes app running
ok "SIGINT: those that autostart" is "$(states hard kept)" \
	'hard:stopped kept:stopped '
printf '[vmward]\non-exit = shutdown\n' >"$tmp/etc/vmward/vmward.ini"
q reload
q vm-start kept
daemon_ends TERM
ok "on-exit = shutdown: exits 0" is "$daemon_status" 0
ok "on-exit = shutdown: only who is left runs" is "$(qemus | wc -l)" 1
rm "$tmp/etc/vmward/vmward.ini"
daemon
ok "SIGTERM by default: they run on" becomes app running
daemon_ends TERM
ok "SIGTERM by default: all of them" is "$(qemus | wc -l)" 3

# ---- guests that do not listen ----

cat >"$tmp/deaf.qmp" <<'EOS'
? {"execute": "system_powerdown"}
< {"return": {}, "id": $ID}
= loop
EOS
daemon
becomes app running >/dev/null
for name in db app; do
	q vm-kill "$name"
	scripted "$name" "$tmp/deaf.qmp"
	printf '[stop]\ntimeout = 1h\nsteps = acpi:50min, kill\n' \
		>>"$vms/$name.ini"
done
printf '[start]\nafter = db\n' >>"$vms/app.ini"
q vm-start db
q vm-start app
before=$(date +%s)
ok "deaf guests: host-shutdown" q host-shutdown timeout:2
ok "deaf guests: in one time limit" test $(($(date +%s) - before)) -lt 20
ok "deaf guests: each had its share" is "$(sed -n \
	's/.*vm=\([^ ]*\) .*stop: kill.*/\1/p' "$daemon_log" | tail -n 2 |
	tr '\n' ' ')" 'app db '
ok "deaf guests: down" is "$(states db app)" 'db:stopped app:stopped '
q vm-start db
q vm-start app
kill -INT "$daemon_pid"
wait_for "$daemon_log" 'again: killing them'
: >"$daemon_log"
daemon_ends INT
ok "a second SIGINT kills" logged 'killing the VMs'
ok "and ends" is "$daemon_status" 0
ok "nobody is left but kept" is "$(qemus | wc -l)" 0
plan
