#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# plan, apply, drift of a running VM: the file against what QEMU itself has.
# shellcheck source=tests/live/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/live/lib.sh"

# file NAME LINES: the file of a guest with these further lines
file()
{
	sed '/^; further/,$d' "$vms/$1.ini" >"$tmp/file"
	printf '; further\n%s\n' "$2" >>"$tmp/file"
	cp "$tmp/file" "$vms/$1.ini"
}

says_line() { grep -qE -- "$1" "$tmp/out"; }

qemu_has() # NAME ID
{
	vmward qmp "$1" qom-list path=/machine/peripheral
	grep -q "\"$2\"" "$tmp/out"
}

qemu_has_not() { ! qemu_has "$@"; }
is_equal() { does drift "$1"; }

guest web tcg </dev/null
guest other tcg </dev/null
up
starts web --wait=ready
starts other --wait=ready
ok "what was just started is as its file says" does drift web
ok "and that is silence" is_silent
vmward --json drift web
ok "as JSON" test "$(jq -c '.[0] | [.equal, .changes]' "$tmp/out")" = '[true,[]]'
ok "so are all of them" does drift
ok "a plan has nothing to do" does plan web --exit-code

file web '[disk.data]
size = 2M
[serial.more]
target = virtio
[restart]
policy = no'
vmward plan web --exit-code
ok "what differs: exit 8" exits 8
ok "the disk is for now" says_line '^web.ini:[0-9]+: \[disk.data\] is to come \(now, by vmward apply\)$'
ok "the serial port for the next start" says_line '\[serial.more\] is to come \(at cold start'
ok "policy is no difference" is "$(wc -l <"$tmp/out")" 2
vmward drift web
ok "it drifts: exit 8" exits 8
vmward drift
ok "all of them do" exits 8
ok "who is named" says_line '^web: web.ini:[0-9]+: \[disk.data\]'
vmward -n apply web
ok "a dry run says the same" says_line '\[disk.data\] is to come \(now'
ok "and plugs nothing" qemu_has_not web disk-data

pid=$(pid_of web)
vmward apply web
ok "it follows: exit 0" exits 0
ok "one is done, one pending" says '1 change done; 1 change pending: vmward plan web'
ok "QEMU has the disk" qemu_has web disk-data
ok "it is the same QEMU" same_pid web "$pid"
vmward list web
ok "list says what is pending" says '1 change pending: vmward plan web'
vmward --json plan web
ok "the plan has it as JSON" test "$(jq -c '.[0].changes | map([.section, .key, .when])' \
	"$tmp/out")" = '[["serial.more",null,"cold"]]'
vmward --json apply web
ok "a second time nothing is done" test "$(jq -c '.[0] | [.changed, .done, .pending]' "$tmp/out")" = \
	'[false,0,1]'
ok "a restart brings the rest" does restart web
becomes web ready
ok "the port is there" qemu_has web serial-more
ok "nothing differs any more" does drift web
file web '[disk.data]
size = 2M
[serial.more]
target = virtio
[net.lan]
user = yes'
ok "a nic is plugged in" does apply web
ok "at once" says '1 change done'
ok "QEMU has it" qemu_has web net-lan

# ---- a larger disk, a cable, a disk that goes ----

file web '[disk.data]
size = 3M
[serial.more]
target = virtio
[net.lan]
user = yes
link = down'
ok "size and link are done" does apply web
ok "both" says '2 changes done'
vmward qmp web query-named-block-nodes flat=true
ok "QEMU has the size" says_line '"virtual-size": 3145728'
ok "nothing differs" does drift web
file web '[disk.data]
size = 1M
[serial.more]
target = virtio
[net.lan]
user = yes'
vmward plan web
ok "a smaller one is refused" says_line 'size 3M -> 1M \(refused: a disk shrinks only'
vmward apply web
ok "what can be done is done" says '1 change done; 1 change pending'
file web '[serial.more]
target = virtio
[net.lan]
user = yes'
vmward apply web
ok "the guest keeps the disk for now" says '1 change done when the guest lets go'
ok "it is there" qemu_has web disk-data
answers web e '^EJ' >/dev/null
ok "it lets go" eventually qemu_has_not web disk-data
ok "then nothing differs" eventually is_equal web

# ---- all or nothing ----

file web '[disk.one]
size = 1M
[disk.two]
image = missing.raw
[serial.more]
target = virtio
[net.lan]
user = yes
link = down'
rm -f "$run/web/priv/unplug"
(eventually test -e "$run/web/priv/unplug" && types web e) >/dev/null 2>&1 &
vmward apply web
ok "a disk without an image: refused" exits 4
ok "it is named" complains "disk 'two'"
wait $!
ok "the one before it is taken out again" eventually qemu_has_not web disk-one
file web '[serial.more]
target = virtio
[net.lan]
user = yes'
ok "as it was" eventually is_equal web

# ---- behind our back ----

does qmp web object-add qom-type=rng-builtin id=r0 >/dev/null
does qmp web device_add driver=virtio-rng-pci id=mine rng=r0 bus=rp3 addr=0x0 >/dev/null
vmward drift web
ok "a device that nobody wrote: exit 8" exits 8
ok "it is named" says_line '\[mine\] is to go \(at cold start: no file names it'
down
up
becomes web running
vmward drift web
ok "a successor sees it, too" says_line '\[mine\]'
does kill web >/dev/null
ok "of a VM that is down nothing differs" does drift web
vmward apply web
ok "and nothing is to be done" exits 0
ok "the start does it" says 'the next start does all of it'
vmward drift none
ok "no such VM: exit 4" exits 4
echo '[vm' >"$vms/other.ini"
vmward apply other
ok "a broken file changes nothing" exits 1
ok "its mistake is named" complains 'other.ini:1'
does kill other >/dev/null
plan
