#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# image rebase, flatten, commit, compare, map, clone --reflink with the real
# qemu-img: what a guest reads stays what it was, and what they refuse.
# shellcheck source=tests/live/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/live/lib.sh"

# pattern FILE BYTE OFFSET LENGTH: writes it
pattern()
{
	qemu-io -f "${1##*.}" -c "write -P $2 $3 $4" "$images/$1" >/dev/null
}
# content FILE: sha256 of what a guest reads
content()
{
	qemu-img convert -f "${1##*.}" -O raw "$images/$1" "$tmp/flat" &&
		sha256sum <"$tmp/flat"
}
base_of()
{
	qemu-img info -f qcow2 --output=json "$images/$1" |
		jq -r '."full-backing-filename"'
}
sums() { find "$tmp/var" -type f -exec sha256sum {} + | sort -k 2; }
# refuses STATUS TEXT VERB...: one line on stderr, and nothing has changed
refuses()
{
	want=$1 text=$2
	shift 2
	sums >"$tmp/sums"
	vmward image "$@"
	exits "$want" && complains "$text" &&
		is "$(grep -c '^vmward: ' "$tmp/err")" 1 &&
		sums | diff "$tmp/sums" -
}

guest web tcg </dev/null
up
for name in old new; do
	does image create $name.qcow2 4M
	pattern $name.qcow2 1 0 1M
done
pattern old.qcow2 2 1M 1M
pattern new.qcow2 3 2M 1M
does image create top.qcow2 --base old.qcow2
pattern top.qcow2 4 3M 64k
before=$(content top.qcow2)

# ---- rebase ----

ok "rebase" does image rebase top.qcow2 new.qcow2
ok "it is on the new base" is "$(base_of top.qcow2)" "$images/new.qcow2"
ok "and reads the same" is "$(content top.qcow2)" "$before"
ok "it needs what differed" is "$(qemu-img map -f qcow2 --output=json \
	"$images/top.qcow2" | jq '[.[] | select(.depth == 0 and .data)
		| .length] | add')" 2162688
ok "--unsafe only writes the name" \
	does image rebase top.qcow2 old.qcow2 --unsafe --yes
ok "it has" is "$(base_of top.qcow2)" "$images/old.qcow2"
does image rebase top.qcow2 new.qcow2 --unsafe --yes
mv "$images/new.qcow2" "$images/moved.qcow2"
ok "a base that is gone: it says what to do" refuses 4 \
	'put it back, or rebase with --unsafe' check top.qcow2
ok "and that works" does image rebase top.qcow2 moved.qcow2 --unsafe --yes
ok "the same again" is "$(content top.qcow2)" "$before"
ok "a dry run changes nothing" sh -c "
	'$BUILD/vmward' --root '$tmp' --dry-run image flatten top.qcow2"
ok "nothing" is "$(base_of top.qcow2)" "$images/moved.qcow2"

# ---- flatten ----

ok "flatten" does image flatten top.qcow2
ok "it has no base" is "$(base_of top.qcow2)" null
ok "it reads the same" is "$(content top.qcow2)" "$before"
ok "once more: done already" does image flatten top.qcow2
ok "its old base is free" does image delete moved.qcow2 --yes

# ---- commit ----

does image create over.qcow2 --base top.qcow2
pattern over.qcow2 5 512k 64k
want=$(content over.qcow2)
ok "commit" does image commit over.qcow2 --yes
ok "the base has it" is "$(content top.qcow2)" "$want"
ok "the image reads the same" is "$(content over.qcow2)" "$want"
ok "it is empty" is "$(qemu-img map -f qcow2 --output=json \
	"$images/over.qcow2" | jq '[.[] | select(.depth == 0)] | length')" 0
pattern over.qcow2 6 1M 64k
ok "commit --keep" does image commit over.qcow2 --keep --yes
ok "then it has its own still" is "$(qemu-img map -f qcow2 --output=json \
	"$images/over.qcow2" | jq '[.[] | select(.depth == 0)] | length')" 1

# ---- a commit that is killed ----

# the real one, until it is to write: then half of it is there
mkdir "$tmp/bin"
cat >"$tmp/bin/qemu-img" <<EOS
#!/bin/sh
case \$1 in
commit) [ ! -e "$tmp/die" ] || {
	qemu-io -f qcow2 -c 'write -P 8 3M 64k' "$images/top.qcow2"
	kill -9 \$\$
} ;;
esac
exec "$(command -v qemu-img)" "\$@"
EOS
chmod +x "$tmp/bin/qemu-img"
up_with_ours() { PATH="$tmp/bin:$PATH" up; }
logged() { tail -c "+$((logged_from + 1))" "$tmp/sup.log" | grep -q "$1"; }
again() # a death of the supervisor, and the next one
{
	down
	logged_from=$(size_of "$tmp/sup.log")
	up_with_ours
}
again
touch "$tmp/die"
pattern over.qcow2 8 3M 128k
whole=$(content over.qcow2)
ok "a commit that dies fails" fails_with 1 image commit over.qcow2 --yes
half="half written: an image commit did not end; say vmward image commit"
while read -r words; do
	# shellcheck disable=SC2086 # words
	ok "refused: $words" refuses 3 "$half $images/over.qcow2" $words
done <<EOS
info top.qcow2
check top.qcow2
clone top.qcow2 x.qcow2
clone top.qcow2 x.qcow2 --full
create x.qcow2 --base top.qcow2
compare over.qcow2 top.qcow2
resize top.qcow2 8M
EOS
ok "what is on top of it can be read" does image info over.qcow2
split="is half written into its base: say vmward image commit $images/over.qcow2"
ok "it may not go: the base lacks the rest" refuses 3 "$split" delete over.qcow2 --yes
disk() # NAME LINE: a VM with this disk
{
	printf '[vm]\nmemory = 8M\naccel = tcg\n[disk.a]\n%s\n' "$2" >"$vms/$1.ini"
}
disk half "image = $images/top.qcow2
readonly = yes"
disk fresh "base = $images/top.qcow2"
disk above "image = over.qcow2"
again
ok "the next supervisor says why it does not finish it" eventually logged \
	"over.qcow2': its commit is not finished: .*top.qcow2' is needed by"
for name in half fresh; do
	ok "a VM that would read it does not start: $name" \
		fails_with 3 start $name
	ok "it says why" complains "$half"
	ok "it is not backed up" fails_with 3 backup create $name --target "$tmp"
	ok "it says why" complains "$half"
	ok "nor cloned" fails_with 3 clone $name x
	ok "it says why" complains "$half"
	rm "$vms/$name.ini"
done
ok "what has the rest is no base" fails_with 3 clone above x
ok "it says why" complains "$split"
ok "nor does it go with its VM" fails_with 3 delete above --yes
ok "it says why" complains "$split"
ok "a copy may be made" does clone above x --full
ok "that reads the same" is "$(content x-a.qcow2)" "$whole"
does delete x --yes
rm "$tmp/die"
ok "a person repeats it" does image commit over.qcow2 --yes
ok "the base has it" is "$(content top.qcow2)" "$whole"
ok "it is as good as before" does image info top.qcow2
ok "no record is left" is "$(ls "$tmp/var/lib/vmward/committing")" ""

touch "$tmp/die"
pattern over.qcow2 9 2M 128k
whole=$(content over.qcow2)
ok "another one dies, with --keep" fails_with 1 image commit over.qcow2 \
	--keep --yes
rm "$tmp/die"
ok "its VM may run: it reads what it did" does start above
again
ok "then it is left alone" eventually \
	logged "not finished: image '$images/over.qcow2' is needed by above"
stops above
again
ok "once that is down it is finished" eventually \
	logged "over.qcow2': its commit is finished"
ok "the base has all of it" is "$(content top.qcow2)" "$whole"
ok "and so has the image still" is "$(qemu-img map -f qcow2 --output=json \
	"$images/over.qcow2" | jq '[.[] | select(.depth == 0)] | length > 0')" \
	true
ok "nothing is refused any more" does image info top.qcow2
ok "no record is left" is "$(ls "$tmp/var/lib/vmward/committing")" ""
rm "$vms/above.ini"

# ---- compare, map ----

ok "compare: the same" does image compare over.qcow2 top.qcow2
ok "it says so" says 'they read the same'
pattern over.qcow2 7 2M 64k
ok "they differ: exit 8" fails_with 8 image compare over.qcow2 top.qcow2
ok "where" says 'they differ, at byte 2097152 first'
ok "as JSON" sh -c "'$BUILD/vmward' --root '$tmp' --json image compare \
	over.qcow2 top.qcow2 | jq -e '.[0].same == false' >/dev/null"
truncate -s 1M "$images/a.raw"
truncate -s 2M "$images/b.raw"
ok "one is longer, with zeros: the same" does image compare a.raw b.raw
ok "it says that" says 'where one ends'
ok "--strict: they differ" fails_with 8 image compare a.raw b.raw --strict
ok "map" does image map over.qcow2
ok "its totals" grep -qE '^3.1M of data, .* in images below$' "$tmp/out"
ok "and its parts" grep -qE '^ *START +LENGTH +DEPTH +WHAT' "$tmp/out"

# ---- refused ----

does image create loop.qcow2 --base over.qcow2
does image create other.qcow2 --base top.qcow2
printf 'no image' >"$images/junk.qcow2"
cp "$images/top.qcow2" "$images/lie.raw"
while IFS='|' read -r want text words; do
	[ -n "$want" ] || continue
	# shellcheck disable=SC2086 # words
	ok "refused: $words" refuses "$want" "$text" $words
done <<'EOS'
1|would be on top of itself|rebase top.qcow2 over.qcow2
1|would be on top of itself|rebase over.qcow2 loop.qcow2
2|both are|rebase top.qcow2 top.qcow2
4|no image|rebase none.qcow2 top.qcow2
4|no image|rebase over.qcow2 none.qcow2
1|no qcow2 image|rebase over.qcow2 junk.qcow2
1|no qcow2 image|rebase junk.qcow2 top.qcow2
1|qcow2 by its header|rebase over.qcow2 lie.raw
2|only a qcow2 image|rebase a.raw top.qcow2
2|nobody to ask|rebase over.qcow2 top.qcow2 --unsafe
2||rebase over.qcow2
2|unknown|rebase over.qcow2 top.qcow2 --bogus
2|letters, digits|rebase over.qcow2 json:{}
2|letters, digits|rebase over.qcow2 nbd:x --base-format raw
2|does not tell its format|rebase over.qcow2 top
4|no image|flatten none.qcow2
1|no qcow2 image|flatten junk.qcow2
2|only a qcow2 image|flatten a.raw
2|only a qcow2 image|flatten lie.raw
2||flatten
3|has no base|commit top.qcow2 --yes
1|other.qcow2 (its overlay)|commit over.qcow2 --yes
4|no image|commit none.qcow2 --yes
1|no qcow2 image|commit junk.qcow2 --yes
2|only a qcow2 image|commit a.raw --yes
2|nobody to ask|commit over.qcow2
4|no image|compare none.qcow2 top.qcow2
4|no image|compare top.qcow2 none.qcow2
1|no qcow2 image|compare top.qcow2 junk.qcow2
1|qcow2 by its header|compare lie.raw top.qcow2
2||compare top.qcow2
2|is not one of|compare top.qcow2 a.raw --other-format luks
4|no image|map none.qcow2
1|no qcow2 image|map junk.qcow2
1|qcow2 by its header|map lie.raw
2|not both|clone top.qcow2 x.qcow2 --full --reflink
2|and so is a clone|clone top.qcow2 x.raw --reflink
3|--full copies both|clone over.qcow2 x.qcow2 --reflink
1|exists already|clone top.qcow2 over.qcow2 --reflink
EOS

# ---- in use ----

starts web --wait=ready >/dev/null
ok "a running VM's disk is not compared" refuses 1 \
	'web (its disk root): stop' compare web.raw a.raw
stops web >/dev/null

# ---- reflink ----

if cp --reflink=always "$images/top.qcow2" "$tmp/probe" 2>/dev/null; then
	ok "clone --reflink" does image clone top.qcow2 x.qcow2 --reflink
	ok "the same bytes" cmp "$images/top.qcow2" "$images/x.qcow2"
else
	ok "no shared blocks here: refused" refuses 1 \
		"cannot share the blocks of '$images/top.qcow2'" \
		clone top.qcow2 x.qcow2 --reflink
fi
# mounts TYPE: a file system of its own, where there is one
mounts()
{
	command -v "mkfs.$1" >/dev/null && grep -qw "$1" /proc/filesystems &&
		truncate -s 400M "$tmp/disk.$1" &&
		"mkfs.$1" -q "$tmp/disk.$1" && mkdir -p "$tmp/mnt" &&
		mount -o loop "$tmp/disk.$1" "$tmp/mnt"
}
reflinks_on() # TYPE
{
	if ! mounts "$1" >/dev/null 2>&1; then
		echo "# SKIP clone --reflink on $1: no mkfs.$1 or loop mount"
		return
	fi
	cp "$images/top.qcow2" "$tmp/mnt/a.qcow2"
	ok "$1: clone --reflink" \
		does image clone "$tmp/mnt/a.qcow2" "$tmp/mnt/b.qcow2" --reflink
	ok "$1: the same bytes" cmp "$tmp/mnt/a.qcow2" "$tmp/mnt/b.qcow2"
	umount "$tmp/mnt"
}
reflinks_on btrfs
reflinks_on xfs
ok "nothing temporary is left" nothing_left
plan
