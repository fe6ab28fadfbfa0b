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

# STEP [29]: every so many-th bit, of those that this day's turn is; 1: all
qemu-img create -q -f qcow2 "$images/base.qcow2" 64k
qemu-io -f qcow2 -c 'write -P 7 0 4k' "$images/base.qcow2" >/dev/null
qemu-img create -q -f qcow2 -b "$images/base.qcow2" -F qcow2 \
	"$images/bits.qcow2" 64k
qemu-io -f qcow2 -c 'write -P 8 4k 4k' "$images/bits.qcow2" >/dev/null
cp "$images/bits.qcow2" "$tmp/clean"
before=$(cd "$images" && ls -A && cksum base.qcow2 pool.raw)
step=${STEP:-29}
day=$(date +%j)
first=$((${day#"${day%%[1-9]*}"} % step))
bits=0 bad=0
flip() # BIT
{
	byte=$(od -An -tu1 -j $(($1 / 8)) -N 1 "$tmp/clean")
	cp "$tmp/clean" "$images/bits.qcow2"
	# shellcheck disable=SC2059 # the byte is the format
	printf "\\$(printf %03o $((byte ^ (1 << $1 % 8))))" |
		dd of="$images/bits.qcow2" bs=1 seek=$(($1 / 8)) conv=notrunc \
			status=none
}
# answers_well VERB...: it is done, or refused in one line; check has a verdict
answers_well()
{
	vmward image "$@"
	case $status in
	0) ;;
	1 | 4 | 7) 
		[ "$1" = check ] && [ -s "$tmp/out" ] ||
			is "$(wc -l <"$tmp/err")" 1
		;;
	*) false ;;
	esac || { echo "$1 ended with $status" && cat "$tmp/err" && return 1; }
}
# nothing of the host is told, nothing else is touched
has_told_nothing()
{
	! grep -qF "$bait" "$tmp/out" "$tmp/err" || return 1
	if [ -e "$images/made.raw" ]; then
		! grep -qF "$bait" "$images/made.raw" || return 1
		rm "$images/made.raw"
	fi
	is "$(cd "$images" && ls -A && cksum base.qcow2 pool.raw)" "$before"
}
# all of the header, its extensions and the name below: byte 0 to 511
for bit in $(seq "$first" "$step" 4095); do
	flip "$bit"
	for verb in "info bits.qcow2" "check bits.qcow2" \
		"convert bits.qcow2 made.raw"; do
		# shellcheck disable=SC2086 # words
		if ! answers_well $verb >"$tmp/why" 2>&1 ||
			! has_told_nothing >>"$tmp/why" 2>&1; then
			echo "# bit $bit: $verb:"
			sed 's/^/#   /' "$tmp/why"
			bad=$((bad + 1))
		fi
	done
	bits=$((bits + 1))
done
echo "# case=hostile-bits first=$first bits=$bits of=4096 bad=$bad"
ok "every bit flipped: answered, or refused" is "$bad" 0
ok "and the log tells nothing" no_bait
ok "vmwardd lives" kill -0 "$vmwardd_pid"
plan
