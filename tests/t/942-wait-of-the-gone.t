#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A VM whose file is deleted while somebody waits for it: the wait is told so
# and ends, and the VM is forgotten.  It stayed in the list until the waiter
# had enough, for ever without a time limit.
# shellcheck source=tests/t/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/t/daemon.sh
. "$TOP/tests/t/daemon.sh"

export TALK_MS=20000
text='its file is gone and it does not run: it will not be'

# waiter NAME VM STATE: its wait is under way when this returns
waiter()
{
	background "$1" qmp \
		">{\"execute\":\"vm-wait\",\"id\":\"waited\",\"arguments\":{\"vm\":\"$2\",\"state\":\"$3\"}}" \
		'>{"execute":"query-version","id":"asked"}' '<"asked"' \
		'<"waited"'
	wait_for "$tmp/$1.out" asked
}

told() { grep -F "$2 $3" "$tmp/$1.out" | grep -q '"code":"NOT_FOUND"'; }
still() { ! grep -q '"waited"' "$tmp/$1.out"; }
remove() { rm "$vms/$1.ini" && q reload; }

for name in web db; do
	vm "$name" </dev/null
done
daemon
waiter one web running
waiter two web failed
remove web
ok "one that waits is answered" ended one
ok "it is told why" told one "$text" running
ok "so is the other" ended two
ok "in the words of its own wish" told two "$text" failed
ok "nobody knows it any more" refused NOT_FOUND vm-status web

q vm-start db
waiter three db failed
waiter four db stopped
remove db
ok "what runs without a file is known" state_is db running
ok "and waited for" still three
q vm-kill db
ok "who waits for its end sees it" ended four
ok "that is no error" grep -q '"return".*"waited"' "$tmp/four.out"
ok "who waits for more is answered" ended three
ok "it will not come" told three "$text" failed
ok "it is forgotten" refused NOT_FOUND vm-status db
plan
