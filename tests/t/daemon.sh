# shellcheck shell=sh disable=SC2034,SC2154
# SPDX-License-Identifier: GPL-2.0-or-later
# For tests of the built vmwardd with the fake QEMU: after lib.sh.
# The fake is copied to a private place, so that its processes are known.
vms=$tmp/etc/vmward/vms
run=$tmp/run/vmward
records=$tmp/var/lib/vmward/records
qemu_exe=$tmp/bin/qemu-system-x86_64
daemon_pid=
daemon_log=$tmp/vmwardd.log
mkdir -p "$vms" "$tmp/bin"
cp "$BUILD/tests/fake/qemu" "$qemu_exe"
cp "$BUILD/tests/peer/talk" "$tmp/bin"
: >"$tmp/kernel"
# a stand-in that makes files fast, for the disks of these tests
cat >"$tmp/bin/qemu-img" <<'EOS'
#!/bin/sh
for last; do :; done
case $1 in
create)
	for a; do case $a in /*) image=$a ;; qcow2) head='QFI\373\0\0\0\003' ;; esac; done
	printf "${head-}" >"$image" # octal
	;;
info) echo '{"format": "raw", "virtual-size": 1048576}' ;;
esac
EOS
chmod +x "$tmp/bin/qemu-img"

# qcow2 FILE: an image, as far as a header says
qcow2() { printf 'QFI\373\0\0\0\003' >"$1"; }

# Time goes by: only to measure what is done meanwhile.
measure_ms() { TALK_MS=$1 "$tmp/bin/talk" - gone $$ 2>/dev/null || :; }

# background NAME STEP...: a peer that runs meanwhile
background()
{
	name=$1
	shift
	: >"$tmp/$name.out"
	TALK_MS=20000 "$tmp/bin/talk" "$control" "$@" >"$tmp/$name.out" \
		2>"$tmp/$name.err" </dev/null &
	eval "pid_$name=\$!"
	started="$started $!"
}

peer() { eval "echo \"\$pid_$1\""; } # NAME: the pid of a background peer

ended() # NAME: its status
{
	eval "wait \"\$pid_$1\"" || {
		cat "$tmp/$1.out" "$tmp/$1.err"
		false
	}
}

# wait_for FILE TEXT: until the growing file has it, ten seconds at most
wait_for()
{
	"$tmp/bin/talk" - grows "$1" "$2"
}

# A limit of growth; sanitizers keep what was freed.
rss_margin()
{
	if nm "$BUILD/vmwardd" 2>/dev/null | grep -q __asan; then
		echo 1048576
	else
		echo "$1"
	fi
}

# The processes of our QEMU, one pid a line.
qemus()
{
	find /proc -maxdepth 2 -path '/proc/[0-9]*/exe' \
		-lname "$qemu_exe*" 2>/dev/null | cut -d/ -f3
}

clean_daemon()
{
	for pid in $daemon_pid $(qemus) $started; do
		kill -9 "$pid" 2>/dev/null
	done
	rm -rf "$tmp"
}
trap clean_daemon EXIT

talk()
{
	"$tmp/bin/talk" "$@" >"$tmp/out" 2>"$tmp/err"
	status=$?
	return "$status"
}

# starts vmwardd (with $daemon_options) and returns when it is ready
daemon()
{
	rm -f "$tmp/ready"
	mkfifo "$tmp/ready"
	case ${daemon_options-} in
	--user) keeper= ;; # a user has no powers to part
	esac
	PATH="$tmp/bin:$PATH" ${daemon_under:-} "$BUILD/vmwardd" \
		--root "$tmp" --notify-fd 3 --log-level debug --confinement off \
		${keeper:+"$keeper"} ${daemon_options:+"$daemon_options"} \
		3>"$tmp/ready" 2>>"$daemon_log" &
	daemon_pid=$!
	read -r ready_line <"$tmp/ready"
}

daemon_ends() # SIGNAL
{
	kill "-$1" "$daemon_pid"
	wait "$daemon_pid" 2>/dev/null
	daemon_status=$?
	daemon_pid=
}

# vm NAME: its file comes from stdin; [vm] memory and accel are there already
vm()
{
	{
		printf "[vm]\nmemory = 64M\naccel = tcg\nkernel = %s\n" "$tmp/kernel"
		cat
	} >"$vms/$1.ini.new"
	mv "$vms/$1.ini.new" "$vms/$1.ini"
}

# scripted NAME SCRIPT: a VM whose QEMU plays a script of tests/fake
scripted()
{
	case $2 in
	/*) script=$2 ;;
	*) script=$TOP/tests/fake/$2.qmp ;;
	esac
	printf '[raw]\narg-1 = -D %s\n' "$script" | vm "$1"
}

# q COMMAND [KEY=STRING|KEY:JSON]...: one request; its reply in out
q()
{
	arguments=
	command=$1
	shift
	for word; do
		case $word in
		*[=:]*) ;;
		*) word=vm=$word ;;
		esac
		key=${word%%[=:]*}
		value=${word#"$key"}
		case $value in
		=*) value="\"${value#=}\"" ;;
		*) value=${value#:} ;;
		esac
		arguments="$arguments${arguments:+,}\"$key\":$value"
	done
	talk "$control" ${uid:+as "$uid"} qmp ">{\"execute\":\"$command\",\"arguments\":{$arguments}}" \
		'<"' && ! grep -q '^{"error"' "$tmp/out"
}

# refused CODE COMMAND...: the request fails with this code
refused()
{
	code=$1
	shift
	q "$@"
	grep -q "\"code\":\"$code\"" "$tmp/out" || {
		cat "$tmp/out"
		false
	}
}

# field KEY: of the last reply (a string, number or word)
field()
{
	sed -n "s/.*\"$1\":\"\{0,1\}\([^\",}]*\).*/\1/p" "$tmp/out" | tail -n 1
}

state_is() # NAME STATE
{
	q vm-status "$1"
	is "$(field state)" "$2"
}

pid_of() # NAME
{
	q vm-status "$1"
	field pid
}

# becomes NAME STATE: in at most ten seconds
becomes()
{
	q vm-wait "$1" "state=$2" timeout:10 || {
		cat "$tmp/out"
		false
	}
}

gone() { talk - gone "$1"; } # PID
logged() { grep -qF -- "$1" "$daemon_log"; }
rss_kib() { awk '/^VmRSS/ { print $2 }' "/proc/$1/status"; }
# CPU time of a process in ticks (10 ms)
ticks() { awk '{ print $14 + $15 }' "/proc/$1/stat"; }
