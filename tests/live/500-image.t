#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The image verbs with the real qemu-img: what they make, what they refuse,
# and what is left when they are cancelled or killed.
# shellcheck source=tests/live/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/live/lib.sh"

files() { ls -A "$images"; }
has_member() # FILE MEMBER WANT: of `image info`
{
	vmward --json image info "$1"
	is "$(jq -r ".[0].$2" "$tmp/out")" "$3"
}
same_content() # FORMAT FILE FORMAT FILE
{
	qemu-img compare -q --image-opts \
		"driver=$1,file.filename=$images/$2" \
		"driver=$3,file.filename=$images/$4"
}
# refuses STATUS TEXT VERB...: one line on stderr, and nothing has changed
refuses()
{
	want=$1 text=$2
	shift 2
	before=$(cd "$tmp" && find var outside -type f -exec sha256sum {} +)
	vmward image "$@"
	exits "$want" && complains "$text" &&
		is "$(wc -l <"$tmp/err")" 1 &&
		is "$(cd "$tmp" && find var outside -type f \
			-exec sha256sum {} +)" "$before"
}

mkdir "$tmp/outside"
guest web tcg </dev/null
up

# ---- made ----

ok "no images: it says how to make one" does image list
ok "an empty one" does image create data.qcow2 64M
ok "of that size" has_member data.qcow2 size 67108864
ok "of that format" is "$(qemu-img info -f qcow2 --output=json \
	"$images/data.qcow2" | jq -r .format)" qcow2
ok "nobody else reads it" is "$(stat -c %a "$images/data.qcow2")" 600
ok "clusters, subclusters, compression" does image create wide.qcow2 8M \
	--cluster-size 128K --extended-l2 --compression zstd
ok "as they were asked for" has_member wide.qcow2 '"extended-l2"' true
ok "and the clusters" has_member wide.qcow2 '"cluster-size"' 131072
ok "filled at once" does image create full.raw 2M --preallocation full
ok "it is" is "$(($(stat -c '%b' "$images/full.raw") * 512 >= 2097152))" 1
ok "an overlay" does image create over.qcow2 --base data.qcow2
ok "on that base" has_member over.qcow2 backing "$images/data.qcow2"
ok "of its size" has_member over.qcow2 size 67108864
ok "a larger one" does image create large.qcow2 128M --base data.qcow2
ok "it is larger" has_member large.qcow2 size 134217728
ok "a path" does image create "$tmp/outside/p.qcow2" 1M
ok "is where it was said" test -s "$tmp/outside/p.qcow2"

# ---- copied ----

dd if=/dev/urandom of="$images/source.raw" bs=64k count=40 2>/dev/null
for format in qcow2 vmdk vdi vhdx; do
	ok "converted to $format" \
		does image convert source.raw "copy.$format"
	ok "$format: the same content" \
		same_content raw source.raw $format copy.$format
done
ok "to vpc, named by --to" does image convert source.raw copy.vhd --to vpc
ok "compressed" does image convert source.raw small.qcow2 --compress
ok "and the same" same_content raw source.raw qcow2 small.qcow2
ok "back again" does image convert copy.vmdk back.raw
ok "back: the same" cmp -n 2621440 "$images/source.raw" "$images/back.raw"
ok "a full clone" does image clone copy.qcow2 whole.qcow2 --full
ok "needs nobody" has_member whole.qcow2 backing null
ok "a linked clone" does image clone copy.qcow2 linked.qcow2
ok "needs its base" has_member linked.qcow2 backing "$images/copy.qcow2"

# ---- listed ----

vmward image list
ok "the list names who needs it" grep -qE \
	'^data.qcow2 +qcow2 +64M .*over.qcow2 \(its overlay\)' "$tmp/out"
ok "and the VM" grep -qE '^web.raw .* web \(its disk root\)' "$tmp/out"
vmward image list --tree
ok "the tree has overlays below their base" sh -c "
	grep -A 2 '^data.qcow2' '$tmp/out' | grep -qE '^\`- over.qcow2'"
ok "as JSON" sh -c "'$BUILD/vmward' --root '$tmp' --json image list |
	jq -e '[.[] | select(.name == \"over.qcow2\")][0].format == \"qcow2\"' \
		>/dev/null"

# ---- changed ----

ok "grown" does image resize full.raw 4M
ok "it is" is "$(stat -c %s "$images/full.raw")" 4194304
ok "shrunk, with its word" does image resize full.raw 1M --shrink --yes
ok "it is smaller" is "$(stat -c %s "$images/full.raw")" 1048576
ok "clean" does image check data.qcow2
ok "it says so" says 'data.qcow2: clean'
does image create bad.qcow2 4M
qemu-io -f qcow2 -c 'write -P 7 0 1M' "$images/bad.qcow2" >/dev/null
# the L1 table forgets the data: its clusters are leaked
table=$(od -An -tu1 -j 40 -N 8 "$images/bad.qcow2" |
	awk '{ for (i = 1; i <= 8; i++) n = n * 256 + $i; print n }')
dd if=/dev/zero of="$images/bad.qcow2" bs=1 seek="$table" count=8 \
	conv=notrunc 2>/dev/null
ok "leaks: exit 1" fails_with 1 image check bad.qcow2
ok "they are counted" grep -qE 'bad.qcow2: leaks, [0-9]+ leaked' "$tmp/out"
ok "repaired" does image check bad.qcow2 --repair leaks
ok "then it is clean" does image check bad.qcow2
ok "raw: there is no check" does image check full.raw
ok "deleted" does image delete bad.qcow2 --yes
ok "gone" test ! -e "$images/bad.qcow2"

# ---- refused: nothing is created, nothing is changed ----

printf 'no image at all, only text' >"$images/junk.qcow2"
head -c 70 "$images/data.qcow2" >"$images/cut.qcow2"
cp "$images/data.qcow2" "$images/lie.raw"
ln -s data.qcow2 "$images/link.qcow2"
mkfifo "$images/fifo.raw"
mkdir "$images/dir.raw"
long=$(printf '%0130d' 0).qcow2
newline=$(printf 'a\nb.qcow2')

while IFS='|' read -r want text words; do
	[ -n "$want" ] || continue
	# shellcheck disable=SC2086 # words
	ok "refused: $words" refuses "$want" "$text" $words
done <<'EOS'
1|data.qcow2' exists already|create data.qcow2 1M
1|exists already|create over.qcow2 --base data.qcow2
1|exists already|convert source.raw data.qcow2
1|exists already|clone data.qcow2 over.qcow2
1|exists already|create junk.qcow2 1M
1|exists already|create link.qcow2 1M
2|cannot begin with '.'|create .hidden.qcow2 1M
2|cannot begin with '.'|create ..qcow2 1M
2|cannot begin with '-'|create -- -x.qcow2 1M
2|letters, digits|create a:b.qcow2 1M
2|letters, digits|create a,b.qcow2 1M
2|letters, digits|create a=b.qcow2 1M
2|letters, digits|create nbd: 1M --format raw
2|letters, digits|create json:{} 1M --format raw
2|letters, digits|create a%b.qcow2 1M
2|letters, digits|create a*b.qcow2 1M
2|being made|create x.qcow2.tmp.0123abcd 1M --format qcow2
2|does not tell its format|create noformat 1M
2|does not tell its format|create x.img 1M
2|does not tell its format|create x.qcow 1M
2|is not one of|create x.qcow2 1M --format qcow
2|is not one of|create x.qcow2 1M --format luks
2|size|create x.qcow2 0
2|say a size|create x.qcow2 513B
2||create x.qcow2 -1
2||create x.qcow2 10MB
2||create x.qcow2 1e6
2||create x.qcow2 abc
2||create x.qcow2 99999999T
2|say its size|create x.qcow2
1|too large|create x.qcow2 65536T
1||create x.raw 1000000T
1|it needs 100T|create x.qcow2 100T --preallocation full
1|it needs 100T|create x.raw 100T --preallocation falloc
1||create x.raw 1M --preallocation metadata
1|Cluster size|create x.qcow2 1M --cluster-size 3M
1|Cluster size|create x.qcow2 1M --cluster-size 100K
1||create x.raw 1M --cluster-size 64K
1||create x.vdi 1M --extended-l2
2|is not one of|create x.qcow2 1M --preallocation some
2|is not one of|create x.qcow2 1M --compression lz4
4|no image|create x.qcow2 --base none.qcow2
1|no qcow2 image|create x.qcow2 --base junk.qcow2
1|qcow2 by its header|create x.qcow2 --base lie.raw
2|only a qcow2 image|create x.raw 1M --base data.qcow2
1|neither a file nor|create x.qcow2 --base fifo.raw
1|neither a file nor|create x.qcow2 --base dir.raw
1||create x.qcow2 --base cut.qcow2
4|no image|info none.qcow2
1|no qcow2 image|info junk.qcow2
1|qcow2 by its header|info lie.raw
1|neither a file nor|info fifo.raw
1|neither a file nor|info dir.raw
1||info cut.qcow2
1|no qcow2 image|info /etc/passwd --format qcow2
2|does not tell its format|info /etc/passwd
4|no image|check none.qcow2
1|no qcow2 image|check junk.qcow2
1|qcow2 by its header|check lie.raw
1|over.qcow2 (its overlay)|check data.qcow2 --repair all
2|is not one of|check data.qcow2 --repair some
4|no image|resize none.qcow2 1M
1|no qcow2 image|resize junk.qcow2 1M
1|over.qcow2 (its overlay)|resize data.qcow2 128M
3|--shrink|resize whole.qcow2 1M
2|size|resize whole.qcow2 0
2|nobody to ask|resize whole.qcow2 1M --shrink
4|no image|convert none.qcow2 x.raw
1|no qcow2 image|convert junk.qcow2 x.raw
1|qcow2 by its header|convert lie.raw x.qcow2
1|neither a file nor|convert fifo.raw x.qcow2
2|both are|convert data.qcow2 data.qcow2
1||convert cut.qcow2 x.raw
2|a linked clone is a qcow2|clone data.qcow2 x.raw
4|no image|clone none.qcow2 x.qcow2
2|nobody to ask|delete whole.qcow2
4|no image|delete none.qcow2 --yes
1|over.qcow2 (its overlay)|delete data.qcow2 --yes
1|web (its disk root)|delete web.raw --yes
1|qcow2 by its header|delete lie.raw --yes
1|neither a file nor|delete dir.raw --yes
2|unknown|create x.qcow2 1M --bogus
2||create
2||resize whole.qcow2
2||convert data.qcow2
EOS
ok "refused: a newline" refuses 2 'letters, digits' create "$newline" 1M
ok "refused: too long" refuses 2 '1 to 128 bytes' create "$long" 1M
ok "refused: no name" refuses 2 '1 to 128 bytes' create '' 1M
ok "refused: a control character in a path" \
	refuses 2 'control characters' create "/tmp/$newline" 1M
ok "refused: a directory that is not there" \
	refuses 1 'No such file' create /nowhere/at/all.qcow2 1M

# ---- in use ----

starts web --wait=ready >/dev/null
ok "a running VM's disk is not resized" \
	refuses 1 'web (its disk root): stop' resize web.raw 64M
ok "nor copied" refuses 1 'web (its disk root): stop' \
	convert web.raw x.qcow2
ok "nor deleted" refuses 1 'web (its disk root)' delete web.raw --yes
ok "but looked at" does image info web.raw
stops web >/dev/null

# ---- cancelled and killed ----

truncate -s 3G "$images/big.raw"
for at in 0 300 600 900 1200 1500; do
	dd if=/dev/urandom of="$images/big.raw" bs=1M count=10 seek=$at \
		conv=notrunc 2>/dev/null
done
before=$(files)
job=$("$BUILD/vmward" --root "$tmp" --no-block image convert big.raw \
	slow.qcow2 --compress | grep -oE 'j[0-9]+')
ok "--no-block names the job" test -n "$job"
vmward jobs list
ok "it is among the jobs" grep -qE "^$job .*image-make" "$tmp/out"
ok "another on the same image waits its turn: refused" \
	fails_with 1 image delete big.raw --yes
ok "cancelled" does jobs cancel "$job"
gone() { ! vmward jobs list || ! grep -q "^$job " "$tmp/out"; }
ok "it ends" eventually gone
ok "nothing is left" is "$(files)" "$before"
"$BUILD/vmward" --root "$tmp" --no-block image convert big.raw slow.qcow2 \
	--compress >/dev/null
writing() { ls "$images"/slow.qcow2.tmp.* >/dev/null 2>&1; }
eventually writing
down
up
ok "vmwardd killed: no stray file after the next start" is "$(files)" \
	"$before"
vmward_limit=600 # beside a load
on_terminal image convert big.raw slow.qcow2 --compress
ok "then it works" exits 0
ok "a terminal has a bar, its rate and the time left, on one line" grep -aqE \
	'slow.qcow2  [a-z]+  [0-9]+ % .*of 3.0 GiB  [0-9]+ .?i?B/s  [0-9]+:[0-9]+ left' \
	"$tmp/out"
tr '\r' '\n' <"$tmp/raw" | sed 's/\x1b\[K//g' >"$tmp/lines"
ok "which is never longer than the terminal" is \
	"$(awk 'length($0) >= 80' "$tmp/lines")" ''
vmward events --json --no-follow
# events: what its job said of its bytes
events()
{
	jq -c 'select(.event == "JOB_STATUS" and .image? == "slow.qcow2" and
		.total > 0)' "$tmp/out"
}
ok "in JSON it is events, with what is done of how much" is "$(events | jq -s \
	'[.[] | select(.done > 0 and .done < .total)] | length > 0')" true
ok "and the content" same_content raw big.raw qcow2 slow.qcow2
plan
