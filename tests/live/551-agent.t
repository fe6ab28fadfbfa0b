#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The verbs of the guest agent, with the real one in a Linux guest.
# shellcheck source=tests/live/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/live/lib.sh"
[ -e "$BUILD/guest/vmlinuz" ] || skip_all "no Linux guest could be built here"
mke2fs=$(PATH=$PATH:/sbin:/usr/sbin command -v mke2fs) ||
	skip_all "no mke2fs"
# below $tmp, so that the QEMUs are known as ours
cp "$BUILD/guest/vmlinuz" "$BUILD/guest/initrd.gz" "$tmp/"
patience=600

cat >"$vms/g.ini" <<EOF
[vm]
memory = 192M
accel = tcg
kernel = $tmp/vmlinuz
initrd = $tmp/initrd.gz
cmdline = console=ttyS0 quiet panic=-1 nonet nohttp name=%n
[disk.data]
image = data.raw
EOF
truncate -s 16M "$images/data.raw"
"$mke2fs" -q -t ext4 "$images/data.raw"

# in_guest CMD...: its output in out
in_guest() { vmward agent exec g "$@"; }
guest_says() # TEXT CMD...
{
	want=$1
	shift
	in_guest "$@"
	is "$(cat "$tmp/out")" "$want"
}
fails_saying() # STATUS TEXT VERB...
{
	want=$1 text=$2
	shift 2
	vmward "$@"
	exits "$want" && complains "$text"
}

up
ok "no VM: no agent" fails_saying 3 'it is stopped' agent ping g --wait
starts g >/dev/null
ok "ping --wait returns when the agent answers" eventually does agent ping g \
	--wait --timeout 50s
ok "then it answers at once" does agent ping g
ok "and says nothing of it" is_silent
ok "info" does agent info g
ok "has the guest's name" says 'host name: g'
ok "and the agent's version" says 'agent: '
vmward --json agent info g
ok "--json has all of it" jq -e '.[0].agent.supported_commands | length > 9' \
	"$tmp/out"

# ---- exec ----

# shellcheck disable=SC2016 # the guest's shell expands it
in_guest sh -c 'echo "to out $1"; echo "to err" >&2; exit 7' x -q --json
ok "exec: the command's own exit status" exits 7
ok "its words reach it as they are" is "$(cat "$tmp/out")" 'to out -q'
ok "its stderr is ours" complains 'to err'
in_guest seq 20000
seq 20000 >"$tmp/want"
ok "a long output comes whole" cmp "$tmp/want" "$tmp/out"
vmward --json agent exec g sh -c 'echo a; printf "b\377" >&2; exit 3'
ok "--json: its status is ours too" exits 3
ok "status and output are members" is "$(jq -c . "$tmp/out")" \
	'{"vm":"g","status":3,"stdout":"a\n","stderr":"b\\xff"}'
in_guest /no/such
ok "what is not there: the shell's 127" exits 127
"$BUILD/vmward" --root "$tmp" agent exec g sh -c 'echo on; tail -f /dev/null' \
	>"$tmp/long" 2>"$tmp/long.err" </dev/null &
pid=$!
started="$started $pid"
ok "output comes while it runs" eventually grep -q on "$tmp/long"
kill -INT "$pid"
wait "$pid"
ok "Ctrl-C ends it" is "$?" 125
no_tail() { guest_says '' sh -c 'pidof tail; :'; }
ok "in the guest as well" eventually no_tail

# ---- push and pull ----

head -c 300000 /dev/urandom >"$tmp/blob"
: >"$tmp/empty"
ok "push" does agent push g "$tmp/blob" /tmp/blob --mode 0750
ok "says how much" says '300000 bytes'
# shellcheck disable=SC2016 # the guest's shell expands it
ok "whole, with its mode" guest_says \
	"$(sha256sum <"$tmp/blob") 750" \
	sh -c 'echo "$(sha256sum </tmp/blob) $(stat -c %a /tmp/blob)"'
ok "pull" does agent pull g /tmp/blob "$tmp/back"
ok "brings it back" cmp "$tmp/blob" "$tmp/back"
ok "with the guest's mode" is "$(stat -c %a "$tmp/back")" 750
ok "an empty file there" does agent push g "$tmp/empty" /tmp/empty
ok "and back" does agent pull g /tmp/empty "$tmp/empty2"
ok "is empty" test -e "$tmp/empty2" -a ! -s "$tmp/empty2"
ok "a file that is here is not overwritten" fails_saying 1 'is there already' \
	agent pull g /tmp/empty "$tmp/back"
ok "nor touched" cmp "$tmp/blob" "$tmp/back"
ok "what the guest has not got" fails_saying 1 "cannot open '/no/such'" \
	agent pull g /no/such "$tmp/none"
ok "leaves no file here" test ! -e "$tmp/none"
ok "a directory is no file" fails_saying 1 'is a directory in the guest' \
	agent push g "$tmp/empty" /tmp
ok "a place that is not there" fails_saying 1 "cannot make '/no/x'" \
	agent push g "$tmp/empty" /no/x
ok "no whole name" fails_saying 2 'is no whole name' \
	agent push g "$tmp/empty" tmp/x
ok "no mode" fails_saying 2 "'rwx' is no mode" \
	agent push g "$tmp/empty" /tmp/x --mode rwx
ok "a file that is not here" fails_saying 4 "no file '$tmp/none'" \
	agent push g "$tmp/none" /tmp/x
# but for the output of the command that looks
# shellcheck disable=SC2016 # likewise
ours='cd /tmp; echo $(ls | grep -v ^vmward-)'
ok "nothing of all that is left in the guest" guest_says 'blob empty' \
	sh -c "$ours"
# a long one, cancelled in the middle
truncate -s 2G "$tmp/big"
"$BUILD/vmward" --root "$tmp" --progress plain agent push g "$tmp/big" \
	/tmp/blob >"$tmp/long" 2>"$tmp/long.err" </dev/null &
pid=$!
started="$started $pid"
is_beside() { in_guest sh -c 'ls /tmp'; grep -q blob.vmward- "$tmp/out"; }
ok "a push is under way" eventually is_beside
kill -INT "$pid"
wait "$pid"
ok "Ctrl-C cancels it" test "$?" -ne 0
ok "what was there stays, nothing is beside it" eventually guest_says \
	'blob empty' sh -c "$ours"
ok "as it was" guest_says "$(sha256sum <"$tmp/blob")" \
	sh -c 'sha256sum </tmp/blob'

# ---- the rest ----

mounted()
{
	in_guest sh -c 'mkdir -p /mnt; modprobe ext4
		mount -t ext4 /dev/vda /mnt && echo a >/mnt/a'
	exits 0
}
ok "a file system of a disk" mounted
ok "freeze" does agent freeze g --for 50s
ok "says how many" says '1 file system'
ok "then nothing else is done" fails_saying 125 'frozen' agent exec g true
ok "thaw" does agent thaw g
ok "and it goes on" guest_says a cat /mnt/a
does agent freeze g --for 1s >/dev/null
thawed() { guest_says b sh -c 'echo b >/mnt/b; cat /mnt/b'; }
ok "nobody thaws it: it goes on by itself" eventually thawed
ok "the log says so" vmlog_says g 'thawed: nobody did in time'
does agent freeze g --for 1h >/dev/null
down
up
ok "vmwardd killed meanwhile: the next one thaws" eventually thawed
ok "and says so" vmlog_says g 'vmwardd that was to do it is gone'
ok "for ever is refused" fails_saying 2 'an hour at most' \
	agent freeze g --for 2h
ok "fstrim" does agent fstrim g
guest_says '' date -s 2001-01-01 >/dev/null
is_today() { guest_says "$(date -u +%Y-%m-%d)" date -u +%Y-%m-%d; }
in_guest date -s 2001-01-01
ok "(its clock is wrong)" guest_says 2001 date +%Y
if does agent set-time g; then
	ok "set-time sets it" is_today
	in_guest date -s 2001-01-01
	does pause g >/dev/null
	does resume g >/dev/null
	ok "resume sets the clock by itself" eventually is_today
else
	ok "set-time # SKIP this guest's agent cannot" complains 'guest agent:'
fi
does pause g >/dev/null
ok "paused: so is the agent" fails_saying 3 'it is paused' agent ping g --wait
does resume g >/dev/null
echo secret >"$tmp/word"
ok "set-password, as far as this guest can" fails_saying 1 'guest agent:' \
	agent set-password g root "$tmp/word"
ok "an empty one is refused" fails_saying 2 'first line is empty' \
	agent set-password g root "$tmp/empty"
ok "ssh-keys of nobody" fails_saying 1 'guest agent:' agent ssh-keys g nobody
ok "no keys in the file" fails_saying 2 'no public keys' \
	agent ssh-keys g root --add "$tmp/empty"
ok "shutdown" does agent shutdown g
ok "the guest powers off" ends_with g guest-poweroff
ok "nothing is left" nothing_left
plan
