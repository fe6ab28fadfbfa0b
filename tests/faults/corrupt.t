#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# C-10: while no supervisor looks, the record of a VM that runs is cut at 8
# lengths, gets one bit flipped at FLIPS [16] places, is zeroed, is another
# VM's, is of a version to come, is no plain file or is gone.  The next one
# finds the same QEMU, by its lock and its monitor.
# shellcheck source=tests/faults/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/faults/lib.sh"
flips=${FLIPS:-16}
record=$records/web

vm web </dev/null
vm other </dev/null
daemon
vmward start web other
pid=$(pid_of web)
other=$(pid_of other)
daemon_ends KILL
cp "$record" "$tmp/good"
size=$(stat -c %s "$record")

# damaged AT COMMAND...: one point
damaged()
{
	point "$1"
	shift
	rm -rf "$record" "$record.bad"
	cp "$tmp/good" "$record"
	"$@"
	is_good || struck
	again
	look
	# what is said now holds for the next one as well
	obeys || {
		acked_lost=$((acked_lost + 1))
		bad "it does not obey: $(cat "$tmp/err")"
	}
	daemon_ends KILL
}
is_good() { [ -f "$record" ] && [ ! -L "$record" ] && cmp -s "$tmp/good" "$record"; }
obeys() { vmward pause web && vmward resume web; }
flip() # BYTE
{
	byte=$(od -An -tu1 -j "$1" -N 1 "$record" | tr -d ' ')
	# shellcheck disable=SC2059 # octal
	printf "\\$(printf %o $((byte ^ (1 << ($1 % 8)))))" |
		dd of="$record" bs=1 seek="$1" conv=notrunc 2>/dev/null
}
no_file() # HOW...
{
	rm "$record"
	"$@" "$record"
}
is_link() { ln -s "$tmp/good" "$1"; }
huge() { truncate -s 1G "$record"; }
zero() { head -c "$size" /dev/zero >"$record"; }
swapped() { cp "$records/other" "$record"; }

case_begin C-10-record
ORACLE_BAD_MAY_BE=1
export ORACLE_BAD_MAY_BE
expects "web up $pid" "other up $other"
daemon_pid=999999999
i=0
while [ "$i" -lt 8 ]; do
	damaged "cut at $((size * i / 8))" \
		truncate -s $((size * i / 8)) "$record"
	i=$((i + 1))
done
# most of it is zeros: the flips go where something is said
used=$(od -An -v -tu1 -w1 "$tmp/good" | awk '$1 { last = NR } END { print last }')
i=0
while [ "$i" -lt "$flips" ]; do
	damaged "bit in byte $((used * i / flips))" flip $((used * i / flips))
	i=$((i + 1))
done
damaged zeroed zero
damaged "another VM's" swapped
damaged huge huge
damaged "a FIFO" no_file mkfifo
damaged "a directory" no_file mkdir
damaged "a link" no_file is_link
damaged gone no_file true
daemon
vmward kill web other
daemon_ends TERM
tell
plan
