#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Work on images and what VMs are made of is interrupted: kill -9 of the
# supervisor at its system calls (POINTS [8] of each case, evenly spread),
# and of qemu-img at INSTANTS [4] of its runs.  Each time all is as it was
# or as it was to be, what was answered is there, and after the next start
# nothing else is.  CASES: only these.
# shellcheck source=tests/t/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/t/lib.sh"
# shellcheck source=tests/t/daemon.sh
. "$TOP/tests/t/daemon.sh"
real=$(PATH=/usr/local/bin:/usr/bin:/bin command -v qemu-img) ||
	skip_all "no qemu-img"
points=${POINTS:-${LONG:+all}} instants=${INSTANTS:-${LONG:+64}}
: "${points:=8}" "${instants:=4}"
kill_at=$BUILD/tests/peer/kill_at
lib=$tmp/var/lib/vmward
images=$lib/images
seeds=$lib/seeds
keep=$tmp/keep
memo=$tmp/memo
patience=20
rm "$tmp/bin/qemu-img"
mkdir -p "$keep" "$memo" "$images"
"$kill_at" call 1 "$tmp/calls" true || skip_all "no program may be traced"

eventually() # COMMAND...: tries again until it is true
{
	end=$(($(date +%s) + patience))
	until "$@" >/dev/null 2>&1; do
		[ "$(date +%s)" -lt "$end" ] || return 1
		measure_ms 10
	done
}

# ---- the supervisor ----

# begin [UNDER...]: vmwardd under another program, ready
begin()
{
	rm -f "$tmp/ready"
	mkfifo "$tmp/ready"
	PATH="$tmp/bin:$PATH" "$@" "$BUILD/vmwardd" --confinement off --root "$tmp" \
		--notify-fd 3 3>"$tmp/ready" 2>>"$daemon_log" </dev/null &
	daemon_pid=$!
	read -r _ <"$tmp/ready"
}
end() # SIGNAL: it may have ended before
{
	kill "-$1" "$daemon_pid" 2>/dev/null
	wait "$daemon_pid" 2>/dev/null
}
ask()
{
	# shellcheck disable=SC2046 # words
	timeout -s KILL 60 "$BUILD/vmward" --root "$tmp" \
		$(words_of "$case") >"$tmp/ask.out" 2>&1 </dev/null
	status=$?
}
no_qemu() { [ -z "$(qemus)" ]; }
end_qemus()
{
	for pid in $(qemus); do
		kill -9 "$pid"
	done
	eventually no_qemu
}

# ---- what is there before each case ----

prepare()
{
	cd "$images" || exit 1
	"$real" create -q -f qcow2 old.qcow2 16M
	qemu-io -f qcow2 -c 'write -P 1 0 4M' old.qcow2 >/dev/null
	cp old.qcow2 new.qcow2
	qemu-io -f qcow2 -c 'write -P 2 2M 8M' new.qcow2 >/dev/null
	"$real" create -q -f qcow2 -b old.qcow2 -F qcow2 top.qcow2
	qemu-io -f qcow2 -c 'write -P 3 1M 2M' top.qcow2 >/dev/null
	"$real" create -q -f qcow2 web-root.qcow2 16M
	qemu-io -f qcow2 -c 'write -P 4 0 2M' web-root.qcow2 >/dev/null
	cp new.qcow2 "$tmp/outside.qcow2"
	cd "$tmp" || exit 1
	printf '[disk.root]\nsize = 16M\n' | vm web
	if command -v xorriso >/dev/null; then
		printf '[seed]\nhostname = early\n' | vm sown
		begin
		vmward start sown
		end KILL
		end_qemus
		printf '[seed]\nhostname = late\n' | vm sown
	fi
	cp -r "$vms" "$images" "$keep"
	[ ! -d "$seeds" ] || cp -r "$seeds" "$keep"
}
reset()
{
	[ "$case" != seed ] || end_qemus
	rm -rf "$lib" "$vms"
	mkdir "$lib"
	cp -r "$keep/vms" "$vms"
	cp -r "$keep/images" "$lib"
	[ ! -d "$keep/seeds" ] || cp -r "$keep/seeds" "$lib"
}

# ---- the cases, and what is there: as a guest and a supervisor read it ----

words_of()
{
	case $1 in
	create) echo image create made.qcow2 16M ;;
	overlay) echo image clone new.qcow2 made.qcow2 ;;
	copy) echo image clone old.qcow2 made.qcow2 --full ;;
	convert) echo image convert top.qcow2 made.raw ;;
	resize) echo image resize new.qcow2 32M ;;
	rebase) echo image rebase top.qcow2 new.qcow2 ;;
	flatten) echo image flatten top.qcow2 ;;
	commit) echo image commit top.qcow2 --yes ;;
	delete) echo image delete new.qcow2 --yes ;;
	import) echo image import "$tmp/outside.qcow2" --name made.qcow2 ;;
	vm-clone) echo clone web two ;;
	vm-copy) echo clone web two --full ;;
	vm-rename) echo rename web two ;;
	vm-delete) echo delete web --yes ;;
	seed) echo start sown ;;
	esac
}
is_overlay() { [ "$(od -An -tx1 -j8 -N12 "$1" | tr -d ' 0\n')" != "" ]; }
read_image() # FILE: its size, base and content
{
	"$real" info -f "${1##*.}" --output=json "$1" |
		jq -r '[."virtual-size", ."backing-filename"] | @text'
	"$real" convert -f "${1##*.}" -O raw "$1" "$tmp/flat" &&
		cksum <"$tmp/flat"
}
# the same of a file that was seen already costs little
recall()
{
	key=$1-$(cksum <"$1" | tr ' ' -)
	case $1 in
	*.qcow2) ! is_overlay "$1" || key=$key-$(cksum ./* | cksum) ;;
	esac
	key=$(echo "$key" | tr ' ' -)
	if [ ! -s "$memo/$key" ]; then
		eventually read_image "$1"
		read_image "$1" >"$memo/$key" 2>&1
	fi
	echo "$1" "$(tr '\n' ' ' <"$memo/$key")"
}
# the random part of a name is not compared
snapshot() { look | sed 's/base-[0-9a-f]\{8\}/base-X/g'; }
look()
{
	cd "$images" || return
	for file in *; do
		case $file in
		*.raw | *.qcow2) recall "$file" ;;
		*) echo "stray $file" ;;
		esac
	done
	# its uuid may be written down before a VM is renamed
	cd "$vms" && find . -type f ! -path './web.ini.d/*' \
		-exec cksum {} + | sort
	cd "$lib" && find seeds deleting renaming -type f 2>/dev/null | sort
	for file in seeds/*.iso; do
		[ ! -e "$file" ] ||
			dd if="$file" bs=1 skip=33342 count=64 2>/dev/null
	done
	cd "$tmp" || return
}
base_refused()
{
	vmward image info old.qcow2
	[ "$status" != 0 ] && complains "say vmward image commit"
}
# a base that is half written has what is read above it in any case, and
# nobody gets it until the commit is repeated, or finished by the next start
is_before()
{
	cmp -s "$tmp/now" "$tmp/before" || {
		[ "$case" = commit ] &&
			is "$(grep -v ^old "$tmp/now")" \
				"$(grep -v ^old "$tmp/before")" >/dev/null &&
			base_refused
	}
}
# state: before, after, or what it is
state()
{
	snapshot >"$tmp/now" 2>&1
	if cmp -s "$tmp/now" "$tmp/after"; then
		echo after
	elif is_before; then
		echo before
	elif grep -vxFf "$tmp/before" "$tmp/now" | grep -vxFf "$tmp/after" \
		>"$tmp/else" && grep -vqE '^(stray|deleting|renaming) |\.tmp' \
		"$tmp/else"; then
		echo spoilt
	elif [ -s "$tmp/else" ]; then
		echo strays
	else
		echo half
	fi
}
# the next supervisor finishes what was begun, or has nothing to finish
committed() { [ -z "$(ls "$lib/committing" 2>/dev/null)" ]; }
# its start may have been recorded: then it goes on
settled()
{
	vmward status sown --json
	jq -r '.. | objects | .state?' "$tmp/out" | grep -qxE 'running|stopped'
}
bad() { echo "# $case $at: $*"; }

# after a death and the next start: what is there; then the same once more
check_case()
{
	kill -0 "$daemon_pid" 2>/dev/null && survived=$((survived + 1))
	[ "$case" != seed ] || eventually settled
	answered=$status
	now=$(state)
	case "$answered $now" in
	*' spoilt' | *' half' | '0 before')
		lost=$((lost + 1))
		bad "answered $answered, it is $now"
		sed 's/^/# /' "$tmp/now"
		;;
	*' strays')
		leaked=$((leaked + 1))
		bad "left: $(tr '\n' ' ' <"$tmp/else")"
		;;
	*' before')
		again || {
			lost=$((lost + 1))
			bad "not again: $status $(cat "$tmp/ask.out")"
			sed 's/^/# /' "$tmp/now"
		}
		;;
	esac
}
again() { ask && [ "$status" = 0 ] && [ "$(state)" = after ] && is_usable; }
is_usable()
{
	[ "$case" != commit ] || {
		vmward image info old.qcow2
		[ "$status" = 0 ]
	}
}
clear_counts() { total=0 injected=0 survived=0 lost=0 leaked=0; }
tell()
{
	line="case=$1 points=$total injected=$injected survived=$survived \
acked_lost=$lost leaked=$leaked"
	echo "# $line"
	[ -z "${FAULTS_OUT-}" ] || echo "$line" >>"$FAULTS_OUT"
	ok "$1: every point was injected" is "$injected" "$total"
	ok "$1: the supervisor was there each time" is "$survived" "$total"
	ok "$1: nothing is lost" is "$lost" 0
	ok "$1: nothing is left" is "$leaked" 0
}

# ---- the supervisor dies ----

# one run that nothing happens to: how many calls it takes, and to what
count_calls()
{
	reset
	snapshot >"$tmp/before" 2>&1
	begin "$kill_at" call 0 "$tmp/calls"
	ask
	end TERM
	snapshot >"$tmp/after" 2>&1
	read -r _ n_calls <"$tmp/calls"
	is "$status" 0 && ! cmp -s "$tmp/before" "$tmp/after"
}
# at call N, or the last one before it that there is
inject() # N
{
	number=$1
	while [ "$number" -gt 0 ]; do
		reset
		begin "$kill_at" call "$number" "$tmp/calls"
		ask
		# what comes after the answer is given its time
		timeout 1 tail --pid="$daemon_pid" -s 0.01 -f /dev/null
		end TERM
		read -r how counted <"$tmp/calls"
		[ "$how" != killed ] || return 0
		number=$((counted < number ? counted : number - 1))
	done
	return 1
}
kills_supervisor()
{
	clear_counts
	ok "$case: a clean run" count_calls
	total=$n_calls
	[ "$points" = all ] || [ "$points" -ge "$n_calls" ] || total=$points
	i=0
	while [ "$i" -lt "$total" ]; do
		i=$((i + 1))
		at="call $((i * n_calls / total)) of $n_calls"
		if inject $((i * n_calls / total)); then
			injected=$((injected + 1))
		else
			bad "was never reached"
		fi
		begin
		[ "$case" != commit ] || eventually committed ||
			bad "the commit is not finished"
		check_case
		end KILL
	done
	tell "kill-image-$case"
}

# ---- qemu-img dies ----

# the stand-in lets it live until the time that the file `life` says
make_stand_in()
{
	cat >"$tmp/bin/qemu-img" <<EOS
#!/bin/sh
case "\$1" in
info | measure) exec "$real" "\$@" ;;
esac
read -r life 2>/dev/null <"$tmp/life" || exec "$real" "\$@"
exec "$kill_at" time "\$life" "$tmp/calls" "$real" "\$@"
EOS
	chmod +x "$tmp/bin/qemu-img"
}
uptime_ms() { awk '{ printf "%d\n", $1 * 1000 }' /proc/uptime; }
now_ms() { echo $(($(date +%s%N) / 1000000)); }
# after MS of the work it is killed; false: it had ended
kill_under() # MS
{
	rm -f "$tmp/calls"
	echo $(($(uptime_ms) + $1)) >"$tmp/life"
	ask
	rm "$tmp/life"
	[ -e "$tmp/calls" ]
}
# in its cage it runs under nothing: the first one seen after MS, by no
# program, which would be too slow to see it
find_caged()
{
	read -r children <"/proc/$daemon_pid/task/$daemon_pid/children"
	for pid in $children; do
		read -r name 2>/dev/null <"/proc/$pid/comm" || continue
		[ "$name" != qemu-img ] || victim=$pid
	done
}
kill_caged() # MS
{
	(
		ask
		echo "$status" >"$tmp/asked"
	) &
	asking=$! victim=
	[ "$1" = 0 ] || measure_ms "$1"
	while [ -z "$victim" ] && kill -0 "$asking" 2>/dev/null; do
		find_caged
	done
	[ -z "$victim" ] || kill -9 "$victim" 2>/dev/null
	wait "$asking"
	status=$(cat "$tmp/asked")
	[ -n "$victim" ]
}
inject_img() # MS
{
	delay=$1
	while [ "$delay" -ge 0 ]; do
		reset
		case $case in
		import) kill_caged "$delay" ;;
		*) kill_under "$delay" ;;
		esac && return 0
		# it was slow when it was measured
		delay=$((delay - 1 - delay / 8))
		length=$((delay * instants / i))
	done
	return 1
}
kills_qemu_img()
{
	clear_counts
	reset
	begin
	began=$(now_ms)
	ask
	length=$(($(now_ms) - began))
	snapshot >"$tmp/after" 2>&1
	total=$instants
	for i in $(seq "$instants"); do
		at="instant $i of $instants"
		if inject_img $((length * i / instants)); then
			injected=$((injected + 1))
		else
			bad "it had always ended"
		fi
		check_case
	done
	end KILL
	tell "kill-qemu-img-$case"
}

all="create overlay copy convert resize rebase flatten commit delete import
vm-clone vm-copy vm-rename vm-delete seed"
case=
prepare
has_landlock() { "$BUILD/vmwardd" --cage /dev/null - 1048576 10 /bin/true; }
for case in ${CASES:-$all}; do
	case $case in
	seed) [ -d "$keep/seeds" ] || continue ;;
	import) has_landlock 2>/dev/null || continue ;;
	esac
	kills_supervisor
done
make_stand_in
for case in ${CASES:-create copy convert resize rebase flatten commit import \
	vm-clone vm-copy}; do
	[ "$case" != import ] || has_landlock 2>/dev/null || continue
	reset
	snapshot >"$tmp/before" 2>&1
	kills_qemu_img
done
plan
