#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The test guests themselves, without vmward: what other live tests rely on.
set -u
top=${TOP:-$(cd "$(dirname "$0")/../.." && pwd)}
build=${BUILD:-$top/build}
qemu=${QEMU:-qemu-system-x86_64}
tmp=$(mktemp -d)
pid=''
finish()
{
	[ -z "$pid" ] || kill -9 "$pid" 2>/dev/null
	rm -rf "$tmp"
}
trap finish EXIT
trap 'exit 1' HUP INT TERM
cd "$tmp" || exit 1
n=0
cr=$(printf '\r')

ok() # NAME, then a command that must succeed
{
	n=$((n + 1))
	what=$1
	shift
	if "$@"; then
		echo "ok $n - $what"
	else
		echo "# last line: '${line-}'"
		echo "not ok $n - $what"
	fi
}

skip() # NAME, WHY
{
	n=$((n + 1))
	echo "ok $n - $1 # SKIP $2"
}

# The serial port is a pair of FIFOs: 3 to the guest, 4 from it.
boot() # ARG...
{
	rm -f in out
	mkfifo in out
	"$qemu" -nodefaults -no-user-config -display none -serial stdio "$@" \
		<in >out 2>err &
	pid=$!
	exec 3>in 4<out
}

# Reads on until a line begins with the text.
says() # TEXT
{
	while IFS= read -r line <&4; do
		line=${line%"$cr"}
		case $line in
		"$1"*) return 0 ;;
		esac
	done
	return 1
}

types() # TEXT
{
	printf '%s' "$1" >&3
}

ends()
{
	exec 3>&- 4<&-
	wait "$pid"
	status=$?
	pid=''
	[ "$status" -eq 0 ]
}

bios() # ACCELERATOR
{
	"$top/tests/guest/bios/label" "$build/guest/bios.raw" guest.raw "web-$1"
	boot -machine "q35,accel=$1" -m 16 \
		-drive file=guest.raw,format=raw,if=virtio
	ok "bios, $1: boots and says its label" says "READY web-$1"
	types n
	ok "bios, $1: counts on its disk" says 0001
	types n
	ok "bios, $1: keeps the count there" says 0002
	types x
	ok "bios, $1: says when it does not understand" says '?'
	types b
	ok "bios, $1: chats" says 'chat 0003'
	types q
	types n
	ok "bios, $1: ends the chat at a byte" says 0003
	types p
	ok "bios, $1: powers off" ends
}

if ! command -v "$qemu" >/dev/null; then
	echo "1..0 # SKIP no $qemu"
	exit 0
fi
bios tcg
if (: <>/dev/kvm) 2>/dev/null; then
	bios kvm
else
	skip "bios, kvm" "/dev/kvm does not open"
fi

if [ -e "$build/guest/vmlinuz" ]; then
	boot -machine q35,accel=tcg -cpu max -m 192 -kernel "$build/guest/vmlinuz" \
		-initrd "$build/guest/initrd.gz" -netdev user,id=n \
		-device virtio-net-pci,netdev=n -device virtio-serial-pci \
		-chardev null,id=ga \
		-device virtserialport,chardev=ga,name=org.qemu.guest_agent.0 \
		-append "console=ttyS0 quiet panic=-1 name=demo"
	ok "linux: boots" says 'READY up='
	ok "linux: has an address and an agent" \
		test "${line#* eth0=10.0.2.15 ga=1}" != "$line"
	types 'exit 7
'
	ok "linux: runs what the serial port says" says '[rc=7]'
	types 'printf "GET / HTTP/1.0\r\n\r\n" | nc 127.0.0.1 80
'
	ok "linux: answers HTTP" says 'hello from demo, uptime '
	types 'poweroff -f
'
	ok "linux: powers off" ends
else
	skip "linux" "it could not be built here"
fi
echo "1..$n"
