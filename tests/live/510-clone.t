#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# clone: both VMs go on from the same disk, each with its own; who they are
# differs; a failure and a death leave the old state.
# shellcheck source=tests/live/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/live/lib.sh"
command -v qemu-img >/dev/null || skip_all "no qemu-img"

journal=$tmp/var/lib/vmward/deleting
# own NAME: a BIOS guest on an image of its own making; more lines come from stdin
own()
{
	qimage "$1" "$1-root"
	{
		printf '[vm]\nmemory = 8M\naccel = tcg\n'
		printf '[disk.root]\nsize = 1M\n'
		printf '[start]\nready = serial:READY\n'
		cat
	} >"$vms/$1.ini"
}
refuses() # STATUS TEXT ARG...
{
	want=$1 text=$2
	shift 2
	before=$(ls -A "$images" "$vms" "$journal" 2>/dev/null)
	vmward "$@"
	exits "$want" && complains "$text" &&
		is "$(ls -A "$images" "$vms" "$journal" 2>/dev/null)" "$before"
}
key() { vmward show "$1" && sed -n "s/^$2 = //p" "$tmp/out"; }
backing() { qemu-img info -U --output=json "$1" | jq -r '.["backing-filename"]'; }

own one <<EOF
[net.lan]
user = yes
mac = 52:54:00:11:22:33
forward = 127.0.0.1:1:22
[seed]
hostname = first
EOF
: >"$images/read.raw"
printf '[disk.ro]\nimage = read.raw\nreadonly = yes\n' >>"$vms/one.ini"
truncate -s 1M "$images/data.raw"
printf '[disk.data]\nimage = data.raw\n' >>"$vms/one.ini"
sed -i '/^forward/d' "$vms/one.ini"
up

vmward --dry-run clone one two
ok "--dry-run names it" says "copy '$images/data.raw' as '$images/two-data.raw'"
ok "and changes nothing" test ! -e "$vms/two.ini"
ok "cloned" does clone one two
ok "it shows the file" says "; $vms/two.ini"
ok "and what is next" says 'vmward start two'
ok "what had to be copied is said" complains "disk 'data' is copied"
ok "the file has its own image" grep -qx 'image = two-root.qcow2' "$vms/two.ini"
ok "and shares what is only read" grep -qx 'image = read.raw' "$vms/two.ini"
ok "no uuid, no address, no host name" sh -c \
	"! grep -E '^(uuid|mac|hostname)' '$vms/two.ini'"
ok "the section is there still" grep -qx '\[seed\]' "$vms/two.ini"
ok "another uuid" test "$(key one uuid)" != "$(key two uuid)"
ok "the raw disk is a copy" cmp "$images/data.raw" "$images/two-data.raw"
base=$(backing "$images/two-root.qcow2")
ok "one base" is "$(backing "$images/one-root.qcow2")" "$base"
ok "that is there" test -s "$base"
ok "nothing is left to do" is "$(ls "$journal")" ''
vmward check two
ok "check finds no mistake" exits 0

if command -v xorriso >/dev/null; then
	ok "the old one starts" starts one --wait=ready
	ok "the new one as well, beside it" starts two --wait=ready
	seeds=$tmp/var/lib/vmward/seeds
	id() # NAME
	{
		xorriso -no_rc -osirrox on -indev "$seeds/$1.iso" -extract \
			/meta-data "$tmp/meta.$1" >/dev/null 2>&1
		jq -r ".[\"$2\"]" "$tmp/meta.$1"
	}
	ok "another instance" test "$(id one instance-id)" != \
		"$(rm -f "$tmp/meta.two"; id two instance-id)"
	rm -f "$tmp"/meta.*
	ok "with its own name" is "$(id two local-hostname)" two
	counts one >/dev/null
	counts one >/dev/null
	ok "each writes to its own disk" test "$(counts one)" != "$(counts two)"
	ok "they stop" does kill one two -y
fi

ok "--full copies" does clone one full --full
ok "no backing file" is "$(backing "$images/full-root.qcow2")" null
ok "the base was not touched" is "$(backing "$images/one-root.qcow2")" "$base"
ok "a clone of a clone" does clone two twins
ok "has a base of its own" test "$(backing "$images/twins-root.qcow2")" != \
	"$base"

# ---- what cannot be ----

ok "refused: it exists" refuses 1 'exists already' clone one two
ok "refused: a bad name" refuses 2 'no name of a VM' clone one ../x
ok "refused: an instance" refuses 2 'no name of a VM' clone one x@1
ok "refused: no such VM" refuses 4 nosuch clone nosuch x
: >"$images/taken-root.qcow2"
ok "refused: the image exists" refuses 1 'taken-root.qcow2' clone one taken
mkdir "$vms/drop.ini.d"
ok "refused: drop-ins exist" refuses 1 'drop.ini.d' clone one drop
rmdir "$vms/drop.ini.d"
printf '[disk.root]\nimage = nowhere.qcow2\n' >"$vms/gap.ini"
ok "refused: no image" refuses 4 'nowhere.qcow2' clone gap x
printf 'no image' >"$images/torn-root.qcow2"
printf '[disk.root]\nsize = 1M\n' >"$vms/torn.ini"
ok "refused: a broken image, put back" refuses 1 'torn-root' clone torn x
ok "it has its name again" is "$(cat "$images/torn-root.qcow2")" 'no image'
ok "and a full one" refuses 1 'torn-root' clone torn x --full

# ---- half way ----

leave
before=$(cksum <"$images/full-root.qcow2")
mv "$images/full-root.qcow2" "$images/full-root.base-0a0a0a0a.qcow2"
qemu-img create -q -f qcow2 -F qcow2 \
	-b "$images/full-root.base-0a0a0a0a.qcow2" "$images/full-root.qcow2"
cp "$images/full-root.qcow2" "$images/late-root.qcow2"
printf '["%s", {"base": "%s", "image": "%s"}]' "$images/late-root.qcow2" \
	"$images/full-root.base-0a0a0a0a.qcow2" "$images/full-root.qcow2" \
	>"$journal/late.json"
up
ok "after a death the new image is gone" test ! -e "$images/late-root.qcow2"
ok "the old one has its name again" is "$(cksum <"$images/full-root.qcow2")" \
	"$before"
ok "nothing else is left" is \
	"$(find "$images" "$journal" -name '*0a0a*')" ''
plan
