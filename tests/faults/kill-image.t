#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Work on images is interrupted: kill -9 of the supervisor at its system
# calls during create, clone, convert, resize, rebase, flatten and commit
# (POINTS [all] of each, evenly spread), and of qemu-img at INSTANTS [64] of
# its run.  Each time the image is what it was or what it was to be, and
# after the next start nothing else is there.
# shellcheck source=tests/live/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/live/lib.sh"
command -v strace >/dev/null || skip_all "no strace"
strace -o /dev/null true 2>/dev/null || skip_all "strace may not trace here"
real=$(command -v qemu-img) || skip_all "no qemu-img"
points=${POINTS:-all}
instants=${INSTANTS:-64}
keep=$tmp/keep
mkdir "$keep" "$tmp/bin"
PATH=$tmp/bin:$PATH

# ---- what is there before each case ----

"$real" create -q -f qcow2 "$keep/old.qcow2" 64M
qemu-io -f qcow2 -c 'write -P 1 0 8M' "$keep/old.qcow2" >/dev/null
cp "$keep/old.qcow2" "$keep/new.qcow2"
qemu-io -f qcow2 -c 'write -P 2 8M 16M' "$keep/new.qcow2" >/dev/null
"$real" create -q -f qcow2 -b "$images/old.qcow2" -F qcow2 -u \
	"$keep/top.qcow2" 64M
cp "$keep/old.qcow2" "$images"
cp "$keep/top.qcow2" "$images"
qemu-io -f qcow2 -c 'write -P 3 4M 8M' "$images/top.qcow2" >/dev/null
cp "$images/top.qcow2" "$keep"

reset()
{
	rm -rf "$images"
	cp -r "$keep" "$images"
	rm -f "$tmp/status"
}
reads() # FILE: what a guest would read of it
{
	"$real" convert -f "${1##*.}" -O raw "$images/$1" "$tmp/flat" &&
		sha256sum <"$tmp/flat" | cut -c1-16
}
reset
old=$(reads old.qcow2) new=$(reads new.qcow2) top=$(reads top.qcow2)

# ---- the cases: the words of each, and which of its two states it is in ----

words_of()
{
	case $1 in
	create) echo create made.qcow2 32M ;;
	clone) echo clone old.qcow2 made.qcow2 --full ;;
	convert) echo convert top.qcow2 made.raw ;;
	resize) echo resize new.qcow2 80M ;;
	rebase) echo rebase top.qcow2 new.qcow2 ;;
	flatten) echo flatten top.qcow2 ;;
	commit) echo commit top.qcow2 --yes ;;
	esac
}
info() # FILE MEMBER
{
	"$real" info -f qcow2 --output=json "$images/$1" | jq -r ".\"$2\""
}
# made FILE WANT: it is not there, or reads so
made()
{
	if [ ! -e "$images/$1" ]; then
		echo before
	elif [ "$(reads "$1")" = "$2" ]; then
		echo after
	else
		echo spoilt
	fi
}
empty=$(head -c 32M /dev/zero | sha256sum | cut -c1-16)
"$real" convert -f qcow2 -O raw "$keep/new.qcow2" "$tmp/flat"
truncate -s 80M "$tmp/flat"
larger=$(sha256sum <"$tmp/flat" | cut -c1-16)
# state CASE: before, after, or what else it is
state()
{
	case $1 in
	create) made made.qcow2 "$empty" ;;
	clone) made made.qcow2 "$old" ;;
	convert) made made.raw "$top" ;;
	resize)
		case $(reads new.qcow2) in
		"$new") echo before ;;
		"$larger") echo after ;;
		*) echo spoilt ;;
		esac
		;;
	rebase | flatten | commit)
		[ "$(reads top.qcow2)" = "$top" ] || {
			echo spoilt
			return
		}
		case "$1 $(info top.qcow2 backing-filename)" in
		rebase*/new.qcow2 | flatten*null) echo after ;;
		commit*)
			if [ "$(reads old.qcow2)" = "$top" ]; then
				echo after
			else
				echo before
			fi
			;;
		*) echo before ;;
		esac
		;;
	esac
}
# leaked clusters are space, not data; what is marked dirty is repaired by
# whoever opens it to write; anything else is damage
is_sound()
{
	for file in "$images"/*.qcow2; do
		if [ "$(info "${file##*/}" dirty-flag)" = true ]; then
			qemu-io -f qcow2 -c 'read 0 512' "$file" >/dev/null
		fi
		"$real" check -f qcow2 "$file" >"$tmp/check" 2>&1
		case $? in
		0 | 3) ;;
		*)
			sed 's/^/# /' "$tmp/check"
			return 1
			;;
		esac
	done
}
bad() { echo "# $case $at: $*"; }

ask()
{
	# shellcheck disable=SC2046 # words
	timeout -s KILL 60 "$BUILD/vmward" --root "$tmp" image \
		$(words_of "$case") >"$tmp/ask.out" 2>&1 </dev/null
	echo $? >"$tmp/status"
}
strays()
{
	(cd "$images" && ls) | grep -vxE '(old|new|top)\.qcow2|made\.(qcow2|raw)'
	pgrep -f "qemu-img .*$images"
}
no_strays() { [ -z "$(strays)" ]; }

# after a death: the next start, then what is there, then the same once more
check_case()
{
	kill -0 "$vmwardd_pid" 2>/dev/null && survived=$((survived + 1))
	eventually no_strays || {
		leaked=$((leaked + 1))
		bad "left: $(strays | tr '\n' ' ')"
	}
	now=$(state "$case")
	case "$(cat "$tmp/status" 2>/dev/null) $now" in
	*' spoilt' | '0 before')
		lost=$((lost + 1))
		bad "answered $(cat "$tmp/status"), it is $now"
		;;
	esac
	is_sound || {
		lost=$((lost + 1))
		bad "an image is damaged"
	}
	if [ "$now" = before ] && ! again; then
		lost=$((lost + 1))
		bad "it cannot be done again: $(cat "$tmp/ask.out")"
	fi
}
again()
{
	ask
	[ "$(cat "$tmp/status")" = 0 ] && [ "$(state "$case")" = after ]
}
clear_counts() { total=0 injected=0 survived=0 lost=0 leaked=0; }
tell()
{
	echo "# case=$1 points=$total injected=$injected survived=$survived" \
		"lost=$lost leaked=$leaked"
	ok "$1: every point was injected" is "$injected" "$total"
	ok "$1: the supervisor was there each time" is "$survived" "$total"
	ok "$1: nothing is lost" is "$lost" 0
	ok "$1: nothing is left" is "$leaked" 0
}

# ---- the supervisor dies ----

traced() # STRACE-ARG...
{
	rm -f "$tmp/ready"
	strace "$@" "$BUILD/vmwardd" --root "$tmp" --notify-fd 9 \
		9<>"$tmp/notify" </dev/null >>"$tmp/sup.log" 2>&1 &
	vmwardd_pid=$!
	timeout 20 head -n 1 <>"$tmp/notify" >"$tmp/ready"
	[ -s "$tmp/ready" ]
}
supervisor() { pgrep -P "$vmwardd_pid" vmwardd; }

# the calls from the first connection to the answer
enumerate()
{
	reset
	traced -o "$tmp/trace" || return 1
	ask
	child=$(supervisor)
	kill -9 "$child"
	wait "$vmwardd_pid" 2>/dev/null
	vmwardd_pid=
	[ "$(cat "$tmp/status")" = 0 ] && [ "$(state "$case")" = after ] ||
		return 1
	awk -f "$TOP/tests/faults/points.awk" "$tmp/trace" >"$tmp/all"
	n_all=$(wc -l <"$tmp/all")
	[ "$points" = all ] && some=$n_all || some=$points
	awk -v points="$some" -v n="$n_all" '
		int(NR * points / n) != int((NR - 1) * points / n)' \
		"$tmp/all" >"$tmp/pairs"
}

# the call may come a little less often than in the clean trace
inject() # NAME NUMBER
{
	number=$2
	while [ "$number" -gt 0 ]; do
		reset
		if traced -o /dev/null \
			-e "inject=$1:signal=KILL:when=$number"; then
			ask
		fi
		child=$(supervisor)
		if [ -z "$child" ] || ! kill -0 "$child" 2>/dev/null; then
			wait "$vmwardd_pid" 2>/dev/null
			vmwardd_pid=
			return 0
		fi
		kill -9 "$child"
		wait "$vmwardd_pid" 2>/dev/null
		vmwardd_pid=
		number=$((number - 1))
	done
	return 1
}

kills_supervisor()
{
	clear_counts
	at=trace
	ok "$case: a clean trace" enumerate
	total=$(wc -l <"$tmp/pairs")
	while read -r name number <&7; do
		at="$name $number"
		if inject "$name" "$number"; then
			injected=$((injected + 1))
		else
			bad "was never reached"
		fi
		up
		check_case
		down
	done 7<"$tmp/pairs"
	tell "kill-image-$case"
}

# ---- qemu-img dies ----

# the stand-in lets it live so long as the file `life` says
make_stand_in()
{
	cat >"$tmp/bin/qemu-img" <<EOS
#!/bin/sh
case "\$1" in
info | measure) exec "$real" "\$@" ;;
esac
read -r life 2>/dev/null <"$tmp/life" || exec "$real" "\$@"
exec timeout -s KILL "\$life" "$real" "\$@"
EOS
	chmod +x "$tmp/bin/qemu-img"
}
run_ms()
{
	reset
	began=$(now_ms)
	ask
	echo $(($(now_ms) - began))
}

kills_qemu_img()
{
	clear_counts
	rm -f "$tmp/life"
	up
	length=$(run_ms)
	total=$instants
	for i in $(seq "$instants"); do
		at="instant $i of $instants"
		reset
		awk -v i="$i" -v n="$instants" -v ms="$length" \
			'BEGIN { printf "%.4f\n", ms * i / n / 1000 }' \
			>"$tmp/life"
		ask
		injected=$((injected + 1))
		rm -f "$tmp/life"
		check_case
	done
	down
	tell "kill-qemu-img-$case"
}

for case in ${CASES:-create clone convert resize rebase flatten commit}; do
	kills_supervisor
done
make_stand_in
for case in ${CASES:-create convert resize rebase flatten commit}; do
	kills_qemu_img
done
plan
