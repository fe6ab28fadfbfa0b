#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Bugs that were: each line is named after one.
# shellcheck source=tests/t/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/t/daemon.sh
. "$TOP/tests/t/daemon.sh"

never() { printf '[restart]\npolicy = no\n' | vm "$1"; }

# goes_and_comes COMMAND...: done while the supervisor is dead
goes_and_comes()
{
	daemon_ends KILL
	"$@"
	daemon
}

# ---- stop ----

vm slow <<'EOS'
[stop]
steps = ctrl-alt-del:5min, kill
timeout = 5min
EOS
daemon
vmward start slow
background stops qmp '>{"execute":"vm-stop","arguments":{"vm":"slow"}}' '<"'
becomes slow stopping
vmward stop --now slow
ok "stop --now hurries a stop that is under way" exits 0
ok "it is down" state_is slow stopped
ok "and the first one is answered" ended stops
rm "$vms/slow.ini"

# ---- what follows the start of QEMU ----

cat >"$tmp/late.qmp" <<'EOS'
? {"execute": "set_link"}
~ 1500ms
= loop
EOS
vm late <<EOS
[net.lan]
user = yes
link = down
[raw]
arg-1 = -D $tmp/late.qmp
qmp-1 = {"execute": "x-fake", "arguments": {"line": "! serial GOT-IT\\\\n"}}
EOS
background starts qmp '>{"execute":"vm-start","arguments":{"vm":"late"}}' hold
wait_for "$daemon_log" 'late'
becomes late starting
goes_and_comes true
ok "a QEMU adopted in prelaunch runs" becomes late running
wait_for "$tmp/var/log/vmward/late/console.log" GOT-IT
ok "a QEMU adopted in prelaunch gets its [raw] lines" \
	grep -q GOT-IT "$tmp/var/log/vmward/late/console.log"
goes_and_comes true
becomes late running
ok "and not a second time" is \
	"$(grep -c GOT-IT "$tmp/var/log/vmward/late/console.log")" 1
q vm-kill late
rm "$vms/late.ini"

# ---- what the record keeps ----

printf '[vm]\nhotplug-ports = 2\n' | sed 1d >"$tmp/ports"
vm ports <"$tmp/ports"
vmward start ports
q vm-disk-attach ports disk=one 'pairs:{"size":"1M"}'
q vm-status ports
ok "one root port is free" is "$(field ports_free)" 1
before=$(field reason)
goes_and_comes true
becomes ports running
q vm-status ports
ok "after adoption it still is one" is "$(field ports_free)" 1
ok "why it is TCG is known after adoption" is "$(field reason)" "$before"
ok "a second disk finds the port" q vm-disk-attach ports disk=two \
	'pairs:{"size":"1M"}'
ok "a third finds none that QEMU lacks" refused LIMIT vm-disk-attach ports \
	disk=three 'pairs:{"size":"1M"}'
q vm-kill ports
rm "$vms/ports.ini"

printf '[disk.root]\nimage = %s/root.raw\n' "$tmp" | vm once
head -c 65536 /dev/zero >"$tmp/root.raw"
vmward start once --ephemeral
ok "start --ephemeral" exits 0
pid=$(pid_of once)
overlay() { tr '\0' '\n' <"/proc/$(pid_of once)/cmdline" |
	grep -o 'disk-root:/[^"]*ephemeral[^"]*'; }
ok "it writes to an overlay" overlay
both_die() { kill -9 "$pid" && gone "$pid"; }
goes_and_comes both_die
ok "both died: it is restarted" becomes once running
ok "both died: by another" test "$(pid_of once)" != "$pid"
ok "both died: --ephemeral holds for the restart" overlay
q vm-kill once
ok "no overlay is left" is "$(ls "$tmp/var/lib/vmward/ephemeral")" ''
rm "$vms/once.ini"

# ---- locks ----

never web
vmward start web
pid=$(pid_of web)
ok "the names of locks have a secret in them" test -s \
	"$tmp/var/lib/vmward/lock-key"
ok "that nobody else can read" is \
	"$(stat -c %a "$tmp/var/lib/vmward/lock-key")" 600
goes_and_comes rm -f "$run/web/priv/lock"
ok "the name still tells that it lives" becomes web running
ok "the same" is "$(pid_of web)" "$pid"
goes_and_comes rm "$tmp/var/lib/vmward/lock-key"
becomes web running
ok "without lock file and secret its sockets tell" is "$(pid_of web)" "$pid"
lose() { rm -r "$records/web"; }
squat() # by more clients than QEMU lets wait
{
	for _ in 1 2 3 4; do
		"$tmp/bin/talk" "$run/web/priv/monitor" '<QMP' hold \
			>"$tmp/s.out" 2>&1 &
		started="$started $!"
	done
	: >>"$tmp/s.out"
	wait_for "$tmp/s.out" QMP
}
daemon_ends KILL
lose
squat
daemon
ok "record lost, monitor squatted: kill does not wait" q vm-kill web
ok "record lost, monitor squatted: it is gone" gone "$pid"

# ---- reload ----

printf '[vm]\nmemory = 64M\nkernel = %s\n' "$tmp/kernel" >"$vms/other.ini"
q reload
echo '[nonsense' >"$vms/other.ini.new"
daemon_ends TERM
daemon
cp "$vms/other.ini.new" "$vms/other.ini"
rm "$vms/other.ini.new"
q reload vm=web
ok "reload NAME answers for that VM alone" is "$(grep -c nonsense "$tmp/out")" 0

# ---- numbers ----

ok "a number below its range" refused USAGE vm-list limit:0
ok "a number above its range" refused USAGE vm-list limit:91
ok "a negative one" refused USAGE vm-log web lines:-1
vmward log web -n 0
ok "the client says so, too" exits 2
ok "with the range" complains "'0' is out of range: 1-100000"
vmward console web --timeout 5s
ok "console --timeout without --expect is refused" exits 2
ok "and why" complains 'the patience of --expect'

# ---- jobs ----

if [ "$(id -u)" = 0 ]; then
	printf '[start]\nautostart = no\n' | vm mine
	sed -i 's/^\[vm\]/[vm]\nowner = 65534/' "$vms/mine.ini"
	sed -i 's/^kernel.*/&/' "$vms/mine.ini"
	printf '[stop]\nsteps = ctrl-alt-del:5min, kill\ntimeout = 5min\n' \
		>>"$vms/mine.ini"
	chmod 755 "$tmp" "$tmp/run" "$run"
	vmward start mine
	uid=65534
	q vm-stop mine job:true
	job=$(field job)
	ok "the owner stops his VM" test -n "$job"
	ok "the owner of the VM may cancel its job" q job-cancel "job=$job"
	uid=
	ok "it was cancelled" becomes mine running
	q vm-stop mine job:true
	job=$(field job)
	uid=65533
	ok "another may not" refused DENIED job-cancel "job=$job"
	uid=
	q vm-kill mine
fi

vmward events --no-follow
ok "JOB_STATUS tells the phase" grep -q 'JOB_STATUS.*phase' "$tmp/out"
plan
