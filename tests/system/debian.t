#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A real Debian 12 guest, made by `vmward create` in one step, comes up with
# the host name and the ssh key of its seed.  Minutes, under TCG: run by
# `make check-system`.  The image is made once, by tests/guest/debian/build.sh
# as root, and kept in ~/.cache/vmward-guest/debian (VMWARD_DEBIAN).
# shellcheck source=tests/live/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/live/lib.sh"
for tool in xorriso ssh ssh-keygen qemu-img perl; do
	command -v "$tool" >/dev/null || skip_all "no $tool"
done
debian=${VMWARD_DEBIAN:-${HOME:-/root}/.cache/vmward-guest/debian}
if [ ! -e "$debian/debian.qcow2" ]; then
	[ "$(id -u)" = 0 ] || skip_all "only root can make the Debian image"
	command -v mmdebstrap >/dev/null || skip_all "no mmdebstrap"
	"$TOP/tests/guest/debian/build.sh" "$debian" >"$tmp/build.log" 2>&1 || {
		cat "$tmp/build.log"
		skip_all "the Debian image cannot be made here"
	}
fi
accel=${VMWARD_ACCEL:-tcg}
port=$(perl -MIO::Socket::INET -e 'print IO::Socket::INET->new(Listen => 1,
	LocalAddr => "127.0.0.1")->sockport')
ssh-keygen -q -t ed25519 -N '' -C "ann's; key" -f "$tmp/key"

# beside a load it gets in now and not a minute later: asked until it is so
in_guest()
{
	timeout 300 ssh -i "$tmp/key" -p "$port" -o BatchMode=yes \
		-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
		-o LogLevel=ERROR -o ConnectTimeout=300 ann@127.0.0.1 "$@" \
		</dev/null
}
answers_ssh() { in_guest true; }
prints() # TEXT COMMAND...
{
	want=$1
	shift
	is "$(in_guest "$@")" "$want"
}

# beside a load of 60 a guest under TCG has a hundredth of a processor
patience=${VMWARD_PATIENCE:-7200}
vmward_limit=1800
up
from=$(date +%s)
ok "made in one step, and started" does create seeded \
	--base "$debian/debian.qcow2" --size 3G --memory 768M \
	--kernel "$debian/vmlinuz" --initrd "$debian/initrd" \
	--cmdline 'root=LABEL=root ro console=ttyS0 net.ifnames=0 quiet' \
	--forward "$port:22" --user ann --ssh-key "$tmp/key.pub" \
	net.lan.user=yes "vm.accel=$accel" --start
ok "its sshd lets the key in" eventually answers_ssh
echo "# $accel: up after $(($(date +%s) - from)) s"
ok "it has its name" eventually prints seeded hostname
ok "the user may become root" eventually prints 0 sudo id -u
ok "cloud-init ended well" eventually in_guest \
	'cloud-init status | grep -q "status: done"'
ok "by our volume" eventually prints nocloud cloud-id
ok "the overlay has the size that was asked" eventually \
	prints 6291456 cat /sys/block/vda/size
ok "it stops" does stop seeded --timeout 1500s

# a new name is taken up by the same instance
if [ -z "${VMWARD_SHORT-}" ]; then
	ok "another name" does set seeded seed.hostname=renamed
	starts seeded
	ok "it comes up again" eventually answers_ssh
	ok "with that" eventually prints renamed hostname
	ok "cloud-init did not start over" eventually \
		prints 1 'ls /var/lib/cloud/instances | wc -l'
	stops seeded --timeout 1500s
fi
plan
