#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# status, is-active, log, events, show, check, plan, reload, qmp, jobs.
# shellcheck source=tests/t/lib.sh
. "$(dirname "$0")/lib.sh"

supervisor <<'EOS'
> {"execute": "vm-log", "arguments": {"vm": "web", "since": 600}}
< {"return": {"lines": [{"time": "2025-11-18T22:04:11.120+01:00", "level": "warn", "text": "slow disk"}], "next": 2}, "id": $ID}
> {"execute": "vm-log", "arguments": {"vm": "web", "console": true}}
< {"return": {"lines": ["login: ", "Welcome"], "next": 2}, "id": $ID}
> {"execute": "vm-status", "arguments": {"vm": "web"}}
< {"return": {"name": "web", "description": "Debian web server", "state": "running", "ready": true, "since": "2025-11-18T22:04:11+01:00", "uptime": 7860, "cause": "qemu-signal", "detail": "9", "last_end": "2025-11-18T22:04:10+01:00", "restart_us": 120000, "restarts": 1, "note": "1 change pending: vmward plan web", "pid": 4711, "isolation": "seccomp", "qemu": {"version": "7.2.22", "accel": "kvm"}, "cpus": 2, "memory": 2147483648, "pending": 1, "addresses": [{"address": "10.64.0.12", "source": "lease"}], "disks": [{"name": "root", "bus": "virtio", "size": 21474836480, "image": "/images/web-root.qcow2"}], "nics": [{"name": "lan", "mode": "user", "mac": "52:54:00:00:00:01"}], "ports_free": 7, "log": [{"time": "2025-11-18T22:04:11.120+01:00", "level": "info", "text": "stopped -> starting"}, {"time": "2025-11-18T22:04:11.300+01:00", "level": "info", "text": "starting -> running"}], "config": {"files": ["/etc/vmward/vms/web.ini", "/etc/vmward/vms/web.ini.d/50-vmward.ini"], "generation": 3}}, "id": $ID}
> {"execute": "vm-status", "arguments": {"vm": "old"}}
< {"return": {"name": "old", "state": "stopped", "ready": null, "restarts": 0}, "id": $ID}
> {"execute": "vm-status", "arguments": {"vm": "mail"}}
< {"return": {"name": "mail", "state": "failed"}, "id": $ID}
> {"execute": "vm-status"}
< {"error": {"class": "DeviceNotFound", "desc": "no such VM", "code": "NOT_FOUND"}, "id": $ID}
> {"execute": "vm-show"}
< {"return": {"text": "[vm]\nmemory = 2G\n"}, "id": $ID}
> {"execute": "vm-check", "arguments": {"vm": "web"}}
< {"return": {"findings": []}, "id": $ID}
> {"execute": "vm-check", "arguments": {"vm": "note"}}
< {"return": {"findings": [{"file": "note.ini", "line": 3, "level": "note", "text": "memory is overridden"}]}, "id": $ID}
> {"execute": "vm-check"}
< {"return": {"findings": [{"file": "typo.ini", "line": 2, "level": "error", "text": "unknown key 'memmory' in [vm] (did you mean 'memory'?)"}, {"file": "typo.ini", "line": 0, "level": "error", "text": "no disk"}]}, "id": $ID}
> {"execute": "vm-plan"}
< {"return": {"actions": ["memory 256M -> 384M   hot"], "argv": ["/usr/bin/qemu", "-S", "-name", "it's", "-device", "{\"driver\": \"a\"}"], "qmp": [{"execute": "cont"}]}, "id": $ID}
> {"execute": "reload", "arguments": {"vm": "web"}}
< {"return": {"changed": ["web"], "findings": []}, "id": $ID}
> {"execute": "reload"}
< {"return": {"changed": [], "findings": [{"file": "typo.ini", "line": 2, "level": "error", "text": "bad"}]}, "id": $ID}
> {"execute": "vm-qmp", "arguments": {"execute": "query-status"}}
< {"return": {"running": true, "status": "running"}, "id": $ID}
> {"execute": "vm-qmp"}
< {"error": {"class": "GenericError", "desc": "QEMU: Parameter 'id' is missing", "code": "QMP"}, "id": $ID}
> {"execute": "job-list"}
< {"return": {"jobs": [{"job": "j3", "vm": "web", "kind": "disk-attach", "status": "running", "phase": "plug", "done": 1, "total": 4, "age": 2}]}, "id": $ID}
> {"execute": "vm-disk-list"}
< {"return": {"disks": []}, "id": $ID}
> {"execute": "vm-wait"}
< {"return": {"changed": false, "state": "running", "message": "ready"}, "id": $ID}
> {"execute": "event-replay", "arguments": {"since": 9}}
< {"event": "VM_QMP_EVENT", "data": {"seq": 10, "vm": "web", "event": "RTC_CHANGE", "data": {"offset": 2}}, "timestamp": {"seconds": 1763500000, "microseconds": 0}}
< {"return": {}, "id": $ID}
> {"execute": "event-replay", "arguments": {"since": 4}}
< {"event": "VM_STATE", "data": {"seq": 5, "vm": "web", "state": "running", "was": "starting"}, "timestamp": {"seconds": 1763500000, "microseconds": 120000}}
< {"event": "VM_STATE", "data": {"seq": 6, "vm": "db", "state": "failed", "was": "running", "cause": "panic"}, "timestamp": {"seconds": 1763500001, "microseconds": 5000}}
< {"return": {"last": 6}, "id": $ID}
> {"execute": "query-version"}
< {"return": {"qemu": {"major": 0, "minor": 1, "micro": 0}, "package": "vmward 0.1"}, "id": $ID}
EOS

vmward status web
ok "status: the block" output_is <<'EOS'
● web - Debian web server
    State: running (ready) since 2025-11-18 22:04:11; up 2h 11m
 Last end: qemu-signal 9 at 2025-11-18 22:04:10 (restarted after 0.1 s); restarts: 1
   Config: /etc/vmward/vms/web.ini
           /etc/vmward/vms/web.ini.d/50-vmward.ini
  Pending: 1 change: vmward plan web
     QEMU: 7.2.22, pid 4711, kvm, seccomp
     Size: 2 CPUs, 2G memory
    Disks: root  virtio  /images/web-root.qcow2  20G
     Nics: lan  user  52:54:00:00:00:01
  Address: 10.64.0.12  lease
    Ports: 7 free

2025-11-18 22:04:11  stopped -> starting
2025-11-18 22:04:11  starting -> running
EOS
ok "status: active is 0" exits 0
vmward domstate old
ok "status: stopped is 3" exits 3
vmward status web old; ok "status: one is not" exits 3
vmward status nope; ok "status: unknown is 4" exits 4
vmward status --json web
ok "status: JSON as the supervisor said" says '"config": {"files":'
vmward is-active web; ok "is-active: 0" exits 0
ok "is-active: silent" is_silent
vmward is-active old; ok "is-active: 3" exits 3
ok "is-active: silent too" is_silent
vmward is-active nope; ok "is-active: 4" exits 4
vmward is-failed mail; ok "is-failed: 0" exits 0
vmward is-failed web; ok "is-failed: 3" exits 3

vmward log web --since 10min
ok "log" output_is <<'EOS'
2025-11-18T22:04:11.120+01:00  warn: slow disk
EOS
vmward log web --since yesterday
ok "log: a bad time" exits 2
vmward console web --log
ok "console --log" says Welcome
vmward events --since 4 --no-follow
ok "events" output_is <<'EOS'
2025-11-18T21:06:40.120+00:00 5 VM_STATE web state=running was=starting
2025-11-18T21:06:41.005+00:00 6 VM_STATE db state=failed was=running cause=panic
EOS
ok "events: the capability is asked for" sent '"enable":["vmward"]'
vmward events 'd*' --since 4 --no-follow --json
ok "events: filtered, as JSON" output_is <<'EOS'
{"seq": 6, "time": "2025-11-18T21:06:41.005+00:00", "event": "VM_STATE", "vm": "db", "state": "failed", "was": "running", "cause": "panic"}
EOS
vmward events --since 9 --no-follow --json
ok "events: a QMP event's name is in the JSON too" output_is <<'EOS'
{"seq": 10, "time": "2025-11-18T21:06:40.000+00:00", "event": "VM_QMP_EVENT", "vm": "web", "data": {"offset": 2}, "qmp": "RTC_CHANGE"}
EOS

vmward show web
ok "show" output_is <<'EOS'
[vm]
memory = 2G
EOS
vmward check web
ok "check: fine" says 'web: no mistakes'
ok "check: exit 0" exits 0
vmward check
ok "check: all mistakes" output_is <<'EOS'
typo.ini:2: unknown key 'memmory' in [vm] (did you mean 'memory'?)
typo.ini: no disk
EOS
ok "check: exit 1" exits 1
vmward check note; ok "check: notes are no mistakes" exits 0
ok "check: a note is named so" says 'note.ini:3: note: memory is overridden'
vmward check note --exit-code; ok "check --exit-code: 8" exits 8
vmward plan web
ok "plan" output_is <<'EOS'
memory 256M -> 384M   hot
EOS
vmward plan web --argv --exit-code
ok "plan --argv can be pasted into a shell" output_is <<'EOS'
/usr/bin/qemu \
  -S \
  -name 'it'\''s' \
  -device '{"driver": "a"}'
EOS
ok "plan --exit-code: 8" exits 8
vmward plan web --qmp
ok "plan --qmp" says '{"execute": "cont"}'
vmward reload web
ok "reload" says 'web: read again'
vmward reload
ok "reload: a bad file is 1" exits 1
vmward qmp web query-status
ok "qmp" output_is <<'EOS'
{"running": true, "status": "running"}
EOS
vmward qmp web device_del id=disk-data force=true n=5 'o={"a": 1}'
ok "qmp: values are JSON where they can be" sent \
	'"arguments":{"id":"disk-data","force":true,"n":5,"o":{"a":1}}'
ok "qmp: QEMU's refusal is 1" exits 1
vmward jobs list
ok "jobs" output_is <<'EOS'
JOB  VM   KIND         PHASE  DONE  TOTAL  AGE
j3   web  disk-attach  plug      1      4  2s
EOS
vmward jobs cancel j3
ok "jobs cancel" sent '"execute":"job-cancel","arguments":{"job":"j3"}'
vmward jobs wait --timeout 1min j3
ok "jobs wait" sent '"arguments":{"timeout":60,"job":"j3"}'
vmward disk list web
ok "no disks" says 'no disks'
vmward wait web ready --timeout 5s
ok "wait" sent '"arguments":{"timeout":5,"state":"ready","vm":"web"}'
ok "wait: silent" is_silent
vmward version
ok "version" says 'vmwardd 0.1'
plan
