# shellcheck shell=sh disable=SC2317
# SPDX-License-Identifier: GPL-2.0-or-later
# For tests/live/*.t: a real supervisor below $tmp with real QEMUs, and the
# BIOS guest of tests/guest/bios.  On top of tests/t/lib.sh.
TOP=${TOP:-$(cd "$(dirname "$0")/../.." && pwd)}
# shellcheck source=tests/t/lib.sh
. "$TOP/tests/t/lib.sh"
QEMU=${QEMU:-qemu-system-x86_64}
vms=$tmp/etc/vmward/vms
images=$tmp/var/lib/vmward/images
logs=$tmp/var/log/vmward
run=$tmp/run/vmward
vmwardd_pid=
patience=20
mkdir -p "$vms" "$images"
mkfifo "$tmp/notify"

command -v "$QEMU" >/dev/null || skip_all "no $QEMU"
[ -x "$BUILD/vmwardd" ] || skip_all "no vmwardd"
[ -r "$BUILD/guest/bios.raw" ] || skip_all "no BIOS guest"

# ---- what we started, and its end ----

# qemus TEXT: pids of the QEMUs of this test whose arguments have the text
qemus()
{
	pgrep -f "^[^ ]*qemu-system-x86_64 .*$tmp" |
		while read -r pid; do
			if tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null |
				grep -qF -- "$1"; then
				echo "$pid"
			fi
		done
}

end_live()
{
	for pid in $vmwardd_pid $started $(qemus "$tmp"); do
		kill -CONT "$pid" 2>/dev/null
		kill -9 "$pid" 2>/dev/null
	done
	if [ -n "${KEEP-}" ]; then
		echo "# kept: $tmp"
	else
		rm -rf "$tmp"
	fi
}
trap end_live EXIT

# is_gone PID, waits for it up to $patience seconds
is_gone()
{
	timeout "$patience" tail --pid="$1" -s 0.01 -f /dev/null
}

# ---- the supervisor ----

# up: starts vmwardd and returns when it is ready; its log: sup.log
up()
{
	"${vmwardd:-$BUILD/vmwardd}" --root "$tmp" --notify-fd 9 \
		${keeper:+"$keeper"} \
		9<>"$tmp/notify" </dev/null >>"$tmp/sup.log" 2>&1 &
	vmwardd_pid=$!
	timeout "$patience" head -n 1 <>"$tmp/notify" >"$tmp/ready"
}

# of two halves the one without powers: the first child that is a vmwardd;
# one that is about to be a QEMU is one too
brain()
{
	tr ' ' '\n' <"/proc/$vmwardd_pid/task/$vmwardd_pid/children" |
		while read -r half; do
			case $(readlink "/proc/$half/exe") in
			*/vmwardd) echo "$half" ;;
			esac
		done | head -n 1
}

# down: kill -9 of vmwardd
down()
{
	kill -9 "$vmwardd_pid"
	wait "$vmwardd_pid" 2>/dev/null
	vmwardd_pid=
}

# leave: it goes away by itself
leave()
{
	kill "$vmwardd_pid"
	wait "$vmwardd_pid"
	status=$?
	vmwardd_pid=
	return "$status"
}

# may_trace: for up_under; else there is nothing to test
may_trace()
{
	"$BUILD/tests/peer/kill_at" call 1 "$tmp/calls" true ||
		skip_all "no program may be traced"
}

# up_under N: as up, but it dies at that system call, counted from its first
# accept on; 0: it does not.  $tmp/calls says "killed N" or "ended N".
up_under()
{
	"$BUILD/tests/peer/kill_at" call "$1" "$tmp/calls" "$BUILD/vmwardd" \
		--root "$tmp" --notify-fd 9 9<>"$tmp/notify" </dev/null \
		>>"$tmp/sup.log" 2>&1 &
	vmwardd_pid=$!
	timeout "$patience" head -n 1 <>"$tmp/notify" >"$tmp/ready"
}

# ---- VMs ----

# accelerators: the ones that work here
accelerators()
{
	echo tcg
	if (: <>/dev/kvm) 2>/dev/null; then
		echo kvm
	fi
}

# guest NAME ACCEL: NAME.ini for a BIOS guest; more lines come from stdin
guest()
{
	"$TOP/tests/guest/bios/label" "$BUILD/guest/bios.raw" \
		"$images/$1.raw" "$1"
	{
		printf '[vm]\nmemory = 8M\naccel = %s\n' "$2"
		printf '[disk.root]\nimage = %s.raw\n' "$1"
		printf '[start]\nready = serial:READY\n'
		cat
	} >"$vms/$1.ini"
}

# qimage NAME [VOLUME]: VOLUME.qcow2, or NAME.qcow2, with a BIOS guest NAME
qimage()
{
	"$TOP/tests/guest/bios/label" "$BUILD/guest/bios.raw" "$tmp/$1.raw" "$1"
	qemu-img convert -q -f raw -O qcow2 "$tmp/$1.raw" \
		"$images/${2-$1}.qcow2"
}

# qguest NAME: NAME.ini for one on such an image; more lines come from stdin
qguest()
{
	qimage "$1"
	{
		printf '[vm]\nmemory = 8M\naccel = tcg\n'
		printf '[disk.root]\nimage = %s.qcow2\n' "$1"
		printf '[start]\nready = serial:READY\n'
		cat
	} >"$vms/$1.ini"
}

# of NAME KEY: a value of its status
of()
{
	"$BUILD/vmward" --root "$tmp" --json status "$1" 2>/dev/null |
		jq -r ".. | objects | select(.name? == \"$1\") | .$2" |
		head -n 1
}

# ends_with NAME CAUSE: it is (or gets) stopped, by that cause
ends_with()
{
	becomes "$1" stopped &&
		is "$(cause_of "$1")" "$2"
}

cause_of() { of "$1" cause; }
state_of() { of "$1" state; }
is_state() { is "$(state_of "$1")" "$2"; }
pid_of() { of "$1" pid; }

# types NAME TEXT: to its console
types()
{
	printf '%s' "$2" | timeout 10 socat -t0 - "UNIX:$run/$1/console.sock"
}

# said NAME [FROM]: what its console printed, from that byte on
said()
{
	tail -c "+$((${2-0} + 1))" "$logs/$1/console.log" | tr -d '\r'
}

size_of() { wc -c <"$1"; }
says_after() # NAME FROM REGEX
{
	said "$1" "$2" | grep -qE -- "$3" || { said "$1" "$2" && false; }
}

# answers NAME TEXT REGEX: the guest prints that after we typed the text
answers()
{
	from=$(size_of "$logs/$1/console.log")
	types "$1" "$2" >/dev/null
	eventually says_after "$1" "$from" "$3" && return
	said "$1" "$from"
	return 1
}

# counts NAME: one up on its disk; prints the new value
counts()
{
	answers "$1" n '^[0-9A-F]{4}$' >/dev/null &&
		said "$1" "$from" | grep -oE '^[0-9A-F]{4}$' | tail -n 1
}

# does VERB...: vmward does it
does()
{
	vmward "$@"
	exits 0
}

# fails_with STATUS VERB...
fails_with()
{
	want=$1
	shift
	vmward "$@"
	exits "$want"
}

starts() { does start "$@"; }
stops() { does stop "$@"; }
becomes() { does wait "$1" "$2" --timeout "${patience}s"; } # NAME STATE

obeys() # NAME
{
	does pause "$1" && does resume "$1"
}

is_one_of() # TEXT WANT...
{
	text=$1
	shift
	for want; do
		[ "$text" != "$want" ] || return 0
	done
	is "$text" "$*"
}

column() # NAME COLUMN
{
	vmward list -o "$2" "$1" && tail -n 1 "$tmp/out" | tr -d ' '
}

is_column() # NAME COLUMN WANT
{
	is "$(column "$1" "$2")" "$3"
}

same_pid() # NAME PID
{
	is "$(pid_of "$1")" "$2"
}

restarted() # NAME OLDPID: another QEMU runs it, and it is ready
{
	eventually other_pid "$1" "$2" && becomes "$1" ready
}

other_pid()
{
	now=$(pid_of "$1")
	[ -n "$now" ] && [ "$now" != null ] && [ "$now" != "$2" ] &&
		[ "$(state_of "$1")" = running ]
}

# boots_again NAME FROM: READY after that byte of its console
boots_again()
{
	eventually says_after "$1" "$2" "^READY $1"
}

log_size() { size_of "$logs/$1/console.log"; }

console() # NAME FILE: a reader of the console in the background
{
	socat -u "UNIX:$run/$1/console.sock" "OPEN:$2,creat" 2>/dev/null &
	started="$started $!"
}

has() { tr -d '\r' <"$1" | grep -qE -- "$2"; }

# vmlog_says NAME TEXT
vmlog_says()
{
	grep -F -- "$2" "$logs/$1/vm.log"
}

# eventually COMMAND...: tries again until it is true, $patience seconds
eventually()
{
	end=$(($(date +%s) + patience))
	until "$@" >/dev/null 2>&1; do
		[ "$(date +%s)" -lt "$end" ] || return 1
		sleep 0.01
	done
}

now_ms()
{
	echo $(($(date +%s%N) / 1000000))
}

# is_clean: after the last VM only the supervisor's own two files are there
is_clean()
{
	find "$run" -mindepth 1 ! -name control.sock ! -name supervisor.lock \
		>"$tmp/left"
	find "$images" "$tmp/var" -name '*.tmp*' >>"$tmp/left"
	qemus "$tmp" >>"$tmp/left"
	[ ! -s "$tmp/left" ]
}

# nothing_left: what a VM's end still has to write or to take away is given
# its time; what stays is named
nothing_left()
{
	eventually is_clean || { cat "$tmp/left"; false; }
}
