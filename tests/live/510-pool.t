#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Pools with the real qemu-img: another directory, its format, its quota,
# names that would leave it, and a VM whose disks are there.
# shellcheck source=tests/live/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/live/lib.sh"

fast=$tmp/fast
pools=$tmp/etc/vmward/pools
mkdir -p "$fast" "$pools"

# pool NAME: its file comes from stdin, whole at once
pool()
{
	cat >"$pools/$1.new"
	mv "$pools/$1.new" "$pools/$1.ini"
}
fast_pool() # QUOTA
{
	printf '[pool]\npath = %s\nformat = raw\nquota = %s\n' "$fast" "$1" |
		pool fast
}
of_pool() # NAME MEMBER
{
	"$BUILD/vmward" --root "$tmp" --json pool info "$1" |
		jq -r ".[0].$2"
}
is_pool() { is "$(of_pool "$1" "$2")" "$3"; } # NAME MEMBER WANT
has_quota() { is_pool fast quota "$1"; }
has_error() { [ "$(of_pool "$1" error)" != null ]; }
# refuses STATUS TEXT VERB...: one line, and nothing changed
refuses()
{
	want=$1 text=$2
	shift 2
	before=$(ls -lA "$fast" "$images")
	vmward "$@"
	exits "$want" && complains "$text" && is "$(wc -l <"$tmp/err")" 1 &&
		is "$(ls -lA "$fast" "$images")" "$before"
}
is_there() { test -e "$1"; }
is_gone() { test ! -e "$1"; }
no_pool() { fails_with 4 pool info "$1"; }
has_line() { grep -qx -- "$1" "$tmp/out"; }

guest web tcg <<END
[disk.data]
size = 8M
pool = fast
[disk.more]
image = more
size = 1M
pool = fast
END
fast_pool 64M
up

# ---- looked at ----

vmward pool list
ok "default needs no file" says default
ok "another one has one" says "$fast"
ok "as JSON" is_pool fast name fast
ok "its quota" has_quota 67108864
ok "its capacity is the quota" is_pool fast capacity 67108864
ok "nothing is in it" is_pool fast volumes 0
ok "no such pool: 4" fails_with 4 pool info fest
ok "the nearest is named" complains "did you mean 'fast'"
ok "a person reads it too" does pool info fast
ok "with its quota" says "Quota: 64M"

# ---- used ----

ok "an image in it" does image create a.qcow2 8M --pool fast
ok "is there" is_there "$fast/a.qcow2"
ok "not in the default pool" is_gone "$images/a.qcow2"
ok "the pool's format, where the name tells none" \
	does image create plain 1M --pool fast
ok "it is raw" is "$(stat -c %s "$fast/plain")" 1048576
ok "listed" does image list --pool fast
ok "with its name" says a.qcow2
ok "and no other pool's" is "$(grep -c web.raw "$tmp/out")" 0
ok "all of them" does image list
ok "have their pools" says POOL
ok "a copy into another pool" \
	does image convert a.qcow2 b.qcow2 --pool fast --to-pool default
ok "is in that one" is_there "$images/b.qcow2"
ok "an overlay across pools by its path" \
	does image create over.qcow2 --base "$fast/a.qcow2"
ok "protects its base" refuses 1 'over.qcow2 (its overlay)' \
	image delete a.qcow2 --pool fast --yes
ok "goes" does image delete over.qcow2 --yes
ok "then its base goes too" does image delete a.qcow2 --pool fast --yes
ok "plain goes" does image delete plain --pool fast --yes

# ---- a VM ----

ok "a VM starts with disks in it" starts web --wait=ready
ok "one made there, of its format" is_there "$fast/web-data.raw"
ok "one named" is_there "$fast/more"
ok "9 MiB are promised" is_pool fast virtual 9437184
ok "the list says who needs them" does image list --pool fast
ok "it does" says "web (its disk data)"
ok "nobody deletes them" refuses 1 'web' \
	image delete web-data.raw --pool fast --yes
ok "a disk attached live" \
	does disk attach web hot size=1M pool=fast image=hot.qcow2
ok "is there as well" is_there "$fast/hot.qcow2"
ok "stopped" stops web --now

# ---- quota ----

ok "no more than the quota" refuses 1 "of pool 'fast', whose quota of 64M" \
	image create big.qcow2 64M --pool fast
ok "what is left is said" complains "has 54M left"
ok "an image elsewhere" does image create src.qcow2 60M
ok "a copy of it does not fit" refuses 1 "needs 60M more of pool 'fast'" \
	image convert src.qcow2 big.qcow2 --to-pool fast
ok "nor does a linked clone" refuses 1 "needs 60M more of pool 'fast'" \
	image clone src.qcow2 big.qcow2 --to-pool fast
ok "nor an overlay of that size" refuses 1 "needs 60M more of pool 'fast'" \
	image create o.qcow2 --base "$images/src.qcow2" --pool fast
ok "nor a larger image" refuses 1 "needs 63M more of pool 'fast'" \
	image resize hot.qcow2 64M --pool fast
ok "up to it is fine" does image resize hot.qcow2 55M --pool fast
ok "full" is_pool fast available 0
printf '[disk.data]\nsize = 70M\npool = fast\n' >"$vms/new.ini"
ok "a VM's new disk heeds it" refuses 1 "of pool 'fast'" start new
ok "so does a disk that grows" refuses 1 "of pool 'fast'" \
	disk resize web data 16M
ok "a larger quota" fast_pool 256M
ok "is known at once" eventually has_quota 268435456
ok "and there is room" does image resize hot.qcow2 100M --pool fast
ok "a path outside has no quota" does image create "$tmp/x.raw" 300M

# ---- names ----

: >"$tmp/secret.raw"
ln -s "$tmp/secret.raw" "$fast/link.raw"
ln -s hot.qcow2 "$fast/inside.qcow2"
ok "a link out of it" refuses 7 "leads out of pool 'fast'" \
	image info link.raw --pool fast
ok "not to be written" refuses 7 "leads out of pool 'fast'" \
	image resize link.raw 1M --pool fast
ok "nor to be made" refuses 7 "leads out of pool 'fast'" \
	image create link.raw 1M --pool fast
ok "a link inside is fine" does image info inside.qcow2 --pool fast
for name in . .. .x.raw -x.raw a:b.raw a,b.raw 'a b.raw' 'a
b.raw' 'ä.raw' json:a.raw; do
	ok "no name of a volume: $(printf %s "$name" | tr '\n' '~')" \
		refuses 2 "the name of a volume" \
		image create --pool fast -- "$name" 1M
done
for name in ../fast . .. a/b a:b a,b 'a b' A -a "fast
"; do
	ok "no pool: $(printf %s "$name" | tr '\n' '~')" \
		refuses 4 "no pool" image create x.raw 1M "--pool=$name"
done
printf '[disk.a]\nimage = link.raw\npool = fast\n' >"$vms/leave.ini"
ok "a VM does not leave it either" refuses 7 "leads out of pool" start leave
ok "check says so" fails_with 1 check leave
ok "at the line" says "leave.ini:2:"

# ---- files ----

printf '[disk.a]\nsize = 1M\npool = fats\n' >"$vms/typo.ini"
ok "an unknown pool of a VM" fails_with 1 check typo
ok "with the nearest" says "typo.ini:3: [disk.a] pool: no pool 'fats' (did"
rm "$vms/typo.ini" "$vms/leave.ini" "$vms/new.ini"
printf '[pool]\npath = %s\nqouta = 1G\nprealloc = lots\n' "$tmp/bad" |
	pool bad
ok "mistakes of a pool's file" fails_with 1 check
ok "each with its line" says "pools/bad.ini:3: "
ok "in one run" says "pools/bad.ini:4: "
ok "check FILE finds them too" fails_with 1 check "$pools/bad.ini"
ok "and names the file" says "bad.ini:3: "
ok "such a pool is listed" eventually has_error bad
ok "and not used" refuses 1 "cannot be used: pools/bad.ini:3" \
	image create x.raw 1M --pool bad
printf '[pool]\npath = %s/x\nquota = 1\n' "$tmp" | pool fast
ok "a file that broke is told of" eventually has_error fast
ok "the pool is where it was" is_pool fast path "$fast"
vmward reload
ok "reload says what is wrong" says "pools/fast.ini:3: "
fast_pool 256M
rm "$pools/bad.ini"
ok "mended" does reload
ok "a pool that is gone is gone" eventually no_pool bad
ok "delete takes what is in it" does delete web --yes
ok "the disk it made" is_gone "$fast/web-data.raw"
ok "the disk it named" is_gone "$fast/more"

# ---- overlays in other pools ----

qemu-img create -q -f qcow2 "$images/below.qcow2" 1M
qemu-img create -q -f qcow2 -b "$images/below.qcow2" -F qcow2 \
	"$fast/above.qcow2"
printf '[disk.root]\nimage = below.qcow2\n' >"$vms/lower.ini"
vmward check lower
ok "an overlay in another pool: exit 1" exits 1
ok "check names it" says 'is the base of above.qcow2'
rm "$vms/lower.ini"

# ---- preallocation, sweep ----

mkdir "$tmp/full"
printf '[pool]\npath = %s\nprealloc = falloc\n' "$tmp/full" | pool full
ok "another pool" eventually does pool info full
ok "an image in it" does image create f.raw 2M --pool full
ok "is filled at once" is "$(($(stat -c %b "$tmp/full/f.raw") * 512))" 2097152
ok "but not if asked" does image create g.raw 2M --pool full \
	--preallocation off
ok "it is thin" is "$(($(stat -c %b "$tmp/full/g.raw") < 100))" 1
down
: >"$fast/left.qcow2.tmp.0123abcd"
up
ok "what a crash left in a pool is swept" is_gone \
	"$fast/left.qcow2.tmp.0123abcd"
ok "it leaves" leave
ok "nothing is left" nothing_left
plan
