#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# C-19: no descriptors (EMFILE), and no space for state, logs, images or run
# directories, at any moment of the supervisor's work.  What runs is left
# alone, an order is done or refused with the cause, and all works again when
# there is room, without a restart.
if [ "${IN_MOUNTS-}" != yes ]; then
	unshare -m true 2>/dev/null || {
		echo "1..0 # SKIP no mount namespace"
		exit 0
	}
	IN_MOUNTS=yes exec unshare -m "$0"
fi
# shellcheck source=tests/faults/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/faults/lib.sh"

vm web </dev/null
vm other <<'EOS'
[disk.root]
size = 1M
[stop]
steps = quit:2s, kill
EOS
for dir in var/lib/vmward var/log/vmward run/vmward; do
	mkdir -p "$tmp/$dir"
	mount -t tmpfs -o size=2m tmpfs "$tmp/$dir" ||
		skip_all "nothing may be mounted"
done
mkdir "$tmp/var/lib/vmward/images"
mount -t tmpfs -o size=2m tmpfs "$tmp/var/lib/vmward/images"
end_mounts()
{
	clean_daemon 2>/dev/null
	for dir in var/lib/vmward/images var/lib/vmward var/log/vmward \
		run/vmward; do
		umount -l "$tmp/$dir" 2>/dev/null
	done
	rm -rf "$tmp"
}
trap end_mounts EXIT
daemon
vmward start web
pid=$(pid_of web)

fill() # DIR
{
	cat /dev/zero >"$tmp/$1/filler" 2>/dev/null
	[ "$(stat -f -c %a "$tmp/$1")" = 0 ]
}
# what is tried while it is short; what was answered is expected
work()
{
	want=any
	timeout -s KILL 30 "$BUILD/vmward" --root "$tmp" start other \
		>"$tmp/ask.out" 2>&1 </dev/null && want=up
	timeout -s KILL 30 "$BUILD/vmward" --root "$tmp" stop other \
		>>"$tmp/ask.out" 2>&1 </dev/null && want=down
	vmward list
}
obeys() { eventually vmward start other && eventually vmward stop other; }
# and once there is room: everything, at once
works_again()
{
	obeys || {
		acked_lost=$((acked_lost + 1))
		bad "it does not work again: $(cat "$tmp/err")"
	}
}

case_begin C-19-resources
for dir in var/lib/vmward var/log/vmward var/lib/vmward/images run/vmward; do
	for when in idle again; do
		point "$dir is full, $when"
		fill "$dir" && struck
		work
		rm -f "$tmp/$dir/filler"
		expects "web up $pid" "other $want"
		look
		works_again
	done
done
for limit in 8 10 12 14 16 18 20 22 24 28; do
	point "$limit descriptors"
	prlimit --pid "$daemon_pid" --nofile="$limit:4096" && struck
	work
	prlimit --pid "$daemon_pid" --nofile=4096:4096
	expects "web up $pid" "other $want"
	look
	works_again
done
vmward kill web
tell
daemon_ends TERM
plan
