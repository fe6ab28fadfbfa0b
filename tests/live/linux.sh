# shellcheck shell=sh disable=SC2034,SC2154,SC2317
# SPDX-License-Identifier: GPL-2.0-or-later
# For tests/live/*.t whose guest is a Linux that is started directly, without
# KVM.  On top of tests/live/lib.sh.
[ -e "$BUILD/guest/vmlinuz" ] || skip_all "no Linux guest could be built here"
# below $tmp, so that the QEMUs are known as ours
cp "$BUILD/guest/vmlinuz" "$BUILD/guest/initrd.gz" "$tmp/"
patience=600 # on a busy host a boot is minutes

# linux NAME: NAME.ini; keys of [vm] and more come from stdin
linux()
{
	cat >"$vms/$1.ini" <<-EOF
	[vm]
	memory = 256M
	accel = tcg
	kernel = $tmp/vmlinuz
	initrd = $tmp/initrd.gz
	cmdline = console=ttyS0 quiet panic=-1 name=%n
	EOF
	cat >>"$vms/$1.ini"
}

boots() # NAME, after byte $from of its console
{
	# a firmware's escapes stand before it
	eventually says_after "$1" "$from" 'READY up='
}
