#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Random cycles: the guest writes, somebody or something dies, a backup is
# made; then one of them is put back, and is what the disk had when it was
# made.  tests/faults/backup-cycles.t is the long form, SEED=N repeats one that
# was seen.
# shellcheck source=tests/live/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/live/lib.sh"
command -v qemu-img >/dev/null || skip_all "no qemu-img"

cycles=${CYCLES:-6}
seed=${SEED:-$$}
echo "# SEED=$seed"
target=$tmp/backups
model=$tmp/model
mkdir "$model"
guest one tcg </dev/null
qemu-img create -q -f raw "$tmp/plain.raw" 1M
dd if="$images/one.raw" of="$tmp/plain.raw" conv=notrunc 2>/dev/null
qemu-img convert -q -f raw -O qcow2 "$tmp/plain.raw" "$images/one.qcow2"
rm "$images/one.raw"
sed -i 's/one.raw/one.qcow2/' "$vms/one.ini"
printf '[backup]\ntarget = %s\n[restart]\nbackoff = 1s\nburst = 16/1s\n' \
	"$target" >>"$vms/one.ini"
up
starts one --wait=ready

chance() # N: $by is a number below it
{
	seed=$(((seed * 1103515245 + 12345) % 2147483648))
	by=$((seed / 65536 % $1))
}
content() # IMAGE: the sum of what a guest reads
{
	qemu-img convert -q -U -f qcow2 -O raw "$1" "$tmp/raw" &&
		sha256sum <"$tmp/raw"
}
writes()
{
	for time in 1 2 3; do
		[ "$time" -gt "$1" ] || counts one >/dev/null
	done
}
suffers() # what is done to it
{
	case $1 in
	0) stops one && starts one --wait=ready ;;
	1)
		down
		up
		becomes one running
		;;
	2)
		was=$(pid_of one)
		kill -9 "$was"
		restarted one "$was"
		;;
	3) does save one && does restore one ;;
	*) : ;;
	esac
}
backs_up() # ID
{
	does pause one && does backup create one --name "$1" &&
		content "$images/one.qcow2" >"$model/$1" && does resume one
}
is_as_it_was() # ID
{
	is "$(content "$images/one.qcow2")" "$(cat "$model/$1")"
}

cycle=0 restored=0
while [ "$cycle" -lt "$cycles" ]; do
	cycle=$((cycle + 1))
	chance 4
	writes "$by"
	chance 8
	ok "$cycle: it suffers $by" suffers "$by"
	ok "$cycle: a backup" eventually backs_up "b$cycle"
	chance 3
	[ "$by" = 0 ] || continue
	chance "$cycle"
	one=b$((by + 1))
	stops one
	ok "$cycle: $one is put back" does backup restore one "$one" -y
	ok "$cycle: as the disk was" is_as_it_was "$one"
	restored=$((restored + 1))
	starts one --wait=ready
done
ok "all are as they were written" does backup verify one
stops one
for one in b1 "b$cycles"; do
	ok "$one is put back" does backup restore one "$one" -y
	ok "as the disk was" is_as_it_was "$one"
done
ok "nothing is left" nothing_left
echo "# case=backup-cycles backups=$cycle restored=$((restored + 2))"
plan
