#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# image import with the real qemu-img: every format comes in whole; what
# could read the host, or makes no sense, is refused in one line.
# shellcheck source=tests/live/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/live/lib.sh"

out=$tmp/outside
mkdir "$out"
"$BUILD/vmwardd" --cage /dev/null - 1048576 10 /bin/true 2>/dev/null ||
	skip_all "this kernel has no Landlock"

# refuses TEXT FILE ARG...: one line that has the text, and nothing is made
refuses()
{
	text=$1
	shift
	before=$(ls -lA "$images")
	vmward image import "$@"
	[ "$status" -ne 0 ] && complains "$text" &&
		is "$(wc -l <"$tmp/err")" 1 &&
		is "$(ls -lA "$images")" "$before"
}
# poke FILE OFFSET OCTAL...: bytes of a file, one after the other
poke()
{
	file=$1 at=$2
	shift 2
	for byte; do
		# shellcheck disable=SC2059 # the byte is the format
		printf "\\$byte" | dd of="$file" bs=1 seek="$at" conv=notrunc \
			2>/dev/null
		at=$((at + 1))
	done
}
qcow2() # NAME ARG...: an image outside
{
	name=$1
	shift
	qemu-img create -q -f qcow2 "$@" "$out/$name" 4M
}
# spoilt NAME OFFSET OCTAL...: a good qcow2 with some bytes changed
spoilt()
{
	name=$1
	shift
	qcow2 "$name"
	poke "$out/$name" "$@"
}
same_content() # FORMAT FILE VOLUME
{
	qemu-img compare -q -f "$1" -F qcow2 "$out/$2" "$images/$3"
}

up

# ---- good ones ----

dd if=/dev/urandom of="$out/source.raw" bs=64k count=32 2>/dev/null
for format in qcow2 vmdk vdi vhdx vpc; do
	qemu-img convert -f raw -O $format "$out/source.raw" \
		"$out/good-$format.$format"
	ok "$format comes in" does image import "$out/good-$format.$format" \
		--format $format
	ok "$format: the same content" same_content $format \
		good-$format.$format good-$format.qcow2
done
qemu-img convert -f raw -O vmdk -o subformat=streamOptimized \
	"$out/source.raw" "$out/stream.vmdk"
ok "a stream" does image import "$out/stream.vmdk"
ok "the same content" same_content vmdk stream.vmdk stream.qcow2
qemu-img convert -f raw -O vpc -o subformat=fixed \
	"$out/source.raw" "$out/fixed.vhd"
ok "a fixed VHD" does image import "$out/fixed.vhd"
ok "the same content" same_content vpc fixed.vhd fixed.qcow2
ok "raw, compressed" does image import "$out/source.raw" --compress
ok "the same content" same_content raw source.raw source.qcow2
qemu-img convert -f raw -O qcow2 -c -o compat=0.10 "$out/source.raw" \
	"$out/old.qcow2"
ok "an old one under another name" does image import "$out/old.qcow2" \
	--name new.raw
ok "is raw, and the same" cmp -n 2097152 "$out/source.raw" "$images/new.raw"
ok "nobody else reads it" is "$(stat -c %a "$images/new.raw")" 600
qcow2 snap.qcow2
qemu-img snapshot -c one "$out/snap.qcow2"
ok "snapshots if wanted" does image import "$out/snap.qcow2" \
	--with-snapshots
ok "are left out" is "$(qemu-img snapshot -l "$images/snap.qcow2")" ""
rm -f "$images"/good-* "$images"/snap.qcow2
ok "its name is taken" refuses "exists already" "$out/stream.vmdk"
ok "a dry run only says so" does -n image import "$out/good-vdi.vdi"
ok "it does" says "import '$out/good-vdi.vdi' as '$images/good-vdi.qcow2'"

# ---- what reads other files ----

: >"$out/other.raw"
qcow2 based.qcow2 -u -b /etc/shadow -F raw
ok "a base: /etc/shadow" refuses "on top of another file, /etc/shadow" \
	"$out/based.qcow2"
qcow2 json.qcow2 -u -b 'json:{"driver":"file","filename":"/etc/shadow"}' \
	-F raw
ok "a base: json:" refuses "on top of another file" "$out/json.qcow2"
qcow2 nbd.qcow2 -u -b nbd://127.0.0.1:1/x -F raw
ok "a base: the network" refuses "on top of another file" "$out/nbd.qcow2"
qcow2 relative.qcow2 -u -b ../../etc/passwd -F raw
ok "a base: relative" refuses "on top of another file" "$out/relative.qcow2"
qemu-img create -q -f qcow2 -o "data_file=$out/data.raw" \
	"$out/data.qcow2" 4M
ok "a data file" refuses "its data is in another file" "$out/data.qcow2"
poke "$out/data.qcow2" 72 0 0 0 0 0 0 0 0
ok "a data file without its bit" refuses "names a data file" \
	"$out/data.qcow2"
qemu-img create -q -f vmdk -o subformat=monolithicFlat "$out/flat.vmdk" 4M
ok "extents" refuses "it is a list of other files" "$out/flat.vmdk"
printf '# Disk DescriptorFile\nversion=1\nCID=1\nparentCID=ffffffff\ncreateType="monolithicFlat"\nRW 8 FLAT "/etc/shadow" 0\n' \
	>"$out/shadow.vmdk"
ok "extents: /etc/shadow" refuses "it is a list of other files" \
	"$out/shadow.vmdk"
cp "$out/good-vmdk.vmdk" "$out/empty.vmdk"
poke "$out/empty.vmdk" 12 0 0 0 0 0 0 0 0
ok "a descriptor that is believed" refuses "its header makes no sense" \
	"$out/empty.vmdk"
sed 's/parentCID=ffffffff/parentCID=00000001/' "$out/good-vmdk.vmdk" \
	>"$out/child.vmdk"
ok "a vmdk on top of another" refuses "on top of another" "$out/child.vmdk"
sed 's/monolithicSparse/vmfsSparse000000/' "$out/good-vmdk.vmdk" \
	>"$out/vmfs.vmdk"
ok "a vmdk of another kind" refuses "its data is in other" "$out/vmfs.vmdk"
cp "$out/good-vdi.vdi" "$out/diff.vdi"
poke "$out/diff.vdi" 76 4
ok "a vdi on top of another" refuses "on top of another" "$out/diff.vdi"
cp "$out/good-vpc.vpc" "$out/diff.vhd"
poke "$out/diff.vhd" 63 4
ok "a VHD on top of another" refuses "on top of another" "$out/diff.vhd"

# ---- what is no plain file ----

mkfifo "$out/fifo.qcow2"
ok "a FIFO" refuses "it is no plain file" "$out/fifo.qcow2"
ok "a device" refuses "it is no plain file" /dev/zero --format raw --name z.raw
ok "a directory" refuses "it is no plain file" "$out" --format raw \
	--name d.raw
ok "nothing" refuses "no file '$out/none.qcow2'" "$out/none.qcow2"
ok "nothing in it" refuses "it is empty" "$out/other.raw"
ln -s /dev/zero "$out/zero.raw"
ok "a link to a device" refuses "it is no plain file" "$out/zero.raw"

# ---- the file is what was sent, not what has its name ----

# import_opened FILE NAME: by a descriptor, of a file without a name by then
# shellcheck disable=SC2094 # it is not written
import_opened()
{
	cp "$1" "$tmp/gone"
	rm -f "$images/$2"
	{
		rm "$tmp/gone"
		does image import /dev/fd/8 --format raw --name "$2"
	} 8<"$tmp/gone"
}
# unreadable: by us, who are without the right to read all
unreadable()
{
	cp "$out/source.raw" "$out/shut.raw"
	chmod 000 "$out/shut.raw"
	timeout 20 setpriv --bounding-set=-dac_override,-dac_read_search \
		"$BUILD/vmward" --root "$tmp" image import "$out/shut.raw" \
		>"$tmp/out" 2>"$tmp/err" </dev/null
	status=$?
	exits 1 && complains "cannot open '$out/shut.raw': Permission denied" &&
		[ ! -e "$images/shut.qcow2" ]
}
# asks ARGUMENTS: image-import as JSON, by a client that sends nothing
# along; its answer in out
asks()
{
	printf '%s\n' '{"execute":"qmp_capabilities"}' \
		"{\"execute\":\"image-import\",\"arguments\":$1,\"id\":1}" |
		timeout 20 socat -t20 - "UNIX:$control" |
		sed '/"id": *1[,}]/q' >"$tmp/out"
}

ok "a file whose name is gone" import_opened "$out/source.raw" gone.qcow2
ok "the same content" same_content raw source.raw gone.qcow2
ok "a FIFO by descriptor" refuses "it is no plain file" /dev/fd/8 \
	--format raw --name f.raw 8<>"$out/fifo.qcow2"
ok "what its caller may not read" unreadable
ok "asks without a descriptor" asks "{\"file\":\"$out/source.raw\"}"
ok "is refused" says "no descriptor came along with '$out/source.raw'"
ok "asks for a secret of root without one" asks \
	'{"file":"/etc/shadow","format":"raw","name":"s.raw"}'
ok "is refused too" says "no descriptor came along with '/etc/shadow'"
ok "and nothing came of it" [ ! -e "$images/s.raw" ]

# ---- what is not what it says ----

ok "qcow2 that is said to be raw" refuses "is qcow2 by its header" \
	"$out/based.qcow2" --format raw
ok "raw that is said to be qcow2" refuses "no image of format qcow2" \
	"$out/source.raw" --format qcow2
: >"$out/unnamed"
ok "no format" refuses "say --format" "$out/unnamed"
ok "an archive" refuses "no file" "$out/x.ova"

# ---- what makes no sense ----

qcow2 enc.qcow2 --object secret,id=s,data=x -o \
	encrypt.format=luks,encrypt.key-secret=s,encrypt.iter-time=10
ok "encrypted" refuses "it is encrypted" "$out/enc.qcow2"
qcow2 inside.qcow2
qemu-img snapshot -c one "$out/inside.qcow2"
ok "snapshots" refuses "it has snapshots inside" "$out/inside.qcow2"
spoilt huge.qcow2 24 177 0 0 0 0 0 0 0
ok "8 EiB" refuses "it says that its size is" "$out/huge.qcow2"
spoilt none.qcow2 24 0 0 0 0 0 0 0 0
ok "no size" refuses "it says that its size is" "$out/none.qcow2"
spoilt version.qcow2 7 11
ok "version 9" refuses "of no known version" "$out/version.qcow2"
spoilt cluster.qcow2 23 77
ok "clusters of 2^63" refuses "makes no sense" "$out/cluster.qcow2"
spoilt feature.qcow2 74 1
ok "an unknown feature" refuses "features that are not known" \
	"$out/feature.qcow2"
spoilt corrupt.qcow2 79 2
ok "marked as corrupt" refuses "marked as corrupt" "$out/corrupt.qcow2"
spoilt length.qcow2 100 177 177 177 177
ok "a header without end" refuses "makes no sense" "$out/length.qcow2"
spoilt l1.qcow2 40 0 377 377 377 377 377 377 0
ok "a table outside of the file" refuses "cannot" "$out/l1.qcow2"
spoilt l1size.qcow2 36 177 377 377 377
ok "a table too large" refuses "cannot" "$out/l1size.qcow2"
dd if="$out/good-qcow2.qcow2" of="$out/short.qcow2" bs=1 count=60 2>/dev/null
ok "cut off in its header" refuses "" "$out/short.qcow2"
printf 'QFI\373' >"$out/magic.qcow2"
ok "a magic number alone" refuses "" "$out/magic.qcow2"
head -c 65536 /dev/urandom >"$out/noise.vhdx"
ok "noise" refuses "no image of format vhdx" "$out/noise.vhdx"

# ---- names ----

for name in ../x.qcow2 /x.qcow2 a:b.qcow2 a,b.qcow2 -x.qcow2 .x.qcow2 'a
b.qcow2' x; do
	ok "no name: $(printf %s "$name" | tr '\n' '~')" \
		refuses "" "$out/good-vdi.vdi" "--name=$name"
done
ok "no such pool" refuses "no pool 'nope'" "$out/good-vdi.vdi" --pool nope

# ---- the cage ----

# caged PROGRAM ARG...: may read source.raw alone, write copy alone
caged()
{
	: >"$tmp/copy"
	"$BUILD/vmwardd" --cage "$out/source.raw" "$tmp/copy" 4194304 10 "$@" \
		>"$tmp/out" 2>"$tmp/err"
}
not_caged() { ! caged "$@"; }
ok "the cage lets its file be read" caged /bin/cat "$out/source.raw"
ok "and no other" not_caged /bin/cat "$out/old.qcow2"
ok "nor /etc/passwd" not_caged /bin/cat /etc/passwd
ok "nor a directory" not_caged /bin/ls "$out"
ok "its copy is written" caged /bin/dd if="$out/source.raw" of="$tmp/copy" \
	conv=notrunc
ok "and is it" cmp "$out/source.raw" "$tmp/copy"
ok "nothing else is" not_caged /bin/dd if="$out/source.raw" of="$tmp/no"
ok "not longer than it may be" not_caged /bin/dd if=/dev/urandom \
	of="$tmp/copy" bs=1M count=8
ok "there is no network" not_caged "$(command -v qemu-img)" info -f raw \
	nbd://127.0.0.1:1/x
ok "but a cage" complains unreachable
ok "not more memory than it may have" not_caged /bin/dd \
	if="$out/source.raw" of="$tmp/copy" bs=1100M
ok "but a cage" complains memory
# shellcheck disable=SC2016 # the shell in the cage says it
ok "stacks-in-cage: addresses that are only reserved are not memory" \
	caged /bin/sh -c '[ "$(ulimit -v)" -gt 8388608 ] &&
		[ "$(ulimit -d)" -eq 1048576 ]'
ok "a base that slipped through stays shut" not_caged \
	"$(command -v qemu-img)" info --backing-chain -f qcow2 "$out/based.qcow2"

# ---- quota, cancel, nothing left ----

mkdir "$tmp/etc/vmward/pools" "$tmp/small"
printf '[pool]\npath = %s\nquota = 1M\n' "$tmp/small" \
	>"$tmp/etc/vmward/pools/small.ini"
ok "a small pool" eventually does pool info small
ok "has no room for it" refuses "whose quota of 1M" "$out/good-vdi.vdi" \
	--pool small
ok "nothing is left of all that" is "$(find "$images" "$tmp/small" \
	-name '*.tmp.*')" ""
ok "leaves" leave
plan
