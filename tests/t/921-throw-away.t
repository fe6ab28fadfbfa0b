#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Throw-away VMs: all of them are forgotten when they end, whatever waited
# for them; only what tells of a failure is kept.
# shellcheck source=tests/t/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/t/daemon.sh
. "$TOP/tests/t/daemon.sh"

vm ci@ <<E2
ephemeral = yes
[restart]
policy = no
[raw]
arg-1 = -D $TOP/tests/fake/late-greeting.qmp
E2
daemon

files() { find "$tmp/var" "$run" -name 'ci@*'; }

forgotten()
{
	vmward list ci@1 ci@2 ci@3 ci@4 ci@5
	is "$status" 4 && is "$(files)" ''
}

# shellcheck disable=SC2046,SC2086 # lists of words
{
	names='ci@1 ci@2 ci@3 ci@4 ci@5'
	vmward start $names
	ok "five start" exits 0
	ok "they are there" test "$(files | wc -l)" -ge 15
	vmward kill -q $names
	ok "and are killed" exits 0
	ok "nothing is left" forgotten
	vmward start $names
	vmward --no-block kill $names
	vmward wait ci@5 stopped
	ok "somebody waited for the end" sh -c "[ $status = 0 ] || [ $status = 4 ]"
}

vmward start ci@9
kill -9 "$(pid_of ci@9)"
vmward wait ci@9 stopped
ok "the log of one that failed is kept" sh -c \
	"grep -q 'qemu-signal 9' '$tmp/var/log/vmward/ci@9/vm.log'"
plan
