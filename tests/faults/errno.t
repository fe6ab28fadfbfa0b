#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# C-4: a system call of the supervisor fails, once, during one start, set and
# stop of a VM beside one that runs.  A clean trace tells the pairs (call,
# how many-th); POINTS [60] of them, evenly spread, or POINTS=all.  Each gets
# the next errno of its kind of call.
# shellcheck source=tests/faults/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/faults/lib.sh"
command -v strace >/dev/null || skip_all "no strace"
strace -o /dev/null true 2>/dev/null || skip_all "strace may not trace here"
wanted=${POINTS:-${LONG:+400}}
: "${wanted:=60}"

# traced ARG...: vmwardd under strace; daemon_pid is its own
traced()
{
	rm -f "$tmp/ready"
	mkfifo "$tmp/ready"
	PATH="$tmp/bin:$PATH" strace "$@" "$BUILD/vmwardd" --root "$tmp" \
		--notify-fd 3 3>"$tmp/ready" 2>>"$daemon_log" </dev/null &
	tracer=$!
	timeout 20 head -n 1 <"$tmp/ready" >"$tmp/ready.line"
	daemon_pid=$(pgrep -P "$tracer" vmwardd)
	[ -n "$daemon_pid" ]
}
ask() # WORD...: its status; nobody waits for ever
{
	timeout -s KILL 20 "$BUILD/vmward" --root "$tmp" "$@" \
		>"$tmp/ask.out" 2>&1 </dev/null
}
# what is done while a call fails; what was answered is what is expected
work()
{
	want=down set=
	ask start other && want=up || want=any
	ask set other vm.description="said-$1" && set=said-$1
	if [ "$want" = up ] && [ $(($1 % 2)) = 0 ]; then
		ask stop other && want=down || want=any
	fi
}
ends_traced()
{
	[ -z "$daemon_pid" ] || kill "$daemon_pid" 2>/dev/null
	wait "$tracer" 2>/dev/null
}
# which errors a kind of call may have
errors_of()
{
	case $1 in
	open* | mkdir* | rename* | unlink* | mkfifo* | mknod*)
		echo ENOSPC EROFS EACCES EMFILE ENOMEM EIO ;;
	write | pwrite64 | ftruncate | fallocate | sendmsg | writev)
		echo ENOSPC EIO EDQUOT EAGAIN EINTR ;;
	fsync | fdatasync | io_submit) echo EIO ENOSPC EAGAIN ;;
	mmap | mremap | brk | munmap | mprotect | madvise) echo ENOMEM ;;
	clone* | fork | vfork) echo EAGAIN ENOMEM ;;
	read | recvmsg | pread64 | readlinkat | getdents64)
		echo EIO EINTR EAGAIN ;;
	epoll_* | poll | ppoll) echo EINTR ENOMEM ;;
	*) echo EMFILE ENFILE ENOMEM EIO EACCES EINTR ;;
	esac
}
pick() # NUMBER WORD...
{
	shift $((1 + $1 % ($# - 1)))
	echo "$1"
}

vm web </dev/null
vm other <<'EOS'
[stop]
steps = quit:2s, kill
EOS
daemon
vmward start web
pid=$(pid_of web)
ask start other
ask stop other
daemon_ends TERM
# three times the same: what time alone brings is no point
for clean in 1 2 3; do
	traced -o "$tmp/trace" || skip_all "strace does not trace vmwardd"
	work "$clean"
	ends_traced
	ask kill other
	awk -f "$TOP/tests/faults/points.awk" "$tmp/trace" |
		grep -vE '^(exit|rt_sig|close|restart_syscall)' >"$tmp/all.$clean"
done
grep -Fxf "$tmp/all.2" "$tmp/all.1" | grep -Fxf "$tmp/all.3" >"$tmp/all"
[ "$wanted" != all ] || wanted=$(wc -l <"$tmp/all")
awk -v points="$wanted" -v n="$(wc -l <"$tmp/all")" '
	int(NR * points / n) != int((NR - 1) * points / n)' \
	"$tmp/all" >"$tmp/pairs"

case_begin C-4-errno
died=0
number=0
while read -r name count <&7; do
	number=$((number + 1))
	# shellcheck disable=SC2046 # words
	error=$(pick "$number" $(errors_of "$name"))
	point "$name $count $error"
	hit=
	# the call may come a few times less than in the clean trace
	while [ "$count" -gt 0 ] && [ -z "$hit" ]; do
		traced -o "$tmp/trace" \
			-e "inject=$name:error=$error:when=$count" &&
			work "$number"
		kill -0 "$daemon_pid" 2>/dev/null || died=$((died + 1))
		ends_traced
		grep -q '(INJECTED)$' "$tmp/trace" && hit=yes
		count=$((count - 1))
	done
	[ -z "$hit" ] || struck
	expects "web up $pid" "other $want"
	daemon_pid=999999999
	again
	look
	[ -z "$set" ] || grep -q "$set" "$vms/other.ini.d/"* || {
		acked_lost=$((acked_lost + 1))
		bad "the set was answered and is not there"
	}
	ask kill other
	daemon_ends TERM
done 7<"$tmp/pairs"
also="died=$died" # of it; it is there again each time
tell
plan
