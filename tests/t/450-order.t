#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The order of VMs: who waits for whom, who comes along, who goes down first.
# shellcheck source=tests/t/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/t/daemon.sh
. "$TOP/tests/t/daemon.sh"

# ordered NAME [KEY=VALUE]...: a VM that is ready once $tmp/NAME.up is there
ordered()
{
	name=$1
	shift
	{
		printf '[start]\nready = exec:/usr/bin/test -e %s\n' \
			"$tmp/$name.up"
		printf '%s\n' "$@"
	} | vm "$name"
}

# The states of some VMs, as "db:running app:starting".
states()
{
	for name; do
		q vm-status "$name" >/dev/null
		printf '%s:%s ' "$name" "$(field state)"
	done
}

# In which order lines with a word came to the log: "db app web"
order_of() # WORD
{
	sed -n "s/.*vm=\([^ ]*\) .*$1.*/\1/p" "$daemon_log" | tr '\n' ' '
}

from_here() { : >"$daemon_log"; }

ordered db
ordered app 'after = db' 'requires = db'
ordered web 'after = app, cache' 'requires = app' 'wants = cache'
ordered cache 'part-of = db' 'after = db'
ordered lone
daemon

# ---- starting ----

ok "dry run: names those that come along" q vm-start web dry-run:true
ok "dry run: all of them" says '"start app","start db","start cache"'
ok "dry run: nothing was started" is "$(states db app web)" \
	'db:stopped app:stopped web:stopped '
background start events '>{"execute":"vm-start","arguments":{"vm":"web"}}' \
	'?"return":{"changed":true'
ok "start pulls in what it requires and wants" becomes db running
ok "who follows is starting" is "$(states app web cache)" \
	'app:starting web:starting cache:starting '
q vm-explain web
ok "explain: says for whom it waits" says 'web is starting; it waits for '
q vm-list
ok "list: the note says it" says 'waits for db (running, waiting for exec'
ok "no QEMU before its turn" is "$(qemus | wc -l)" 1
: >"$tmp/db.up"
ok "its turn comes when the probe has passed" becomes app running
ok "the next still waits" state_is web starting
: >"$tmp/app.up"
: >"$tmp/cache.up"
ok "start answers" ended start
ok "all run" is "$(states db app cache web)" \
	'db:running app:running cache:running web:running '
: >"$tmp/web.up"
ok "the last one is ready" q vm-wait web state=ready timeout:10

# ---- analyze ----

ok "analyze" q vm-analyze
ok "analyze: the critical chain, to whom all waited for" sh -c \
	"grep -o '\"chain\":.*' '$tmp/out' | grep -o '\"name\":\"[a-z]*' |
	tr -d '\"\n' | grep -qx 'name:webname:[ac][a-z]*name:db'"
ok "analyze: all of them" says '"name":"cache","asked":'
ok "analyze NAME: its own chain" sh -c "'$tmp/bin/talk' '$control' qmp \
	'>{\"execute\":\"vm-analyze\",\"arguments\":{\"vm\":\"app\"}}' \
	'<\"chain\":[{\"name\":\"app\"'"
ok "analyze of one that is down" refused STATE vm-analyze lone
"$BUILD/vmward" --root "$tmp" analyze >"$tmp/said.analyze"
ok "analyze: for people" grep -q 'critical chain' "$tmp/said.analyze"

# ---- going down ----

from_here
ok "stop of db" q vm-stop db
ok "stop: says who went before it" says 'before it app, cache, web'
ok "all that require it are down" is "$(states db app cache web)" \
	'db:stopped app:stopped cache:stopped web:stopped '
ok "the last one first" is "$(order_of 'stopping -> stopped' |
	sed 's/cache app/app cache/')" 'web app cache db '
ok "no QEMU is left" is "$(qemus | wc -l)" 0

q vm-start web
from_here
ok "stop --no-deps: only that one" q vm-stop db no-deps:true
ok "the others run on" is "$(states db app cache web)" \
	'db:stopped app:running cache:running web:running '
ok "start brings it back" q vm-start db

ok "restart of db" q vm-restart db
ok "restart: web comes again as well" q vm-wait web state=ready timeout:20
ok "restart: all run" is "$(states db app cache web)" \
	'db:running app:running cache:running web:running '
ok "restart: down in order" is "$(order_of 'stopping -> starting' |
	sed 's/app cache/cache app/')" 'web cache app db '

sed -i '1a protect = stop' "$vms/web.ini"
q reload
ok "a protected dependent refuses the stop" refused DENIED vm-stop db
ok "and names itself" says 'web goes down with it and is protected'
ok "nothing was stopped" is "$(states db app web)" \
	'db:running app:running web:running '
ordered web 'after = app, cache' 'requires = app' 'wants = cache'
q reload
q vm-stop db

# ---- failures ----

scripted bad exit-at-once
printf '[start]\nready = exec:/usr/bin/test -e %s\n' "$tmp/bad.up" \
	>>"$vms/bad.ini"
ordered needs 'after = bad' 'requires = bad'
ordered likes 'after = bad' 'wants = bad'
q reload
ok "who requires one that dies is not started" refused STATE vm-start needs
ok "and says because of whom" says 'requires bad (stopped'
ok "it is stopped" state_is needs stopped
ok "who only wants it is started" q vm-start likes
ok "and runs" state_is likes running
q vm-stop likes

rm -f "$tmp/db.up"
printf 'ready-timeout = 1s\n' >>"$vms/db.ini"
q reload
ok "a probe that runs out of time fails who requires it" \
	refused STATE vm-start app
ok "the reason names it" says 'requires db (running, not ready after 1s)'
ok "the one without probe result runs" state_is db running
ok "app is down" state_is app stopped
ordered follows 'after = db'
q reload
ok "who only follows goes on" q vm-start follows
q vm-stop follows
q vm-stop db

# a waiting start can be taken back
sed -i '/ready-timeout/d' "$vms/db.ini"
q reload
background waits events '>{"execute":"vm-start","arguments":{"vm":"app"}}' \
	'?"code":"'
becomes db running >/dev/null
ok "a start that waits" state_is app starting
ok "stop takes it back" q vm-stop app
ok "its start was answered" ended waits
ok "it never ran" state_is app stopped
q vm-stop db

# ---- names of nobody, cycles ----

ordered lone 'wants = ghost' 'after = ghost, net:lan' 'requires = phantom'
q vm-check lone
ok "check: a missing VM that is required" says \
	"lone.ini\",\"line\":9,\"level\":\"error\",\"text\":\"[start] requires: there is no VM 'phantom'"
ok "check: one that is only wanted" says \
	"\"line\":7,\"level\":\"note\",\"text\":\"[start] wants: there is no VM 'ghost'"
ok "check: a network" says 'after: net:lan has no effect'
ok "start: the same" refused NOT_FOUND vm-start lone
ok "start: by name" says "requires phantom: no VM 'phantom'"
ordered lone

ordered a 'after = b'
ordered b 'after = c'
q reload
ok "no cycle so far" q vm-start a no-deps:true
q vm-stop a
ordered c 'before = a' 'after = a'
q reload
ok "a cycle is an error with its line" says \
	"c.ini\",\"line\":8,\"level\":\"error\""
ordered c 'after = a'
q reload
ok "the whole cycle" says 'they wait in a circle: '
ok "the whole cycle: each link with its line" says 'b after c ('
state_is c invalid >/dev/null
ok "the file that closes it is refused" state_is c invalid
ok "the others stay as they were" is "$(states a b)" 'a:stopped b:stopped '
q vm-check
ok "check: shows it" says 'they wait in a circle: '
ok "and they can be started" q vm-start a no-deps:true
q vm-stop a
rm "$vms/c.ini"
printf '[vm]\ninstances = 1-3\nkernel = %s\nmemory = 64M\naccel = tcg\n[start]\nafter = d\n' \
	"$tmp/kernel" >"$vms/w@.ini"
ordered d 'after = w@2'
q reload
ok "a cycle through instances" says 'they wait in a circle: '
ok "with the file of the template" says 'w@.ini:7'
rm "$vms/d.ini" "$vms/w@.ini"
q reload

# ---- with the supervisor ----

: >"$tmp/db.up"
for name in db app web cache; do
	rm -f "$tmp/$name.up"
	printf 'autostart = yes\n' >>"$vms/$name.ini"
done
daemon_ends TERM
rm -rf "$records"
from_here
daemon
: >"$tmp/db.up"
ok "autostart: in order" becomes app running
: >"$tmp/app.up"
: >"$tmp/cache.up"
ok "autostart: the last one" becomes web running
ok "autostart: the order" is "$(order_of 'starting -> running' |
	sed 's/cache app/app cache/')" 'db app cache web '
daemon_ends TERM
daemon
becomes db running >/dev/null
ok "adopted: nobody waits" is "$(states db app cache web)" \
	'db:running app:running cache:running web:running '
q vm-stop db
daemon_ends TERM
plan
