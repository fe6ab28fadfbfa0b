#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What needs a real operating system in the guest.
# shellcheck source=tests/live/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/live/lib.sh"
[ -e "$BUILD/guest/vmlinuz" ] || skip_all "no Linux guest could be built here"
# below $tmp, so that the QEMUs are known as ours
cp "$BUILD/guest/vmlinuz" "$BUILD/guest/initrd.gz" "$tmp/"

free_port()
{
	perl -MIO::Socket::INET -e 'print IO::Socket::INET->new(Listen => 1,
		LocalAddr => "127.0.0.1")->sockport'
}

# linux NAME READY: NAME.ini; more lines come from stdin
linux()
{
	port=$(free_port)
	cat >"$vms/$1.ini" <<-EOF
	[vm]
	memory = 192M
	accel = tcg
	kernel = $tmp/vmlinuz
	initrd = $tmp/initrd.gz
	cmdline = console=ttyS0 quiet panic=-1 name=%n
	[net.lan]
	user = yes
	forward = $port:80
	[start]
	ready = $2
	EOF
	cat >>"$vms/$1.ini"
}

http()
{
	printf 'GET / HTTP/1.0\r\n\r\n' |
		timeout 10 socat -t5 - "TCP:127.0.0.1:$port" >"$tmp/answer"
	cat "$tmp/answer"
	grep -q "hello from $1, uptime" "$tmp/answer"
}

uptime_of() # NAME: whole seconds, of the guest itself
{
	http "$1" | tr -d '\r' | sed -n 's/.*uptime \([0-9]*\).*/\1/p'
}

patience=60
up
linux demo 'serial:^READY up=' </dev/null
ok "is ready by its serial port" starts demo --wait=ready
ok "the forward reaches its web server" eventually http demo
pid=$(pid_of demo)

from=$(size_of "$logs/demo/console.log")
ok "a disk is plugged in" does disk attach demo data size=4M
ok "the guest sees it" eventually says_after demo "$from" \
	'^HOTPLUG add block vda'
ok "by its name" answers demo 'cat /sys/block/vda/serial
' '^data'
ok "of its size" answers demo 'cat /sys/block/vda/size
' '^8192'
from=$(size_of "$logs/demo/console.log")
ok "it is unplugged, the guest lets it go" does disk detach demo data
ok "the guest saw it go" eventually says_after demo "$from" \
	'^HOTPLUG remove block vda'

before=$(uptime_of demo)
down
ok "no supervisor: the guest serves on" http demo
up
becomes demo running >/dev/null
ok "after kill -9 the same QEMU" same_pid demo "$pid"
after=$(uptime_of demo)
ok "the guest's uptime goes on" test "${after:-0}" -ge "${before:-1}"
ok "it is ready still" is "$(of demo ready)" true
ok "the agent stops it" stops demo
ok "step agent" says agent
ok "by the admin" is "$(cause_of demo)" admin-stop

linux ga agent <<EOF
[stop]
steps = acpi:20s, kill
EOF
ok "is ready by its agent" starts ga --wait=ready
vmward stop ga
ok "the power button stops Linux, too" says acpi

linux web tcp:80 </dev/null
ok "is ready by tcp" starts web --wait=ready
ok "then its web server answers at once" http web
from=$(size_of "$logs/web/console.log")
ok "reboot is asked of the guest" does reboot web
ok "and it boots again" eventually says_after web "$from" '^READY up='
does kill web >/dev/null
ok "nothing is left" nothing_left
plan
