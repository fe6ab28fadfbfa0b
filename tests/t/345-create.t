#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# create: a new VM's file says what was given and nothing else; what is bad
# is refused and leaves nothing.
# shellcheck source=tests/t/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/t/daemon.sh
. "$TOP/tests/t/daemon.sh"

file_is() { diff -u - "$vms/$1.ini"; }
# refuses STATUS TEXT ARG...: one line, no file
refuses()
{
	want=$1 text=$2
	shift 2
	before=$(ls -A "$vms")
	vmward create "$@"
	exits "$want" && complains "$text" && is "$(wc -l <"$tmp/err")" 1 &&
		is "$(ls -A "$vms")" "$before"
}

mkdir -p "$vms"
printf stale >"$vms/old.ini.vmward-new"
printf mine >"$vms/mine.ini.tmp"
daemon

ok "what a killed create left is gone" test ! -e "$vms/old.ini.vmward-new"
ok "what others left stays" test -e "$vms/mine.ini.tmp"

vmward create web --base debian.qcow2 --size 10G --memory 2G --cpus 2 \
	--forward '8080:80, 2222:22' --ready tcp:22 vm.tags=prod \
	'vm.description=a; b'
ok "made" exits 0
ok "the file is what was given" file_is web <<'EOS'
[vm]
memory = 2G
cpus = 2
tags = prod
description = "a; b"

[disk.root]
base = debian.qcow2
size = 10G

[net.lan]
forward = 8080:80, 2222:22

[start]
ready = tcp:22
EOS
ok "it says where" says "; $vms/web.ini"
ok "and what is next" says 'vmward start web --wait'
vmward list
ok "it is known at once" grep -qE '^web +stopped .* 2G ' "$tmp/out"
ok "anybody may read it" is "$(stat -c %a "$vms/web.ini")" 644
ok "nothing else is there" is "$(ls -A "$vms")" "mine.ini.tmp
web.ini"

vmward create shown --size 1G --print
ok "--print only prints" output_is <<'EOS'
[disk.root]
size = 1G
EOS
ok "--print writes nothing" test ! -e "$vms/shown.ini"
vmward --dry-run create shown --size 1G
ok "nor does --dry-run" test ! -e "$vms/shown.ini"
vmward --json create shown --size 1G
ok "--json has the text" is "$(jq -r '.[0].text' "$tmp/out")" \
	"$(cat "$vms/shown.ini")"
(cd "$tmp" && "$BUILD/vmward" --root "$tmp" create here \
	--image ./disk.qcow2) >/dev/null
ok "a path is made absolute" grep -qx "image = $tmp/./disk.qcow2" \
	"$vms/here.ini"
vmward create direct --kernel "$tmp/kernel" vm.memory=64M vm.accel=tcg
vmward start direct
ok "what was made starts" exits 0
q vm-status direct
ok "and runs" says '"state":"running"'

ok "refused: it exists" refuses 1 'exists already' web --size 1G
ok "refused: a bad name" refuses 2 'no name of a VM' 'We b' --size 1G
ok "refused: ../" refuses 2 'no name of a VM' ../x --size 1G
ok "refused: an empty name" refuses 2 'no name of a VM' '' --size 1G
ok "refused: too long" refuses 2 'no name of a VM' \
	"$(printf '%033d' 0)" --size 1G
ok "refused: an instance" refuses 2 'no name of a VM' x@1 --size 1G
ok "refused: nothing given" refuses 2 'say at least' x
ok "refused: nothing to boot" refuses 1 'nothing to boot' x --memory 1G
ok "refused: a bad value, with its line" \
	refuses 1 'x.ini:2: [vm] memory = lots' x --memory lots
ok "refused: an unknown key" refuses 1 "unknown key 'bogus'" x vm.bogus=1
ok "refused: an unknown section" refuses 1 'bogus' x bogus.key=1
ok "refused: no section" refuses 2 'is not SECTION.KEY' x memory=1G
ok "refused: twice" refuses 2 'disk.root.size is given twice' \
	x --size 1G disk.root.size=2G
ok "refused: two lines" refuses 1 'one line' x --size 1G \
	"vm.description=a
b"
ok "refused: a key that would be a header" \
	refuses 2 'say SECTION.KEY' x --size 1G 'vm.a]=b'
ok "refused: the one that is there is whole" grep -qx 'memory = 2G' \
	"$vms/web.ini"
mv "$vms" "$vms.away"
ln -s /proc/self "$vms"
vmward create nowhere --size 1G
ok "where nothing can be written: exit 1" exits 1
ok "it says what" complains 'nowhere.ini'
rm "$vms"
mv "$vms.away" "$vms"
plan
