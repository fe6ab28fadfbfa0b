#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# set --runtime: what holds for one life of a VM, and no longer.
# shellcheck source=tests/t/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/t/daemon.sh
. "$TOP/tests/t/daemon.sh"

layer=$run/web/priv/runtime.ini

# crash NAME: QEMU dies, and what follows is decided
crash()
{
	background seen events '?"event":"VM_ENDED"'
	wait_for "$tmp/seen.out" '{"return":{}}'
	kill -9 "$(q vm-status "$1" && field pid)"
	ended seen
}
now() { vmward set web "$1" --runtime; }
does() { vmward "$@" && is "$status" 0; }
shows() { vmward show web --origin && says "$1"; }
shows_not() { vmward show web --origin && ! says "$1" >/dev/null; }
refuses() # STATUS WORDS
{
	is "$status" "$1" && complains "$2"
}

printf '[restart]\npolicy = always\n' | vm web
vm down </dev/null
daemon

vmward set down restart.policy=no --runtime
ok "of a VM that is down: refused" refuses 3 \
	"it is stopped, and --runtime is for one that runs"
q vm-start web

# ---- what cannot be for one life ----

now disk.root.iops=100
ok "a limit of a disk: its own verb" complains \
	"[disk.root] iops: say vmward disk throttle web ... --runtime"
now vm.cpus=2
ok "the number of CPUs: its own verb" complains \
	"[vm] cpus: say vmward cpu set web ... --runtime"
now vm.machine=pc
ok "the machine: only a start" complains \
	"[vm] machine: no running VM follows that: leave --runtime out"
now vm.template=other
ok "a template: only a start" complains "[vm] template: no running VM follows that"
now restart.polciy=no
ok "an unknown key: where, and the nearest" complains \
	"web/priv/runtime.ini:4: unknown key 'polciy' in [restart] (did you mean 'policy'?)"
now restart.policy=perhaps
ok "a bad value" complains "restart] policy = perhaps: say one of"
vmward unset web vm.cpus --runtime
ok "unset of what is not for one life" complains "say vmward cpu set web"
ok "nothing of that was written" test ! -e "$layer"

# ---- what can ----

vmward set web restart.policy=no --runtime --dry-run
ok "--dry-run says where it goes" says "write [restart] policy = no to '$layer'"
ok "--dry-run writes nothing" test ! -e "$layer"
ok "set --runtime" does set web restart.policy=no start.autostart=yes --runtime
ok "it says for how long" says "until it stops"
ok "show --origin says so, too" shows \
	'policy = no  ; web/priv/runtime.ini:4'
ok "no file of the person's" test ! -e "$vms/web.ini.d"
vmward check web
ok "check names what it hides" says \
	"web.ini:6: note: [restart] policy is overridden by web/priv/runtime.ini:4"
vmward clone web twin
ok "a clone does not take it along" sh -c \
	"! grep -qE 'autostart|policy = no' '$vms/twin.ini'"
ok "but the rest" grep -q 'policy = always' "$vms/twin.ini"
ok "unset --runtime of one" does unset web start.autostart --runtime
ok "is gone" shows_not autostart
ok "the other stays" shows 'policy = no'
daemon_ends KILL
daemon
ok "a supervisor that died and came again keeps it" shows 'policy = no'
crash web
ok "it holds for the end of that life" state_is web stopped
ok "and is gone with it" shows 'policy = always  ; web.ini:6'
ok "so is its file" test ! -e "$layer"

# ---- the next life ----

q vm-start web
pid=$(pid_of web)
crash web
ok "the next life is restarted again" becomes web running
ok "by another QEMU" test "$(pid_of web)" != "$pid"
ok "set --runtime of this one" does set web restart.backoff=1h --runtime
pid=$(pid_of web)
crash web
ok "it heeds the back-off of the life that ended" becomes web waiting
ok "which is gone" shows_not backoff
q vm-start web
ok "set --runtime, then restart" does set web vm.description=now --runtime
vmward restart web
ok "a cold restart is another life" shows_not description
ok "set --runtime, and nobody sees the end" does set web \
	vm.description=then --runtime
pid=$(pid_of web)
daemon_ends KILL
kill -9 "$pid"
gone "$pid"
daemon
ok "the next life" becomes web running
ok "it went, too" shows_not description
ok "with its file" test ! -e "$layer"
daemon_ends KILL
plan
