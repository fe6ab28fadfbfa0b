#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# build.sh: makes the Linux test guest (vmlinuz and initrd.gz) from the
# distribution's own packages: kernel, static busybox, guest agent.  No root:
# apt-get download and dpkg-deb -x.  The result is kept in a cache directory
# named after the versions that went in; its path is the last line printed.
#   VMWARD_GUEST_CACHE   [~/.cache/vmward-guest, else build/guest/cache]
#   VMWARD_GUEST_KERNEL  [cloud-amd64]; amd64 adds USB, AHCI, e1000, 9p
# Exit 77: this host has not got what it takes; the reason is on stderr.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
flavour=${VMWARD_GUEST_KERNEL:-cloud-amd64}
modules="virtio_pci virtio_blk virtio_net virtio_console virtio_scsi sd_mod
	virtio_balloon virtio_mem virtio_rng virtio_mmio virtiofs
	vmw_vsock_virtio_transport sr_mod isofs vfat nls_ascii nls_cp437 ext4
	button evdev pvpanic-pci pvpanic-mmio qemu_fw_cfg
	ahci ata_piix 9p 9pnet_virtio i6300esb iTCO_wdt xhci_pci usb_storage
	usbhid e1000 e1000e"

skip()
{
	echo "no Linux test guest: $*" >&2
	exit 77
}

fail()
{
	echo "tests/guest/linux/build.sh: $*" >&2
	exit 1
}

for tool in apt-get apt-cache dpkg-deb readelf cpio gzip; do
	command -v "$tool" >/dev/null || skip "it is made with $tool (Debian's" \
		"packages linux-image-$flavour, busybox-static, qemu-guest-agent)"
done
[ "$(uname -m)" = x86_64 ] || skip "it is for x86_64"

# ---- is there one already? ----

cache=${VMWARD_GUEST_CACHE:-${HOME:+$HOME/.cache/vmward-guest}}
if [ -z "$cache" ] || ! mkdir -p "$cache" 2>/dev/null || [ ! -w "$cache" ]; then
	cache=$here/../../../build/guest/cache
	mkdir -p "$cache"
fi
cache=$(cd "$cache" && pwd)
recipe=$({
	echo "$flavour"
	find "$here" -type f | LC_ALL=C sort | xargs cat
} | cksum | cut -d ' ' -f 1)
known=$cache/$flavour-$recipe.path # where the last answer is

answer() # DIR
{
	if [ -s "$1/initrd.gz" ] && [ -s "$1/vmlinuz" ]; then
		echo "$1" >"$known"
		echo "$1"
		exit 0
	fi
}
# The package lists have not changed since: neither has the answer.
if [ -e "$known" ] &&
	[ -z "$(find /var/lib/apt/lists -maxdepth 0 -newer "$known")" ]; then
	answer "$(cat "$known")"
fi

# ---- which packages, in which versions ----

depends() # PACKAGE...: what they depend on directly
{
	apt-cache depends --important "$@" 2>/dev/null |
		sed -n 's/^  Depends: \([a-z0-9].*\)/\1/p' | sort -u
}

choose()
{
	kernel=$(depends "linux-image-$flavour" | grep '^linux-image-[0-9]' | sed 1q)
	[ -n "$kernel" ] || return 1
	libraries=$(depends qemu-guest-agent | grep '^lib')
	# shellcheck disable=SC2086 # lists of words
	libraries=$({
		printf '%s\n' $libraries libgcc-s1
		depends $libraries
	} | grep -E '^(lib|zlib)' | sort -u)
	packages="$kernel busybox-static qemu-guest-agent $(echo "$libraries" | tr '\n' ' ')"
	# shellcheck disable=SC2086 # a list of words
	versions=$(apt-cache show --no-all-versions $packages |
		grep -E '^(Package|Version):')
}

if ! choose; then
	[ "$(id -u)" != 0 ] || apt-get update >&2 || :
	choose || skip "apt knows no linux-image-$flavour (apt-get update?)"
fi
guest=$cache/$flavour-$(echo "$recipe $versions" | cksum | cut -d ' ' -f 1)
answer "$guest"

# ---- unpack ----

work=$(mktemp -d "$cache/work.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
mkdir "$work/debs" "$work/from" "$work/out"
echo "fetching $(echo "$packages" | wc -w) packages" >&2
# shellcheck disable=SC2086 # a list of words
(cd "$work/debs" && apt-get -q download $packages) >"$work/log" 2>&1 || {
	tail -n 3 "$work/log" >&2
	skip "apt-get download failed"
}
for deb in "$work"/debs/*.deb; do
	dpkg-deb -x "$deb" "$work/from"
done
release=$(ls "$work/from/lib/modules")
tree=$work/from/lib/modules/$release
cp "$work/from/boot/vmlinuz-$release" "$work/out/vmlinuz"

# ---- user land ----

root=$work/root
libdir=lib/x86_64-linux-gnu
cp -R "$here/root" "$root"
(cd "$root" && mkdir -p bin dev proc sys run tmp mnt var/run var/log etc/qemu \
	"$libdir" lib64 usr/sbin modules)
busybox=$(find "$work/from" -path '*bin/busybox' -type f | sed 1q)
cp "$busybox" "$root/bin/busybox"
cp "$(find "$work/from" -name qemu-ga -type f | sed 1q)" "$root/usr/sbin/"
cp -L "$(find "$work/from" -name ld-linux-x86-64.so.2 | sed 1q)" "$root/lib64/"

add_libraries() # FILE: what it needs, and what that needs
{
	for name in $(readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\].*/\1/p'); do
		[ ! -e "$root/$libdir/$name" ] || continue
		found=$(find "$work/from" -name "$name" | sed 1q)
		[ -n "$found" ] || fail "no package has $name"
		cp -L "$found" "$root/$libdir/$name"
		add_libraries "$root/$libdir/$name"
	done
}
add_libraries "$root/usr/sbin/qemu-ga"

# ---- modules, in the order in which they load ----

# The package has no modules.dep.
(cd "$work/from" && "$busybox" depmod -b . "$release") 2>/dev/null

add_module() # NAME
{
	pattern=$(echo "$1" | sed 's/[-_]/[-_]/g')
	line=$(grep -E "(^|/)$pattern\.ko(\.[a-z]+)?:" "$tree/modules.dep" | sed 1q)
	[ -n "$line" ] || return 0 # built in, or not in this flavour
	# modules.dep names the deepest dependency last
	for path in $(echo "${line#*:}" | tr ' ' '\n' | sed '1!G;h;$!d') "${line%%:*}"; do
		file=${path##*/}
		[ ! -e "$root/modules/$file" ] || continue
		cp "$(find "$tree" -name "$file" | sed 1q)" "$root/modules/$file"
		echo "$file" >>"$root/modules/list"
	done
}
: >"$root/modules/list"
for module in $modules; do
	add_module "$module"
done

# ---- pack ----

(cd "$root" && find . | LC_ALL=C sort | cpio -o -H newc -R 0:0 --quiet) |
	gzip -1n >"$work/out/initrd.gz"
mv "$work/out" "$guest" 2>/dev/null || [ -s "$guest/initrd.gz" ] ||
	fail "cannot create '$guest'"
answer "$guest"
