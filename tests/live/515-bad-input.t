#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Bad input to all that makes, changes or takes away images and VMs: one
# line, an exit status, and nothing is created or changed.  Each row of the
# table: exit | what the line says | the words.
# shellcheck source=tests/live/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/live/lib.sh"
command -v qemu-img >/dev/null || skip_all "no qemu-img"
command -v qemu-io >/dev/null || skip_all "no qemu-io"
pools=$tmp/etc/vmward/pools
mkdir -p "$pools" "$tmp/small" "$tmp/outside"

# ---- what there is ----

cd "$images" || exit 1
qemu-img create -q -f qcow2 base.qcow2 1M
qemu-img create -q -f qcow2 alone.qcow2 1M
qemu-img create -q -f qcow2 locked.qcow2 1M
qemu-img create -q -f qcow2 -b base.qcow2 -F qcow2 top.qcow2
qemu-img create -q -f qcow2 -u -b missing.qcow2 -F qcow2 orphan.qcow2 1M
qemu-img create -q -f qcow2 -u -b loop2.qcow2 -F qcow2 loop1.qcow2 1M
qemu-img create -q -f qcow2 -u -b loop1.qcow2 -F qcow2 loop2.qcow2 1M
qemu-img create -q -f vmdk good.vmdk 1M
truncate -s 1M plain.raw
head -c 100 base.qcow2 >short.qcow2
echo text >text.qcow2
: >empty.qcow2
cp base.qcow2 liar.raw
mkdir dir.raw
mkfifo pipe.raw
ln -s "$tmp/outside/x.raw" away.raw
: >"$tmp/outside/x.raw"
mkfifo "$tmp/outside/pipe.raw"
cp orphan.qcow2 "$tmp/outside/orphan.qcow2"
cp base.qcow2 "$tmp/outside/good.qcow2"
echo text >"$tmp/outside/text.qcow2"
head -c 60 base.qcow2 >"$tmp/outside/short.qcow2"
qemu-img create -q -f qcow2 "$tmp/outside/huge.qcow2" 65T
cd "$tmp" || exit 1
printf '[pool]\npath = %s/small\nquota = 2M\n' "$tmp" >"$pools/small.ini"
guest web tcg </dev/null
printf '[vm]\nmemory = 8M\n[disk.root]\nimage = alone.qcow2\n' >"$vms/idle.ini"
for name in second third; do
	printf '[vm]\nmemory = 8M\n[disk.root]\nimage = plain.raw\n' \
		>"$vms/$name.ini"
	printf 'readonly = yes\n' >>"$vms/$name.ini"
done
printf '[start]\nafter = third\n' >>"$vms/second.ini"
# another process has it
mkfifo "$tmp/hold"
qemu-io -f qcow2 "$images/locked.qcow2" <"$tmp/hold" >/dev/null 2>&1 &
holder=$!
started="$started $holder"
exec 7>"$tmp/hold"
# not by a try, which would have the lock when the holder wants it
is_held()
{
	grep -q ":$(stat -c %i "$images/locked.qcow2") " /proc/locks
}
ok "one image is locked" eventually is_held
up
starts web --wait=ready

# ---- what may not change ----

everything()
{
	for dir in "$images" "$vms" "$pools" "$tmp/small" "$tmp/outside"; do
		(cd "$dir" && find . ! -type d ! -path ./web.raw \
			-printf '%p %y %s %l\n' | sort &&
			find . -type f ! -path ./web.raw -exec cksum {} + |
			sort)
	done
}
refused() # STATUS TEXT WORD...
{
	want=$1 text=$2
	shift 2
	vmward "$@"
	exits "$want" && complains "$text" &&
		is "$(wc -l <"$tmp/err")" 1 && everything >"$tmp/after" &&
		cmp "$tmp/before" "$tmp/after"
}
everything >"$tmp/before"
rows=0
while IFS='|' read -r want text words <&5; do
	case $want in '' | '#'*) continue ;; esac
	rows=$((rows + 1))
	# shellcheck disable=SC2086 # words
	ok "refused: $words" refused "$want" "$text" $words
done 5<<EOS
# ---- names ----
2|letters, digits|image create a:b.qcow2 1M
2|letters, digits|image create a,b.qcow2 1M
2|letters, digits|image create nbd:x.qcow2 1M
2|letters, digits|image create a%b.qcow2 1M
2|begin with '.'|image create .hidden.qcow2 1M
2|begin with '.'|image create ..qcow2 1M
2|begin with '-'|image create -- -x.qcow2 1M
1|No such file|image create $images/nowhere/x.qcow2 1M
2|does not tell its format|image create noend 1M
2|'bogus' is not one of|image create x.qcow2 1M --format bogus
2|is being made|image create x.qcow2.tmp.0123abcd 1M
4|no pool 'nosuch'|image create x.qcow2 1M --pool nosuch
2|letters, digits|image clone base.qcow2 a:b.qcow2
2|letters, digits|image convert base.qcow2 a,b.raw
2|begin with '-'|image delete --yes -- -x.qcow2
4|no image|image delete $images/../nowhere.raw --yes
# ---- sizes ----
2||image create x.qcow2 0
2||image create x.qcow2 -1
2||image create x.qcow2 abc
2||image create x.qcow2 10MB
2||image create x.qcow2 1e6
2|say 513M|image create x.raw 513
2|size, or a --base|image create x.qcow2
2||image create x.qcow2 99999999999999999999
2|say a size|image create x.qcow2 4E
1|needs 3M more of pool 'small', whose quota of 2M has 2M left|image create x.raw 3M --pool small
1|no space for image|image create x.raw 1024T --preallocation full
2||image resize alone.qcow2 0
2||image resize alone.qcow2 x
2|say 1000001M|image resize alone.qcow2 1000001
# ---- what is no image, or another one ----
1|exists already|image create base.qcow2 1M
1|is no qcow2 image|image info text.qcow2
1|is no qcow2 image|image info empty.qcow2
1|short.qcow2|image info short.qcow2
1|is qcow2 by its header|image info liar.raw
1|neither a file nor|image info dir.raw
1|neither a file nor|image info pipe.raw
4|no image|image info nothing.qcow2
1|is no qcow2 image|image check text.qcow2
1|is no qcow2 image|image convert text.qcow2 x.raw
1|is qcow2 by its header|image convert liar.raw x.qcow2
1|is no qcow2 image|image resize text.qcow2 2M
1|is no qcow2 image|image create x.qcow2 --base text.qcow2
4|no image|image create x.qcow2 --base nothing.qcow2
2|only a qcow2 image can be on top|image create x.raw --base base.qcow2
2|both are|image convert base.qcow2 base.qcow2
# ---- chains ----
4|missing.qcow2|image check orphan.qcow2
4|missing.qcow2|image convert orphan.qcow2 x.raw
4|missing.qcow2|image flatten orphan.qcow2
1|on top of itself|image check loop1.qcow2
1|on top of itself|image convert loop1.qcow2 x.raw
1|on top of itself|image rebase base.qcow2 top.qcow2
2|both are|image rebase top.qcow2 top.qcow2
4|no image|image rebase top.qcow2 nothing.qcow2
2|only a qcow2 image|image rebase plain.raw base.qcow2
2|only a qcow2 image|image flatten plain.raw
3|has no base|image commit base.qcow2 --yes
2|only a qcow2 image|image commit plain.raw --yes
# ---- in use ----
1|top.qcow2 (its overlay)|image delete base.qcow2 --yes
1|top.qcow2 (its overlay)|image resize base.qcow2 2M
1|idle (its disk root)|image delete alone.qcow2 --yes
1|web (its disk root)|image resize web.raw 64M
1|is locked by qemu-io (pid $holder)|image resize locked.qcow2 2M
1|is locked by qemu-io (pid $holder)|image check locked.qcow2 --repair all
1|is locked by qemu-io (pid $holder)|image convert locked.qcow2 x.raw
3|--shrink|image resize alone.qcow2 512K
# ---- from outside ----
4||image import ../x.qcow2
4||image import $tmp/outside/nothing.qcow2
1||image import $tmp/outside/text.qcow2
1||image import $tmp/outside/short.qcow2
1|on top of|image import $tmp/outside/orphan.qcow2
1||image import $tmp/outside/huge.qcow2
1||image import $tmp/outside/pipe.raw
2|no slash|image import $tmp/outside/good.qcow2 --name ../x.qcow2
2|letters, digits|image import $tmp/outside/good.qcow2 --name a:b.qcow2
1|exists already|image import $tmp/outside/good.qcow2 --name base.qcow2
# ---- VMs ----
2|no name of a VM|rename idle ../x
2|no name of a VM|rename idle a:b
2|no name of a VM|rename idle a,b
1|exists already|rename idle third
4|nosuch|rename nosuch new
3|it is running|rename web new
1|[start] of second names it|rename third new
2|no name of a VM|clone idle ../x
1|exists already|clone idle third
4|nosuch|clone nosuch new
4|nosuch|delete nosuch --yes
3||delete web --yes
2|name|create ../x --size 1M
1|exists already|create third --size 1M
4|no image|disk attach web more image=nothing.qcow2 format=qcow2
1||disk attach web more image=text.qcow2
1||disk attach web root size=1M
1|say a size|disk attach web more size=abc
1|unknown key|disk attach web more bogus=1
4||disk detach web nothing
EOS
newline='a
b'
for words in "image create $newline.qcow2 1M" \
	"image clone base.qcow2 $newline.qcow2" \
	"image import $tmp/outside/good.qcow2 --name $newline.qcow2" \
	"rename idle $newline" "clone idle $newline" "create $newline --size 1M"
do
	rows=$((rows + 1))
	# only blanks part the words: the newline stays in its one
	old_ifs=$IFS
	IFS=' '
	# shellcheck disable=SC2086 # words
	ok "refused: a newline: ${words%% *}" refused 2 '' $words
	IFS=$old_ifs
done
echo "# case=bad-input rows=$rows"
ok "at least sixty of them" test "$rows" -ge 60
exec 7>&-
stops web --now
ok "the supervisor leaves" leave
plan
