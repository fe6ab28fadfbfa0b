#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Snapshots of several VMs as one point in time: there in all of them or in
# none, no guest goes on before all stand still, and all of them go back
# together.
# shellcheck source=tests/live/lib.sh
. "$(dirname "$0")/lib.sh"

snapshot() { does snapshot "$@" --yes; }
names() # VM
{
	"$BUILD/vmward" --root "$tmp" snapshot list "$1" --json |
		jq -r '.[].name' | tr '\n' ' '
}
all_have() # NAMES
{
	is "$(names web)|$(names db)|$(names box)" "$1|$1|$1"
}
run_on()
{
	is "$(state_of web) $(state_of db)" "running running" &&
		counts web >"$tmp/web" && counts db >"$tmp/db"
}
# next: what both would count to, after a revert
next() { is "$(counts web) $(counts db)" "$1"; }
tags() # of all images, what is inside
{
	for vm in web db box; do
		qemu-img snapshot -U -l "$images/$vm.qcow2"
	done | grep -c '^[0-9]' || :
}
group() # KEY: of the snapshot "one" of db
{
	"$BUILD/vmward" --root "$tmp" --json snapshot show db one |
		jq -r ".[0].group$1"
}
no_record() { is "$(ls "$tmp/var/lib/vmward/groups")" ''; }

for vm in web db box; do
	qguest "$vm" </dev/null
done
up
ok "two run" does start web db --wait
ok "a snapshot of three" does snapshot create web db box --name one
ok "says of whom" says "snapshot 'one' of web, db, box created"
ok "and how far apart they stopped" says 'they stopped within'
ok "all have it" all_have 'one '
ok "they run on" run_on
ok "it is remembered" is "$(group '.vms|join(" ")')" 'web db box'
ok "with how far apart" test "$(group '["skew-us"]')" -gt 0
ok "show tells it" does snapshot show web one
ok "of all" says 'web, db, box; they stopped within'
ok "list as well" does snapshot list db
ok "with a column" says 'web,db,box'
ok "nothing else is left of it" no_record

# all or none
ok "one of them has another of that name" snapshot create db --name two
vmward snapshot create web db --name two
ok "refused" exits 1
ok "it says whose" complains "vm 'db': snapshot 'two' exists already"
ok "then nobody has one more" is "$(names web)|$(names db)" "one |one two "
ok "delete that" snapshot delete db two
ok "a VM that is none: refused" fails_with 4 snapshot create web nobody
ok "one of them twice: refused" fails_with 2 snapshot create web web
before=$(tags)
cp "$images/box.qcow2" "$tmp/kept"
printf JUNK | dd of="$images/box.qcow2" bs=1 conv=notrunc 2>/dev/null
vmward snapshot create web db box --name three
ok "an image that is none" exits 1
cp "$tmp/kept" "$images/box.qcow2"
ok "nobody has it" all_have 'one '
ok "nor any image" is "$(tags)" "$before"
ok "they run on" run_on
vmward snapshot create web db --name three --freeze
ok "no agent in them: it says so" complains 'has no agent'
ok "they run on" run_on
ok "nobody has it" all_have 'one '
vmward snapshot create web db --memory --disk-only
ok "words that exclude each other: refused" exits 2

# with their memory, and back
ok "with memory" snapshot create web db box --memory --name mem
ok "only those that run" is "$("$BUILD/vmward" --root "$tmp" snapshot list \
	box --json | jq -c '[.[].memory]')" '[false,false]'
next "$(counts web) $(counts db)" >/dev/null
run_on
ok "down: it is reverted with those that run" snapshot revert db mem --group
ok "it says so" says "snapshot 'mem' of web, db, box reverted"
ok "they run on" run_on
at="$(cat "$tmp/web") $(cat "$tmp/db")"
ok "once more" snapshot revert box mem --group
ok "both are where they were" next "$at"
ok "one alone" snapshot revert web mem
ok "the other goes on" run_on
ok "one alone has no group" snapshot create web --name alone
ok "--group of that: refused" fails_with 3 snapshot revert web alone \
	--group --yes
does pause db
ok "one is paused: reverted, and stays so" snapshot revert web mem --group
ok "it is" is "$(state_of web) $(state_of db)" "running paused"
does resume db
run_on
at="$(cat "$tmp/web") $(cat "$tmp/db")"
does disk attach db more size=1M
ok "one does not fit any more: refused" fails_with 3 snapshot revert web mem \
	--group --yes
ok "says which" complains "vm 'db': disk 'more'"
run_on
ok "then none is reverted" test \
	"$((0x$(cat "$tmp/web")))" -gt "$((0x${at%% *}))"
does stop db --now
does unset db disk.more.size

ok "delete of all of it" snapshot delete web mem --group
ok "nobody has it" is "$(names db)|$(names box)" 'one |one '
ok "delete, of two names: refused" fails_with 2 snapshot delete web one alone \
	--group --yes
ok "one of them deleted its part" snapshot delete box one
ok "delete of the rest" snapshot delete web one --group
ok "it is gone" is "$(names web)|$(names db)" 'alone |'
ok "with what was in the images" is "$(tags)" 1
does stop web --now
for vm in web db box; do
	ok "the image of $vm is sound" qemu-img check -q -f qcow2 \
		"$images/$vm.qcow2"
done
plan
