#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Disks of servers (url =): the guest boots from one; when the server dies
# under it and comes back, nothing that the guest wrote is lost.
# shellcheck source=tests/live/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/live/lib.sh"
command -v qemu-nbd >/dev/null || skip_all "no qemu-nbd"
sock=$tmp/nbd.sock
patience=60 # QEMU looks for a lost server ever more seldom, up to 16 s

# remote NAME URL: a BIOS guest that boots from there; more lines on stdin
remote()
{
	{
		printf '[vm]\nmemory = 8M\naccel = tcg\n'
		printf '[start]\nready = serial:READY\n'
		printf '[disk.root]\nurl = %s\n' "$2"
		cat
	} >"$vms/$1.ini"
}

# serve IMAGE FORMAT: over $sock; its pid in $server
serve()
{
	rm -f "$sock"
	qemu-nbd -f "$2" -x root -t -e 8 -k "$sock" "$1" \
		>"$tmp/nbd.log" 2>&1 </dev/null &
	server=$!
	started="$started $server"
	eventually test -S "$sock" || cat "$tmp/nbd.log"
	chmod 666 "$sock" # QEMU is no root
}
dies() { kill -9 "$server" && wait "$server" 2>/dev/null; }
far_size() { size_of "$logs/far/console.log"; }
is_held() { is "$(state_of "$1")" paused; }
goes_on() { is "$(state_of "$1")" running; }
notes() { vmward list "$1" && says "$2"; }

chmod 711 "$tmp" # up to the socket
image=$images/far.raw
"$TOP/tests/guest/bios/label" "$BUILD/guest/bios.raw" "$image" far
up

# ---- the server dies for less than reconnect-delay: nobody notices ----

remote far "nbd+unix:///root?socket=$sock" </dev/null
serve "$image" raw
ok "a guest boots from a server" starts far --wait=ready
pid=$(pid_of far)
ok "it writes there" is "$(counts far)" 0001
dies
from=$(far_size)
types far n >/dev/null
serve "$image" raw
ok "a write waits for the server's return" \
	eventually says_after far "$from" '^0002$'
ok "the same QEMU" same_pid far "$pid"
ok "it runs" goes_on far

# ---- for longer: the guest is held, and goes on by itself ----

ok "it stops in order" stops far
ok "the server has what was written" \
	sh -c "tr -d '\\0' <'$image' | grep -q ."
remote far "nbd+unix:///root?socket=$sock" <<EOS
reconnect-delay = 1s
EOS
starts far --wait=ready
pid=$(pid_of far)
ok "it counts on" is "$(counts far)" 0003
dies
from=$(far_size)
types far n >/dev/null
ok "after reconnect-delay it is held" eventually is_held far
ok "and says why" notes far "disk root fails: nbd+unix:"
serve "$image" raw
ok "it goes on by itself" eventually goes_on far
ok "and its write was done" eventually says_after far "$from" '^0004$'
ok "by the same QEMU" same_pid far "$pid"

# ---- while no supervisor looks ----

dies
down
from=$(far_size)
printf n | timeout 5 socat -t1 - "UNIX:$run/far/priv/serial0" >/dev/null
echo '{"execute":"qmp_capabilities"}{"execute":"query-status"}' >"$tmp/ask"
blocked()
{
	timeout 5 socat -t1 - "UNIX:$run/far/priv/monitor" <"$tmp/ask" |
		grep -q '"status": "io-error"'
}
ok "it is held without a supervisor as well" eventually blocked
up
ok "the next one knows why" eventually notes far "disk root fails: nbd+unix:"
serve "$image" raw
ok "and goes on" eventually goes_on far
ok "it counts on" is "$(counts far)" 0006
ok "the same QEMU still" same_pid far "$pid"
stops far

# ---- a person's word, another format, a read-only one ----

remote far "nbd+unix:///root?socket=$sock" <<EOS
reconnect-delay = 1s
on-eio = report
EOS
starts far --wait=ready
dies
from=$(far_size)
types far n >/dev/null
# whether the guest says it by a word or a blank is its own matter
told() { [ "$(far_size)" -gt "$from" ]; }
ok "on-eio = report tells the guest" eventually told
ok "and it runs on" goes_on far
does kill far >/dev/null
qemu-img convert -f raw -O qcow2 "$image" "$tmp/whole.qcow2"
serve "$tmp/whole.qcow2" raw
remote far "nbd+unix:///root?socket=$sock" <<EOS
format = qcow2
EOS
ok "a qcow2 image that a server has" starts far --wait=ready
ok "is written" answers far n '^[0-9]{4}$'
stops far
dies

# ---- a server that is not there ----

rm -f "$sock"
remote far "nbd+unix:///root?socket=$sock" <<EOS
reconnect-delay = 1s
EOS
ok "no server: the start fails" fails_with 1 start far
ok "and says why" complains "far"
ok "it is down" is_state far stopped

# ---- what of the others can be seen here: QEMU takes each option ----

takes() # DRIVER TEXT: QEMU fails, but not by an option
{
	vmward start far
	exits 1 && ! complains unexpected && ! complains 'Invalid parameter' &&
		complains "$2"
}
(umask 077 && echo '-----BEGIN EC PRIVATE KEY-----' >"$tmp/key")
while read -r driver url text; do
	ls /usr/lib/*/qemu/block-"$driver".so >"$tmp/so" 2>&1 || {
		echo "# no block-$driver.so"
		continue
	}
	case $driver in
	ssh) echo "ssh-key-file = $tmp/key" ;;
	esac | remote far "$url"
	ok "QEMU takes $url" takes "$driver" "$text"
done <<'EOS'
rbd rbd:pool/ns/image?user=admin&conf=/none error
ssh ssh://ann@127.0.0.1:1/disk.raw?host-key=sha256:00ff connect
iscsi iscsi://127.0.0.1:1/iqn.2026-01.test:x/1 connect
EOS
leave
ok "nothing is left" nothing_left
plan
