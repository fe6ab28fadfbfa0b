#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# rename: what has a VM's name gets the new one, who it is stays; a supervisor
# that dies half way goes on at its next start.
# shellcheck source=tests/t/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/t/daemon.sh
. "$TOP/tests/t/daemon.sh"

images=$tmp/var/lib/vmward/images
state=$tmp/var/lib/vmward
logs=$tmp/var/log/vmward
refuses() # STATUS TEXT ARG...
{
	want=$1 text=$2
	shift 2
	before=$(find "$vms" "$images" | sort)
	vmward "$@"
	exits "$want" && complains "$text" &&
		is "$(find "$vms" "$images" | sort)" "$before"
}
uuid_of() { vmward show "$1" && sed -n 's/^uuid = //p' "$tmp/out"; }

mkdir -p "$images"
qcow2 "$images/web-root.qcow2"
echo data >"$images/data.raw"
vm web <<EOS
[disk.root]
size = 1M
[disk.data]
image = data.raw
EOS
printf '[start]\nafter = named\n' | vm other
vm named </dev/null
vm taken </dev/null
daemon
q vm-set web 'pairs:{"vm.tags": "prod"}'
q vm-start web
uuid=$(uuid_of web)
ok "running: refused" refuses 3 'it is running' rename web new
q vm-kill web
vmward --dry-run rename web new
ok "--dry-run names it" says \
	"rename '$images/web-root.qcow2' to '$images/new-root.qcow2'"
ok "and changes nothing" test -e "$vms/web.ini"
vmward rename web new
ok "renamed" exits 0
ok "it says so" says 'renamed to new'
ok "its files" is "$(ls "$vms")" "named.ini
new.ini
new.ini.d
other.ini
taken.ini"
ok "its image" test -s "$images/new-root.qcow2"
ok "and what that is on top of is recorded by its new name" \
	grep -qx "root 0 qcow2 $images/new-root.qcow2" "$state/chains/new"
ok "the old name is free" test ! -e "$images/web-root.qcow2"
ok "an image with a name of its own keeps it" test -e "$images/data.raw"
ok "its log" grep -q 'starting' "$logs/new/vm.log"
ok "no old log" test ! -e "$logs/web"
ok "its record" is "$(cd "$state/records" && ls -d web new 2>/dev/null)" new
ok "its uuid stays" is "$(uuid_of new)" "$uuid"
ok "its drop-in too" grep -qx 'tags = prod' "$tmp/out"
ok "the old one is unknown" refused NOT_FOUND vm-status web
ok "it starts" q vm-start new
q vm-kill new
ok "no old record of it" test ! -e "$state/chains/web"
ok "nothing is left to do" is "$(ls "$state/renaming")" ''

# once its uuid changed: the drop-in that keeps it was left behind
vm plain </dev/null
q reload
plain=$(uuid_of plain)
vmward rename plain bare
ok "without drop-ins: renamed" exits 0
ok "its uuid stays as well" is "$(uuid_of bare)" "$plain"
ok "nothing has the old name" is "$(find "$vms" -name 'plain*')" ''
vmward delete bare --yes


ok "refused: it exists" refuses 1 'exists already' rename new taken
ok "refused: a bad name" refuses 2 'no name of a VM' rename new ../x
ok "refused: an instance" refuses 2 'no name of a VM' rename new x@1
ok "refused: no such VM" refuses 4 nosuch rename nosuch x
ok "refused: another names it" refuses 1 '[start] of other names it' \
	rename named x
echo x >"$images/full-root.qcow2"
ok "refused: the image exists" refuses 1 'full-root.qcow2' rename new full
mkdir "$vms/drop.ini.d"
ok "refused: drop-ins exist" refuses 1 'drop.ini.d' rename new drop

# ---- half way ----

daemon_ends KILL
mv "$images/new-root.qcow2" "$images/late-root.qcow2"
printf '[["%s","%s"],["%s","%s"],["%s","%s"]]' \
	"$images/new-root.qcow2" "$images/late-root.qcow2" \
	"$vms/new.ini.d" "$vms/late.ini.d" \
	"$vms/new.ini" "$vms/late.ini" >"$state/renaming/new.json"
daemon
ok "it goes on" test -e "$vms/late.ini"
ok "to the end" test ! -e "$vms/new.ini" -a -e "$vms/late.ini.d"
ok "which is said once" is "$(ls "$state/renaming")" ''
ok "it is known by the new name" q vm-status late
ok "the same one" is "$(uuid_of late)" "$uuid"
plan
