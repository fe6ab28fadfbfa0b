#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What follows a crash loop: on-crash-loop.
# shellcheck source=tests/t/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/t/daemon.sh
. "$TOP/tests/t/daemon.sh"

loop_of() # WORDS: of [restart]
{
	printf '[restart]\nbackoff = 10ms\nburst = 1/10min\non-crash-loop = %s\n' \
		"$1"
}
good=$tmp/var/lib/vmward/good/web.ini
policy=$(loop_of last-good-config)

{
	echo "$policy"
	printf '[start]\nready = exec:/bin/true\n'
} | vm web
loop_of last-good-config | vm young
daemon
q vm-start web wait=ready
ok "ready: its configuration is kept" wait_for "$daemon_log" \
	'keeps this configuration as the last good one'
ok "with all that was written" grep -q 64M "$good"
q vm-start young
ok "without a probe: only what outlives the burst" \
	test ! -e "$tmp/var/lib/vmward/good/young.ini"

# an edit that does not work
{
	echo "$policy"
	printf '[start]\nready = exec:/bin/false\n'
	printf '[raw]\narg-1 = -D %s\n' "$TOP/tests/fake/panic.qmp"
} | vm web
q reload
q vm-qmp web execute=quit
wait_for "$daemon_log" 'a crash loop: starts with its last good'
q vm-wait web state=ready timeout:10
ok "a crash loop: runs its last good configuration" state_is web running
ok "it says so" says 'a crash loop: runs its last good configuration'
q vm-explain web
ok "explain, too" says 'It crashed in a loop and was started with the last'
pid=$(pid_of web)
daemon_ends KILL
daemon
becomes web running >/dev/null
ok "our own crash: the same QEMU" is "$(pid_of web)" "$pid"
ok "our own crash: still said" says 'a crash loop'
kill -9 "$pid"
gone "$pid"
q vm-wait web state=ready timeout:10
ok "a crash then: again the good one" test "$(pid_of web)" != "$pid"
ok "a crash then: said" says 'a crash loop'
kill -9 "$(field pid)"
ok "the good one loops as well: given up" becomes web failed
again='vm=web a crash loop: starts with its last good configuration'
q vm-start web
q vm-wait web state=ready timeout:10
ok "a start by hand: the present one first" is \
	"$(grep -cF "$again" "$daemon_log")" 2
ok "what was kept stays" grep -q 64M "$good"
ok "nothing lies beside it" is \
	"$(find "$tmp/var/lib/vmward/good" -name '*.tmp')" ''
daemon_ends TERM
plan
