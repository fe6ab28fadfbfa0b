#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Many and hostile clients of the control socket: caps, roles, silence.
# shellcheck source=tests/t/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/t/daemon.sh
. "$TOP/tests/t/daemon.sh"

version='"execute":"query-version"'
yes='{"return":{"qemu":'
vm web </dev/null
vm other </dev/null
vm mine <<'EOS'
owner = 65534
EOS
daemon
chmod 711 "$tmp"

# ---- silence: ten seconds to answer the greeting, none later ----

background loris '<QMP' '>{"execu' eof least 9000 ms 12000
background chatter '<QMP' ">{$version}" '<error' eof least 9000 ms 12000
background idle qmp gone "$(peer loris)" ">{$version}" "<$yes"

silent_ended=
silent() # once: all three are gone then
{
	silent_ended=yes
	ok "who negotiates too slowly is closed after ten seconds" ended loris
	ok "also who only asks other things" ended chatter
	ok "who has negotiated may stay silent" ended idle
}

# ---- requests under way when their client leaves ----

scripted slow late-greeting
before=$(rss_kib "$daemon_pid")
ok "half closed: what was asked is answered" talk "$control" qmp \
	">{$version}" half "<$yes" eof
ok "leaves during a wait" talk "$control" qmp \
	'>{"execute":"vm-wait","arguments":{"vm":"web","state":"running"}}'
vm passing </dev/null
q reload
ok "leaves during a wait for another" talk "$control" qmp \
	'>{"execute":"vm-wait","arguments":{"vm":"passing","state":"failed"}}' \
	">{$version}" "<$yes"
rm "$vms/passing.ini"
q reload
ok "nobody waits for it any more: it is forgotten" refused NOT_FOUND \
	vm-status passing
ok "leaves during a start" talk "$control" qmp \
	'>{"execute":"vm-start","arguments":{"vm":"slow"}}{"execute":"query-version"}' \
	"<$yes"
ok "which goes on" becomes slow running
ok "128 requests under way, not one more" talk "$control" qmp \
	'*128 {"execute":"vm-wait","arguments":{"vm":"web","state":"failed"}}' \
	'>{"execute":"vm-wait","arguments":{"vm":"web","state":"failed"}}' \
	'<"code":"LIMIT"'
background deaf qmp '*2000 {"execute":"query-schema"}' hold
ok "a client that never reads is closed" wait_for "$daemon_log" \
	"pid $(peer deaf) uid $(id -u) the peer does not read"
background deafer events '*2000 {"execute":"event-replay"}' hold
ok "also one that never reads its events" wait_for "$daemon_log" \
	"pid $(peer deafer) uid $(id -u) the peer does not read"
echo "# RSS $before KiB -> $(rss_kib "$daemon_pid") KiB"
ok "they cost less than 8 MiB" test \
	$(($(rss_kib "$daemon_pid") - before)) -lt "$(rss_margin 8192)"
ok "others are served" q vm-list

# ---- events ----

ok "events come with a number, in order, after they were asked for" \
	talk "$control" events \
	'>{"execute":"vm-start","arguments":{"vm":"web"},"id":1}' \
	'?"state":"starting","ready":null' '?"state":"running"' '?"id":1'
ok "and not without" talk "$control" qmp \
	'>{"execute":"vm-pause","arguments":{"vm":"web"},"id":1}' \
	'<"id":1' '>{"execute":"query-version","id":2}' '<"id":2'
ok "replay: not without the capability" refused STATE event-replay
talk "$control" events '>{"execute":"event-replay"}' '?{"return":{"seq"'
last=$(field seq)
ok "replay: after the last there is nothing" talk "$control" events \
	">{\"execute\":\"event-replay\",\"arguments\":{\"since\":$last}}" \
	"<{\"return\":{\"seq\":$last}}"
ok "replay: the last one again" talk "$control" events \
	">{\"execute\":\"event-replay\",\"arguments\":{\"since\":$((last - 1))}}" \
	"<\"seq\":$last" "<{\"return\":{\"seq\":$last}}"

# ---- who may do what ----

if [ "$(id -u)" -eq 0 ]; then
	uid=65534
	ok "a stranger may ask for the version" q query-version
	for command in reload event-replay job-list; do
		ok "a stranger: $command" refused DENIED "$command"
	done
	for command in vm-status vm-start vm-stop vm-kill vm-reset vm-log \
		vm-console vm-show vm-plan vm-disk-list vm-enable; do
		ok "a stranger: $command" refused DENIED "$command" web
	done
	ok "a stranger: vm-qmp" refused DENIED vm-qmp web execute=quit
	ok "a stranger: vm-set" refused DENIED vm-set web \
		'pairs:{"vm.memory":"1G"}'
	ok "a stranger does not learn which VMs exist" refused DENIED \
		vm-status nope
	for command in vm-start vm-status vm-pause vm-resume vm-log vm-reset \
		vm-stop; do
		ok "an owner: $command" q "$command" mine
	done
	q vm-list
	ok "an owner: a list of his own" sh -c \
		"grep -q '\"mine\"' '$tmp/out' && ! grep -q '\"web\"' '$tmp/out'"
	for command in vm-enable vm-disable; do
		ok "an owner: $command" refused DENIED "$command" mine
	done
	ok "an owner: vm-qmp" refused DENIED vm-qmp mine execute=quit
	ok "an owner: set" refused DENIED vm-set mine \
		'pairs:{"vm.memory":"1G"}'
	ok "an owner: disk attach" refused DENIED vm-disk-attach mine disk=d
	uid=
	# The first event that a stranger gets is of his own VM.
	ok "strangers get events of their own VMs only" talk "$control" \
		as 65534 events as 0 qmp
	background stranger as 65534 events '<"vm":"mine"' hold
	wait_for "$tmp/stranger.out" '{"return":{}}'
	q vm-resume web
	q vm-stop other
	q vm-start mine
	wait_for "$tmp/stranger.out" '"event"'
	kill "$(peer stranger)"
	ok "no event of another VM was among them" \
		sh -c "! grep -v '\"vm\":\"mine\"' '$tmp/stranger.out' |
			grep -q event"

	# ---- too many ----

	ok "8 clients of a user" talk "$control" as 65534 crowd 10
	ok "the rest is refused" says 'greeted 8 refused 2'
	silent
	talk "$control" crowd 33
	ok "32 clients of root" says 'greeted 32 refused 1'
	talk "$control" as 65531 crowd 8 as 65532 crowd 8 as 65533 crowd 8 \
		as 65534 crowd 8 as 0 crowd 28 as 65530 crowd 1 as 0 crowd 5
	ok "64 clients, the last four for admins" output_is <<-'EOS'
		greeted 8 refused 0
		greeted 8 refused 0
		greeted 8 refused 0
		greeted 8 refused 0
		greeted 28 refused 0
		greeted 0 refused 1
		greeted 4 refused 1
	EOS
fi
ok "a crowd that has gone is forgotten" q vm-list

[ -n "$silent_ended" ] || silent
ok "still one of each VM" is "$(qemus | wc -l)" "$(q vm-list running:true
	grep -o '"pid":[0-9]' "$tmp/out" | wc -l)"
q vm-kill web
q vm-kill slow
q vm-kill mine
daemon_ends TERM

# ---- no descriptor left to accept with ----

if command -v prlimit >/dev/null; then
	daemon_under='prlimit --nofile=32:32'
	daemon
	background crowd crowd 30 hold
	wait_for "$daemon_log" 'cannot accept clients'
	before=$(ticks "$daemon_pid")
	measure_ms 1000
	spent=$(($(ticks "$daemon_pid") - before))
	echo "# $spent of 100 ticks without descriptors"
	ok "EMFILE while accepting does not spin" test "$spent" -le 5
	ok "and is said once" is \
		"$(grep -c 'cannot accept clients' "$daemon_log")" 1
	kill "$(peer crowd)"
	ok "then it accepts again" q vm-list
	daemon_ends TERM
fi
plan
