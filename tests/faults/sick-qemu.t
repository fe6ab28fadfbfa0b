#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# C-6: each sick or hostile QEMU of tests/fake/*.qmp starts beside a VM that is
# well; while it is sick `list` is asked, and then it is killed.  The other
# one does not notice, the supervisor's memory does not grow.
# shellcheck source=tests/faults/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/faults/lib.sh"

vm web </dev/null
daemon
vmward start web
pid=$(pid_of web)
before=$(rss_kib "$daemon_pid")
worst=0
born() { grep -q 'stopped -> starting' "$tmp/var/log/vmward/sick/vm.log"; }

case_begin C-6-sick-qemu
for script in "$TOP"/tests/fake/*.qmp; do
	point "${script##*/}"
	rm -rf "$tmp/var/log/vmward/sick"
	scripted sick "$script"
	printf '[start]\nready-timeout = 1s\n[stop]\nsteps = quit:1s, kill\n[restart]\npolicy = no\n' \
		>>"$vms/sick.ini"
	q reload
	vmward --no-block start sick
	eventually born && struck
	measure_ms 300
	expects "web up $pid" "sick any"
	look
	took=$(sed 's/.*list_ms=//' "$tmp/verdict")
	[ "$took" -le "$worst" ] || worst=$took
	vmward kill sick
	expects "web up $pid" "sick down"
	eventually oracle || look
	rm -f "$vms/sick.ini"
	q reload
done
grown=$(($(rss_kib "$daemon_pid") - before))
vmward kill web
daemon_ends TERM
also="list_worst_ms=$worst rss_grown_kib=$grown"
tell
ok "its memory did not grow by more than 2 MiB" test "$grown" -lt \
	"$(rss_margin 2048)"
plan
