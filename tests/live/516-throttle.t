#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# disk throttle and [disk.N] iops, bps: at the start, while it runs, by apply,
# of a disk that is plugged in; the guest gets no more.
# shellcheck source=tests/live/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/live/lib.sh"

guest one tcg <<EOS
EOS
sed -i 's/^image = one.raw/&\niops = 2/' "$vms/one.ini"
limit() # DISK KEY: as QEMU has it
{
	vmward qmp one query-block
	jq -r --arg d "/machine/peripheral/disk-$1/" --arg k "$2" \
		'.. | objects | select((.qdev? // "") | startswith($d)) |
		.inserted[$k] // 0' "$tmp/out"
}
refuses() # STATUS TEXT ARG...
{
	want=$1 text=$2
	shift 2
	vmward "$@"
	exits "$want" && complains "$text" && is "$(wc -l <"$tmp/err")" 1
}
# ten times two requests
works()
{
	began=$(now_ms)
	for _ in 1 2 3 4 5; do
		counts one >/dev/null
	done
	took=$(($(now_ms) - began))
}
takes_long() { works && test "$took" -ge 2000; }
written() { grep -qx "$1" "$vms/one.ini.d/50-vmward.ini"; }

up
ok "it starts with a limit" starts one --wait=ready
ok "which QEMU knows" is "$(limit root iops)" 2
ok "and its guest feels" takes_long
ok "limited while it runs" does disk throttle one root --iops 500 --bps 50M \
	--bps-burst 100M
ok "by number" is "$(limit root iops)" 500
ok "by bytes" is "$(limit root bps)" 52428800
ok "for a moment more" is "$(limit root bps_max)" 104857600
ok "it is written" written "iops = 500"
ok "all of it" written "bps-burst = 100M"
ok "what is not said stays" does disk throttle one root --iops 600
ok "as it was" is "$(limit root bps)" 52428800
ok "only for now" does disk throttle one root --iops 700 --runtime
ok "is not written" written "iops = 600"
ok "but pending" is "$(of one pending)" 1
ok "apply brings it back" does apply one
ok "to the file's" is "$(limit root iops)" 600
ok "nothing is pending" is "$(of one pending)" 0
ok "a disk with a limit is plugged in" does disk attach one data size=1M \
	iops=50
ok "QEMU has that" is "$(limit data iops)" 50
pid=$(pid_of one)
down
up
becomes one running >/dev/null
ok "a successor changes one limit" does disk throttle one root --iops 800
ok "and leaves the others" is "$(limit root bps)" 52428800
ok "all off" does disk throttle one root --off
ok "none is left" is "$(limit root iops) $(limit root bps)" "0 0"
stops one
ok "of one that is down" does disk throttle one root --iops 900
ok "the next start heeds it" starts one --wait=ready
ok "in QEMU" is "$(limit root iops)" 900

ok "refused: a burst without a limit" refuses 1 "bps-burst needs bps" \
	disk throttle one root --bps-burst 1M
ok "refused: a burst that is less" refuses 1 "iops-burst is less than iops" \
	disk throttle one root --iops-burst 5
ok "refused: nothing said" refuses 2 "say a limit" disk throttle one root
ok "refused: no such disk" refuses 4 "no disk 'no'" disk throttle one no --off
ok "refused: not a size" refuses 2 "bps" disk throttle one root --bps much
ok "refused: below nothing" refuses 2 "iops" disk throttle one root --iops -1
printf '[disk.n]\nsize = 1M\nbus = nvme\niops = 5\n' >"$vms/bad.ini"
vmward check bad
ok "refused in a file: nvme" says "limits no nvme disk"
rm "$vms/bad.ini"

stops one
leave
ok "nothing is left" nothing_left
plan
