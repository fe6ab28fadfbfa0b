#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# backup create, list, verify, restore: full and incremental, of a running and
# of a stopped VM; each is the disk of its instant, bit by bit.  A cancel, a
# death, a full disk and a broken bitmap lose nothing that was there.
# shellcheck source=tests/live/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/live/lib.sh"
command -v qemu-img >/dev/null || skip_all "no qemu-img"

target=$tmp/backups
guest one tcg </dev/null
qemu-img create -q -f raw "$tmp/plain.raw" 1M
dd if="$images/one.raw" of="$tmp/plain.raw" conv=notrunc 2>/dev/null
qemu-img convert -q -f raw -O qcow2 "$tmp/plain.raw" "$images/one.qcow2"
rm "$images/one.raw"
head -c 4M /dev/urandom >"$tmp/noise"
qemu-img convert -q -f raw -O qcow2 "$tmp/noise" "$images/data.qcow2"
sed -i 's/one.raw/one.qcow2/' "$vms/one.ini"
printf '[disk.data]\nimage = data.qcow2\n[backup]\ntarget = %s\n' "$target" \
	>>"$vms/one.ini"
up
starts one --wait=ready
pid=$(pid_of one)

made() # VERB...: a backup; its id in $id, its kind in $kind, why in $why
{
	vmward --json backup create one "$@"
	exits 0 || return
	id=$(jq -r '.. | .id? // empty' "$tmp/out" | head -n 1)
	kind=$(jq -r '.. | .kind? // empty' "$tmp/out" | head -n 1)
	why=$(jq -r '.. | .why? // empty' "$tmp/out" | head -n 1)
}
same() # ID: what it has is what the disks have now
{
	qemu-img compare -q -U -f qcow2 -F qcow2 "$target/one/$1/root.qcow2" \
		"$images/one.qcow2" &&
		qemu-img compare -q -U -f qcow2 -F qcow2 \
			"$target/one/$1/data.qcow2" "$images/data.qcow2"
}
in_qemu() # nothing but bitmaps
{
	vmward qmp one query-jobs && ! says clone- &&
		vmward qmp one query-named-block-nodes && ! says clone- &&
		vmward qmp one query-fdsets && ! says clone-
}
ids() { ls "$target/one"; }
bitmaps()
{
	vmward qmp one query-named-block-nodes
	jq -r '.. | .["dirty-bitmaps"]? // empty | .[].name' "$tmp/out" |
		sort -u
}
pauses() { does pause one; }
resumes() { does resume one; }

# ---- full, then what is new ----

ok "a backup" made
first=$id
ok "the first one is full" is "$kind" full
ok "and says why" is "$why" "it is the first"
pauses
ok "it is what the disks have" same "$first"
resumes
ok "the guest runs on, the same QEMU" same_pid one "$pid"
counts one >/dev/null
ok "another one" made
second=$id
ok "is incremental" is "$kind" incremental
ok "on top of the first" is "$(qemu-img info --output=json \
	"$target/one/$second/root.qcow2" | jq -r '.["backing-filename"]')" \
	"../$first/root.qcow2"
ok "with what is new only" test \
	"$(du -k "$target/one/$second/data.qcow2" | cut -f1)" -lt 1024
pauses
ok "and is what the disks have" same "$second"
resumes
counts one >/dev/null
ok "a third" made --name third
ok "has its own name" is "$id" third
ok "is incremental" is "$kind" incremental
ok "QEMU knows what comes after that alone" is "$(bitmaps)" vmward-third
ok "and has nothing else of it" in_qemu
ok "list" does backup list one
ok "names the third" says third
ok "the same name again: refused" fails_with 1 backup create one --name third
ok "a bad name: refused" fails_with 2 backup create one --name ../x
ok "verify: all of them" does backup verify one
ok "says how many" says '6 images'
ok "full because that was asked for" made --full
ok "is full" is "$kind" full

# ---- and snapshots: QEMU reverts no disk with a bitmap ----

ok "a snapshot" does snapshot create one --memory --name before
counts one >/dev/null
ok "a revert in place" does snapshot revert one before -y
ok "the next backup" made
ok "is full" is "$kind" full
pauses
ok "and what the disks have" same "$id"
resumes

# ---- what goes wrong ----

before=$(ids)
begin() # ARG...: a slow one, in the background; its job in $job
{
	"$BUILD/vmward" --root "$tmp" --no-block backup create one --full \
		--rate 512K "$@" >"$tmp/job" 2>"$tmp/err" || return
	job=$(grep -oE 'j[0-9]+' "$tmp/job")
}
copies()
{
	vmward --json jobs list
	jq -e '.. | objects | select(.phase? == "copying" and .total? > 0)' \
		"$tmp/out" >/dev/null
}
as_before() { is "$(ids)" "$before"; }
ok "a slow one" begin
ok "copies" eventually copies
ok "is cancelled" does jobs cancel "$job"
ok "and leaves nothing" eventually as_before
ok "nor in QEMU" eventually in_qemu
ok "a slow one again" begin
ok "copies" eventually copies
down
up
becomes one running >/dev/null
ok "we die: QEMU has nothing of it" eventually in_qemu
ok "the guest runs on" same_pid one "$pid"
counts one >/dev/null
ok "the next one" eventually made
ok "is incremental" is "$kind" incremental
ok "what was left half done is gone" is "$(ids)" \
	"$(printf '%s\n%s' "$before" "$id" | sort)"
pauses
ok "and it is what the disks have" same "$id"
resumes
before=$(ids)
ok "a slow one once more" begin
ok "copies" eventually copies
kill -9 "$pid"
ok "QEMU dies: restarted" restarted one "$pid"
ok "and nothing is left of it" eventually as_before
pid=$(pid_of one)
ok "the next one" eventually made
ok "is full, as QEMU lost its bitmap" is "$kind" full
ok "and says so" is "$why" 'QEMU has no record of what was written since'
ok "after that" made
ok "incremental again" is "$kind" incremental
if mkdir "$tmp/small" && mount -t tmpfs -o size=3m none "$tmp/small" 2>/dev/null
then
	ok "no room: refused before" fails_with 1 backup create one \
		--target "$tmp/small"
	ok "with figures" complains 'MiB left'
	ok "and nothing is there" is "$(ls "$tmp/small/one")" ''
	umount "$tmp/small"
else
	for t in 'no room' figures nothing; do ok "$t # SKIP no mount" true; done
fi

# ---- back ----

ok "running: not restored" fails_with 3 backup restore one "$first" -y
stops one
ok "without a yes: refused" fails_with 2 backup restore one "$first"
ok "put back" does backup restore one "$first" -y
ok "bit by bit" same "$first"
both=$(printf 'data.qcow2\none.qcow2')
ok "nothing is left beside" is "$(ls "$images")" "$both"
ok "it starts" starts one --wait=ready
ok "from then" is "$(counts one)" 0001
stops one
ok "the third as well" does backup restore one third -y
ok "bit by bit" same third
ok "one of a VM that is down" made
ok "is full" is "$why" 'it is down'
ok "and what the disks have" same "$id"
starts one --wait=ready
ok "the next one" made
ok "is incremental" is "$kind" incremental
ok "it counts on" is "$(counts one)" 0003
stops one
starts one --wait=ready
pid=$(pid_of one)
kill -9 "$pid"
ok "QEMU dies with a bitmap of its image: restarted" restarted one "$pid"
ok "the next one" eventually made
ok "is full, as that is broken" is "${why##*: }" 'QEMU was killed'
stops one
file=$target/one/$first/data.qcow2
printf x | dd of="$file" bs=1 seek=1000000 conv=notrunc 2>/dev/null
ok "a spoilt one: verify says so" fails_with 1 backup verify one
ok "by its name" complains "$file is not as it was written"
ok "it is not put back" fails_with 1 backup restore one "$second" -y
ok "and nothing was changed" is "$(ls "$images")" "$both"
rm "$file"
ok "a missing one: list says so" does backup list one
ok "of it" says 'missing or was changed'
ok "and of those on top" says 'which it is on top of, is broken'
starts one --wait=ready
ok "it runs" is "$(counts one)" 0004
stops one
ok "nothing is left" nothing_left
plan
