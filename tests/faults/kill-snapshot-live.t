#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A random tree of snapshots of a VM that runs, against a model: ROUNDS [200]
# operations on one to three disks, with and without memory.  In half of them
# vmwardd gets kill -9 at one of its system calls, QEMU at some moment, or
# both.  What was answered is done, what was not is wholly done or not at all;
# a record of the guest counts once it was flushed, which each snapshot does.
# In the end every snapshot holds what it was made of.  SEED repeats.
# shellcheck source=tests/live/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/live/lib.sh"
for tool in qemu-img qemu-io jq; do
	command -v "$tool" >/dev/null || skip_all "no $tool"
done
rounds=${ROUNDS:-200}
seed=${SEED:-$(date +%s)}
model=$tmp/model
mkdir -p "$model"
may_trace

draw() # N: into $drawn, 0 to N - 1
{
	seed=$(((seed * 1103515245 + 12345) % 2147483648))
	drawn=$((seed / 65536 % $1))
}

# ---- the supervisor, and the VM ----

is_down() { is_one_of "$(state_of web)" stopped failed >/dev/null; }
settled() { is_down || is_state web running; }
kill_qemu()
{
	for pid in $(qemus "$tmp"); do
		kill -9 "$pid"
	done
}

# ---- what is on the disks: the guest's counter, a pattern on the others ----

counter() # of a VM that is down
{
	set -- "$(qemu-io -r -f qcow2 -c 'read -v 4096 2' \
		"$images/web.qcow2" |
		sed -n 's/^0000[0-9a-f]*:  \(..\) \(..\) .*/\2\1/p')"
	echo "$((0x$1))"
}
put() # PATTERN: on the data disks
{
	for image in "$images"/web-*.qcow2; do
		[ ! -e "$image" ] ||
			qemu-io -f qcow2 -c "write -q -P $1 0 192k" "$image"
	done
	pattern=$1
}
data_is() # PATTERN
{
	for image in "$images"/web-*.qcow2; do
		[ -e "$image" ] || continue
		qemu-io -r -f qcow2 -c "read -q -P $1 0 192k" "$image" |
			grep -q failed && return 1
	done
	return 0
}
# Down by force: what was not flushed may be lost, and nothing else.
sinks()
{
	at=$(counter)
	if [ "$at" -lt "$low" ] || [ "$at" -gt "$now" ] || ! data_is "$pattern"; then
		problem "the disks are at $at, not within $low and $now"
	fi
	now=$at
	low=$at
}
problem()
{
	echo "# round $round: $words (status $acked): $*"
	sed 's/^/# /' "$tmp/said" "$tmp/err" "$logs/web/vm.log"
	wrong=$((wrong + 1))
}

# ---- the model: a line "COUNTER PATTERN MEMORY" for each snapshot ----

count() { find "$model" -type f | wc -l; }
nth() { find "$model" -type f -printf '%f\n' | sort | sed -n "$((1 + $1))p"; }
names() { find "$model" -type f -printf '%f\n' | sort | tr '\n' ' '; }
listed()
{
	"$BUILD/vmward" --root "$tmp" snapshot list web --json |
		jq -r '.[].name' | sort | tr '\n' ' '
}
memory_of() { cut -d' ' -f3 "$model/$1"; }

choose()
{
	draw 8
	op=create
	if [ "$(count)" -gt 0 ]; then
		case $drawn in
		0 | 1 | 2) op=revert ;;
		3 | 4) op=delete ;;
		5) op=rename ;;
		esac
	fi
	new=s$round
	name=$new
	memory=false
	draw 2
	[ "$op:$drawn:$runs" != create:1:true ] || memory=true
	if [ "$op" != create ]; then
		draw "$(count)"
		name=$(nth "$drawn")
	fi
	# one that runs goes back to its memory alone
	if [ "$op:$runs:$(memory_of "$name" 2>/dev/null)" = revert:true:false ]; then
		op=delete
	fi
	words="$op web $name --yes"
	[ "$op" != create ] || words="create web --name $name"
	[ "$memory" = false ] || words="$words --memory"
	[ "$op" != rename ] || words="rename web $name $new"
}
# done: the model follows
follow()
{
	case $op in
	create) echo "$now $pattern $memory" >"$model/$name" ;;
	delete) rm "$model/$name" ;;
	rename) mv "$model/$name" "$model/$new" ;;
	revert)
		read -r now pattern _ <"$model/$name"
		low=$now
		;;
	esac
}
after() # the names that there are then
{
	case $op in
	create) { names | tr ' ' '\n'; echo "$name"; } ;;
	delete) names | tr ' ' '\n' | grep -vx "$name" ;;
	rename) { names | tr ' ' '\n' | grep -vx "$name"; echo "$new"; } ;;
	revert) names | tr ' ' '\n' ;;
	esac | grep . | sort | tr '\n' ' '
}

# ---- one round ----

moves() # what the guest, or a person, writes in between
{
	draw 250
	if [ "$runs" = true ]; then
		now=$((0x$(counts web)))
	else
		put "$((drawn + 1))"
	fi
}
injects() # the fault of this round, and what is asked meanwhile
{
	draw 8
	fault=$drawn
	case $fault in
	4 | 5 | 6)
		down
		draw 600
		up_under "$((drawn + 1))"
		injected=$((injected + 1))
		;;
	esac
	[ "$fault" -lt 4 ] || [ "$runs" = false ] ||
		vmward wait web running --timeout 20s
	# shellcheck disable=SC2086 # words
	timeout -s KILL 120 "$BUILD/vmward" --root "$tmp" snapshot $words \
		>"$tmp/said" 2>&1 </dev/null &
	client=$!
	if [ "$fault" -eq 7 ]; then
		draw 40
		for _ in $(seq "$drawn"); do /bin/true; done
		kill_qemu
		injected=$((injected + 1))
	fi
	wait "$client"
	acked=$?
	[ "$fault" -ne 6 ] || kill_qemu # it died with the supervisor
}
# One that runs again, or lies there, is what the model has, before or after.
judge()
{
	got=$(listed)
	if [ "$got" = "$(after)" ] && [ "$op" != revert ]; then
		follow
		# of one whose QEMU had died before, the disks are as they lie
		[ "$op" != create ] || [ "$fault" -eq 7 ] || low=$now
	elif [ "$op" != revert ] && [ "$got" != "$(names)" ]; then
		problem "there are $got"
	elif [ "$op" != revert ] && [ "$acked" -eq 0 ]; then
		problem "answered, and not done"
	fi
}
# A revert shows by what is on the disks.
judge_revert()
{
	read -r then_now then_pattern _ <"$model/$name"
	if [ "$runs" = true ] && is_state web running; then
		at=$(($((0x$(counts web))) - 1))
	else
		is_down || does stop web --now
		at=$(counter)
	fi
	if [ "$at" -eq "$then_now" ] && { ! is_down || data_is "$then_pattern"; }; then
		follow
	elif [ "$acked" -eq 0 ]; then
		problem "answered, and the disks are at $at"
	elif [ "$at" -lt "$low" ] || [ "$at" -gt "$now" ]; then
		problem "not answered, and the disks are at $at"
	fi
	if is_down; then
		now=$at
		low=$at
	else
		now=$((at + 1))
	fi
}
one()
{
	draw 3
	if [ "$drawn" -eq 0 ] && [ "$runs" = true ]; then
		does stop web --now
		words=stop acked=0
		: >"$tmp/said"
		sinks
		runs=false
	elif [ "$drawn" -gt 0 ] && [ "$runs" = false ]; then
		does start web --wait || problem "it does not start"
		runs=true
	fi
	moves
	choose
	injects
	kill -0 "$vmwardd_pid" 2>/dev/null || {
		wait "$vmwardd_pid" 2>/dev/null
		up
	}
	[ "$fault" -lt 4 ] || { [ "$fault" -eq 7 ] || { down; up; }; }
	case $fault in
	6 | 7) eventually is_down || problem "it is $(state_of web)" ;;
	esac
	eventually settled || problem "it is $(state_of web)"
	mended || problem "something is left half done"
	if [ "$op" = revert ]; then
		judge_revert
	else
		judge
	fi
	if [ "$runs" = true ] && is_down; then
		[ "$op" = revert ] || sinks
		[ "$op:$fault" != create:7 ] || [ ! -e "$model/$name" ] ||
			echo "$now $pattern $memory" >"$model/$name"
		runs=false
	fi
}
# clusters that a killed QEMU had taken and not used yet (3) are no harm
is_sound() # IMAGE
{
	qemu-img check -f qcow2 "$1" >"$tmp/check" 2>&1
	is_one_of $? 0 3 || {
		sed 's/^/# /' "$tmp/check"
		return 1
	}
}
# what was cut short is mended by the next operation at the latest
mended()
{
	grep -q '"reverting"' "$tmp/var/lib/vmward/snapshots/web.json" \
		2>/dev/null || return 0
	! is_down || eventually sh -c "! grep -q '\"reverting\"' \
		'$tmp/var/lib/vmward/snapshots/web.json'"
}

echo "# SEED=$seed"
qimage web
draw 3
ndisks=$((drawn + 1))
{
	printf '[vm]\nmemory = 8M\naccel = tcg\n[start]\nready = serial:READY\n'
	printf '[restart]\npolicy = no\n[disk.root]\nimage = web.qcow2\n'
	for disk in $(seq 2 "$ndisks"); do
		printf '[disk.d%s]\nimage = web-d%s.qcow2\n' "$disk" "$disk"
		qemu-img create -q -f qcow2 "$images/web-d$disk.qcow2" 4M
	done
} >"$vms/web.ini"
put 7
up
injected=0 wrong=0 round=0 runs=false now=0 low=0 words='' acked=0
: >"$tmp/said"
while [ "$round" -lt "$rounds" ] && [ "$wrong" -eq 0 ]; do
	round=$((round + 1))
	one
done
ok "all of it is as the model has it" is "$wrong" 0
is_down || does stop web --now
whole=0
for name in $(names); do
	read -r then_now then_pattern _ <"$model/$name"
	vmward snapshot revert web "$name" --yes
	[ "$(counter)" -eq "$then_now" ] && data_is "$then_pattern" &&
		whole=$((whole + 1))
done
ok "each snapshot holds what it was made of" is "$whole" "$(count)"
# an operation, so that what was cut short last is mended
vmward snapshot create web --name last
# shellcheck disable=SC2046 # words
vmward snapshot delete web last $(names) --yes
ok "all can be deleted" is "$(listed)" ''
ok "no memory is left" is \
	"$(find "$tmp/var/lib/vmward/snapshots" -name '*.qcow2' | wc -l)" 0
for image in "$images"/web*.qcow2; do
	ok "${image##*/} is sound" is_sound "$image"
	ok "and empty of them" is "$(qemu-img snapshot -l "$image" | wc -l)" 0
done
echo "# case=kill-snapshot-live disks=$ndisks rounds=$round" \
	"injected=$injected wrong=$wrong"
plan
