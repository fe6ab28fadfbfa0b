#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What a snapshot holds is read over NBD and exported, of a VM that runs and
# of one that is down: the bytes of then, while the guest writes others.
# shellcheck source=tests/live/lib.sh
. "$(dirname "$0")/lib.sh"
command -v qemu-nbd >/dev/null || skip_all "no qemu-nbd"

patterns() # WORD: on the second disk of a VM that is down
{
	qemu-io -f qcow2 -c "write -q -P $1 0 1M" "$images/web-data.qcow2"
}
uri_of() # DISK: of what is in out
{
	sed -n "s/^$1	//p" "$tmp/out"
}
reads() # URI PATTERN
{
	qemu-io -r -f raw -c "read -P $2 0 1M" "$1" >"$tmp/read" 2>&1 &&
		! grep -q failed "$tmp/read" && grep -q '^read 1048576' "$tmp/read"
}
servers() { pgrep -fc "qemu-nbd.*$tmp" || :; }
no_servers() { is "$(servers)" 0 && [ ! -e "$run/mounts" ]; }

qimage web
qemu-img create -q -f qcow2 "$images/web-data.qcow2" 8M
cat >"$vms/web.ini" <<-EOF
[vm]
memory = 8M
accel = tcg
[disk.root]
image = web.qcow2
[disk.data]
image = web-data.qcow2
[start]
ready = serial:READY
EOF
patterns 17
up
ok "a snapshot" does snapshot create web --name one
patterns 34
ok "down: mount" does snapshot mount web one
root=$(uri_of root)
data=$(uri_of data)
ok "of both disks" is "${root%%:*} ${data%%:*}" "nbd+unix nbd+unix"
ok "it reads what was there then" reads "$data" 17
ok "its disks cannot be written" sh -c "! qemu-io -f raw -c 'write 0 512' \
	'$data' >/dev/null 2>&1"
ok "once more: the same" sh -c "'$BUILD/vmward' --root '$tmp' snapshot mount \
	web one | grep -qF '$data'"
ok "and no more servers" is "$(servers)" 2
ok "only root may connect" is "$(find "$run/mounts" -maxdepth 0 -perm 700)" \
	"$run/mounts"
ok "the VM starts meanwhile" does start web --wait
ok "it reads the same" reads "$data" 17
ok "show tells of it" sh -c "'$BUILD/vmward' --root '$tmp' snapshot show \
	web one | grep -F 'Mounted' | grep -qF '$data'"
ok "delete: refused" fails_with 1 snapshot delete web one --yes
ok "with the way out" complains 'vmward snapshot unmount web one'
ok "it is still there" does snapshot show web one
ok "unmount" does snapshot unmount web one
ok "no server is left" eventually no_servers
ok "once more: nothing to do" does snapshot unmount web one
ok "what runs: mount of one disk" does snapshot mount web one --disk data
ok "only that" is "$(wc -l <"$tmp/out")" 1
ok "reads what was then" reads "$(uri_of data)" 17
ok "as --json" sh -c "'$BUILD/vmward' --root '$tmp' snapshot mount web one \
	--json | jq -e '.[0].mounts[0].uri'"
ok "a server that dies" sh -c "kill $(pgrep -f "qemu-nbd.*$tmp" | tr '\n' ' ')"
ok "and is not told of any more" eventually sh -c "'$BUILD/vmward' --root \
	'$tmp' snapshot show web one --json | jq -e '.[0].mounts == []'"
ok "nothing is left of it" eventually no_servers
ok "a disk that it has not: refused" fails_with 4 snapshot mount web one \
	--disk other
ok "a snapshot that it has not: refused" fails_with 4 snapshot mount web two
ok "nothing is left of those" no_servers

# the supervisor
ok "mount" does snapshot mount web one
down
up
ok "a successor" eventually is_state web running
ok "it ended with the one before" eventually is "$(servers)" 0
ok "mounts again" does snapshot mount web one
ok "as before" reads "$(uri_of data)" 17
ok "an upgrade" does upgrade
ok "is an unmount" eventually no_servers
ok "mount once more" does snapshot mount web one
leave
ok "vmwardd leaves: so" eventually no_servers
up

# export
ok "export, of what runs" does snapshot export web one "$tmp/out.d"
ok "says so" says "3 files in"
ok "has the bytes of then" sh -c "qemu-io -f qcow2 -c 'read -P 17 0 1M' \
	'$tmp/out.d/web-data.qcow2' | grep -q '^read 1048576'"
ok "needs no other image" is "$(qemu-img info --output=json \
	"$tmp/out.d/web-data.qcow2" | jq -r '.["backing-filename"]')" null
ok "has no snapshot inside" is "$(qemu-img info --output=json \
	"$tmp/out.d/web-data.qcow2" | jq -r .snapshots)" null
ok "the VM's file" grep -q 'image = web-data.qcow2' "$tmp/out.d/web.ini"
cp "$tmp/out.d/web.ini" "$tmp/kept"
ok "again: nothing is replaced" fails_with 1 snapshot export web one \
	"$tmp/out.d"
ok "says what is there" complains 'web-root.qcow2'
ok "all is as it was" sh -c "cmp '$tmp/kept' '$tmp/out.d/web.ini' && \
	[ -s '$tmp/out.d/web-root.qcow2' ]"
rm "$tmp/out.d/web-root.qcow2"
ok "half of it is there: refused" fails_with 1 snapshot export web one \
	"$tmp/out.d"
ok "and nothing is added" [ ! -e "$tmp/out.d/web-root.qcow2" ]
: >"$tmp/file"
ok "where no directory can be: refused" fails_with 1 snapshot export web one \
	"$tmp/file/x"
ok "a dry run" does snapshot export web one "$tmp/other" --dry-run
ok "makes nothing" [ ! -e "$tmp/other" ]
ok "it runs on" is_state web running
ok "delete, of what is not mounted" does snapshot delete web one --yes
does stop web --now
ok "nothing is left" nothing_left
plan
