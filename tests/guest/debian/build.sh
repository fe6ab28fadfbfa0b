#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# build.sh OUT: a Debian 12 guest with cloud-init, sshd and the guest agent,
# from the packages of apt's mirror: OUT/debian.qcow2 (one ext4 file system,
# no partition table, no boot loader), OUT/vmlinuz, OUT/initrd.  Needs root,
# mmdebstrap, mkfs.ext4 and qemu-img; two minutes, 2 GB meanwhile.
set -eu

out=$1
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
mkdir -p "$out"
work=$(mktemp -d "$out/work.XXXXXX")
trap 'rm -rf "$work"' EXIT

for tool in mmdebstrap mkfs.ext4 qemu-img; do
	command -v "$tool" >/dev/null || {
		echo "build.sh: $tool is missing" >&2
		exit 1
	}
done

mmdebstrap --quiet --mode=root --variant=minbase \
	--include=linux-image-cloud-amd64,initramfs-tools,zstd,systemd-sysv \
	--include=dbus,udev,cloud-init,openssh-server,qemu-guest-agent \
	--include=ifupdown,isc-dhcp-client,iproute2,e2fsprogs,sudo \
	bookworm "$work/root.tar" "$mirror"
mkdir "$work/root"
tar -C "$work/root" -xf "$work/root.tar"
rm "$work/root.tar"
cp -L "$work/root/vmlinuz" "$out/vmlinuz"
cp -L "$work/root/initrd.img" "$out/initrd"
# an image to be copied: who it is comes from its seed
: >"$work/root/etc/machine-id"
rm -f "$work/root"/etc/ssh/ssh_host_* "$work/root/etc/hostname"
# no other source of data is waited for, there is no package locales, and
# the host's own name can be looked up: as in Debian's own cloud images
printf '%s\n' 'datasource_list: [ NoCloud, None ]' 'locale: false' \
	'manage_etc_hosts: true' \
	'ssh_genkeytypes: [ed25519]' \
	>"$work/root/etc/cloud/cloud.cfg.d/90-seed.cfg"
echo 'LABEL=root / ext4 errors=remount-ro 0 1' >"$work/root/etc/fstab"
truncate -s 1500M "$work/root.raw"
mkfs.ext4 -q -L root -d "$work/root" "$work/root.raw"
qemu-img convert -f raw -O qcow2 "$work/root.raw" "$work/debian.qcow2"
mv "$work/debian.qcow2" "$out/debian.qcow2"
ls -l "$out"
