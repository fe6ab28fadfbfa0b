#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# kill -9 of the supervisor at POINTS [2] of its system calls while two
# running VMs and one that is down become one snapshot: it is there in all of
# them or in none, and all that ran run on.
# shellcheck source=tests/live/lib.sh
. "$(dirname "$0")/lib.sh"
points=${POINTS:-2}
may_trace

there() # NAME: how many of them have it
{
	for vm in web db box; do
		"$BUILD/vmward" --root "$tmp" snapshot show "$vm" "$1" \
			>/dev/null 2>&1 && echo "$vm"
	done | wc -l
}
runs() # NAME
{
	is_state "$1" running && counts "$1" >/dev/null
}
# one POINT [OPTION]: killed there; point 0 kills nobody, and tells how many
# calls there are
one()
{
	name=at$1
	down
	if [ "$1" -eq 0 ]; then
		up_under 0
	else
		up_under "$((calls * $1 / (points + 1)))"
	fi
	vmward wait web running --timeout 20s # unless it died in the adoption
	vmward wait db running --timeout 20s
	timeout -s KILL 60 "$BUILD/vmward" --root "$tmp" snapshot create \
		web db box --name "$name" "$2" >"$tmp/said" 2>&1 </dev/null
	acked=$?
	kill "$vmwardd_pid" 2>/dev/null
	wait "$vmwardd_pid" 2>/dev/null
	[ "$1" -ne 0 ] || calls=$(cut -d' ' -f2 "$tmp/calls")
	up
	eventually is_state web running || return 1
	eventually is_state db running || return 1
	runs web && runs db || return 1
	count=$(there "$name")
	echo "# at $(cat "$tmp/calls"): status $acked, in $count of 3"
	[ "$count" -eq 3 ] || { [ "$count" -eq 0 ] && [ "$acked" -ne 0 ]; }
}

for vm in web db box; do
	qimage "$vm"
	cat >"$vms/$vm.ini" <<-EOF
	[vm]
	memory = 8M
	accel = tcg
	[disk.root]
	image = $vm.qcow2
	[start]
	ready = serial:READY
	EOF
done
up
ok "two run" does start web db --wait
for how in --disk-only --memory; do
	for at in $(seq 0 "$points"); do
		ok "$how, killed at point $at" one "$at" "$how"
		if [ "$(there "at$at")" -eq 0 ]; then
			ok "made now" does snapshot create web db box \
				--name "at$at"
		fi
		ok "all of it goes" does snapshot delete web "at$at" \
			--group --yes
	done
done
ok "a last one" does snapshot create web db box --name last
ok "all have it" is "$(there last)" 3
ok "no journal is left" is "$(ls "$tmp/var/lib/vmward/groups")" ''
does stop web db --now
for vm in web db box; do
	ok "the image of $vm has that one alone" is \
		"$(qemu-img snapshot -l "$images/$vm.qcow2" | grep -c '^[0-9]')" 1
	ok "and is sound" qemu-img check -q -f qcow2 "$images/$vm.qcow2"
done
plan
