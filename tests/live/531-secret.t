#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A VM whose disk is encrypted (secret-file), at the start and plugged in; a
# block device as a disk; iSCSI where tgt is.
# shellcheck source=tests/live/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/live/lib.sh"
umask 077
patience=60 # a key of LUKS takes seconds, a lost target as well
word=correct-horse-battery
printf '%s\n' "$word" >"$tmp/key"
printf '%s' "$word" >"$tmp/bare"
"$TOP/tests/guest/bios/label" "$BUILD/guest/bios.raw" "$tmp/guest.raw" luks
size=$(size_of "$tmp/guest.raw")

vmward()
{
	timeout 300 "$BUILD/vmward" --root "$tmp" "$@" >"$tmp/out" \
		2>"$tmp/err" </dev/null
	status=$?
}

# encrypted FILE: the guest's image; its key costs little
encrypted()
{
	qemu-img create -q --object "secret,id=k,file=$tmp/bare" -f qcow2 -o \
		encrypt.format=luks,encrypt.key-secret=k,encrypt.iter-time=10 \
		"$1" "$size" &&
		qemu-img convert -n --object "secret,id=k,file=$tmp/bare" \
			-f raw --target-image-opts "$tmp/guest.raw" \
			"driver=qcow2,encrypt.key-secret=k,file.filename=$1"
}

# vm NAME: lines of [disk.root] from stdin
vm()
{
	{
		printf '[vm]\nmemory = 8M\naccel = tcg\n'
		printf '[start]\nready = serial:READY\n[disk.root]\n'
		cat
	} >"$vms/$1.ini"
}
restarts() { does restart "$1" && becomes "$1" ready; }
tells_nothing() # PID
{
	tr '\0' '\n' <"/proc/$1/cmdline" >"$tmp/seen"
	tr '\0' '\n' <"/proc/$1/environ" >>"$tmp/seen"
	grep -q secret-root "$tmp/seen" && ! grep -F "$word" "$tmp/seen" &&
		! grep -rF "$word" "$tmp/var" "$tmp/run" "$tmp/sup.log"
}

encrypted "$images/luks.qcow2"
up
vm luks <<EOS
image = luks.qcow2
secret-file = $tmp/key
EOS
ok "a guest boots from an encrypted image" starts luks --wait=ready
ok "it writes there" is "$(counts luks)" 0001
ok "the secret is in no argument, environment or file of ours" \
	tells_nothing "$(pid_of luks)"
ok "it is cloned while it runs" does clone luks copy
ok "the copy is encrypted too" is "$(qemu-img info --output=json \
	"$images/copy-root.qcow2" | jq .encrypted)" true
ok "the guest counts on" is "$(counts luks)" 0002
ok "the copy boots by the same secret" starts copy --wait=ready
ok "from that instant" is "$(counts copy)" 0002
stops copy
ok "it is cloned while it is down" does clone copy third
ok "that is encrypted, and boots" starts third --wait=ready
ok "with what it had" is "$(counts third)" 0003
does kill third -y >/dev/null
ok "the clones go" does delete copy third -y
ok "a restart reads it again" restarts luks
ok "it counts on" is "$(counts luks)" 0003

# ---- plugged in, made by the plug ----

ok "an encrypted disk is plugged in" does disk attach luks more \
	size=1M "secret-file=$tmp/key"
ok "it was made so" sh -c "qemu-img info -f qcow2 --output=json -U \
	'$images/luks-more.qcow2' | grep -q '\"encrypted\": true'"
ok "the plug told nothing" tells_nothing "$(pid_of luks)"
objects() { vmward qmp luks qom-list path=/objects && ! says secret-more; }
answers luks e '^EJ' >/dev/null
vmward disk detach luks more --timeout 200ms
answers luks e '^EJ' >/dev/null
ok "pulled out, QEMU forgets its secret" eventually objects
stops luks

# ---- refused ----

printf 'x' >"$tmp/open"
chmod 644 "$tmp/open"
printf 'wrong' >"$tmp/other"
qemu-img create -q -f qcow2 "$images/plain.qcow2" 1M
refuses() # STATUS TEXT
{
	fails_with "$1" start luks && complains "$2" &&
		is "$(qemus luks)" ''
}
while IFS='|' read -r want text image secret; do
	[ -n "$text" ] || continue
	vm luks <<EOS
image = $image
${secret:+secret-file = $tmp/$secret}
EOS
	ok "refused: $text" refuses "$want" "$text"
done <<'EOS'
4|No such file|luks.qcow2|none
7|chmod 600|luks.qcow2|open
1|Invalid password|luks.qcow2|other
7|say secret-file|luks.qcow2|
1|is not encrypted|plain.qcow2|key
EOS

# ---- a block device ----

on_loop()
{
	cp "$tmp/guest.raw" "$tmp/loop.raw"
	loop=$(losetup --show -f "$tmp/loop.raw" 2>/dev/null) || return
	printf 'image = %s\nformat = raw\n' "$loop" >"$tmp/loop.disk"
	vm loop <"$tmp/loop.disk"
	ok "a guest boots from a block device" starts loop --wait=ready
	ok "QEMU has it as one" sh -c "tr '\\0' '\\n' \
		<'/proc/$(pid_of loop)/cmdline' | grep -q host_device"
	ok "it writes there" is "$(counts loop)" 0001
	vm thief <"$tmp/loop.disk"
	ok "another VM may not have it too" fails_with 1 start thief
	rm "$vms/thief.ini"
	stops loop
	ok "the file below has it" sh -c "! cmp -s '$tmp/guest.raw' \
		'$tmp/loop.raw'"
	losetup -d "$loop"
}
on_loop

# ---- iSCSI ----

port=$(perl -MIO::Socket::INET -e 'print IO::Socket::INET->new(Listen => 1,
	LocalAddr => "127.0.0.1")->sockport' 2>/dev/null)
target=iqn.2026-01.test:far
tgt() { tgtadm -C "$$" --lld iscsi "$@"; }
serve_iscsi()
{
	tgtd -f -C "$$" --iscsi "portal=127.0.0.1:$port" >"$tmp/tgtd.log" \
		2>&1 </dev/null &
	server=$!
	started="$started $server"
	eventually tgt --op show --mode sys &&
		tgt --op new --mode target --tid 1 -T "$target" &&
		tgt --op new --mode logicalunit --tid 1 --lun 1 \
			-b "$tmp/iscsi.raw" &&
		tgt --op bind --mode target --tid 1 -I ALL &&
		tgt --op new --mode account --user ann --password \
			secret-horse-battery &&
		tgt --op bind --mode account --tid 1 --user ann
}
on_iscsi()
{
	word="secret-horse-battery"
	printf %s "$word" >"$tmp/chap"
	cp "$tmp/guest.raw" "$tmp/iscsi.raw"
	truncate -s 1M "$tmp/iscsi.raw"
	ok "tgt serves" serve_iscsi
	vm far <<EOS
url = iscsi://ann@127.0.0.1:$port/$target/1
secret-file = $tmp/chap
reconnect-delay = 60s
EOS
	ok "a guest boots from an iSCSI target" starts far --wait=ready
	ok "it writes there" is "$(counts far)" 0001
	ok "its password is nowhere to be seen" tells_nothing "$(pid_of far)"
	kill -9 "$server"
	wait "$server" 2>/dev/null
	from=$(size_of "$logs/far/console.log")
	types far n >/dev/null
	ok "the target comes back" serve_iscsi
	ok "and has the guest's write" \
		eventually says_after far "$from" '^0002$'
	stops far
	kill -9 "$server"
	wait "$server" 2>/dev/null
}
if command -v tgtd >/dev/null && command -v tgtadm >/dev/null &&
	[ -n "$port" ] &&
	ls /usr/lib/*/qemu/block-iscsi.so >/dev/null 2>&1; then
	on_iscsi
else
	echo "# no tgt or no block-iscsi.so: iSCSI is not tried"
fi
plan
