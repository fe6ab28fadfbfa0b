#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Every cause of an end, by a real QEMU: ROUNDS times while the supervisor
# looks, and as often while it was away; then the right one, but for what
# only an exit status told: an honest `unknown`.  One line of figures for each
# cause.
# shellcheck source=tests/live/lib.sh
. "$(dirname "$0")/lib.sh"

# ---- the VMs: one for each cause, never started again by policy ----

# one NAME: its file; sections come from stdin
one()
{
	guest "$1-$a" "$a" <<-EOF
	[restart]
	policy = no
	$(cat)
	EOF
}

# io NAME: its disk answers every write with EIO
io()
{
	"$TOP/tests/guest/bios/label" "$BUILD/guest/bios.raw" \
		"$images/io-$a.raw" "io-$a"
	cat >"$vms/io-$a.ini" <<-EOF
	[vm]
	memory = 8M
	accel = $a
	confinement = off
	[start]
	ready = serial:READY
	[restart]
	io-error = stop
	[raw]
	arg-1 = -blockdev {"driver":"blkdebug","node-name":"bad","inject-error":[{"event":"none","iotype":"write","errno":5}],"image":{"driver":"file","filename":"$images/io-$a.raw"}}
	arg-2 = -device virtio-blk-pci,drive=bad,bootindex=1,werror=stop
	EOF
}

make_vms()
{
	one off </dev/null
	one boot <<-EOF
	on-guest-reboot = stop
	EOF
	one stop </dev/null
	one kill </dev/null
	one panic </dev/null
	one dog <<-EOF
	[watchdog]
	EOF
	one old <<-EOF
	[watchdog]
	model = ib700
	EOF
	one exit <<-EOF
	[raw]
	arg-1 = -device isa-debug-exit,iobase=0x443,iosize=1
	EOF
	one host </dev/null
	one gone </dev/null
	one sig </dev/null
	one sand </dev/null
	one hang <<-EOF
	hang-after = 3s
	hang = stop
	EOF
	one halt <<-EOF
	hang-after = 3s
	hang = stop
	EOF
	io
	cat >"$vms/sf-$a.ini" <<-EOF
	[vm]
	memory = 8M
	accel = $a
	[disk.root]
	image = off-$a.raw
	[raw]
	arg-1 = -device no-such-device
	EOF
	vmward reload
}

# ---- the ends ----

# what brings the end of VM $1 about; its guest is typed to by $type
end_off() { $type "$1" p; }
end_boot() { $type "$1" r; }
end_panic() { $type "$1" c; }
end_dog() { $type "$1" W; }
end_old() { $type "$1" w; }
end_io() { $type "$1" n; }
end_exit() { $type "$1" w; }
end_stop() { vmward --no-block stop "$1"; }
end_kill() { vmward --no-block kill "$1"; }
end_hang() { kill -STOP "$(pid_file "$1")"; }
end_halt() { $type "$1" h; }
end_sig() { kill -SEGV "$(pid_file "$1")"; }
end_sand() { qmp "$1" '{"execute":"migrate","arguments":{"uri":"exec:true"}}'; }

# wanted KIND: "cause detail" of its end
wanted()
{
	case $1 in
	off) echo guest-poweroff ;;
	boot) echo guest-reboot ;;
	panic) echo panic ;;
	dog | old) echo watchdog ;;
	io) echo io-error ;;
	exit) echo qemu-exit 29 ;;
	stop) echo admin-stop ;;
	kill) echo admin-kill ;;
	sig) echo qemu-signal 11 ;;
	sand) echo sandbox ;;
	hang | halt) echo hang ;;
	esac
}

# QEMU's second monitor takes what nobody else says
qmp()
{
	printf '{"execute":"qmp_capabilities"}%s' "$2" |
		timeout 10 socat -t1 - "UNIX:$run/$1/priv/yank" >/dev/null 2>&1
}

# to the guest itself, past a supervisor that is away
types_past()
{
	printf '%s' "$2" |
		timeout 10 socat -t0.2 - "UNIX:$run/$1/priv/serial0" >/dev/null
}

types_to() { types "$1" "$2" >/dev/null; }
pid_file() { cat "$tmp/pid.$1"; }

# verdict NAME: "cause detail"
verdict()
{
	"$BUILD/vmward" --root "$tmp" --json status "$1" 2>/dev/null |
		jq -r '.. | objects | select(.cause?) | "\(.cause) \(.detail)"' |
		head -n 1 | sed 's/ *$//; s/ null$//'
}

names()
{
	for kind in $kinds; do
		echo "$kind-$a"
	done
}

start_all()
{
	# shellcheck disable=SC2046
	vmward start --wait=ready $(names) || cat "$tmp/out" "$tmp/err"
	for kind in $kinds; do
		# a start that was slow is waited for: its pid is needed
		eventually lives "$kind-$a" ||
			echo "# $kind-$a did not start"
	done
}

# lives NAME: it runs and has not ended since its ends were counted.  A busy
# host may keep it from answering for hang-after: it ends by that before it
# is our turn, and is started again.
lives()
{
	ends_told "$1" >"$tmp/ends.$1"
	pid_of "$1" >"$tmp/pid.$1"
	case $(state_of "$1") in
	running) grep -q '^[0-9]' "$tmp/pid.$1" && ! new_end "$1" ;;
	stopped) vmward start --wait=ready "$1" && false ;;
	*) false ;;
	esac
}

# ends_told NAME: how many its log tells of
ends_told() { grep -c ' ended: ' "$logs/$1/vm.log"; }
new_end() { [ "$(ends_told "$1")" -gt "$(cat "$tmp/ends.$1")" ]; }

# count WHERE: each VM is down, and its cause is the right one
count()
{
	for kind in $kinds; do
		want=$(wanted "$kind")
		becomes "$kind-$a" stopped >/dev/null
		got=$(verdict "$kind-$a")
		eventually new_end "$kind-$a" ||
			got="no end told, it is $(state_of "$kind-$a")"
		# an exit status is gone with who reaped it: never invented;
		# one that was slow to die may have been adopted before
		case "$1  $dies  $got" in
		"away "*" $kind "*" unknown") want=unknown ;;
		esac
		if [ "$got" = "$want" ]; then
			echo . >>"$tmp/$1.$kind"
			[ "$got" != unknown ] || echo . >>"$tmp/unknown.$kind"
		else
			echo "# $kind-$a $1: got '$got', want '$want';" \
				"pid $(pid_file "$kind-$a")," \
				"$(cat "$tmp/ends.$kind-$a") ends before"
			tail -n 8 "$logs/$kind-$a/vm.log" | sed 's/^/# /'
		fi
	done
}

lines() { [ ! -e "$1" ] || wc -l <"$1"; }

look_on()
{
	type=types_to
	start_all
	for kind in $kinds; do
		"end_$kind" "$kind-$a"
	done
	count right
}

# Nothing is left to see of what QEMU did; what it had to say it left behind.
look_away()
{
	type=types_past
	start_all
	for kind in $orders; do
		"end_$kind" "$kind-$a"
	done
	down
	for kind in $silent; do
		"end_$kind" "$kind-$a"
	done
	for kind in $dies; do
		is_gone "$(pid_file "$kind-$a")"
	done
	up
	count away
}

# The host goes down: its word stands, whoever looks later.
host_goes()
{
	vmward start --wait=ready "host-$a" || cat "$tmp/out" "$tmp/err"
	vmward host-shutdown
	[ "$(verdict "host-$a")" = host-shutdown ] && echo . >>"$tmp/right.host"
	down
	up
	[ "$(verdict "host-$a")" = host-shutdown ] && echo . >>"$tmp/away.host"
}

# Nobody saw how it ended: so it is said, and nothing is made up.
nobody_saw()
{
	vmward start --wait=ready "gone-$a" || cat "$tmp/out" "$tmp/err"
	pid=$(pid_of "gone-$a")
	down
	kill -9 "$pid"
	is_gone "$pid"
	up
	becomes "gone-$a" stopped >/dev/null
	vmward explain "gone-$a"
	[ "$(verdict "gone-$a")" = unknown ] && says unknown &&
		echo . >>"$tmp/away.gone"
}

start_fails()
{
	vmward start "sf-$a"
	[ "$(verdict "sf-$a")" = start-failed ] && echo . >>"$tmp/right.sf"
}

# tell KIND CAUSE AWAY: the figures, and the test
tell()
{
	right=$(lines "$tmp/right.$1") away=$(lines "$tmp/away.$1")
	unknown=$(lines "$tmp/unknown.$1")
	echo "# cause=$2 accel=$a rounds=$rounds right=${right:-0}" \
		"away=${away:--}${unknown:+ (unknown=$unknown)}"
	ok "$a: $2, $1" is "${right:-0}${away:+ $away}" "${4-$rounds}$3"
}

reproduce() # ACCEL
{
	a=$1
	silent="off boot panic dog old io exit sig sand hang"
	# under TCG even a halted CPU has its thread woken by every tick
	[ "$a" = tcg ] || silent="$silent halt"
	orders="stop kill"
	dies="exit sig sand"
	kinds="$silent $orders"
	make_vms
	i=0
	while [ "$i" -lt "$rounds" ]; do
		i=$((i + 1))
		began=$(now_ms)
		look_on
		look_away
		start_fails
		host_goes
		nobody_saw
		echo "# round $i of $rounds accel=$a $(($(now_ms) - began)) ms"
	done
	for kind in $kinds; do
		tell "$kind" "$(wanted "$kind")" " $rounds"
	done
	tell sf start-failed ''
	tell host host-shutdown " $rounds"
	tell gone unknown " $rounds" 0
	rm -f "$tmp"/right.* "$tmp"/away.* "$tmp"/unknown.*
}

up
rounds=${ROUNDS:-2}
reproduce tcg
if accelerators | grep -q kvm; then
	rounds=${KVM_ROUNDS:-${ROUNDS:-1}}
	reproduce kvm
fi

# ---- a frozen QEMU, and the kernel's own kill ----

frozen()
{
	a=tcg
	one frozen </dev/null
	vmward start --wait=ready frozen-tcg
	pid=$(pid_of frozen-tcg)
	kill -STOP "$pid"
	before=$(now_ms)
	vmward kill frozen-tcg
	is_gone "$pid"
	took=$(($(now_ms) - before))
	echo "# a frozen QEMU was gone $took ms after kill"
	[ "$took" -lt 2000 ] && is "$(verdict frozen-tcg)" admin-kill
}

# A group of our own below our own: the supervisor and its QEMU in it.
memory=/sys/fs/cgroup/memory$(sed -n 's/.*:memory://p' /proc/self/cgroup)
group=$memory/${tmp##*/}

up_limited()
{
	echo 300M >"$group/memory.limit_in_bytes" || return 1
	"$BUILD/vmwardd" --root "$tmp" --notify-fd 9 9<>"$tmp/notify" \
		</dev/null >>"$tmp/sup.log" 2>&1 &
	vmwardd_pid=$!
	echo "$vmwardd_pid" >"$group/cgroup.procs"
	timeout 20 head -n 1 <>"$tmp/notify" >"$tmp/ready"
}

# QEMU touches more memory than the group may have
grows()
{
	vmward start --wait=ready oom-tcg
	qmp oom-tcg '{"execute":"object-add","arguments":{"qom-type":"memory-backend-ram","id":"big","size":1073741824,"prealloc":true}}'
	becomes oom-tcg stopped >/dev/null
	[ "$(verdict oom-tcg)" = out-of-memory ] && echo . >>"$tmp/right.oom"
}

out_of_memory()
{
	a=tcg
	down
	up_limited
	one oom </dev/null
	vmward reload
	i=0
	while [ "$i" -lt "$rounds" ]; do
		i=$((i + 1))
		grows
	done
	tell oom out-of-memory ''
}

ok "a frozen QEMU is gone within two seconds of kill" frozen
rounds=${ROUNDS:-2}
if mkdir "$group" 2>/dev/null; then
	out_of_memory
else
	echo "# cause=out-of-memory skipped: no right to make a memory group"
fi
ok "nothing is left" nothing_left
down
rmdir "$group" 2>/dev/null
plan
