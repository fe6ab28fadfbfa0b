#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# run FILE: no daemon, no root; on a terminal and without one; exit by cause.
# shellcheck source=tests/live/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/live/lib.sh"

dir=$tmp/vm
mkdir -p "$dir" "$tmp/tmp"
mkfifo "$tmp/keys"
chmod 755 "$tmp"
TMPDIR=$tmp/tmp
XDG_RUNTIME_DIR=$tmp/xdg
export TMPDIR XDG_RUNTIME_DIR
mkdir -m 700 "$XDG_RUNTIME_DIR"
if [ "$(id -u)" = 0 ]; then
	nobody='setpriv --reuid=65534 --regid=65534 --clear-groups'
	chown 65534:65534 "$dir" "$tmp/tmp" "$XDG_RUNTIME_DIR" "$tmp/keys"
else
	nobody=
fi
cd "$dir" || exit 1

# file NAME: NAME.ini beside its image; more lines come from stdin
file()
{
	"$TOP/tests/guest/bios/label" "$BUILD/guest/bios.raw" "$1.raw" "$1"
	{
		printf '[vm]\nmemory = 8M\naccel = tcg\n'
		printf '[disk.root]\nimage = %s.raw\n' "$1"
		printf '[start]\nready = serial:READY\n'
		cat
	} >"$1.ini"
	[ -z "$nobody" ] || chown 65534:65534 "$1.raw" "$1.ini"
}

# vmward as nobody, with -f: the VM that a run supervises
ask() # FILE VERB...
{
	f=$1
	shift
	# shellcheck disable=SC2086 # words
	timeout 60 $nobody "$BUILD/vmward" -f "$f" "$@" \
		>"$tmp/out" 2>"$tmp/err" </dev/null
	status=$?
}

field() # FILE KEY
{
	ask "$1" --json status "${1%.ini}"
	jq -r ".[0].$2" "$tmp/out"
}

# runs ARG...: run in the background, without a terminal
runs()
{
	: >"$tmp/screen"
	# shellcheck disable=SC2086
	$nobody "$BUILD/vmward" run "$@" </dev/null >"$tmp/screen" 2>&1 &
	run_pid=$!
	started="$started $run_pid"
}

# on a terminal; keys go to descriptor 5
shows() # ARG...
{
	: >"$tmp/screen"
	script -qec "$nobody $BUILD/vmward run $*" /dev/null \
		<"$tmp/keys" >"$tmp/screen" 2>&1 &
	run_pid=$!
	started="$started $run_pid"
	exec 5>"$tmp/keys"
}

# ends_as STATUS: the run ends with it
ends_as()
{
	wait "$run_pid"
	status=$?
	exec 5>&-
	cat "$tmp/screen"
	exits "$1"
}

screen() { eventually grep -aqE -- "$1" "$tmp/screen"; }

keys() # TEXT for printf
{
	# shellcheck disable=SC2059 # it has \NNN
	printf "$1" >&5
}

type_to() # FILE TEXT
{
	socket=$(field "$1" 'consoles[0].socket')
	printf '%s' "$2" | timeout 10 socat -t0 - "UNIX:$socket" >/dev/null
}

is_ready() # FILE
{
	eventually is_field "$1" ready true
}

is_field() { is "$(field "$1" "$2")" "$3"; }

# ---- a terminal ----

file web </dev/null
shows web.ini
ok "terminal: says how to escape" screen 'escape is \^\]'
ok "terminal: shows the console" screen '^READY web'
keys n
ok "terminal: keys reach the guest" screen '^0001'
keys '\003'
ok "terminal: Ctrl-C as well" screen '^\?'
keys '\035'
ok "terminal: ^] stops it, exit 0" ends_as 0
ok "terminal: and says so" grep -aq 'web: stopping' "$tmp/screen"
ok "terminal: and why it ended" grep -aq 'ended: admin-stop' "$tmp/screen"

shows web.ini
screen '^READY web'
keys i
screen '^\?'
keys '\035'
screen stopping
keys '\035'
ok "terminal: ^] twice kills, exit 109" ends_as 109

# ---- no terminal ----

runs web.ini
ok "pipe: is ready" is_ready web.ini
ok "pipe: the console comes out" screen '^READY web'
ok "pipe: no QEMU is ours twice" is "$(qemus web.raw | wc -l)" 1
ask web.ini status web
ok "pipe: -f FILE status" exits 0
# shellcheck disable=SC2086
timeout 20 $nobody "$BUILD/vmward" run web.ini >"$tmp/out" 2>"$tmp/err" \
	</dev/null
ok "pipe: a second run is refused, exit 3" is $? 3
ok "pipe: and names the first" grep -q "already run by pid $run_pid" "$tmp/err"
kill "$run_pid"
ok "pipe: SIGTERM stops it, exit 0" ends_as 0

runs -q web.ini
is_ready web.ini
type_to web.ini i
kill "$run_pid"
eventually is_field web.ini state stopping
kill "$run_pid"
ok "pipe: a second SIGTERM kills, exit 109" ends_as 109
ok "pipe: -q shows no console" is "$(grep -c READY "$tmp/screen")" 0

runs web.ini
is_ready web.ini
type_to web.ini p
ok "exit 0 after a power off by the guest" ends_as 0

file once <<EOF
[restart]
policy = no
EOF
runs once.ini
is_ready once.ini
type_to once.ini c
ok "exit 101 after a panic" ends_as 101
runs once.ini
is_ready once.ini
kill -9 "$(field once.ini pid)"
ok "exit 107 after a signal to QEMU" ends_as 107
ok "and the last line says it" grep -q 'once: ended: qemu-signal 9' \
	"$tmp/screen"
runs --timeout 1s once.ini
ok "exit 5 after --timeout" ends_as 5
file bad <<EOF
[raw]
arg-1 = -no-such-option
[restart]
policy = no
EOF
runs bad.ini
ok "exit 1 if it cannot start" ends_as 1
ok "with QEMU's own words" grep -q no-such-option "$tmp/screen"

# ---- it survives its supervisor ----

runs web.ini
is_ready web.ini
pid=$(field web.ini pid)
kill -9 "$run_pid"
wait "$run_pid" 2>/dev/null
ok "kill -9: QEMU lives" kill -0 "$pid"
runs web.ini
ok "kill -9: the next run finds it" eventually is_field web.ini state running
ok "kill -9: the same one" is "$(field web.ini pid)" "$pid"
kill "$run_pid"
ok "kill -9: and stops it" ends_as 0

# ---- --rm ----

find "$tmp/tmp" "$dir" "$XDG_RUNTIME_DIR" | sort >"$tmp/before"
sum=$(cksum <web.raw)
runs --rm web.ini
ok "--rm: runs" screen '^READY web'
first=$run_pid
mv "$tmp/screen" "$tmp/screen1"
runs --rm web.ini
ok "--rm: a second one beside it" screen '^READY web'
ok "--rm: two QEMUs" is "$(qemus guest=web- | wc -l)" 2
kill "$run_pid"
ok "--rm: ends" ends_as 0
kill "$first"
wait "$first"
find "$tmp/tmp" "$dir" "$XDG_RUNTIME_DIR" | sort >"$tmp/after"
ok "--rm: nothing is left" diff "$tmp/before" "$tmp/after"
ok "--rm: nothing was written" is "$(cksum <web.raw)" "$sum"

# ---- no runtime directory ----

unset XDG_RUNTIME_DIR
runs web.ini
ok "without XDG_RUNTIME_DIR: is ready" is_ready web.ini
kill "$run_pid"
ok "without XDG_RUNTIME_DIR: stops" ends_as 0
ok "no QEMU is left" is "$(qemus "$tmp" | wc -l)" 0
plan
