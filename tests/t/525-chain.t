#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Chains: recorded at the first start, refused when a header says otherwise,
# taken by disk accept; a base is protected by check and at the start.
# shellcheck source=tests/t/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/t/daemon.sh
. "$TOP/tests/t/daemon.sh"

images=$tmp/var/lib/vmward/images
mkdir -p "$images" "$tmp/far"

# qcow2 FILE [BACKING]: a header, and the name of what it is on top of
qcow2()
{
	two=${2-}
	len=$(printf '%03o' "${#two}")
	{
		printf 'QFI\373\0\0\0\003\0\0\0\0\0\0\02\0\0\0\0'
		# shellcheck disable=SC2059 # octal
		printf "\\$len"
		dd if=/dev/zero bs=492 count=1 2>/dev/null
		printf '%s' "$two"
	} >"$1"
	[ -n "$two" ] || printf 'QFI\373\0\0\0\003' >"$1"
}

fails() # STATUS TEXT ARG...
{
	want=$1 text=$2
	shift 2
	vmward "$@"
	exits "$want" && complains "$text"
}
record=$tmp/var/lib/vmward/chains/web
recorded() { grep -qF "$1" "$record"; }
stopped() { vmward kill "$1" && exits 0; }
not() { ! "$@"; }
shows() { vmward "$@" && says "$text"; }

qcow2 "$images/base.qcow2"
qcow2 "$images/other.qcow2"
qcow2 "$tmp/far/base.qcow2"
qcow2 "$images/web.qcow2" base.qcow2
qcow2 "$images/far.qcow2" "$tmp/far/base.qcow2"
qcow2 "$images/free.qcow2"
printf '[disk.root]\nimage = free.qcow2\n' | vm free
printf '[disk.root]\nimage = far.qcow2\n' | vm far
printf '[disk.root]\nimage = web.qcow2\n' | vm web
printf '[disk.root]\nimage = base.qcow2\n' | vm bad
printf '[disk.root]\nimage = base.qcow2\nreadonly = yes\n' | vm reader
printf '[disk.root]\nbase = other.qcow2\n' | vm over
printf '[disk.root]\nimage = other.qcow2\n' | vm under
daemon

vmward plan web
ok "plan shows the chain" \
	says "open image '$images/web.qcow2' (qcow2) on '$images/base.qcow2'"
vmward plan web --argv
ok "and the nodes, each with what it is on" says '"backing":"disk-root.1"'
ok "plan records nothing" not test -e "$record"
vmward start web
ok "it starts" exits 0
ok "its image is recorded" recorded "root 0 qcow2 $images/web.qcow2"
ok "and its base" recorded "root 1 qcow2 $images/base.qcow2"
vmward disk list web --json
ok "disk list has the chain" says "\"path\": \"$images/base.qcow2\""
vmward qmp web query-fdsets
ok "QEMU has them by descriptor" \
	says "\"disk-root.1:$images/base.qcow2\""
ok "accept waits until it is down" fails 3 'stop it first' disk accept web root
stopped web

qcow2 "$images/web.qcow2" other.qcow2
ok "another backing than recorded" fails 3 \
	"'web.qcow2' is on top of 'other.qcow2', but by the record of 'base" \
	start web
ok "the remedy is named" complains 'vmward disk accept web root'
text="on '$images/other.qcow2' (qcow2)"
ok "it is taken" shows disk accept web root
vmward start web
ok "then it starts" exits 0
stopped web

ok "a place out of the pool" fails 7 "neither in the pool nor beside it" \
	start far
text="on '$tmp/far/base.qcow2' (qcow2)"
ok "is taken by a person" shows disk accept far root
vmward start far
ok "and then it starts" exits 0
ok "accept of no disk" fails 4 "no disk 'x'" disk accept web x

qcow2 "$images/web.qcow2" base.qcow2
ok "a base is not written: by a header" fails 3 \
	"others are on top of '$images/base.qcow2'" start bad
ok "by a file" fails 3 "others are on top of '$images/other.qcow2'" start under
vmward start reader
ok "but read" exits 0
vmward check
ok "check says so with file and line: by a header" says \
	"bad.ini:6: [disk.root] image: base.qcow2 is the base of web.qcow2"
ok "by a file" says \
	"under.ini:6: [disk.root] image: other.qcow2 is the base of over"
ok "image delete refuses it" fails 1 "is needed by" \
	image delete base.qcow2 --yes

# what cannot be read may be on top of anything
ln -s loop.qcow2 "$images/loop.qcow2"
ok "image delete says what it cannot read" fails 1 \
	"loop.qcow2 (perhaps its overlay: cannot open" \
	image delete free.qcow2 --yes
ok "and why" complains 'Too many levels of symbolic links'
vmward check
ok "check says so too" says "whether others are on top of free.qcow2 is not"
vmward start free
ok "a start does not wait for that" exits 0
stopped free
vmward delete free --yes
ok "its VM goes" exits 0
ok "and leaves it" test -e "$images/free.qcow2"
rm "$images/loop.qcow2"
vmward image delete free.qcow2 --yes
ok "without that one it goes" exits 0
ok "it is gone" not test -e "$images/free.qcow2"

plan
