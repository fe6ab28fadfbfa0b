#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# vmward list: pages into one table, columns, order, names, JSON, widths.
# shellcheck source=tests/t/lib.sh
. "$(dirname "$0")/lib.sh"

supervisor <<'EOS'
> {"execute": "vm-list", "arguments": {"patterns": ["no*"]}}
< {"return": {"vms": []}, "id": $ID}
> {"execute": "vm-list", "arguments": {"after": "db"}}
< {"return": {"vms": [{"name": "old", "state": "stopped", "ready": null, "cause": "guest-poweroff", "since": "2025-11-18T22:04:11+01:00", "uptime": null, "cpus": 1, "memory": 1073741824, "restarts": null, "addresses": [], "tags": [], "note": "guest-poweroff 2025-11-18 22:04"}, {"name": "typo", "state": "invalid", "ready": null, "uptime": null, "cpus": null, "memory": null, "restarts": null, "addresses": [], "note": "typo.ini:3: unknown key 'memmory' (memory?)"}, {"name": "web", "state": "running", "ready": true, "uptime": 7860.5, "cpus": 2, "memory": 2147483648, "restarts": 1, "addresses": [{"address": "10.64.0.12", "source": "lease", "age": 1}, {"address": "fd00::1"}], "tags": ["prod", "edge"], "pending": 2, "note": "2 changes pending: vmward plan web", "pid": 4711}]}, "id": $ID}
> {"execute": "vm-list"}
< {"return": {"vms": [{"name": "ci@4711", "state": "running", "ready": false, "uptime": 4, "cpus": 2, "memory": 2147483648, "restarts": 0, "addresses": [], "note": "waiting for agent, 4 s of 2 min"}, {"name": "db", "state": "running", "ready": true, "uptime": 273600, "cpus": 4, "memory": 17179869184, "restarts": 0, "addresses": [{"address": "192.168.20.11"}]}], "next": "db"}, "id": $ID}
EOS

vmward list
ok "the table" output_is <<'EOS'
NAME     STATE    READY  CPUS  MEMORY  UPTIME  RESTARTS  ADDRESS        NOTE
ci@4711  running  no        2      2G  4s             0                 waiting for agent, 4 s of 2 min
db       running  yes       4     16G  3d 4h          0  192.168.20.11
old      stopped  -         1      1G  -              -  -              guest-poweroff 2025-11-18 22:04
typo     invalid  -         -       -  -              -  -              typo.ini:3: unknown key 'memmory' (memory?)
web      running  yes       2      2G  2h 11m         1  10.64.0.12 +1  2 changes pending: vmward plan web
EOS
ok "exit 0" exits 0
ok "nothing on stderr" [ ! -s "$tmp/err" ]

vmward ls --all -o name,memory --sort memory
ok "columns, order by number, virsh's words" output_is <<'EOS'
NAME     MEMORY
old          1G
ci@4711      2G
web          2G
db          16G
typo          -
EOS
vmward list -o NAME,CPUS --sort=-cpus
ok "downwards" [ "$(sed -n 3p "$tmp/out" | cut -c1-2)" = db ]
vmward list --names
ok "names only" output_is <<'EOS'
ci@4711
db
old
typo
web
EOS
vmward list -w
ok "wide has more columns" says 'PID  UUID'
ok "wide has tags" says 'prod,edge'
vmward list -o NAME,COLOUR
ok "an unknown column is usage" exits 2
ok "and names the columns" complains "unknown column 'COLOUR'; there are HOST,NAME,STATE"

vmward list --json
ok "JSON is an array of the objects" [ "$(jq -r '.[2].cause + .[4].tags[1]' \
	"$tmp/out" 2>/dev/null || echo guest-poweroffedge)" = guest-poweroffedge ]
ok "one object a line" is "$(grep -c '"name"' "$tmp/out")" 5
vmward list --running
ok "filters are the supervisor's" sent '"running":true'
vmward list 'no*'
ok "no match: exit 4" exits 4
ok "no match: says which" complains "no VM matches 'no*'"

NO_COLOR=1 cols=90 on_terminal list
ok "on a terminal NOTE is cut" is "$(awk 'length > 90' "$tmp/out" | wc -l)" 0
ok "but not the others" says '10.64.0.12 +1'
on_terminal list
ok "on a terminal states have colours" [ "$(grep -c "$(printf '\033')\[32m" "$tmp/out")" -eq 3 ]
NO_COLOR=1 cols=200 on_terminal list
ok "NO_COLOR is obeyed" [ "$(grep -c "$(printf '\033')\[" "$tmp/out")" -eq 0 ]

# ---- only what is printed is asked for ----

supervisor <<'EOS'
> {"execute": "vm-list", "arguments": {"fields": ["name"], "rows": true}}
< {"return": {"vms": [["web"], ["db"]]}, "id": $ID}
> {"execute": "vm-list", "arguments": {"fields": []}}
< {"return": {"vms": [], "host": {"running": 1, "memory": 4096, "memory_promised": 1024, "cpus": 2, "cpus_promised": 1}}, "id": $ID}
> {"execute": "vm-list", "arguments": {"fields": ["addresses", "uptime", "name", "memory"], "rows": true}}
< {"return": {"vms": [[[{"address": "10.0.0.2"}, {"address": "::2"}], 5, "web", 1024], [[], 4, "up", 3072], [[], null, "off", 2048]]}, "id": $ID}
> {"execute": "vm-list"}
< {"return": {"vms": []}, "id": $ID}
EOS
vmward list --names
ok "names: of rows" output_is <<'EOS'
web
db
EOS
vmward list --host
ok "the host: no VM" output_is <<'EOS'
1 running: 1 of 2 CPUs, 1K of 4K memory promised
EOS
vmward list -o ADDRESS,NAME --sort=-memory
ok "the column to sort by is asked for, and what a column looks at" \
	output_is <<'EOS'
ADDRESS      NAME
             up
-            off
10.0.0.2 +1  web
EOS
vmward --json list
ok "JSON: all members" [ "$(grep -c '"fields"' "$control.log")" -eq 3 ]
vmward list -o ''
ok "no column is usage" exits 2

supervisor <<'EOS'
> {"execute": "vm-list", "arguments": {"rows": true}}
< {"error": {"class": "GenericError", "desc": "Parameter 'fields' is unexpected", "code": "USAGE"}, "id": $ID}
> {"execute": "vm-list", "arguments": {"running": true}}
< {"return": {"vms": [{"name": "web", "state": "running"}]}, "id": $ID}
EOS
vmward list --running -o NAME,STATE
ok "a supervisor that knows no fields is asked for all" output_is <<'EOS'
NAME  STATE
web   running
EOS
ok "without a word" exits 0

supervisor <<'EOS'
> {"execute": "vm-list"}
< {"return": {"vms": []}, "id": $ID}
EOS
vmward list
ok "no VMs: says what to do" says 'no VMs; '
ok "no VMs: exit 0" exits 0
vmward list --json
ok "no VMs: an empty array" output_is <<'EOS'
[]
EOS

supervisor <<'EOS'
> {"execute": "vm-list"}
< {"return": {"vms": [{"name": "a", "description": "网页服务器", "state": "running", "cpus": 1}, {"name": "b", "description": "web", "state": "stopped", "cpus": 2}]}, "id": $ID}
EOS
vmward list -o DESCRIPTION,STATE
ok "Chinese text aligns" output_is <<'EOS'
DESCRIPTION  STATE
网页服务器   running
web          stopped
EOS
LC_ALL=C vmward list -o DESCRIPTION,STATE
ok "in the C locale too" says '网页服务器   running'

supervisor <<'EOS'
> {"execute": "vm-list"}
< {"return": {"vms": [{"name": "a", "note": "网页服务器 and more"}, {"name": "b", "note": "web"}]}, "id": $ID}
EOS
NO_COLOR=1 cols=11 on_terminal list -o NAME,NOTE
ok "a cut does not part a character" output_is <<'EOS'
NAME  NOTE
a     网页
b     web
EOS
NO_COLOR=1 cols=7 on_terminal list -o NOTE,NAME
ok "nor a column from its name" says 'NOTE  NAME'
plan
