#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Space runs out: refused before it begins where that can be known, else one
# line says how much is needed; what was there is there, and nothing else.
# shellcheck source=tests/live/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/live/lib.sh"
mount -t tmpfs -o size=24m none "$images" 2>/dev/null ||
	skip_all "a small file system cannot be mounted here"
end_space()
{
	for pid in $vmwardd_pid; do
		kill -9 "$pid" 2>/dev/null
	done
	umount -l "$images"
	end_live
}
trap end_space EXIT

sums() { find "$images" -type f -exec sha256sum {} + | sort -k 2; }
# refuses TEXT VERB...: one line that says the need, nothing has changed
refuses()
{
	text=$1
	shift
	sums >"$tmp/sums"
	vmward image "$@"
	exits 1 && complains "$text" &&
		is "$(grep -c '^vmward: ' "$tmp/err")" 1 &&
		sums | diff "$tmp/sums" -
}
same_reads() # FILE SUM
{
	is "$(qemu-img convert -f qcow2 -O raw "$images/$1" "$tmp/flat" &&
		sha256sum <"$tmp/flat")" "$2"
}

up
mkdir "$tmp/outside"
head -c 40M /dev/urandom >"$tmp/outside/noise.raw"
head -c 4M /dev/urandom >"$images/small.raw"
ok "create: it needs that much" refuses 'it needs 64M, there are' \
	create full.raw 64M --preallocation full
ok "falloc too" refuses 'it needs 64M, there are' \
	create full.qcow2 64M --preallocation falloc
for format in qcow2 raw vmdk vdi vhdx; do
	ok "convert to $format: measured first" refuses 'it needs 4' \
		convert "$tmp/outside/noise.raw" "copy.$format"
done
ok "compressed, nobody knows before: it runs out, and says it" \
	refuses 'No space left on device: it needs up to 4' \
	convert "$tmp/outside/noise.raw" copy.qcow2 --compress
qemu-img create -q -f qcow2 "$tmp/outside/base.qcow2" 40M
qemu-img convert -n -f raw -O qcow2 "$tmp/outside/noise.raw" \
	"$tmp/outside/base.qcow2"
# a base that the pool's file is on top of has to be beside it
ok "an overlay here" does image create over.qcow2 \
	--base "$tmp/outside/base.qcow2"
ok "of a base elsewhere that no VM names: not flattened" sh -c "
	'$BUILD/vmward' --root '$tmp' image flatten over.qcow2 2>&1 |
	grep -q 'nor the base of a VM'"
mkdir -p "$vms"
printf '[disk.root]\nbase = %s\nsize = 40M\n[vm]\nmemory = 8M\n' \
	"$tmp/outside/base.qcow2" >"$vms/named.ini"
named() { "$BUILD/vmward" --root "$tmp" list | grep -q ^named; }
ok "a VM names it" eventually named
sum=$(sha256sum <"$tmp/outside/noise.raw")
ok "flatten: measured first" refuses 'it needs 40.1M, there are' \
	flatten over.qcow2
ok "it reads the same" same_reads over.qcow2 "$sum"
qemu-img create -q -f qcow2 "$tmp/outside/zeros.qcow2" 40M
printf '[disk.data]\nbase = %s\n' "$tmp/outside/zeros.qcow2" \
	>>"$vms/named.ini"
rebased() # runs out in the middle
{
	vmward image rebase over.qcow2 "$tmp/outside/zeros.qcow2"
	exits 1 && complains 'No space left on device'
}
ok "rebase runs out in the middle" rebased
ok "it is on its old base, and reads the same" same_reads over.qcow2 "$sum"
ok "and sound" sh -c "qemu-img check -q -f qcow2 '$images/over.qcow2'
	[ \$? = 0 ] || [ \$? = 3 ]"
ok "nothing temporary is left" sh -c \
	"! ls '$images' | grep -F .tmp."
plan
