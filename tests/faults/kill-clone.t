#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# kill -9 of the supervisor at its system calls (POINTS [all], evenly spread)
# during a linked clone of a VM that runs; at every third one its QEMU dies
# with it.  After the next start the clone is there or is not, nothing else
# is, and the old guest has all it wrote.  CASES: link, copy.
# shellcheck source=tests/live/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/live/lib.sh"
command -v qemu-img >/dev/null || skip_all "no qemu-img"
kill_at=$BUILD/tests/peer/kill_at
points=${POINTS:-all}
lib=$tmp/var/lib/vmward
keep=$tmp/keep
vmward_limit=600 # beside a load a start takes a minute
"$kill_at" call 1 "$tmp/calls" true || skip_all "no program may be traced"

qimage one one-root
qemu-img create -q -f qcow2 "$images/data.qcow2" 1M
cat >"$vms/one.ini" <<'EOS'
[vm]
memory = 8M
accel = tcg
[disk.root]
size = 1M
[disk.data]
image = data.qcow2
[start]
ready = serial:READY
[restart]
policy = no
EOS
mkdir "$keep"
cp -r "$vms" "$images" "$keep"

reset()
{
	for pid in $(qemus "$tmp"); do
		kill -9 "$pid"
		is_gone "$pid"
	done
	rm -rf "$lib" "$vms" "$run"
	mkdir "$lib"
	cp -r "$keep/vms" "$vms"
	cp -r "$keep/images" "$lib"
	up
	starts one --wait=ready
	pid=$(pid_of one)
	was=$(counts one)
	leave
}
# traced N: vmwardd, which dies before its Nth call after the first client
traced()
{
	rm -f "$tmp/calls"
	from=$(size_of "$logs/one/vm.log")
	"$kill_at" call "$1" "$tmp/calls" "$BUILD/vmwardd" --root "$tmp" \
		--notify-fd 9 9<>"$tmp/notify" </dev/null \
		>>"$tmp/sup.log" 2>&1 &
	vmwardd_pid=$!
	timeout 20 head -n 1 <>"$tmp/notify" >"$tmp/ready"
	# a client that asked would begin the count
	eventually has_adopted
	# shellcheck disable=SC2046 # words
	timeout -s KILL "$vmward_limit" "$BUILD/vmward" --root "$tmp" clone one two \
		$([ "$case" = link ] || echo --full) >"$tmp/ask.out" 2>&1
	asked=$?
	timeout 1 tail --pid="$vmwardd_pid" -s 0.01 -f /dev/null
	leave 2>/dev/null
	read -r how counted <"$tmp/calls"
}
has_adopted()
{
	tail -c "+$((from + 1))" "$logs/one/vm.log" | grep -q 'adopted pid'
}
# at call N, or the last one before it that there is
inject() # N
{
	number=$1
	while [ "$number" -gt 0 ]; do
		reset
		traced "$number"
		[ "$how" != killed ] || return 0
		number=$((counted < number ? counted : number - 1))
	done
	return 1
}

settled() # nothing of a clone is under way
{
	vmward --json jobs list && ! says clone &&
		[ -z "$(ls "$lib/deleting" 2>/dev/null)" ]
}
backing() { qemu-img info -U --output=json "$1" | jq -r '.["backing-filename"]'; }
# each image is one of a VM's, or below one that is
strays()
{
	(
		cd "$images" || exit
		for file in *; do
			case $file in
			one-root.qcow2 | data.qcow2) ;;
			two-*.qcow2) [ -e "$vms/two.ini" ] || echo "$file" ;;
			*.base-*) [ "$(backing one-root.qcow2)" = "$PWD/$file" ] ||
				[ "$(backing data.qcow2)" = "$PWD/$file" ] ||
				echo "$file" ;;
			*) echo "$file" ;;
			esac
		done
	)
	vmward qmp one query-named-block-nodes &&
		grep -oE '(clone-|disk-[a-z]*\.s)[a-z0-9.]*' "$tmp/out" |
		sort -u >"$tmp/nodes"
	[ -e "$vms/two.ini" ] || cat "$tmp/nodes"
}
bad() { echo "# $case call $number: $*"; }
wrong() { lost=$((lost + 1)) && bad "$@"; }

# the old guest goes on where it was; so does the clone, from its instant
check_guests()
{
	next=$(printf %04d "$((1$was - 9999))")
	if [ "$with_qemu" = no ]; then
		same_pid one "$pid" >/dev/null || wrong "another QEMU"
		[ "$(counts one)" = "$next" ] || wrong "it counts anew"
		was=$next next=$(printf %04d "$((1$next - 9999))")
		stops one
	fi
	starts one --wait=ready || wrong "it does not start: $(cat "$tmp/err")"
	[ "$(counts one)" = "$next" ] || wrong "it lost what it wrote"
	[ -e "$vms/two.ini" ] || return 0
	starts two --wait=ready || wrong "two: $(cat "$tmp/err")"
	now=$(counts two)
	[ "$now" = 0002 ] || wrong "two counts $now"
}
check_point()
{
	from=$(size_of "$logs/one/vm.log")
	up
	kill -0 "$vmwardd_pid" && survived=$((survived + 1))
	[ "$with_qemu" = yes ] || eventually has_adopted
	eventually settled >/dev/null || bad "it is not settled"
	left=$(strays | tr '\n' ' ')
	if [ -n "$left" ]; then
		leaked=$((leaked + 1))
		bad "left: $left"
	fi
	[ "$asked" != 0 ] || [ -e "$vms/two.ini" ] ||
		wrong "answered, but it is not there"
	[ -e "$vms/two.ini" ] && after=$((after + 1))
	check_guests
	down
}

run_case()
{
	injected=0 survived=0 lost=0 leaked=0 after=0
	reset
	traced 0
	ok "$case: a clean run" is "$asked" 0
	n_calls=$counted
	total=$n_calls
	[ "$points" = all ] || [ "$points" -ge "$n_calls" ] || total=$points
	i=0
	while [ "$i" -lt "$total" ]; do
		i=$((i + 1)) with_qemu=no
		if inject $((i * n_calls / total)); then
			injected=$((injected + 1))
		else
			bad "was never reached"
		fi
		if [ $((i % 3)) = 0 ]; then
			with_qemu=yes
			kill -9 "$pid"
			is_gone "$pid"
		fi
		check_point
	done
	echo "# case=kill-live-clone-$case points=$total injected=$injected" \
		"survived=$survived lost=$lost leaked=$leaked after=$after"
	ok "$case: every point was injected" is "$injected" "$total"
	ok "$case: the supervisor was there each time" is "$survived" "$total"
	ok "$case: nothing is lost" is "$lost" 0
	ok "$case: nothing is left" is "$leaked" 0
}

for case in ${CASES:-link copy}; do
	run_case
done
plan
