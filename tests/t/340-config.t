#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Files change under running VMs: nothing that runs follows a bad one.
# shellcheck source=tests/t/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/t/daemon.sh
. "$TOP/tests/t/daemon.sh"

bad() { printf '[vm]\nmemmory = 1G\nkernel = /k\n' >"$vms/$1.ini"; }
listed() { q vm-list && says "\"name\":\"$1\""; }
not() { ! "$@"; }

vm web </dev/null
daemon

# ---- known at once ----

vm new </dev/null
ok "a file made just now can be started" q vm-start new
background sees events '?"vm":"later"'
wait_for "$tmp/sees.out" '{"return":{}}'
vm later </dev/null
ok "a new file is seen without being asked" ended sees
background sees events '?"event":"VM_CONFIG"' '?"vm":"web","pending":1'
q vm-start web
wait_for "$tmp/sees.out" '{"return":{}}'
sed 's/64M/96M/' "$vms/web.ini" >"$vms/web.tmp"
mv "$vms/web.tmp" "$vms/web.ini"
q reload
q vm-status web
ok "a change is pending, nothing runs otherwise" says '"pending":1'
ok "a change is listed by plan" q vm-plan web
ok "plan names it" says memory
pid=$(pid_of web)
vm web </dev/null
q reload
q vm-status web
ok "changed back: nothing pending" says '"pending":0'
ok "nobody was touched" is "$(pid_of web)" "$pid"

# ---- a broken file ----

bad web
ok "broken: reload names file, line and key" sh -c "$(
	q reload
	echo :
); grep -q '\"file\":\"web.ini\",\"line\":2.*memmory' '$tmp/out'"
q vm-status web
ok "broken: it runs on" is "$(pid_of web)" "$pid"
ok "broken: still called running" state_is web running
ok "broken: it can be paused" q vm-pause web
ok "broken: and resumed" q vm-resume web
ok "broken: restart is refused before anything stops" \
	refused CONFIG vm-restart web
ok "broken: the same QEMU" is "$(pid_of web)" "$pid"
background seen events '?"event":"VM_ENDED"'
wait_for "$tmp/seen.out" '{"return":{}}'
kill -9 "$pid"
ended seen
ok "broken: a crash is answered with the last good version" \
	becomes web running
pid=$(pid_of web)
daemon_ends KILL
daemon
ok "broken: adopted after our own restart" becomes web running
ok "broken: the same QEMU again" is "$(pid_of web)" "$pid"
q vm-show web
ok "broken: shown is the last good version" says 'memory = 64M'
ok "broken: it can be stopped" q vm-stop web
ok "broken: then it is invalid" state_is web invalid
ok "broken: and not started" refused CONFIG vm-start web
ok "broken: the reason has file and line" says 'web.ini:2: '
vm web </dev/null
ok "mended: starts at once" q vm-start web
ok "mended: is fine" state_is web running

# ---- a file that goes ----

pid=$(pid_of web)
rm "$vms/web.ini"
q reload
ok "removed: it runs on" state_is web running
ok "removed: that is said" says 'its file is gone'
daemon_ends KILL
daemon
ok "removed: adopted all the same" becomes web running
ok "removed: the same QEMU" is "$(pid_of web)" "$pid"
ok "removed: start again is fine" q vm-start web
ok "removed: stop" q vm-stop web
ok "removed: forgotten" refused NOT_FOUND vm-status web
ok "removed: its record as well" not test -e "$records/web"

# ---- set and unset ----

vm web </dev/null
dropin=$vms/web.ini.d/50-vmward.ini
ok "set" q vm-set web 'pairs:{"vm.memory":"96M","start.autostart":"yes"}'
ok "set: in the drop-in" grep -qx 'memory = 96M' "$dropin"
ok "set: not in the person's file" grep -q 'memory = 64M' "$vms/web.ini"
q vm-show web
ok "set: shown" says 'memory = 96M'
cp "$dropin" "$tmp/before"
ok "set nonsense" refused CONFIG vm-set web 'pairs:{"vm.memmory":"1G"}'
ok "set a bad value" refused CONFIG vm-set web 'pairs:{"vm.memory":"1024"}'
ok "set half of it wrong" refused CONFIG vm-set web \
	'pairs:{"vm.cpus":"2","vm.memory":"many"}'
ok "set no key" refused USAGE vm-set web 'pairs:{"memory":"1G"}'
ok "set a line of its own" refused CONFIG vm-set web \
	'pairs:{"vm.description":"x\u000a[raw]\u000aarg-1 = -S"}'
ok "refused: nothing was written" cmp "$tmp/before" "$dropin"
ok "dry run" q vm-set web 'pairs:{"vm.cpus":"2"}' dry-run:true
ok "dry run: nothing was written" cmp "$tmp/before" "$dropin"
ok "unset" q vm-unset web 'keys:["vm.memory","start.autostart"]'
q vm-show web
ok "unset: shown" says 'memory = 64M'

q vm-start web
vmward disable web
ok "disable again" says 'web: already disabled'
vmward enable web
vmward set web stop.timeout=5s vm.x-mine=1
ok "keys of policy are in force at once: nothing is pending" is_silent
vmward plan web
ok "nor planned" says 'nothing to do'
vmward set web vm.memory=96M
ok "a key of QEMU's is" says '1 change pending'
vmward -n set web vm.memory=97M
ok "dry run: the file and the line" says \
	"write [vm] memory = 97M to '$dropin'"
vmward -n unset web vm.memory
ok "dry run: of unset" says "take [vm] memory out of '$dropin'"
vmward -n set web vm.memory=97
ok "dry run: a bad value is refused" exits 1
vmward -n enable new
ok "dry run: makes no directory" not test -e "$vms/new.ini.d"
vmward show web --section nope
ok "show: a section that is not there" exits 4
bad broken
vmward reload web
ok "reload of one: is about that one" exits 0
vmward reload nope
ok "reload of an unknown one" exits 4
vm early </dev/null
vmward list --names 'ear*'
ok "a file made just now is in a list" output_is <<'EOS'
early
EOS
bad other
vmward check
ok "and is checked" says "other.ini:2: unknown key 'memmory'"
rm "$vms/broken.ini" "$vms/early.ini" "$vms/other.ini"
vmward disable web
q vm-kill web

# ---- disks of a VM that is down: its file ----

vmward disk attach web data size=1M
ok "attach: written" says 'the next start sees it'
ok "attach: in the drop-in" grep -qx 'size = 1M' "$dropin"
vmward disk attach web data size=1M
ok "attach: again" complains "it has a disk 'data' already"
vmward disk attach web rel image=./a.raw
ok "attach: a relative path has no meaning here" \
	complains 'image=./a.raw: say the whole path'
vmward disk detach web data
ok "detach: out of the drop-in" not grep -q disk.data "$dropin"
vmward disk detach web data
ok "detach: again" exits 4

# ---- disks that cannot be attached leave nothing ----

cat >"$tmp/refuses.qmp" <<'EOS'
? {"execute": "device_add"}
< {"error": {"class": "GenericError", "desc": "no such slot"}, "id": $ID}
= loop
EOS
images=$tmp/var/lib/vmward/images
scripted refuses "$tmp/refuses.qmp"
vmward start refuses
vmward disk attach refuses data bus=sata size=1M
ok "attach: the wrong bus" complains 'bus = sata comes and goes with a start'
ok "attach: no image was made" not test -e "$images/refuses-data.qcow2"
vmward disk attach refuses data size=1M
ok "attach: QEMU's refusal names the disk" \
	complains "disk 'data': device_add: no such slot"
ok "attach: its image is gone again" not test -e "$images/refuses-data.qcow2"
vmward kill refuses
ok "kill says nothing of the steps of a stop" is_silent
scripted nobus "$tmp/refuses.qmp"
vmward start nobus
q vm-status nobus
ports=$(field ports_free)
vmward disk attach nobus data bus=scsi size=1M
ok "attach: a controller that QEMU refuses is told" \
	complains "disk 'data': device_add: no such slot"
q vm-status nobus
ok "attach: it keeps no port" is "$(field ports_free)" "$ports"
vmward kill nobus

# ---- start --ephemeral ----

mkdir -p "$images"
: >"$images/mine.raw"
vm once <<'EOS'
[disk.root]
image = mine.raw
EOS
once() # its disk's image
{
	vmward disk list once --json
	sed -n 's/.*"image": "\([^"]*\)".*/\1/p' out
}
overlay=$tmp/var/lib/vmward/ephemeral/once-root.qcow2
vmward start once --ephemeral
ok "--ephemeral: it writes to an overlay" is "$(once)" "$overlay"
vmward plan once
ok "--ephemeral: that is no pending change" says 'nothing to do'
daemon_ends KILL
daemon
becomes once running
ok "--ephemeral: also when adopted" is "$(once)" "$overlay"
kill -9 "$(pid_of once)"
q vm-wait once state=running timeout:5
ok "--ephemeral: also after a crash" is "$(once)" "$overlay"
vmward stop --now once
ok "--ephemeral: the overlay goes" not test -e "$overlay"
vmward start once
ok "--ephemeral: this once" is "$(once)" "$images/mine.raw"
vmward kill once

# ---- instances ----

printf 'instances = 1-3\n' | vm ci@
printf 'ephemeral = yes\n' | vm tmp@
q reload
for i in 1 2 3; do ok "instance $i is listed" listed "ci@$i"; done
ok "the template is no VM" not listed 'ci@'
ok "one that was only asked about" q vm-status ci@77
ok "is not kept" not listed ci@77
ok "one is started by its name" q vm-start ci@9
ok "and listed" listed ci@9
ok "and kept when it was stopped" q vm-stop ci@9
ok "by name" listed ci@9
ok "an ephemeral one" q vm-start tmp@a
ok "is listed" listed tmp@a
ok "stops" q vm-stop tmp@a
ok "and is forgotten" not listed tmp@a
ok "its record too" not test -e "$records/tmp@a"
ok "an instance of nothing" refused NOT_FOUND vm-start nothing@1
ok "a template" refused NOT_FOUND vm-start ci@
kill -HUP "$daemon_pid"
ok "SIGHUP reads the files" wait_for "$daemon_log" 'reading the files again'
q vm-kill new
daemon_ends TERM
ok "all QEMUs are gone" is "$(qemus)" ''
# ---- run of a file that cannot be ----

mkdir "$tmp/dir"
cd "$tmp/dir" || exit 1
vmward run nope.ini
ok "run of a missing file: exit 4" exits 4
ok "run of a missing file: says so" \
	complains 'nope.ini: No such file or directory'
printf '[vm]\nmemory = 1\n' >bad.ini
vmward run bad.ini
ok "run of a broken file" complains 'bad.ini:2: [vm] memory = 1: say 1M'
vmward run --rm bad.ini
ok "nothing is left behind" is "$(echo *)" bad.ini
plan
