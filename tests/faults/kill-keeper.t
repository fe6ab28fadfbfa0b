#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# kill -9 of either half at POINTS [40] instants each, while clients start,
# change and kill a VM: another one that runs is the same process all the
# while, and no VM is there twice.
export VMWARD_KEEPER=yes
# shellcheck source=tests/live/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/live/lib.sh"
points=${POINTS:-40}
[ "$(id -u)" = 0 ] || skip_all "only root has powers to part"
injected=0 survived=0 vm_killed=0 double=0

try() { timeout -s KILL 30 "$BUILD/vmward" --root "$tmp" "$@"; }

# What clients do meanwhile; what becomes of it is not asked here.
load()
{
	while [ -e "$tmp/go" ]; do
		try start web
		try set web vm.description="$(date +%N)"
		try list
		try kill web
	done >/dev/null 2>&1 </dev/null
}
answers() { try list | grep -q keep; }
is_there_once() { [ "$(qemus guest=web | wc -l)" -le 1 ]; }

# dies HALF MS: it is killed so long after the one before was there again
dies()
{
	half=$vmwardd_pid
	[ "$1" = keeper ] || half=$(brain)
	timeout "0.$(printf %03d "$2")" tail -f /dev/null
	kill -9 "$half" && injected=$((injected + 1))
	if [ "$1" = keeper ]; then
		wait "$vmwardd_pid" 2>/dev/null
		up
	fi
	eventually answers || return 1
	kill -0 "$pid" || vm_killed=$((vm_killed + 1))
	is_there_once || double=$((double + 1))
	eventually same_pid keep "$pid" && is_there_once &&
		survived=$((survived + 1))
}

guest keep tcg </dev/null
guest web tcg </dev/null
up
starts keep --wait=ready
pid=$(pid_of keep)
: >"$tmp/go"
load &
loader=$!
for at in $(seq 1 "$points"); do
	ms=$((400 * at / points))
	ok "the brain is killed after $ms ms" dies brain "$ms"
	ok "the keeper is killed after $ms ms" dies keeper "$ms"
done
rm "$tmp/go"
wait "$loader"
ok "what was changed meanwhile is over" eventually does kill web
ok "the VM obeys" eventually obeys keep
ok "and ends" stops keep
ok "nothing is left" nothing_left
echo "# case=kill-keeper points=$((2 * points)) injected=$injected" \
	"survived=$survived vm_killed=$vm_killed double=$double"
ok "every kill struck" is "$injected" "$((2 * points))"
plan
