#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# screenshot, send-key, type: what is refused before QEMU is asked.
# shellcheck source=tests/t/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/t/daemon.sh
. "$TOP/tests/t/daemon.sh"
vm web </dev/null
printf '[display]\nvideo = vga\n' | vm bad
printf '[display]\nvnc = 0.0.0.0:1\n' | vm open
daemon
ok "a video card that is none" refused CONFIG vm-start bad
ok "says those that are" says 'virtio, std, none'
ok "VNC for everybody" refused CONFIG vm-start open
ok "send-key to what is down" refused STATE vm-send-key web 'keys:["a"]'
q vm-start web
ok "send-key" q vm-send-key web 'keys:["ctrl-alt-delete","f2"]' hold:0.001
ok "no keys between" refused USAGE vm-send-key web 'keys:["ctrl--a"]'
ok "no key at all" refused USAGE vm-send-key web 'keys:[""]'
ok "for no time" refused USAGE vm-send-key web 'keys:["a"]' hold:0
ok "for too long" refused USAGE vm-send-key web 'keys:["a"]' hold:11
ok "type" q vm-type web 'text=Hi, all' enter:true
ok "type of nothing" q vm-type web text=
ok "what has no key" refused USAGE vm-type web 'text=naïve'
ok "is named with its place" says "'ï' (byte 3)"
ok "too long a text" refused USAGE vm-type web \
	"text=$(printf '%04097d' 0)"
q vm-pause web
ok "a guest that stands still" refused STATE vm-type web text=a
ok "says what to do" says 'vmward resume web'
ok "screenshot without a descriptor" refused USAGE vm-screenshot web file=/x
vmward screenshot web shot.png
ok "screenshot where QEMU has none" test "$status" -ne 0
ok "leaves no file" test ! -e shot.png
vmward send-key web
ok "no words" exits 2
daemon_ends TERM
plan
