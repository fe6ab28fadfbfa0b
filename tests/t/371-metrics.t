#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# metrics: OpenMetrics text that a strict reader takes, in pages, cheap, and
# not delayed by a VM that hangs.
# shellcheck source=tests/t/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/t/daemon.sh
. "$TOP/tests/t/daemon.sh"

read_strictly() { awk -f "$TOP/tests/t/openmetrics.awk" "$1"; }
# refuses TEXT: the reader does not take it
refuses()
{
	printf '%b' "$1" >"$tmp/bad"
	! read_strictly "$tmp/bad" >/dev/null
}
# value SERIES: its value in out
value() { awk -v s="$1" 'index($0, s " ") == 1 { print $NF }' "$tmp/out"; }
valid() { read_strictly "$tmp/out"; }

# ---- the reader can say no ----

good='# TYPE a_seconds counter\n# UNIT a_seconds seconds\n# HELP a_seconds x.\na_seconds_total{vm="w\\"e\\\\b"} 1\n'
printf '%b' "$good# EOF\n" >"$tmp/good"
ok "the reader takes what is good" read_strictly "$tmp/good"
ok "the end is missing" refuses "$good"
ok "something behind it" refuses "$good# EOF\nb 1\n"
ok "a series twice" refuses "${good}a_seconds_total{vm=\"w\\\\\"e\\\\\\\\b\"} 2\n# EOF\n"
ok "a family without TYPE" refuses "b 1\n# EOF\n"
ok "a counter without _total" refuses '# TYPE a counter\na 1\n# EOF\n'
ok "a negative counter" refuses '# TYPE a counter\na_total -1\n# EOF\n'
ok "a label without quotes" refuses '# TYPE a gauge\na{b=c} 1\n# EOF\n'
ok "a value that is none" refuses '# TYPE a gauge\na x\n# EOF\n'

# ---- metrics ----

daemon
vmward metrics
ok "without VMs: valid" valid
ok "without VMs: nothing is promised" \
	is "$(value vmward_host_memory_promised_bytes)" 0
vm web <<'EOS'
[disk.root]
size = 1M
[net.lan]
user = yes
[balloon]
enabled = yes
EOS
vm off </dev/null
q vm-start web
vmward metrics
ok "valid" valid
ok "the state is a label" is \
	"$(value 'vmward_vm_state{vm="off",state="stopped"}')" 1
ok "the host's memory" is "$(value vmward_host_memory_bytes)" \
	"$(awk '/^MemTotal/ { printf "%.0f", $2 * 1024 }' /proc/meminfo)"
ok "what was promised of it" is \
	"$(value vmward_host_memory_promised_bytes)" 67108864
ok "a disk" grep -Eq '^vmward_disk_reads_total\{vm="web",disk="root"\} [1-9]' \
	"$tmp/out"
ok "a vCPU" grep -q '^vmward_vcpu_seconds_total{vm="web",vcpu="0"} ' "$tmp/out"
ok "a stopped one has no processor time" sh -c \
	"! grep -q 'cpu_seconds.*vm=\"off\"' '$tmp/out'"
cp "$tmp/out" "$tmp/before"
vmward metrics --libvirt-names
ok "libvirt's names: valid" valid
ok "libvirt's names: state" is \
	"$(value 'libvirt_domain_info_vstate{domain="off"}')" 5
ok "libvirt's names: memory" is \
	"$(value 'libvirt_domain_info_maximum_memory_bytes{domain="web"}')" \
	67108864
ok "libvirt's names: a disk" grep -q \
	'^libvirt_domain_block_stats_read_bytes_total{domain="web",target_device="root"} ' \
	"$tmp/out"
ok "libvirt's names only" sh -c "! grep -q vmward_ '$tmp/out'"
vmward --json metrics
ok "JSON: the text" grep -q '"text": "# TYPE vmward_build gauge' "$tmp/out"
ok "any old place to go on from is taken" \
	q vm-metrics after=99999999999999999999:x
ok "garbage as well" q vm-metrics 'after=:::'

# ---- the example for node_exporter ----

printf '#!/bin/sh\nexec "%s" --root "%s" "$@"\n' "$BUILD/vmward" "$tmp" \
	>"$tmp/bin/vmward"
chmod +x "$tmp/bin/vmward"
mkdir "$tmp/textfiles"
export_all() { PATH="$tmp/bin:$PATH" "$TOP/examples/prometheus/vmward-metrics" \
	"$tmp/textfiles"; }
ok "the example writes a file" export_all
ok "a whole one" read_strictly "$tmp/textfiles/vmward.prom"
ok "and nothing else" is "$(ls "$tmp/textfiles")" vmward.prom

# ---- a QEMU that lies ----

cat >"$tmp/lies.qmp" <<'EOS'
? {"execute": "query-cpus-fast"}
< {"return": [{"thread-id": 1, "cpu-index": 0}, {"thread-id": 2, "cpu-index": 0}], "id": $ID}
> {"execute": "query-blockstats"}
< {"return": [{"qdev": "a\"b\\c\nd}", "stats": {"rd_bytes": 7}}, {"qdev": "a\"b\\c\nd}", "stats": {}}, {"qdev": "disk-a b{", "stats": {"wr_bytes": -3}}], "id": $ID}
= loop
EOS
scripted lies "$tmp/lies.qmp"
q vm-start lies
vmward metrics
ok "lies: still valid" valid
ok "lies: names are escaped" grep -qF \
	'{vm="lies",disk="a\"b\\c\nd}"} 7' "$tmp/out"
q vm-kill lies

# ---- many, and one that hangs ----

vm 'many@' <<'EOS'
[disk.root]
size = 1M
EOS
sed -i 's/^\[vm\]/[vm]\ninstances = 01-50/' "$vms/many@.ini"
vmward start 'many@*' --timeout 60s
vmward metrics
ok "fifty: valid" valid
ok "fifty: all are there" is \
	"$(grep -c '^vmward_disk_reads_total{vm="many@' "$tmp/out")" 50
q vm-metrics
ok "fifty: one answer is not all of it" says '"next":"'
sum_of_commands()
{
	total=0
	for name in 01 25 50; do
		q vm-status "many@$name"
		total=$((total + $(field commands)))
	done
	echo "$total"
}
before=$(sum_of_commands)
measure_ms 300
vmward metrics
after=$(sum_of_commands)
echo "# $((after - before)) commands for three VMs and one scrape"
ok "fifty: a scrape costs three commands a VM: disks, balloon, guest" \
	test $((after - before)) -le 9
ticks_before=$(ticks "$daemon_pid")
for _ in 1 2 3 4 5 6 7 8 9 10; do
	vmward metrics
done
echo "# $(($(ticks "$daemon_pid") - ticks_before)) ticks of 10 ms of the supervisor for ten scrapes of 51 VMs, $(wc -c <"$tmp/out") bytes each"
kill -STOP "$(pid_of web)"
measure_ms 300
vmward metrics
ok "SIGSTOP: valid" valid
ok "SIGSTOP: it is stale" is "$(value 'vmward_vm_stale{vm="web"}')" 1
ok "SIGSTOP: its counters are what they were" grep -q \
	'^vmward_disk_reads_total{vm="web",disk="root"} ' "$tmp/out"
ok "SIGSTOP: the others are not" is \
	"$(value 'vmward_vm_stale{vm="many@25"}')" 0
ok "SIGSTOP: the next reader does not wait at all" talk "$control" qmp \
	'>{"execute":"vm-metrics"}' '<"text"' ms 1000
kill -CONT "$(pid_of web)"
vmward -y kill --all
# ---- as a file, whole or not at all ----

vmward metrics --output "$tmp/node.prom"
ok "--output: says nothing" is_silent
ok "--output: the same, for others to read" is \
	"$(stat -c %a "$tmp/node.prom") $(tail -n 1 "$tmp/node.prom")" '644 # EOF'
ok "--output: valid" read_strictly "$tmp/node.prom"
inode=$(stat -c %i "$tmp/node.prom")
vmward metrics --libvirt-names -o "$tmp/node.prom"
ok "--output: replaced, not written over" test \
	"$(stat -c %i "$tmp/node.prom")" != "$inode"
ok "--output: nothing is left beside it" is "$(echo "$tmp"/node.prom*)" \
	"$tmp/node.prom"
vmward metrics --output "$tmp/none/node.prom"
ok "--output: no such directory" exits 1
ok "--output: says so" complains "$tmp/none/node.prom"
daemon_ends TERM
before=$(cat "$tmp/node.prom")
vmward metrics --output "$tmp/node.prom"
ok "--output: no supervisor" exits 6
ok "--output: what was there stays" is "$(cat "$tmp/node.prom")" "$before"
plan
