# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
# For tests/t/*.t: a private directory in $tmp, TAP lines, the built
# programs, and a scripted supervisor.  A test ends with `plan`.
set -u
TOP=${TOP:-$(cd "$(dirname "$0")/../.." && pwd)}
BUILD=${BUILD:-$TOP/build}
export TOP BUILD
tmp=$(mktemp -d "${TMPDIR:-/tmp}/vmward-t.XXXXXX") || exit 1
started=
n=0
status=0
unset VMWARD_SCOPE NO_COLOR COLUMNS VISUAL EDITOR
LC_ALL=C.UTF-8
TZ=UTC
export LC_ALL TZ

# Ends what this test started, by pid.
clean_up()
{
	for pid in $started; do
		kill "$pid" 2>/dev/null
	done
	rm -rf "$tmp"
}
trap clean_up EXIT
trap 'exit 1' HUP INT TERM
cd "$tmp" || exit 1
# VMWARD_KEEPER=yes: vmwardd in two halves, one of them under another uid
# shellcheck disable=SC2034 # of those who start it
keeper=
# shellcheck disable=SC2034
if [ -n "${VMWARD_KEEPER-}" ]; then
	keeper=--keeper
	chmod 711 "$tmp"
	umask 022
fi

ok() # NAME COMMAND...: one TAP line; what was said comes before a failure
{
	n=$((n + 1))
	what=$1
	shift
	if "$@" >"$tmp/said" 2>&1; then
		echo "ok $n - $what"
	else
		sed 's/^/# /' "$tmp/said" | tail -n 20 | cut -c1-400
		for f in out err; do
			[ ! -s "$tmp/$f" ] ||
				sed "s/^/# $f: /" "$tmp/$f" | tail -n 20 |
				cut -c1-400
		done
		echo "# status: $status"
		echo "not ok $n - $what"
	fi
}

skip_all() # WHY
{
	echo "1..0 # SKIP $1"
	exit 0
}

plan()
{
	echo "1..$n"
}

# vmward ARG...: output in out and err, its status in $status
vmward()
{
	timeout "${vmward_limit:-60}" "$BUILD/vmward" --root "$tmp" "$@" \
		>"$tmp/out" 2>"$tmp/err" </dev/null
	status=$?
}

# vmward on a terminal: both outputs in out, keys from stdin
on_terminal()
{
	printf '%s' "'$BUILD/vmward' --root '$tmp'" >"$tmp/words"
	for word in "$@"; do
		printf " '%s'" "$word" >>"$tmp/words"
	done
	timeout "${vmward_limit:-60}" script -qec "stty cols ${cols:-80}; $(cat "$tmp/words")" \
		/dev/null >"$tmp/raw"
	status=$?
	tr -d '\r' <"$tmp/raw" >"$tmp/out"
	: >"$tmp/err"
}

control=$tmp/run/vmward/control.sock

# supervisor: a scripted one, the script comes from stdin; replaces the last
supervisor()
{
	[ -z "${supervisor_pid:-}" ] || kill "$supervisor_pid" 2>/dev/null
	mkdir -p "$tmp/run/vmward"
	rm -f "$control.log"
	cat >"$tmp/script"
	supervisor_pid=$("$BUILD/tests/fake/control" "$control" "$tmp/script")
	started="$started $supervisor_pid"
}

is() { [ "$1" = "$2" ] || { echo "got '$1', want '$2'"; false; }; }
exits() { is "$status" "$1"; }
says() { grep -qF -- "$1" "$tmp/out"; }
complains() { grep -qF -- "$1" "$tmp/err"; }
is_silent() { [ ! -s "$tmp/out" ] && [ ! -s "$tmp/err" ]; }
# sent TEXT: a request that the supervisor got has it
sent() { grep -qF -- "$1" "$control.log"; }
# output: out is exactly what stands on stdin
output_is() { diff -u - "$tmp/out"; }
