#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What a VM keeps besides its disks is in its snapshots and backups: the
# variables of its UEFI and what its TPM holds, put back with the disks, gone
# with the snapshot; what does not fit any more is refused before anything
# moves.
# shellcheck source=tests/live/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/live/lib.sh"
state=$tmp/var/lib/vmward
vars=$state/nvram/e.fd
held=$state/tpm/e/tpm2-00.permall
kept=$state/snapshots/e
target=$tmp/backups
grep -qs '"uefi"' /usr/share/qemu/firmware/*.json || skip_all "no UEFI firmware"
command -v swtpm >/dev/null || skip_all "no swtpm"

sum() { cksum <"$1" 2>/dev/null; }
# scribble FILE BYTE: somewhere in its middle, as a guest could
scribble()
{
	printf '%b' "$2" | dd of="$1" bs=1 seek=700 conv=notrunc status=none
}
are() # VARS TPM: the sums
{
	is "$(sum "$vars")" "$1" && is "$(sum "$held")" "$2"
}
# vars_are SUM: QEMU wrote them again
vars_are() { [ "$(sum "$vars")" = "$1" ]; }
count() { find "$kept" -type f 2>/dev/null | wc -l; }
firmware_is() # WORD
{
	sed -i "s/^firmware = .*/firmware = $1/" "$vms/e.ini"
	does reload
}
snapshot() { does snapshot "$@" --yes; }

qimage e
cat >"$vms/e.ini" <<EOF
[vm]
memory = 64M
accel = tcg
firmware = uefi
[disk.root]
image = e.qcow2
[tpm]
EOF
up
ok "before its first start there is nothing to keep" \
	snapshot create e --name empty
ok "nor is there a file of it" is "$(count)" 0
ok "and it can be reverted" snapshot revert e empty
ok "a VM with UEFI and a TPM" starts e --paused
does kill e
one=$(sum "$vars") tpm_one=$(sum "$held")
ok "create" snapshot create e --name one
ok "the record says of what" is "$("$BUILD/vmward" --root "$tmp" --json \
	snapshot show e one | jq -r '.. | .nvram? // empty')" uefi
vmward snapshot show e one
ok "so does the page" grep -q '^ *TPM.* yes' "$tmp/out"
ok "it is for root alone" is "$(find "$kept" -type f ! -perm 600)" ''

# ---- put back ----
scribble "$vars" '\001'
scribble "$held" '\001'
two=$(sum "$vars") tpm_two=$(sum "$held")
ok "create another" snapshot create e --name two
ok "revert" snapshot revert e one
ok "both are as they were" are "$one" "$tpm_one"
ok "to the other" snapshot revert e two
ok "both are as they were then" are "$two" "$tpm_two"
ok "what is before a revert is not kept" is "$(count)" 2
ok "delete" snapshot delete e two
ok "its file is gone" is "$(count)" 1
snapshot revert e one

# ---- refused before anything moves ----
scribble "$vars" '\002'
three=$(sum "$vars")
firmware_is bios
ok "another firmware is refused" fails_with 3 snapshot revert e one --yes
ok "with the remedy" complains \
	'it has the variables of firmware = uefi, [vm] says firmware = bios now'
firmware_is uefi
sed -i '/^\[tpm\]/d' "$vms/e.ini"
does reload
ok "so is a VM without its TPM" fails_with 3 snapshot revert e one --yes
ok "with the remedy" complains 'the VM has no [tpm] now'
echo '[tpm]' >>"$vms/e.ini"
does reload
file=$(find "$kept" -type f)
mv "$file" "$tmp/aside"
ok "what is lost is told" fails_with 1 snapshot revert e one --yes
ok "by its name" complains 'what it kept of firmware and TPM is lost'
echo '{"tpm": {"../../x": "AA=="}}' >"$file"
ok "what leads elsewhere is damaged" fails_with 1 snapshot revert e one --yes
ok "and named" complains 'is damaged'
ok "nothing has moved" vars_are "$three"
mv "$tmp/aside" "$file"
ok "then it is reverted" snapshot revert e one
ok "to what it was" are "$one" "$tpm_one"

# ---- of one that runs ----
ok "it runs" starts e --paused
ok "with its memory" snapshot create e --name live --memory
live=$(sum "$vars")
scribble "$vars" '\005'
ok "back in place" snapshot revert e live
does resume e
ok "QEMU writes the variables of then" eventually vars_are "$live"
does kill e
scribble "$vars" '\006'
ok "and when it is down we do" snapshot revert e live
ok "the same" vars_are "$live"

# ---- backups ----
now=$(sum "$vars") tpm_now=$(sum "$held")
ok "backup" does backup create e --target "$target" --name b1
ok "verified, they count" does backup verify e b1 --target "$target"
ok "the list has them" is "$("$BUILD/vmward" --root "$tmp" --json backup list \
	e --target "$target" | jq -r ".. | .nvram? // empty")" uefi
scribble "$vars" '\007'
scribble "$held" '\007'
ok "put back" does backup restore e b1 --target "$target" --yes
ok "with the disks" are "$now" "$tpm_now"
copy=$target/e/b1/state.json
sed -i 's/"nvram":"./"nvram":"B/' "$copy"
ok "changed, it is no backup" fails_with 1 backup verify e b1 \
	--target "$target"
ok "and is named" complains 'state.json'
ok "nor put back" fails_with 1 backup restore e b1 --target "$target" --yes
firmware_is bios
ok "nor into another firmware" fails_with 3 backup restore e b1 \
	--target "$target" --yes
firmware_is uefi
ok "nothing has moved" are "$now" "$tpm_now"

ok "all are deleted" snapshot delete e empty one live
ok "with what they kept" is "$(count)" 0
does delete e --yes
ok "nothing is left" nothing_left
plan
