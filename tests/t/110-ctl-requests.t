#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# One request per VM: names, patterns, results, exit codes, errors.
# shellcheck source=tests/t/lib.sh
. "$(dirname "$0")/lib.sh"

supervisor <<'EOS'
> {"execute": "vm-resolve", "arguments": {"patterns": ["web*"]}}
< {"return": {"names": ["web1", "web2"]}, "id": $ID}
> {"execute": "vm-resolve", "arguments": {"patterns": ["*"]}}
< {"return": {"names": ["web1"]}, "id": $ID}
> {"execute": "vm-resolve", "arguments": {"patterns": ["@none"]}}
< {"error": {"class": "GenericError", "desc": "no VM has the tag @none", "code": "NOT_FOUND"}, "id": $ID}
> {"execute": "vm-start", "arguments": {"vm": "web", "dry-run": true}}
< {"return": {"actions": ["make disk web-root.qcow2", "start QEMU"]}, "id": $ID}
> {"execute": "vm-start", "arguments": {"vm": "slow", "job": true}}
< {"return": {"job": "j12"}, "id": $ID}
> {"execute": "vm-start", "arguments": {"vm": "on"}}
< {"return": {"changed": false, "state": "running"}, "id": $ID}
> {"execute": "vm-start", "arguments": {"vm": "gone"}}
< {"error": {"class": "DeviceNotFound", "desc": "vm 'gone': no such VM", "code": "NOT_FOUND"}, "id": $ID}
> {"execute": "vm-start", "arguments": {"vm": "late"}}
< {"error": {"class": "GenericError", "desc": "not ready after 1 s", "code": "TIMEOUT"}, "id": $ID}
> {"execute": "vm-start", "arguments": {"vm": "mine"}}
< {"error": {"class": "GenericError", "desc": "only its owner may", "code": "DENIED"}, "id": $ID}
> {"execute": "vm-start", "arguments": {"vm": "broken"}}
< {"error": {"class": "GenericError", "desc": "cannot start qemu: exec: No such file or directory", "code": "OS"}, "id": $ID}
> {"execute": "vm-start", "arguments": {"vm": "tcg1"}}
< {"return": {"changed": true, "state": "running", "warning": "slowly: no vmx"}, "id": $ID}
> {"execute": "vm-start", "arguments": {"vm": "tcg2"}}
< {"return": {"changed": true, "state": "running", "warning": "slowly: no vmx"}, "id": $ID}
> {"execute": "vm-disable"}
< {"return": {"changed": false, "state": "running"}, "id": $ID}
> {"execute": "vm-plan"}
< {"return": {"actions": ["hm"], "argv": [], "qmp": []}, "id": $ID}
> {"execute": "vm-start"}
< {"return": {"changed": true, "state": "running"}, "id": $ID}
> {"execute": "vm-stop", "arguments": {"vm": "first"}}
~ 150
< {"return": {"changed": true, "state": "stopped", "message": "late"}, "id": $ID}
> {"execute": "vm-stop"}
< {"return": {"changed": true, "state": "stopped", "message": "agent 0.4 s: powered off (step 1 of 6)", "recorded": false}, "id": $ID}
> {"execute": "vm-pause", "arguments": {"vm": "off"}}
< {"error": {"class": "GenericError", "desc": "off is stopped; start it first", "code": "STATE"}, "id": $ID}
> {"execute": "vm-pause"}
< {"return": {"changed": true, "state": "paused"}, "id": $ID}
> {"execute": "vm-kill"}
< {"return": {"changed": true, "state": "stopped"}, "id": $ID}
> {"execute": "vm-disable"}
< {"return": {"changed": true, "state": "running"}, "id": $ID}
> {"execute": "vm-set"}
< {"return": {"changed": true, "state": "running", "message": "written to 50-vmward.ini"}, "id": $ID}
> {"execute": "vm-disk-detach"}
< {"return": {"changed": true}, "id": $ID}
EOS

vmward start web
ok "one name: silent" is_silent
ok "one name: exit 0" exits 0
ok "asked without a resolve" [ "$(grep -c resolve "$control.log")" -eq 0 ]
vmward start on
ok "already so: exit 0" exits 0
ok "already so: said" says 'on: already running'
vmward stop web
ok "the supervisor's message" says 'agent 0.4 s: powered off (step 1 of 6)'
ok "what was not recorded is said" complains 'web: done, but it could not be recorded'
vmward shutdown web -q
ok "quiet says nothing" is_silent
vmward stop first second
ok "several: one line each, in the order typed" output_is <<'EOS'
first: late
second: agent 0.4 s: powered off (step 1 of 6)
EOS
vmward start web gone broken
ok "several: the highest code" exits 4
ok "several: what went well" says 'web: running'
ok "several: the name is not said twice" complains 'vmward: gone: no such VM'
ok "several: another error" complains 'vmward: broken: cannot start qemu: exec: No such'

vmward start broken; ok "exit 1: failed" exits 1
vmward start; ok "exit 2: usage" exits 2
vmward pause off; ok "exit 3: wrong state" exits 3
ok "exit 3: a line with the remedy" complains 'vmward: off: off is stopped; start it first'
vmward start gone; ok "exit 4: no such VM" exits 4
vmward start late; ok "exit 5: time" exits 5
vmward start mine; ok "exit 7: denied" exits 7

vmward pause 'web*'
ok "a glob is resolved" output_is <<'EOS'
web1: paused
web2: paused
EOS
vmward pause --all
ok "--all is resolved" exits 0
vmward pause @none
ok "a tag without VMs: exit 4" exits 4
ok "and the reason" complains 'vmward: @none: no VM has the tag @none'
vmward kill 'web*'
ok "kill of several by a glob is refused without a terminal" exits 2
ok "and says --yes" complains 'kill 2 VMs (web1, web2)? nobody to ask here: say --yes'
ok "nothing was sent" [ "$(grep -c vm-kill "$control.log")" -eq 0 ]
vmward kill 'web*' -y
ok "with --yes it is done" exits 0
vmward kill web
ok "a single kill never asks" exits 0
printf 'n\n' | on_terminal kill 'web*'
ok "on a terminal it asks" says 'kill 2 VMs (web1, web2)? [y/N]'

vmward start tcg1 tcg2
ok "two warnings of one text are one line on stderr" \
	sh -c "[ \"\$(cat err)\" = 'vmward: warning: slowly: no vmx' ]"
ok "and no result" output_is <<'EOS'
tcg1: running
tcg2: running
EOS
vmward start tcg1 -q
ok "none with -q" is_silent
vmward disable web
ok "disabled already is no state of a VM" says 'web: already disabled'
vmward plan web --argv
ok "--argv of one that runs is no empty line" sh -c '[ ! -s out ]'
ok "but a note" complains 'it runs: --argv is of what the next start does'
vmward suspend web
ok "suspend says where to" says 'paused in memory'
vmward autostart --disable web
ok "autostart --disable is disable" sent '"execute":"vm-disable"'
vmward start web --dry-run
ok "--dry-run prints the actions" output_is <<'EOS'
make disk web-root.qcow2
start QEMU
EOS
vmward -n stop web -f
ok "-f behind a verb is refused" exits 2
vmward start slow --no-block
ok "--no-block prints the job" output_is <<'EOS'
j12
EOS
vmward start web --wait=agent --timeout 90s --paused
ok "arguments as on the wire" sent \
	'"arguments":{"wait":"agent","timeout":90,"paused":true,"vm":"web"}'
vmward start web --wait
ok "--wait alone is ready" sent '{"wait":"ready","vm":"web"}'
vmward --timeout 500ms start web
ok "--timeout in front of the verb" sent '{"timeout":0.5,"vm":"web"}'
vmward set web vm.memory=2G start.autostart=yes
ok "pairs" sent '"pairs":{"vm.memory":"2G","start.autostart":"yes"}'
vmward set web memory
ok "a pair without a value" exits 2
ok "is explained" complains "set: pairs: 'memory' is not KEY=VALUE"
vmward start web --wait=never
ok "a choice is checked" complains "'never' is not one of ready|running|agent|ip"
vmward start web --timeout 90
ok "a bare number is no time" exits 2

vmward --json start web gone
ok "JSON results" output_is <<'EOS'
[
 {"vm": "web", "changed": true, "state": "running"}
]
EOS
ok "JSON errors" complains \
	'{"error": {"class": "DeviceNotFound", "desc": "vm '"'gone'"': no such VM", "code": "NOT_FOUND", "vm": "gone"}}'

vmward destroy web
ok "destroy: exit 2" exits 2
ok "destroy: the remedy" complains \
	"virsh's destroy is \"vmward kill web\"; to remove the VM: "
vmward resta web
ok "no prefixes for scripts" exits 2
vmward strat web
ok "the nearest verb" complains "unknown verb 'strat' (did you mean start?)"
on_terminal resum web </dev/null
ok "prefixes for people" exits 1
ok "they are understood" says 'no rule for this'
on_terminal re web </dev/null
ok "an ambiguous prefix names its verbs" says 're is ambiguous: restart, reboot, reset'
vmward disk
ok "a noun alone lists its verbs" complains 'which of: disk list, disk attach, disk detach, disk resize, disk throttle, disk accept?'
plan
