#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# delete: what goes with a VM and what stays; a supervisor that dies half way
# goes on at its next start.
# shellcheck source=tests/t/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/t/daemon.sh
. "$TOP/tests/t/daemon.sh"

images=$tmp/var/lib/vmward/images
journal=$tmp/var/lib/vmward/deleting
exists() { test -e "$1"; }
gone() { test ! -e "$1"; }
known() { q vm-list && says "\"name\":\"$1\""; }
unknown() { ! known "$1"; }
fails() # STATUS TEXT ARG...
{
	want=$1 text=$2
	shift 2
	vmward "$@"
	exits "$want" && complains "$text"
}

mkdir -p "$images"
qcow2 "$images/shared.qcow2"
qcow2 "$images/base.qcow2"
: >"$tmp/outside.raw"
vm web <<EOS
[disk.root]
base = base.qcow2
[disk.shared]
image = shared.qcow2
[disk.away]
image = $tmp/outside.raw
[disk.iso]
image = read.raw
readonly = yes
EOS
qcow2 "$images/web-root.qcow2"
: >"$images/read.raw"
printf '[disk.shared]\nimage = shared.qcow2\n' | vm other
printf '[vm]\nprotect = delete\n' | sed 1d | vm kept
daemon
q vm-set web 'pairs:{"vm.tags": "prod"}'

ok "no terminal: exit 2, naming what goes" fails 2 \
	"delete web, delete image '$images/web-root.qcow2'? nobody to ask" \
	delete web
ok "nothing went" exists "$vms/web.ini"
vmward --dry-run delete web
ok "--dry-run names it too" says "delete image '$images/web-root.qcow2'"
ok "protected: exit 7" fails 7 'protect = delete' delete kept --yes
q vm-start web
ok "running: exit 3" fails 3 'it is running: stop it first' delete web --yes
q vm-kill web
ok "unknown: exit 4" fails 4 nosuch delete nosuch --yes
vmward delete web --yes
ok "deleted" exits 0
ok "its file went" gone "$vms/web.ini"
ok "our drop-in went" gone "$vms/web.ini.d"
ok "its own image went" gone "$images/web-root.qcow2"
ok "the base stays" exists "$images/base.qcow2"
ok "what another VM needs stays" exists "$images/shared.qcow2"
ok "what is outside of the pool stays" exists "$tmp/outside.raw"
ok "what it only reads stays" exists "$images/read.raw"
ok "nobody knows it" unknown web
ok "its record went" gone "$records/web"
ok "nothing is left to do" is "$(ls "$journal")" ''

: >"$images/other-x.qcow2"
printf '[disk.x]\nsize = 1M\n' | vm other
q reload
ok "--keep-disks" sh -c "'$BUILD/vmward' --root '$tmp' delete other --yes \
	--keep-disks"
ok "kept" exists "$images/other-x.qcow2"
ok "the file is gone" gone "$vms/other.ini"

: >"$images/broken-root.qcow2"
printf '[vm]\nmemmory = 1G\n' >"$vms/broken.ini"
q reload
vmward delete broken --yes
ok "a file that cannot be read goes" gone "$vms/broken.ini"
ok "its images are not known" exists "$images/broken-root.qcow2"
ok "and that is said" says 'its file could not be read, so its images stay'

# ---- half way ----

daemon_ends KILL
: >"$images/late-root.qcow2"
: >"$images/early-root.qcow2"
: >"$images/torn-root.qcow2"
mkdir -p "$vms/late.ini.d"
: >"$vms/late.ini.d/50-vmward.ini"
printf '["%s", "%s", "%s"]' "$images/late-root.qcow2" "$tmp/outside.raw" \
	"$images/../outside.raw" >"$journal/late.json"
printf '["%s"]' "$images/early-root.qcow2" >"$journal/early.json"
printf '["%s"]' "$images/torn-root.qcow2" >"$journal/torn.json.tmp"
vm early </dev/null
daemon
ok "its file was gone: the rest goes" gone "$images/late-root.qcow2"
ok "with its drop-ins" gone "$vms/late.ini.d"
ok "but nothing outside of the pool" exists "$tmp/outside.raw"
ok "its file was there: nothing has happened" \
	exists "$images/early-root.qcow2"
ok "nor by what was never whole" exists "$images/torn-root.qcow2"
ok "the journal is done" is "$(ls "$journal")" ''
plan
