#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A supervisor that is absent, silent, slow or says nonsense: never a hang,
# always a line that names the socket.
# shellcheck source=tests/t/lib.sh
. "$(dirname "$0")/lib.sh"

vmward list
ok "absent: exit 6" exits 6
ok "absent: socket, reason, remedy" complains \
	"vmward: cannot reach the supervisor at $control: No such file or directory; is vmwardd running?"
vmward --json list
ok "absent: as JSON" complains '"code": "UNREACHABLE", "vm": null}}'
vmward is-active web
ok "absent: is-active is not 3" exits 6
vmward version
ok "absent: version still says ours" says 'vmward '
mkdir -p "$tmp/run/vmward"
: >"$control"
vmward list
ok "no socket: exit 6" exits 6

supervisor <<'EOS'
= deaf
EOS
vmward --timeout 300ms list
ok "accepts nobody: exit 6" exits 6
ok "accepts nobody: says so" complains 'does not answer'

supervisor <<'EOS'
= silent
EOS
vmward --timeout 300ms list
ok "silent: exit 6" exits 6
vmward --timeout 300ms pause web
ok "silent to a change: exit 5" exits 5
ok "silent to a change: says so" complains 'no answer in time'
ok "all was sent without waiting for a greeting" sent '"execute":"vm-pause"'

supervisor <<'EOS'
> {"execute": "vm-status"}
! raw {"return": {"name": "web", "sta
! close
> {"execute": "vm-list", "arguments": {"running": true}}
! raw this is no JSON
< 
> {"execute": "vm-list"}
! close
> {"execute": "vm-start", "arguments": {"vm": "twice"}}
< {"return": {"changed": true, "state": "running"}, "id": $ID}
< {"return": {"changed": true, "state": "stopped"}, "id": $ID}
> {"execute": "vm-start", "arguments": {"vm": "stray"}}
< {"return": {"changed": true, "state": "stopped"}, "id": "nobody"}
< {"event": "VM_STATE", "data": {"vm": "stray"}, "timestamp": {"seconds": 1, "microseconds": 2}}
~ 50
< {"return": {"changed": true, "state": "running", "message": "at last"}, "id": $ID}
> {"execute": "vm-pause"}
< {"error": {"class": "GenericError", "desc": "evil \u001b[31m\nline"}, "id": $ID}
EOS
vmward status web
ok "cut reply: exit 6" exits 6
ok "cut reply: says so" complains 'closed the connection'
vmward list --running
ok "no JSON: exit 6" exits 6
vmward list
ok "closed: exit 6" exits 6
vmward start twice web2
ok "a reply twice is taken once" says 'twice: running'
vmward start stray
ok "foreign replies and events are passed over" says 'at last'
vmward pause web
ok "control bytes of a message are made visible" complains 'evil \x1b[31m\nline'
ok "an error without a code is a failure" exits 1

supervisor <<'EOS'
> {"execute": "qmp_capabilities"}
< {"error": {"class": "GenericError", "desc": "too many clients", "code": "LIMIT"}, "id": $ID}
EOS
vmward list
ok "a refused negotiation is said" complains 'too many clients'
ok "and fails" exits 1

deep=$tmp/$(printf 'd%.0s' $(seq 100))/$(printf 'e%.0s' $(seq 100))
mkdir -p "$deep/run"
supervisor <<'EOS'
> {"execute": "vm-list"}
< {"return": {"vms": [{"name": "deep", "state": "running"}]}, "id": $ID}
EOS
ln -s "$tmp/run/vmward" "$deep/run/vmward"
vmward --root "$deep" list --names
ok "a path longer than 107 bytes" output_is <<'EOS'
deep
EOS

vmward -f "$tmp/web.ini" status
ok "-f without its run: exit 6" exits 6
ok "-f: the remedy is run" complains "is \"vmward run $tmp/web.ini\" running?"
vmward start web >/dev/full 2>"$tmp/err2"
sh -c '"$BUILD/vmward" --root "$0" list --names >/dev/full' "$tmp" 2>"$tmp/err"
ok "a full disk is a failure" complains 'cannot write the result'
plan
