#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Images made by an enemy: headers that lead to files of the host, to the
# network, to a FIFO or a device, and every bit of a header flipped.  What
# they lead to reaches no answer, no log and no file that is made.
# shellcheck source=tests/live/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/live/lib.sh"
command -v python3 >/dev/null || skip_all "no python3, which makes the images"
bait=root:x:0:0:the-bait-of-this-test
mkdir "$tmp/etc/host"
shadow=$tmp/etc/host/shadow
head -c 65536 /dev/zero | tr '\0' x >"$shadow"
printf '%s\n' "$bait" | dd of="$shadow" conv=notrunc 2>/dev/null
mkfifo "$images/fifo.raw"
cp "$shadow" "$images/pool.raw"
ln -s "$shadow" "$tmp/etc/host/link"

# overlay NAME BACKING [FORMAT]: whatever the name is
overlay()
{
	qemu-img create -q -u -f qcow2 -b "$2" -F "${3:-raw}" \
		"$images/$1.qcow2" 64k 2>"$tmp/err" ||
		cat "$tmp/err"
}
overlay abs "$shadow"
overlay qcow2 "$shadow" qcow2
overlay vmdk "$shadow" vmdk
overlay link "$tmp/etc/host/link"
overlay up ../../../../etc/host/shadow
overlay json "json:{\"driver\":\"raw\",\"file\":{\"driver\":\"file\",\"filename\":\"$shadow\"}}"
overlay nbd nbd://127.0.0.1:1/x
overlay file "file:$shadow"
overlay fifo fifo.raw
overlay null null-co://
overlay dev /dev/zero
overlay mem /proc/self/environ
overlay self self.qcow2 qcow2
overlay deep abs.qcow2 qcow2
qemu-img create -q -f qcow2 -o "data_file=$tmp/data,data_file_raw=on" \
	"$images/data.qcow2" 64k
cp "$shadow" "$tmp/data"
{
	printf '# Disk DescriptorFile\nversion=1\nCID=fffffffe\n'
	printf 'parentCID=ffffffff\ncreateType="monolithicFlat"\n'
	printf 'RW 128 FLAT "%s" 0\nddb.adapterType = "ide"\n' "$shadow"
} >"$images/flat.vmdk"
qemu-img create -q -f vmdk "$images/parent.vmdk" 64k
# the first free place of its description names a parent
python3 - "$images/parent.vmdk" "$shadow" <<'EOS'
import sys
path, bait = sys.argv[1:]
data = bytearray(open(path, "rb").read())
text = b'parentFileNameHint="%s"\n' % bait.encode()
at = data.index(b"\0", 512)
data[at:at + len(text)] = text
open(path, "wb").write(data)
EOS

up
no_bait() # no answer, no log, nothing made has it
{
	! grep -qF "$bait" "$tmp/out" "$tmp/err" "$tmp/sup.log" &&
		! grep -rqF "$bait" "$images/made" "$tmp/var/log" 2>/dev/null &&
		[ ! -e "$images/made.raw" ] && [ ! -e "$images/made.qcow2" ]
}
# harmless FILE: no verb that opens it gives what it leads to
harmless()
{
	for words in "convert $1 made.raw" "convert $1 made.qcow2" \
		"convert $1 made.raw --compress" "clone $1 made.qcow2 --full" \
		"clone $1 made.qcow2" "create made.qcow2 --base $1" "map $1" \
		"compare $1 pool.raw" "check $1" "check $1 --repair all" \
		"resize $1 1M" "flatten $1" "commit $1 --yes" \
		"rebase $1 pool.raw" "info $1"; do
		# shellcheck disable=SC2086 # words
		vmward image $words
		[ "$status" != 124 ] || { echo "$words hangs" && return 1; }
		if [ "$status" = 0 ]; then
			case $words in
			info*) ;;
			*) echo "$words: not refused" && return 1 ;;
			esac
		fi
		no_bait || { echo "$words told" && return 1; }
	done
}
shadow_sum=$(sha256sum <"$shadow")
for name in abs qcow2 vmdk link up json nbd file fifo null dev mem self deep \
	data; do
	ok "$name: refused by all" harmless "$name.qcow2"
done
ok "a vmdk of parts: refused by all" harmless flat.vmdk
ok "a vmdk with a parent: refused by all" harmless parent.vmdk
ok "the file of the host is what it was" is "$(sha256sum <"$shadow")" \
	"$shadow_sum"

# ---- every bit ----

qemu-img create -q -f qcow2 "$images/base.qcow2" 64k
qemu-img create -q -f qcow2 -b "$images/base.qcow2" -F qcow2 \
	"$images/bits.qcow2" 64k
cp "$images/bits.qcow2" "$tmp/clean"
step=${STEP:-29}
bits=0 bad=0
# all of the header, its extensions and the name below: byte 0 to 511
for bit in $(seq 0 "$step" 4095); do
	python3 - "$tmp/clean" "$images/bits.qcow2" "$bit" <<'EOS'
import sys
data = bytearray(open(sys.argv[1], "rb").read())
bit = int(sys.argv[3])
data[bit // 8] ^= 1 << bit % 8
open(sys.argv[2], "wb").write(data)
EOS
	for verb in info check; do
		vmward image $verb bits.qcow2
		case $status in
		0 | 1 | 4 | 7) ;;
		*)
			echo "# bit $bit: $verb ended with $status"
			bad=$((bad + 1))
			;;
		esac
	done
	bits=$((bits + 1))
done
echo "# case=hostile-bits bits=$bits of=4096 bad=$bad"
ok "every bit flipped: answered, or refused" is "$bad" 0
ok "vmwardd lives" kill -0 "$vmwardd_pid"
plan
