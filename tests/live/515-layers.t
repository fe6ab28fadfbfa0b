#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A VM on three layers: each is a node of its own, only the top is written;
# layers are merged and taken away below it while the guest's data stays.  And
# what a long copy shows on a terminal and to programs.
# shellcheck source=tests/live/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/live/lib.sh"
command -v qemu-img >/dev/null || skip_all "no qemu-img"

qimage one base
up
ok "a layer" does image create mid.qcow2 --base base.qcow2
cat >"$vms/one.ini" <<'EOS'
[vm]
memory = 8M
accel = tcg
[disk.root]
base = mid.qcow2
[start]
ready = serial:READY
EOS
sums() { sha256sum "$images/base.qcow2" "$images/mid.qcow2"; }
before=$(sums)
backing() { qemu-img info -U --output=json "$images/$1" |
	jq -r '.["backing-filename"] // "" | split("/") | last // ""'; }
nodes() # what QEMU has of the disk, sorted
{
	vmward qmp one query-named-block-nodes flat=true
	jq -r '.. | objects | select(.["node-name"]? != null) |
		.["node-name"] | select(startswith("disk-root"))' \
		"$tmp/out" | sort | tr '\n' ' '
}

ok "it boots from the third" starts one --wait=ready
ok "each layer is a node" is "$(nodes)" \
	"disk-root disk-root.1 disk-root.1.f disk-root.2 disk-root.2.f disk-root.f "
ok "it writes" is "$(counts one)" 0001
ok "and again" is "$(counts one)" 0002
ok "the two below are as they were" is "$(sums)" "$before"
ok "the list says who is on whom" does image list --tree
for name in base mid; do
	vmward image delete $name.qcow2 --yes
	ok "$name is not deleted" test "$status" -ne 0 -a -s \
		"$images/$name.qcow2"
done
down
up
becomes one running >/dev/null
ok "a successor counts on" is "$(counts one)" 0003
stops one
ok "the top goes on the lowest" does image rebase one-root.qcow2 \
	base.qcow2
ok "by its header" is "$(backing one-root.qcow2)" base.qcow2
sed -i 's/^base = .*/image = one-root.qcow2/' "$vms/one.ini"
ok "and boots" starts one --wait=ready
ok "two layers now" is "$(nodes)" \
	"disk-root disk-root.1 disk-root.1.f disk-root.f "
ok "it counts on" is "$(counts one)" 0004
stops one
ok "nobody is on the middle any more" does image delete mid.qcow2 --yes
ok "flattened" does image flatten one-root.qcow2
ok "it stands alone" is "$(backing one-root.qcow2)" ""
ok "and boots alone" starts one --wait=ready
ok "with all it wrote" is "$(counts one)" 0005
stops one
ok "the lowest may go too" does image delete base.qcow2 --yes

# ---- a long copy ----

head -c 96M /dev/urandom >"$images/big.raw"
cols=100 on_terminal image convert big.raw packed.qcow2 --compress --compression zlib \
	</dev/null
ok "on a terminal" exits 0
tr '\r' '\n' <"$tmp/raw" >"$tmp/bar"
ok "a bar with how much of how much" grep -qE \
	'convert.* [0-9]+ % \[[#-]+\] .* of 96.* MiB' "$tmp/bar"
ok "with the rate and the time that is left" grep -qE \
	'[0-9]+ [KM]iB/s +[0-9]+:[0-9]{2} left' "$tmp/bar"
vmward events --since 0 --no-follow --json
jq -s 'map(select(.event == "JOB_STATUS" and .kind == "image-make" and
	.image == "packed.qcow2"))' "$tmp/out" >"$tmp/told"
ok "programs are told in bytes" jq -e \
	'map(select(.status == "running" and .total == 100663296 and
		.done > 0 and .done < .total)) | length > 1' "$tmp/told"
ok "and of its end" jq -e 'last | .status == "done"' "$tmp/told"
ok "nothing is left" nothing_left
plan
