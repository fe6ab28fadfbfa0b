#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# kill -9 of the supervisor at POINTS [3] of its system calls while a running
# VM is kept with its memory, reverted in place, or a snapshot of it deleted:
# the guest runs on, is where it was or where it was to be, and QEMU has
# nothing of it any more.
# shellcheck source=tests/live/lib.sh
. "$(dirname "$0")/lib.sh"
points=${POINTS:-3}
may_trace

is_clean() # in QEMU, and in the file
{
	for query in query-jobs query-named-block-nodes query-fdsets; do
		vmward qmp web "$query"
		! grep -q clone- "$tmp/out" || return 1
	done
}
there() { "$BUILD/vmward" --root "$tmp" snapshot show web "$1" >/dev/null 2>&1; }
memories() { find "$tmp/var/lib/vmward/snapshots/web" -name '*.qcow2' | wc -l; }
with_memory()
{
	"$BUILD/vmward" --root "$tmp" snapshot list web --json |
		jq '[.[] | select(.memory)] | length'
}

# its counter, which it prints in hexadecimal
value()
{
	answers web n '^[0-9A-F]{4}$' >/dev/null &&
		echo "$((0x$(said web "$from" | grep -oE '^[0-9A-F]{4}$' |
			tail -n 1)))"
}

# one OP POINT: it ends well, or is said to be wrong.  Point 0 kills nobody,
# and tells how many calls there are; the others are spread over these.
one()
{
	before=$(value)
	down
	if [ "$2" -eq 0 ]; then
		up_under 0
	else
		up_under "$(($(cat "$tmp/$1.calls") * $2 / (points + 1)))"
	fi
	op=$1
	point=$2
	case $1 in
	create) set -- create web --name "new$2" --memory ;;
	revert) set -- revert web base --yes ;;
	delete) set -- delete web "new$2" --yes ;;
	esac
	vmward wait web running --timeout 20s # unless it died in the adoption
	timeout -s KILL 60 "$BUILD/vmward" --root "$tmp" snapshot "$@" \
		>"$tmp/said" 2>&1 </dev/null
	acked=$?
	kill "$vmwardd_pid" 2>/dev/null
	wait "$vmwardd_pid" 2>/dev/null
	[ "$point" -ne 0 ] || cut -d' ' -f2 "$tmp/calls" >"$tmp/$op.calls"
	up
	eventually is_state web running || return 1
	eventually is_clean || return 1
	now=$(value)
	echo "$* at $(cat "$tmp/calls"): status $acked, $before -> $now"
	case $1 in
	revert)
		[ "$now" -eq "$((base + 1))" ] || {
			[ "$acked" -ne 0 ] && [ "$now" -eq "$((before + 1))" ]
		}
		;;
	create)
		[ "$now" -eq "$((before + 1))" ] || return 1
		there "$4" || [ "$acked" -ne 0 ] || return 1
		there "$4" || does snapshot create web --name "$4" --memory
		;;
	delete)
		[ "$now" -eq "$((before + 1))" ] || return 1
		! there "$3" || [ "$acked" -ne 0 ]
		;;
	esac
}

qimage web
cat >"$vms/web.ini" <<-EOF
[vm]
memory = 8M
accel = tcg
[disk.root]
image = web.qcow2
[disk.data]
size = 8M
[start]
ready = serial:READY
EOF
up
ok "it runs" does start web --wait
base=$(value)
ok "a snapshot with memory" does snapshot create web --name base --memory
for at in $(seq 0 "$points"); do
	ok "create, killed at point $at" one create "$at"
	ok "revert, killed at point $at" one revert "$at"
	ok "delete, killed at point $at" one delete "$at"
done
ok "a last one" does snapshot create web --name last
ok "no memory is left of what is not there" is "$(memories)" \
	"$(with_memory)"
ok "the first one is whole" does snapshot revert web base --yes
ok "it is where it was" is "$(value)" "$((base + 1))"
does stop web --now
ok "its images are sound" qemu-img check -q -f qcow2 "$images/web.qcow2"
plan
