#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# stats: what QEMU says and /proc shows; one that is sick, slow or lies
# delays nobody and gives what is known with its age.
# shellcheck source=tests/t/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/t/daemon.sh
. "$TOP/tests/t/daemon.sh"

prompt=1000 # ms; a busy machine is slow, a stopped QEMU would take for ever

# stats NAME: the object of vm-stats in out
stats() { q vm-stats "$1"; }
# stats_say NAME TEXT
stats_say()
{
	if ! stats "$1" || ! says "$2"; then
		cat "$tmp/out"
		false
	fi
}
# sent_so_far NAME: commands that its QEMU was sent
sent_so_far()
{
	q vm-status "$1"
	field commands
}

vm web <<'EOS'
[disk.root]
size = 1M
[net.lan]
user = yes
[balloon]
enabled = yes
EOS
daemon
stats web
ok "stopped: its state" says '"state":"stopped"'
ok "stopped: no numbers, and none is missed" \
	says '"cpu":null,"vcpus":[],"exits":null'
vmward stats web
ok "stopped: exit status 3, as of status" exits 3
q vm-start web
pid=$(pid_of web)
ok "running: up to date" stats_say web '"stale":false'
ok "running: QEMU's time" says '"cpu":{"seconds":'
ok "running: a vCPU by its thread" says "\"thread\":$pid"
stats web
ok "running: the disk by its section's name" \
	says '"disks":[{"name":"root","read_bytes":'
ok "running: the balloon" says '"balloon":67108864'
ok "running: what the guest said, and what it did not" \
	says '"guest":{"total":62914560,"free":null'
ok "running: nics of user mode are not counted" \
	says '"name":"lan","mode":"user","rx_bytes":null'
ok "no VM: not found" refused NOT_FOUND vm-stats nobody

# ---- the client ----

vmward stats web
ok "for people" exits 0
ok "for people: a disk" grep -Eq 'Disk: root: read .* in [0-9]+ \(' "$tmp/out"
ok "for people: its memory" says 'Memory: configured 64M, balloon leaves 64M'
vmward --json stats web
ok "JSON: PSS is added by the client" grep -Eq '"pss": [1-9]' "$tmp/out"
vmward stats web nobody
ok "one of two is unknown: 4" exits 4
ok "one of two is unknown: said" complains "nobody"
ok "the other is shown" says 'web: running'
vmward stats web --interval 200ms --count 2
ok "rates: two tables" is "$(grep -c '^NAME .*CPU%' "$tmp/out")" 2
vmward --json stats web --interval 300ms --count 2
ok "rates: one object a line" is "$(grep -c '^{"name":"web"' "$tmp/out")" 2
ok "rates: what happened since" grep -Eq '"ops":[0-9.]*[1-9]' "$tmp/out"
vmward stats web --interval 10ms
ok "rates: too fast" exits 2
vmward stats web --count 2
ok "rates: how often of nothing" exits 2
vmward stats
ok "of which VM?" exits 2

# ---- sick ----

vm well </dev/null
q vm-start well
stats web
kill -STOP "$(pid_of web)"
measure_ms 300 # what is known is no longer fresh
ok "SIGSTOP: answered" talk "$control" qmp \
	'>{"execute":"vm-stats","arguments":{"vm":"web"}}' \
	'<"stale":true' ms $prompt
ok "SIGSTOP: with what was known" says '"disks":[{"name":"root"'
ok "SIGSTOP: and its age" sh -c "! grep -q '\"age\":null' '$tmp/out'"
before=$(sent_so_far web)
i=0
while [ $i -lt 30 ]; do
	stats web
	i=$((i + 1))
done
ok "SIGSTOP: thirty looks send it nothing more" \
	is "$(sent_so_far web)" "$before"
ok "SIGSTOP: others are up to date" stats_say well '"stale":false'
vmward stats web
ok "SIGSTOP: said to people" says 'QEMU does not answer'
kill -CONT "$(pid_of web)"
fresh() { talk "$control" qmp \
	'>{"execute":"vm-stats","arguments":{"vm":"web"}}' '<"stale":false'; }
well_again()
{
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		fresh && return
		measure_ms 300
	done
	false
}
ok "SIGCONT: up to date again" well_again

# ---- lies ----

cat >"$tmp/lies.qmp" <<'EOS'
? {"execute": "query-cpus-fast"}
< {"return": [{"thread-id": 18446744073709551615, "cpu-index": 0}, {"thread-id": 1, "cpu-index": 0}, "x"], "id": $ID}
> {"execute": "query-blockstats"}
< {"return": [{"qdev": ["a"], "stats": 5}, {"node-name": "disk-\u001b[31m\"x", "stats": {"rd_bytes": "many", "wr_bytes": 99999999999999999999}}], "id": $ID}
= loop
EOS
scripted lies "$tmp/lies.qmp"
q vm-start lies
ok "lies: answered" stats_say lies '"stale":false'
ok "lies: a thread that is not its own has no time" \
	says '"thread":1,"seconds":null'
ok "lies: numbers that are none are nothing" says '"read_bytes":0'
vmward stats lies
ok "lies: nothing for a terminal in it" sh -c \
	"! grep -q '$(printf '\033')' '$tmp/out'"
scripted mute "$tmp/mute.qmp"
cat >"$tmp/mute.qmp" <<'EOS'
? {"execute": "query-blockstats"}
EOS
q vm-start mute
ok "mute: answered" stats_say mute '"stale":true'
ok "mute: nothing of QEMU's is known" says '"age":null'
ok "mute: its process is" says '"rss":'
ok "mute: others are up to date" stats_say well '"stale":false'

# ---- exits under KVM, which is asked of who may have it ----

cat >"$tmp/kvm.qmp" <<'EOS'
? {"execute": "query-cpus-fast"}
< {"return": [{"thread-id": 1, "cpu-index": 0, "qom-path": "/machine/unattached/device[0]"}, {"thread-id": 2, "cpu-index": 1, "qom-path": "/machine/unattached/device[2]"}], "id": $ID}
? {"execute": "query-stats", "arguments": {"target": "vcpu", "providers": [{"provider": "kvm", "names": ["exits"]}]}}
< {"return": [{"provider": "kvm", "qom-path": "/machine/unattached/device[2]", "stats": [{"name": "halt_exits", "value": 5}, {"name": "exits", "value": 1200}]}, {"provider": "kvm", "qom-path": "/machine/unattached/device[0]", "stats": [{"name": "exits", "value": 34}]}], "id": $ID}
= loop
EOS
scripted kvm "$tmp/kvm.qmp"
q vm-start kvm
stats well
ok "TCG has no exits" says '"exits":null'
daemon_ends KILL
daemon
ok "who was adopted may have KVM: it is asked" stats_say kvm '"exits":1234'
ok "each vCPU has its own" sh -c \
	"grep -q '\"thread\":1,.*\"exits\":34.*\"thread\":2,.*\"exits\":1200' '$tmp/out'"
vmward stats kvm
ok "for people" grep -Eq 'Exits: +1234' "$tmp/out"
vmward metrics
ok "metrics: of each vCPU" sh -c \
	"grep -q '^vmward_vcpu_exits_total{vm=\"kvm\",vcpu=\"0\"} 34\$' '$tmp/out' &&
	grep -q '^vmward_vcpu_exits_total{vm=\"kvm\",vcpu=\"1\"} 1200\$' '$tmp/out'"
ok "metrics: of who has none there are none" sh -c \
	"! grep -q '^vmward_vcpu_exits_total{vm=\"web\"' '$tmp/out'"

for name in web well lies mute kvm; do
	q vm-kill $name
done
daemon_ends TERM
plan
