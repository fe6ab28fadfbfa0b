#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Who may do what: every command by every role with the credentials of real
# users, [roles] of the host's file, secrets, and the audit trail.
# shellcheck source=tests/t/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/t/daemon.sh
. "$TOP/tests/t/daemon.sh"

if [ "$(id -u)" -ne 0 ]; then
	echo "1..0 # SKIP other users need root"
	exit 0
fi
host=$tmp/etc/vmward/vmward.ini
chmod 711 "$tmp"
settings() # stdin: the file, put in place at once
{
	cat >"$host.new"
	mv "$host.new" "$host"
}
# uids that nobody has: strangers, and who is named below
stranger=64001 viewer=64002 operator=64003 admin=64004 owner=64005

settings <<EOS
[roles]
viewer = $viewer, @64012
operator = $operator, @64013
admin = $admin
EOS
vm mine <<EOS
owner = $owner
EOS
vm web <<'EOS'
[raw]
arg-1 = -fw_cfg name=opt/x,string=y
arg-2 = -object secret,id=s0,data=hunter2
EOS
daemon

# ---- the table: refused, or further (to a mistake that is there on purpose) ----

q query-commands
grep -o '"name":"[a-z_-]*"' "$tmp/out" | cut -d'"' -f4 | LC_ALL=C sort \
	>verbs
ok "there are commands" test "$(wc -l <verbs)" -gt 90

# cells UID VM: a column, a letter for each command
cells()
{
	set -- "$1" "$2" as "$1" qmp
	while read -r verb; do
		set -- "$@" ">{\"execute\":\"$verb\",\"arguments\":{\"vm\":\"$2\",\"no-such\":1}}" '<'
	done <verbs
	shift 2
	talk "$control" "$@" || cat "$tmp/err"
	sed '1,/^{"return": *{}}/d' "$tmp/out" | sed 's/.*"code":"DENIED".*/-/
		s/.*"code":"USAGE".*/yes/
		s/.*already complete.*/yes/'
}

echo command >column.0
cells $stranger mine >column.1
cells $viewer mine >column.2
cells $operator mine >column.3
cells $admin mine >column.4
cells $owner mine >column.5
cells $owner web >column.6
{
	echo "command stranger viewer operator admin owner elsewhere"
	paste -d ' ' verbs column.1 column.2 column.3 column.4 column.5 column.6
} >roles.got
golden=$TOP/tests/golden/roles.txt
if [ "${GOLDEN:-}" = write ]; then cp roles.got "$golden"; fi
ok "each cell is as tests/golden/roles.txt has it" diff -u "$golden" roles.got
ok "nothing else was answered" sh -c \
	"! tail -n +2 roles.got | grep -vE '^[a-z_-]+( (yes|-)){6}$'"

# ---- [roles] ----

by() # UID GROUPS COMMAND...: vmward as that user
{
	by_uid=$1
	by_groups=$2
	shift 2
	setpriv --reuid "$by_uid" --regid "$by_uid" --groups "$by_groups" \
		timeout 20 "$tmp/bin/vmward" --root "$tmp" "$@" \
		>"$tmp/out" 2>"$tmp/err" </dev/null
	status=$?
}
cp "$BUILD/vmward" "$tmp/bin/"
by $stranger 64013 pause web
ok "an operator by his group" is "$status" 3
by $stranger 64012 list
ok "a viewer by his group" says web
by $stranger 64012 pause web
ok "who does not operate" is "$status" 7
ok "and is told what to do" complains 'vm-pause takes role operator: ask root, who may name you in [roles]'
by $owner $owner list
ok "an owner lists his own" says mine
ok "and no other" sh -c "! grep -q web '$tmp/out'"
by $stranger $stranger list
ok "a stranger lists nothing" sh -c "! grep -qE 'web|mine' '$tmp/out'"
by $owner $owner list web
ok "another's VM is not there" is "$status" 4

background peer as $viewer events '<"vm":"web"' hold
wait_for "$tmp/peer.out" '{"return":{}}'
q vm-start web
ok "a viewer gets events of all" wait_for "$tmp/peer.out" '"vm":"web"'
kill "$(peer peer)"

settings <<EOS
[roles]
operator = $viewer
viewer = nobody-of-this-name, @none-either
EOS
q reload
vmward check
ok "an unknown user: file and line" says 'vmward.ini:3: [roles] viewer: nobody-of-this-name: no such user in /etc/passwd'
ok "an unknown group" says 'vmward.ini:3: [roles] viewer: @none-either: no such group in /etc/group'
uid=$viewer
ok "a bad file gives no right" refused DENIED vm-pause web
uid=
: >"$tmp/go"
background peer as $viewer qmp '>{"execute":"query-version"}' '<' \
	grows "$tmp/go" now '>{"execute":"vm-pause","arguments":{"vm":"web"}}' \
	'<"return"'
settings <<EOS
[roles]
operator = $viewer
EOS
q reload
echo now >"$tmp/go"
ok "a reload holds for who is connected" ended peer
uid=$operator
ok "and takes away" refused DENIED vm-resume web
uid=

# ---- secrets ----

by $viewer $viewer show web
ok "show is for viewers" says 'string=y'
ok "without secrets" sh -c "! grep -q hunter2 '$tmp/out' && grep -q 'data=\*\*\*' '$tmp/out'"
vmward show web
ok "administrators see them" says hunter2

# ---- modes of what others can reach ----

mode() { stat -c %a "$1"; }
ok "anybody may connect: peers are asked who they are" is \
	"$(mode "$control")" 666
ok "the directory of a VM lets through" is "$(mode "$run/web")" 711
ok "what is its QEMU's is closed" is "$(mode "$run/web/priv")" 700
ok "and nothing in it is open" is \
	"$(find "$run/web/priv" ! -type l -perm /077 | wc -l)" 0

# ---- the audit trail ----

audited() # TEXT
{
	grep '^info audit ' "$daemon_log" | grep -qF -- "$1" || {
		grep audit "$daemon_log" | tail -n 5
		false
	}
}
q vm-set web 'pairs:{"vm.memory":"96M","raw.arg-3":"-object secret,id=t,data=hunter3"}'
ok "a change: who, what, how it went" audited \
	'(root) pid '
ok "its arguments" audited 'vm-set web {"pairs":{"vm.memory":"96M"'
ok "not its secrets" sh -c "! grep audit '$daemon_log' | grep -q hunter"
uid=$viewer
q vm-pause web
q vm-set web 'pairs:{"vm.memory":"96M"}'
q vm-show web
ok "refused: with the number of the user" audited "uid $viewer ($viewer) pid "
# tried TEXT REQUEST...: it is told; those of one second have a limit, which
# the table above may have used up
tried()
{
	text=$1
	shift
	end=$(($(date +%s) + 20))
	until
		q "$@"
		audited "$text" >/dev/null
	do
		[ "$(date +%s)" -lt "$end" ] || {
			audited "$text"
			return 1
		}
	done
}
ok "what he tried, and why not" tried \
	'vm-set web {"pairs":{"vm.memory":"96M"}}: refused: vm-set takes role admin' \
	vm-set web 'pairs:{"vm.memory":"96M"}'
uid=
ok "failed" tried "vm-resume no-such: failed: no VM 'no-such'" \
	vm-resume no-such
ok "also for its arguments" tried 'vm-set web {"bogus":"1"}: failed: ' \
	vm-set web bogus=1
before=$(grep -c '^info audit ' "$daemon_log")
q vm-show web
q vm-list
q vm-start web dry-run:true
ok "what changes nothing is not told" is \
	"$(grep -c '^info audit ' "$daemon_log")" "$before"
q vm-resume web
q vm-stop web now:true job:true
ok "a job: that it began" audited ': began job j'
ok "and how it ended" wait_for "$daemon_log" ': job j'
q vm-kill web
uid=$owner
ok "several at once: he must be that of each" refused DENIED \
	vm-snapshot-create mine 'with:["web"]'
ok "says of which" grep -q "vm 'web': vm-snapshot-create takes role" "$tmp/out"
uid=
daemon_ends TERM
plan
