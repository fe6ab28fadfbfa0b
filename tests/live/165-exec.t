#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# run --exec CMD ARGS: by the agent of a Linux guest, with a VM of its own
# each time.
# shellcheck source=tests/live/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/live/lib.sh"
[ -e "$BUILD/guest/vmlinuz" ] || skip_all "no Linux guest could be built here"
cp "$BUILD/guest/vmlinuz" "$BUILD/guest/initrd.gz" "$tmp/"
XDG_RUNTIME_DIR=$tmp/xdg
export XDG_RUNTIME_DIR
mkdir -m 700 "$XDG_RUNTIME_DIR"
cd "$tmp" || exit 1

file() # NAME CMDLINE; more lines come from stdin
{
	cat - >"$1.more"
	cat >"$1.ini" - "$1.more" <<-EOF
	[vm]
	memory = 192M
	accel = tcg
	kernel = $tmp/vmlinuz
	initrd = $tmp/initrd.gz
	cmdline = console=ttyS0 quiet panic=-1 nonet nohttp $2
	[stop]
	steps = agent:20s, kill
	EOF
}

# runs ARG...: to its end
runs()
{
	timeout 120 "$BUILD/vmward" run "$@" >"$tmp/out" 2>"$tmp/err" </dev/null
	status=$?
}

file ci '' </dev/null
# shellcheck disable=SC2016 # the guest's shell expands it
runs ci.ini --exec sh -c 'echo "to out $1"; echo "to err" >&2; exit 7' x -q --json
ok "the command's own exit status" exits 7
ok "its words reach it as they are" is "$(cat out)" 'to out -q'
ok "its stderr is ours" complains 'to err'
ok "how it was stopped is told" complains 'ended: admin-stop'
# shellcheck disable=SC2016
runs -q ci.ini --exec /bin/sh -c 'seq 200000; kill -9 $$'
seq 200000 >want
ok "a long output comes whole" cmp want out
ok "128 + the signal that ended it" exits 137
ok "-q: nothing of ours" is "$(cat err)" ''
# its output while it runs
"$BUILD/vmward" run ci.ini --exec sh -c 'echo first; tail -f /dev/null' \
	>"$tmp/out" 2>"$tmp/err" </dev/null &
run_pid=$!
started="$started $run_pid"
patience=60
ok "output comes while the command runs" eventually says first
kill "$run_pid"
wait "$run_pid"
status=$?
ok "SIGTERM in the middle is no success" exits 1
ok "and says what became of it" complains \
	'the VM ended before the command did'
runs ci.ini --exec poweroff -f
ok "a command that ends its guest has no status" exits 1

file noga noga <<'EOF'
[start]
ready = agent
ready-timeout = 1s
EOF
runs noga.ini --exec true
ok "never ready: 125" exits 125
ok "and why" complains 'never ran'
runs ci.ini --exec
ok "--exec needs a command" exits 2
ok "nothing is left" is "$(qemus "$tmp" | wc -l)" 0
plan
