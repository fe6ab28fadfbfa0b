#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# kill -9 of the supervisor at random moments while five VMs start and stop.
# POINTS [40] kills; SEED [the time] repeats a run.  MUTATE=double, lost or
# leak does that damage once, to see that the counters can count.
# shellcheck source=tests/live/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/live/lib.sh"
points=${POINTS:-40}
seed=${SEED:-$(date +%s)}
injected=0 survived=0 lost=0 double=0 killed=0 leaked=0 slowest=0
names='vm1 vm2 vm3 vm4 vm5'

exec 8<<EOF
$(awk -v seed="$seed" -v n="$((points * 16))" \
	'BEGIN { srand(seed); while (n--) print int(rand() * 1000000) }')
EOF
pick() # N: sets picked to 0 ... N-1
{
	read -r picked <&8
	picked=$((picked % $1))
}

bad() # WHAT: the run goes on, the log keeps it
{
	echo "# point $injected: $*"
	sed 's/^/#   /' "$tmp/list"
}

# NAME STATE PID lines of all VMs
look()
{
	"$BUILD/vmward" --root "$tmp" --json list >"$tmp/json" 2>"$tmp/err" &&
		jq -r '.[] | "\(.name) \(.state) \(.pid)"' "$tmp/json" \
			>"$tmp/list"
}

# every VM is either up or down: nothing under way
is_settled()
{
	look && ! grep -qvE ' (running|stopped) ' "$tmp/list"
}

field() # NAME N FILE
{
	awk -v name="$1" -v n="$2" '$1 == name { print $n }' "$3"
}

# asks NAME VERB: in the background; its exit status goes to NAME.status
asks()
{
	(
		timeout -s KILL 60 "$BUILD/vmward" --root "$tmp" "$2" "$1" \
			>"$tmp/$1.out" 2>&1
		echo $? >"$tmp/$1.status"
	) &
	asked="$asked $!"
}

# a second QEMU on an image, as if one had been started twice
mutate_double()
{
	"$QEMU" -S -machine none -display none -nodefaults \
		-name "guest=$images/vm1.raw" </dev/null >/dev/null 2>&1 &
	started="$started $!"
	eventually grep -q vm1.raw "/proc/$!/cmdline"
}

# a guest that was to run: its QEMU and its record are gone
mutate_lost()
{
	for name in $names; do
		pid=$(qemus "/$name.raw")
		[ -n "$pid" ] || continue
		kill -9 "$pid" && is_gone "$pid" || return 1
		rm "$tmp/var/lib/vmward/records/$name"* || return 1
		echo start >"$tmp/$name.verb"
		echo 0 >"$tmp/$name.status"
		return 0
	done
	return 1
}

mutate_leak()
{
	: >"$images/vm1.raw.tmp.1"
}

# mutates WHAT...: does the damage that is asked for, once
mutates()
{
	for what; do
		[ "${MUTATE-}" != "$what" ] || ! "mutate_$what" || MUTATE=
	done
}

check_vm() # NAME: against what it was asked and how it was before
{
	state=$(field "$1" 2 "$tmp/list")
	pid=$(field "$1" 3 "$tmp/list")
	was=$(field "$1" 2 "$tmp/before")
	was_pid=$(field "$1" 3 "$tmp/before")
	number=$(grep -c "/$1\.raw" "$tmp/processes")
	verb=
	[ ! -e "$tmp/$1.verb" ] || verb=$(cat "$tmp/$1.verb")
	if [ "$number" -gt 1 ]; then
		double=$((double + 1))
		bad "$1 has $number QEMUs"
	fi
	if [ "$state" = running ] && [ "$number" = 0 ] ||
		[ "$state" = stopped ] && [ "$number" != 0 ]; then
		leaked=$((leaked + 1))
		bad "$1 is $state with $number QEMUs"
	fi
	if [ "$was" = running ] && [ "$verb" != stop ] &&
		[ "$pid" != "$was_pid" ]; then
		killed=$((killed + 1))
		bad "$1 had pid $was_pid, now $pid"
	fi
	case "$verb $(cat "$tmp/$1.status" 2>/dev/null) $state" in
	'start 0 stopped' | 'stop 0 running')
		lost=$((lost + 1))
		bad "$1: $verb was answered, but it is $state"
		;;
	esac
}

point()
{
	rm -f "$tmp"/vm?.verb "$tmp"/vm?.status
	cp "$tmp/list" "$tmp/before"
	asked=
	for name in $names; do
		pick 3
		[ "$picked" != 0 ] || continue
		case $(field "$name" 2 "$tmp/before") in
		running) verb=stop ;;
		*) verb=start ;;
		esac
		echo "$verb" >"$tmp/$name.verb"
		asks "$name" "$verb"
	done
	pick 150
	sleep "0.$(printf %03d "$picked")"
	down
	injected=$((injected + 1))
	for client in $asked; do
		wait "$client"
	done
	mutates double lost leak
	began=$(now_ms)
	up
	eventually is_settled || bad "not settled"
	took=$(($(now_ms) - began))
	[ "$took" -le "$slowest" ] || slowest=$took
	pgrep -af "^[^ ]*qemu-system-x86_64 .*$tmp/" >"$tmp/processes"
	kill -0 "$vmwardd_pid" && survived=$((survived + 1))
	for name in $names; do
		check_vm "$name"
	done
}

for name in $names; do
	guest "$name" tcg <<-EOF
	[stop]
	steps = quit:2s, kill
	EOF
	sed -i '/^\[start\]/d; /^ready/d' "$vms/$name.ini"
done
echo "# seed $seed"
up
eventually is_settled
while [ "$injected" -lt "$points" ]; do
	point
done
ok "all VMs stop" does stop --all
ok "the supervisor leaves nothing" nothing_left
left=$(wc -l <"$tmp/left")
leaked=$((leaked + left))
ok "it leaves" leave
ok "no temporary files" is "$(find "$tmp/etc" "$tmp/var" "$tmp/run" \
	-name '*.tmp*' -o -name '.*' ! -name . | wc -l)" 0
line="case=kill-start-stop points=$points injected=$injected \
survived=$survived acked_lost=$lost double=$double vm_killed=$killed \
leaked=$leaked max_recover_ms=$slowest"
echo "# $line"
[ -z "${FAULTS_OUT-}" ] || echo "$line" >>"$FAULTS_OUT"
ok "no VM was lost" is "$lost" 0
ok "none was doubled" is "$double" 0
ok "none was killed" is "$killed" 0
ok "nothing leaked" is "$leaked" 0
ok "the supervisor came back each time" is "$survived" "$points"
plan
