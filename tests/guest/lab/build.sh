#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# build.sh: makes the Debian 12 guest that tests/inside runs in: Debian's own
# cloud kernel (VLAN devices, VLAN filtering, bonds, macvtap, vhost), what
# vmwardd needs at run time, and QEMU, so that a guest has guests.  Prints the
# directory with vmlinuz, initrd.gz and root.raw (one ext4 file system); it is
# kept in the cache under a hash of this file.  Its init is the program that
# the second disk has as /init: no service starts.  Needs root, mmdebstrap
# and mkfs.ext4; two minutes, 2 GB meanwhile.
#   VMWARD_GUEST_CACHE   [~/.cache/vmward-guest]
#   DEBIAN_MIRROR        [http://deb.debian.org/debian]
# Exit 77: this host has not got what it takes; the reason is on stderr.
set -eu

skip()
{
	echo "no Debian test guest: $*" >&2
	exit 77
}

cache=${VMWARD_GUEST_CACHE:-${HOME:-/root}/.cache/vmward-guest}
guest=$cache/lab-$(cksum <"$0" | cut -d ' ' -f 1)
if [ -s "$guest/root.raw" ]; then
	echo "$guest"
	exit 0
fi
for tool in mmdebstrap mkfs.ext4 cpio gzip; do
	command -v "$tool" >/dev/null || skip "no $tool"
done
[ "$(uname -m)" = x86_64 ] || skip "it is for x86_64"
[ "$(id -u)" = 0 ] || skip "only root can make it"
mkdir -p "$cache"
work=$(mktemp -d "$cache/work.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

mmdebstrap --quiet --mode=root --variant=minbase \
	--dpkgopt='path-exclude=/usr/share/doc/*' \
	--dpkgopt='path-exclude=/usr/share/man/*' \
	--dpkgopt='path-exclude=/usr/share/locale/*' \
	--include=linux-image-cloud-amd64,busybox-static,kmod,iproute2 \
	--include=nftables,dnsmasq-base,passt,jq,socat,procps,perl \
	--include=libev4,libjansson4,libiniparser1,libmnl0,libcap2-bin \
	--include=qemu-system-x86,qemu-utils \
	bookworm "$work/root.tar" \
	"${DEBIAN_MIRROR:-http://deb.debian.org/debian}" >&2 ||
	skip "mmdebstrap failed"
mkdir "$work/root" "$work/out" "$work/early"
tar -C "$work/root" -xf "$work/root.tar"
rm "$work/root.tar"
release=$(ls "$work/root/lib/modules")
cp -L "$work/root/boot/vmlinuz-$release" "$work/out/vmlinuz"
rm -rf "$work/root/boot" "$work/root/var/cache/apt" \
	"$work/root/var/lib/apt/lists"
mkdir "$work/root/tree"

# ---- what finds the disks: two modules and a shell ----

early=$work/early
mkdir "$early/bin" "$early/dev" "$early/root" "$early/modules"
cp "$work/root/bin/busybox" "$early/bin/busybox"
for module in virtio_pci virtio_blk; do
	chroot "$work/root" modprobe -S "$release" -D "$module" |
		sed -n 's/^insmod \([^ ]*\).*/\1/p' >"$work/needs"
	while read -r path; do
		[ ! -e "$early/modules/${path##*/}" ] || continue
		cp "$work/root$path" "$early/modules/"
		echo "${path##*/}" >>"$early/modules/list"
	done <"$work/needs"
done
cat >"$early/init" <<'EOT'
#!/bin/busybox sh
/bin/busybox mount -t devtmpfs dev /dev
while read -r module; do
	/bin/busybox insmod "/modules/$module"
done </modules/list
/bin/busybox mount -t ext4 /dev/vda /root
/bin/busybox mount -t ext4 -o ro /dev/vdb /root/tree
/bin/busybox mount --move /dev /root/dev
exec /bin/busybox switch_root /root /tree/init
EOT
chmod +x "$early/init"
(cd "$early" && find . | LC_ALL=C sort | cpio -o -H newc -R 0:0 --quiet) |
	gzip -1n >"$work/out/initrd.gz"

truncate -s 1800M "$work/out/root.raw"
mkfs.ext4 -q -d "$work/root" "$work/out/root.raw"
mv "$work/out" "$guest"
echo "$guest"
