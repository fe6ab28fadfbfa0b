#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# [display], screenshot, send-key and type with a real QEMU and the BIOS guest.
# shellcheck source=tests/live/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/live/lib.sh"

screen() # NAME KEYS...: a BIOS guest with a [display]
{
	name=$1
	shift
	printf '[display]\n%s\n' "$*" | guest "$name" tcg
}
sees_vnc() # NAME: a VNC server greets
{
	timeout 10 socat -u "UNIX:$run/$1/priv/vnc" - 2>/dev/null |
		head -c 3 | grep -q RFB
}
is_png() { is "$(head -c 8 "$1" | od -An -c | tr -d ' ')" '211PNG\r\n032\n'; }
fails_saying() # STATUS TEXT VERB...
{
	want=$1 text=$2
	shift 2
	vmward "$@"
	exits "$want" && complains "$text"
}

screen virtio
screen std 'video = std'
screen blind 'video = none'
printf '[display]\nvnc = no\n' | guest quiet tcg
up
for name in virtio std; do
	ok "$name starts" starts "$name" --wait=ready
	ok "$name: VNC greets" eventually sees_vnc "$name"
	ok "$name: the socket is root's" is \
		"$(stat -c %a:%u "$run/$name/priv/vnc")" 600:0
	ok "$name: screenshot" does screenshot "$name" "$tmp/$name.png"
	ok "$name: is a PNG" is_png "$tmp/$name.png"
	ok "$name: nothing is left in QEMU" is \
		"$(vmward --json qmp "$name" query-fdsets; jq -c \
			'[.. | objects | select(.fds?) | .fds[].opaque
			| select(. == "screenshot")]' "$tmp/out")" '[]'
done
ok "a file that is there stays" fails_saying 1 'is there already' \
	screenshot std "$tmp/std.png"
ok "by hand: no directory" fails_saying 1 'cannot make' \
	screenshot std "$tmp/none/x.png"
starts blind --wait=ready >/dev/null
starts quiet --wait=ready >/dev/null
ok "no screen: QEMU's own words" fails_saying 1 'no console' \
	screenshot blind "$tmp/blind.png"
ok "and no file" test ! -e "$tmp/blind.png"
ok "video = none has no VNC" test ! -e "$run/blind/priv/vnc"
ok "vnc = no neither" test ! -e "$run/quiet/priv/vnc"
ok "but a screen" does screenshot quiet "$tmp/quiet.png"

from=$(log_size std)
ok "Ctrl-Alt-Del" does send-key std ctrl-alt-delete
ok "boots it again" boots_again std "$from"
ok "QEMU knows all the keys" does type std \
	' !"#$%&'\''()*+,-./09:;<=>?@AZ[\]^_`az{|}~' --enter
ok "what QEMU does not know" fails_saying 1 'nokey' send-key std nokey
down
up
ok "after kill -9 of vmwardd VNC goes on" eventually sees_vnc std
ok "nothing is pending" is "$(of std pending)" 0
for name in virtio std blind quiet; do
	does kill "$name" >/dev/null
done
ok "nothing is left" nothing_left
plan
