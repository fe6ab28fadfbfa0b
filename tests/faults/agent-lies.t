#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# C-8: a guest agent that lies: each member of each answer that we read is of
# a wrong type once, POINTS [67] of these lies, evenly spread; with LONG=yes
# all.  The verb ends, or goes on with what the guest says is not over until it
# is cancelled (exec, pull, push); it shows no control byte, and VMs are served
# as promptly as ever; so they are with an agent that falls silent.
# shellcheck source=tests/faults/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/faults/lib.sh"
tab=$(printf '\t')
prompt=1000 # ms; a busy machine is slow

# QEMU says each time that its guest has opened the agent's port
i=0
while [ "$i" -lt 3000 ]; do
	i=$((i + 1))
	echo '? {"execute": "query-chardev"}'
	# shellcheck disable=SC2016 # the fake's own word
	echo '< {"return": [{"label": "agent", "filename": "unix:", "frontend-open": true}], "id": $ID}'
done >"$tmp/agent.qmp"
scripted web "$tmp/agent.qmp"
vm calm </dev/null
printf five. >"$tmp/five"
daemon
vmward start web calm
web=$(pid_of web) calm=$(pid_of calm)
rm -f "$run/web/priv/agent"
"$TOP/tests/faults/liar" "$run/web/priv/agent" "$tmp" >"$tmp/liar.out" \
	2>&1 </dev/null &
liar=$!
started="$started $liar"
wait_for "$tmp/liar.out" ready

# ask VERB: of its guest's agent
ask()
{
	vmward_limit=5
	case $1 in
	exec) vmward agent exec web --timeout 2s -- /bin/true ;;
	pull)
		rm -f got
		vmward agent pull web /etc/motd got --timeout 2s
		;;
	push) vmward agent push web "$tmp/five" /tmp/x --timeout 2s ;;
	freeze)
		vmward agent freeze web
		mv "$tmp/err" "$tmp/err.freeze"
		mv "$tmp/out" "$tmp/out.freeze"
		frozen=$status
		vmward agent thaw web
		[ "$frozen" = 0 ] || status=$frozen
		cat "$tmp/err.freeze" >>"$tmp/err"
		cat "$tmp/out.freeze" >>"$tmp/out"
		;;
	ssh-keys) vmward agent ssh-keys web root --timeout 2s ;;
	thaw) vmward agent thaw web ;;
	*) vmward agent "$1" web --timeout 2s ;;
	esac
}
# what a terminal must not get; the file that was pulled is not for one
is_plain() { ! LC_ALL=C grep -q "[$(printf '\001-\010\013-\037\177')]" "$tmp/out" "$tmp/err"; }
# `timeout` cancels, as Ctrl-C does
in_time()
{
	[ "$status" = 124 ] || return 0
	cancelled=$((cancelled + 1))
	is_one_of "$1" exec pull push
}
is_one_of() # WORD ALLOWED...
{
	word=$1
	shift
	for allowed; do
		[ "$word" != "$allowed" ] || return 0
	done
	false
}
is_prompt()
{
	talk "$control" qmp '>{"execute":"vm-pause","arguments":{"vm":"calm"}}' \
		'<"return"' ms $prompt \
		'>{"execute":"vm-resume","arguments":{"vm":"calm"}}' \
		'<"return"' ms $prompt \
		'>{"execute":"vm-status","arguments":{"vm":"web"}}' \
		'<"state":"running"' ms $prompt
}

for verb in ping info exec pull push freeze fstrim ssh-keys; do
	ask "$verb"
	ok "an honest agent: $verb" is "$status" 0
done
"$TOP/tests/faults/liar" --points >"$tmp/all"
wanted=${POINTS:-${LONG:+$(wc -l <"$tmp/all")}}
awk -v points="${wanted:-67}" -v n="$(wc -l <"$tmp/all")" '
	int(NR * points / n) != int((NR - 1) * points / n)' "$tmp/all" \
	>"$tmp/lies"
case_begin C-8-agent-lies
expects "web up $web" "calm up $calm"
raw=0 late=0 believed=0 cancelled=0
while IFS=$tab read -r verb command reply <&7; do
	point "$verb, $command: $reply"
	: >"$tmp/heard"
	printf '%s\t%s\n' "$command" "$reply" >"$tmp/lie.new"
	mv "$tmp/lie.new" "$tmp/lie"
	ask "$verb"
	grep -q "$command" "$tmp/heard" && struck
	[ "$status" != 0 ] || believed=$((believed + 1))
	if ! is_plain; then
		raw=$((raw + 1))
		bad "control bytes"
	fi
	if ! in_time "$verb" || ! is_prompt; then
		late=$((late + 1))
		bad "late"
	fi
	lives && survived=$((survived + 1))
done 7<"$tmp/lies"
survived=$((survived - 1)) # the look counts the last one
look
also="control_bytes=$raw late=$late accepted=$believed cancelled=$cancelled"
tell
ok "nothing for a terminal was in an answer" is "$raw" 0
ok "and nobody waited for the agent" is "$late" 0
rm -f "$tmp/lie"
vmward agent thaw web
ask info
ok "an honest agent is believed again" is "$status" 0
kill -STOP "$liar"
background asks qmp '>{"execute":"vm-agent-info","arguments":{"vm":"web","timeout":30}}' hold
ok "one that is silent: others are prompt" is_prompt
ok "and so are orders for its VM" talk "$control" qmp \
	'>{"execute":"vm-reset","arguments":{"vm":"web"}}' '<"return"' ms $prompt
kill -CONT "$liar"
daemon_ends TERM
plan
