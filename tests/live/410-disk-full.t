#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A file system that is full stops the guest; it goes on by itself once there
# is space, and its data are right.
[ -n "${IN_NAMESPACE-}" ] || {
	IN_NAMESPACE=1 exec unshare -m --propagation private "$0" ||
		exit 1
}
# shellcheck source=tests/live/lib.sh
. "$(dirname "$0")/lib.sh"

guest full tcg </dev/null
mkdir "$tmp/small"
mount -t tmpfs -o size=9m tmpfs "$tmp/small" 2>/dev/null ||
	skip_all "no right to mount"
qemu-img create -q -f qcow2 -F raw -b "$images/full.raw" \
	"$tmp/small/full.qcow2"
sed -i "s|^image = .*|image = $tmp/small/full.qcow2\ncache = writeback|" \
	"$vms/full.ini"
# The disk as it must be: counter 2, and each sector of the second half full
# of its number.
expect()
{
	cp "$images/full.raw" "$tmp/expected" &&
		perl -e 'open my $f, "+<:raw", $ARGV[0] or die;
			seek $f, 8 * 512, 0; print $f pack "v", 2;
			seek $f, 1024 * 512, 0;
			print $f pack("v", $_) x 256 for 1024 .. 2047;
			close $f or die' "$tmp/expected"
}
same_data()
{
	expect && qemu-img check -q "$tmp/small/full.qcow2" &&
		qemu-img convert -O raw "$tmp/small/full.qcow2" "$tmp/seen" &&
		cmp "$tmp/seen" "$tmp/expected"
}
# bytes of the second half that are in its own image
written()
{
	qemu-img map --output=json -U "$tmp/small/full.qcow2" | jq '[.[] |
		select(.depth == 0 and .start >= 524288) | .length] | add // 0'
}
is_full() { is "$(state_of full)" paused; }
runs() { is "$(state_of full)" running; }

up
ok "it boots" starts full --wait=ready
dd if=/dev/zero of="$tmp/small/fill" bs=64k 2>/dev/null
types full n >/dev/null
ok "a write without space stops it" eventually is_full
vmward list full
ok "and the list says why" says "disk full: $tmp/small"
vmward explain full
ok "so does explain" says "disk full"
rm "$tmp/small/fill"
ok "with space it goes on by itself" eventually runs
ok "within two seconds" vmward wait full running --timeout 2s
ok "and its write was done" eventually says_after full 0 '^0001$'
ok "the next one counts on" is "$(counts full)" 0002
dd if=/dev/zero of="$tmp/small/fill" bs=64k 2>/dev/null
truncate -s -192K "$tmp/small/fill"
from=$(log_size full)
types full f >/dev/null
ok "many writes: it stops in their midst" eventually is_full
half=$(written)
ok "some were done" test "$half" -gt 0
ok "not all" test "$half" -lt 524288
rm "$tmp/small/fill"
ok "with space it goes on by itself" eventually runs
ok "and writes them all" eventually says_after full "$from" '^FULL 0800$'
ok "it stops in order" stops full
ok "its disk has each byte that the guest wrote" same_data
rm "$tmp/small/full.qcow2"

# ---- it fills up while nobody watches: io-error is found by an adoption ----
guest away tcg </dev/null
qemu-img create -q -f qcow2 -F raw -b "$images/away.raw" \
	"$tmp/small/away.qcow2"
sed -i "s|^image = .*|image = $tmp/small/away.qcow2\ncache = writeback|" \
	"$vms/away.ini"
starts away --wait=ready
pid=$(pid_of away)
down
dd if=/dev/zero of="$tmp/small/fill" bs=64k 2>/dev/null
printf n | timeout 5 socat -t1 - "UNIX:$run/away/priv/serial0" >/dev/null
echo '{"execute":"qmp_capabilities"}{"execute":"query-status"}' >"$tmp/ask"
blocked()
{
	timeout 5 socat -t1 - "UNIX:$run/away/priv/monitor" <"$tmp/ask" |
		grep -q '"status": "io-error"'
}
ok "without a supervisor it stops as well" eventually blocked
up
is_away_full() { is "$(state_of away)" paused; }
away_runs() { is "$(state_of away)" running; }
ok "the next supervisor finds it" eventually is_away_full
vmward list away
ok "and knows why" says "disk full: $tmp/small"
vmward status away
ok "it is shown beside the state" \
	says "State: paused (disk full: $tmp/small)"
rm "$tmp/small/fill"
ok "with space it goes on by itself" eventually away_runs
ok "the same QEMU" same_pid away "$pid"
ok "and its write was done: it counts on" is "$(counts away)" 0002
ok "it stops in order" stops away

# ---- a warning comes before ----
guest warned tcg </dev/null
sed -i "s|^image = .*|image = $tmp/small/warned.qcow2\ncache = writeback|" \
	"$vms/warned.ini"
qemu-img create -q -f qcow2 -F raw -b "$images/warned.raw" \
	"$tmp/small/warned.qcow2"
dd if=/dev/zero of="$tmp/small/fill" bs=64k count=60 2>/dev/null
starts warned --wait=ready
warns() { vmlog_says warned 'disk root: 90 % of the space below it is used'; }
ok "no warning so far" sh -c \
	"! grep -q 'below it is used' '$logs/warned/vm.log'"
# threshold NODE: where QEMU will tell; 0: nowhere
threshold()
{
	vmward qmp warned query-named-block-nodes
	jq "[.. | objects | select(.\"node-name\"? == \"$1\") |
		.write_threshold] | add" "$tmp/out"
}
armed() { [ "$(threshold "$1")" -gt 1 ]; }
ok "a threshold is set" eventually armed disk-root.f
vmward qmp warned block-set-write-threshold node-name=disk-root.f \
	write-threshold=1
counts warned >/dev/null
ok "QEMU tells, and it is said" eventually warns
told()
{
	vmward events --since 0 --no-follow --json warned
	grep '"event": "VM_LOW_SPACE"' "$tmp/out" |
		grep '"disk": "root"' | grep -q '"left": [1-9]'
}
ok "by an event as well" told
ok "the next threshold is set" eventually armed disk-root.f
qemu-img create -q -f qcow2 "$tmp/small/more.qcow2" 1G
vmward disk attach warned more image="$tmp/small/more.qcow2"
ok "a disk is plugged in" exits 0
ok "and is watched too" eventually armed disk-more.f
vmward disk attach warned tiny image="$tmp/small/tiny.qcow2" size=64K
ok "another cannot grow that far" exits 0
vmward qmp warned query-status
ok "it is not" is "$(threshold disk-tiny.f)" 0
ok "it stops in order" stops warned
leave
umount "$tmp/small"
plan
