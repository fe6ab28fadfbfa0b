#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Backups of VMs that are down, by their calendar: one that was missed is made
# once, old ones go by `keep`; a death at any image leaves what was there.
# shellcheck source=tests/t/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/t/daemon.sh
. "$TOP/tests/t/daemon.sh"

images=$tmp/var/lib/vmward/images
target=$tmp/backups
stamp=$tmp/var/lib/vmward/schedules/web.json
# stands still at the run whose number is in $tmp/stand
cat >"$tmp/bin/qemu-img" <<EOS
#!/bin/sh
for last; do :; done
echo \$* >>"$tmp/made"
if [ "\$(wc -l <"$tmp/made")" = "\$(cat "$tmp/stand")" ]; then
	echo "pid \$\$" >"$tmp/tool"
	exec sleep 1000
fi
case \$1 in
convert) echo "new \$(wc -l <"$tmp/made")" >"\$last" ;;
esac
EOS
chmod +x "$tmp/bin/qemu-img"
mkdir -p "$images"
qcow2 "$images/root.qcow2"
qcow2 "$images/data.qcow2"
begin_again() # FROM: no run of qemu-img so far; it stands still at that one
{
	: >"$tmp/made"
	: >"$tmp/tool"
	echo "$1" >"$tmp/stand"
}
files() # [LINE]...: of the VM
{
	{
		printf '[disk.root]\nimage = root.qcow2\n'
		printf '[disk.data]\nimage = data.qcow2\n'
		printf '[backup]\ntarget = %s\n' "$target"
		printf '%s\n' "$@"
	} | vm web
}
ids() { ls "$target/web" 2>/dev/null; }
log=$tmp/var/log/vmward/web/vm.log
export TALK_MS=20000
missed() { echo '{"backup":1700000000000000}' >"$stamp"; }

# ---- a death at each image ----

files
daemon
begin_again 0
ok "the first one" q vm-backup-create web name=first
ok "is full" is "$(field kind)" full
ok "list" q vm-backup-list web
ok "has it" grep -q '"id":"first"' "$tmp/out"
daemon_ends TERM
for at in 1 2 3 4; do
	begin_again "$at"
	daemon
	background create qmp \
		'>{"execute":"vm-backup-create","arguments":{"vm":"web","name":"two"}}' '<"'
	wait_for "$tmp/tool" pid
	read -r _ tool <"$tmp/tool"
	ok "image $at: it may not start" refused BUSY vm-start web
	ok "image $at: no second one" refused BUSY vm-backup-create web
	ok "image $at: none is put back" refused BUSY vm-backup-restore web id=first
	daemon_ends KILL
	ok "image $at: qemu-img dies with us" gone "$tool"
	begin_again 0
	daemon
	q vm-backup-list web
	ok "image $at: it does not count" sh -c "! grep -q two '$tmp/out'"
	ok "image $at: the next one has its place" q vm-backup-create web name=three
	ok "image $at: and what was half done is gone" is "$(ids)" \
		"$(printf 'first\nthree')"
	rm -r "$target/web/three"
	daemon_ends TERM
done

# ---- a death while one is put back ----

before=$(cat "$images/root.qcow2" "$images/data.qcow2" | cksum)
for at in 1 2 3 4; do
	begin_again "$at"
	daemon
	background back qmp \
		'>{"execute":"vm-backup-restore","arguments":{"vm":"web"}}' '<"'
	wait_for "$tmp/tool" pid
	ok "back $at: it may not start" refused BUSY vm-start web
	daemon_ends KILL
	ok "back $at: all is as it was" is \
		"$(cat "$images/root.qcow2" "$images/data.qcow2" | cksum)" \
		"$before"
	begin_again 0
done
printf '[{"from":"x","beside":"%s/data.qcow2.restore","to":"%s/data.qcow2"}]' \
	"$images" "$images" >"$tmp/journal"
mkdir -p "$tmp/var/lib/vmward/restoring"
mv "$tmp/journal" "$tmp/var/lib/vmward/restoring/web.json"
echo restored >"$images/data.qcow2.restore"
daemon
ok "back, half of it in its place: the rest follows" is \
	"$(cat "$images/data.qcow2")" restored
ok "and nothing is left to do" is "$(ls "$tmp/var/lib/vmward/restoring")" ''
qcow2 "$images/data.qcow2"
daemon_ends TERM

# ---- by the calendar ----

rm -r "$target/web"
files 'schedule = hourly' 'keep = 2 last'
daemon
ok "a new schedule: nothing is due" q vm-status web
ok "it says when" sh -c "grep -q '\"next_backup\":\"20' '$tmp/out'"
ok "explain as well" q vm-explain web
ok "in words" grep -q 'Its next backup is due' "$tmp/out"
ok "nothing was made" is "$(ids)" ''
for turn in 1 2 3; do
	daemon_ends TERM
	missed
	: >"$log"
	daemon
	ok "missed, $turn: it is made" wait_for "$log" "next backup is due"
	ok "missed, $turn: once" is "$(grep -c "backup '.*full" "$log")" 1
done
ok "two are kept" is "$(ids | wc -l)" 2
q vm-backup-list web
ok "they were scheduled" grep -q '"scheduled":true' "$tmp/out"
ok "one by hand" q vm-backup-create web name=mine
daemon_ends TERM
missed
: >"$log"
daemon
ok "another one" wait_for "$log" "next backup is due"
ok "one by hand is never expired" is "$(ids | wc -l)" 3
ok "it is there" test -d "$target/web/mine"
daemon_ends TERM
rm "$stamp"
vm web </dev/null
daemon
ok "without a target: refused" refused CONFIG vm-backup-create web
files 'schedule = often'
ok "a bad schedule: the file is refused" q reload
ok "and says what to write" grep -q 'say hourly, daily' "$tmp/out"
files 'keep = forever'
ok "a bad keep" q reload
ok "says what to write" grep -q 'say as 7 daily' "$tmp/out"
files 'mode = some'
ok "a bad mode" q reload
ok "says what to write" grep -q 'incremental, full' "$tmp/out"
plan
