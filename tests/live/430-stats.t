#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# stats of a real QEMU: the counters move by what the guest did, not more.
# shellcheck source=tests/live/lib.sh
. "$(dirname "$0")/lib.sh"

guest web tcg <<'EOS'
[balloon]
enabled = yes
EOS
up
ok "it boots" starts web --wait=ready

# fresh: numbers of this moment are in out, on a busy machine too
fresh_now()
{
	vmward --json stats web
	[ "$(jq '.[0].stale' "$tmp/out")" = false ]
}
fresh() { eventually fresh_now; }
number() { jq ".[0].$1" "$tmp/out"; } # PATH
root() { number "disks[] | select(.name == \"root\") | .$1"; } # COUNTER

ok "its numbers" fresh
ok "a vCPU that is QEMU's thread" test -d \
	"/proc/$(pid_of web)/task/$(number 'vcpus[0].thread')"
ok "it has worked" is "$(number 'cpu.seconds > 0')" true
ok "the balloon leaves all" is "$(number memory.balloon)" 8388608
ok "a BIOS guest says nothing of its memory" is "$(number memory.guest)" null
ok "no more RSS than PSS and what is shared" test \
	"$(number memory.rss)" -ge "$(number memory.pss)"
bytes=$(root write_bytes)
writes=$(root write_ops)
reads=$(root read_ops)
for _ in 1 2 3 4 5; do
	counts web >/dev/null
done
ok "five counts later" fresh
ok "five sectors more were written" is \
	"$(($(root write_bytes) - bytes))" 2560
ok "in five requests" is "$(($(root write_ops) - writes))" 5
ok "and five were read" is "$(($(root read_ops) - reads))" 5
vmward metrics
ok "metrics say the same" grep -qF \
	"vmward_disk_writes_total{vm=\"web\",disk=\"root\"} $((writes + 5))" \
	"$tmp/out"
ok "and are valid" awk -f "$TOP/tests/t/openmetrics.awk" "$tmp/out"

pid=$(pid_of web)
down
up
ok "adopted" is_column web PID "$pid"
ok "a new supervisor knows as much" fresh
ok "the same counters" is "$(root write_ops)" "$((writes + 5))"

kill -STOP "$pid"
eventually_stale() { vmward --json stats web && [ "$(number stale)" = true ]; }
ok "a stopped QEMU is stale" eventually eventually_stale
ok "its counters are still told" is "$(root write_ops)" "$((writes + 5))"
kill -CONT "$pid"
ok "and is well again" fresh
ok "it stops" stops web

# Exits are KVM's: a guest that does nothing but print has some thousands.
kvm_exits() { number exits; }
if accelerators | grep -q kvm; then
	guest fast kvm </dev/null
	vmward reload
	ok "under KVM: it boots" starts fast --wait=ready
	exits_of_fast() { vmward --json stats fast && [ "$(kvm_exits)" -gt "$1" ]; }
	ok "under KVM: exits are counted" eventually exits_of_fast 0
	before=$(kvm_exits)
	counts fast >/dev/null
	ok "under KVM: more with each thing it does" \
		eventually exits_of_fast "$before"
	echo "# exits=$(kvm_exits), $before before it counted"
	ok "the sum is that of its vCPUs" is "$(kvm_exits)" \
		"$(jq '[.[0].vcpus[].exits] | add' "$tmp/out")"
	ok "it stops" stops fast
else
	echo "# exits under KVM: skipped, no /dev/kvm"
fi
leave
plan
