#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# UEFI with variables of the VM's own: a Linux is started by it, and they are
# kept as long as the VM is there.
# shellcheck source=tests/live/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/live/lib.sh"
# shellcheck source=tests/live/linux.sh
. "$TOP/tests/live/linux.sh"
state=$tmp/var/lib/vmward

sum() { cksum <"$1" 2>/dev/null; }
is_there() { [ -s "$1" ]; }
is_gone_file() { [ ! -e "$1" ]; }

up

if grep -qs '"uefi"' /usr/share/qemu/firmware/*.json; then
	linux e <<-EOF
	firmware = uefi
	EOF
	from=0
	ok "a VM with UEFI starts" starts e
	ok "its variables are made" is_there "$state/nvram/e.fd"
	ok "for root alone" is "$(stat -c %a "$state/nvram/e.fd")" 600
	new=$(sum "$state/nvram/e.fd")
	ok "the guest starts" boots e
	# shellcheck disable=SC2016 # the guest's own
	ok "by UEFI" answers e 'test -d /sys/firmware/efi; echo efi=$?
' 'efi=0'
	ok "nothing drifts" does drift e
	does kill e >/dev/null
	ok "the firmware wrote its variables" \
		test "$new" != "$(sum "$state/nvram/e.fd")"
	kept=$(sum "$state/nvram/e.fd")
	starts e --paused >/dev/null
	does kill e >/dev/null
	ok "which are kept" is "$(sum "$state/nvram/e.fd")" "$kept"
	starts e --ephemeral --paused >/dev/null
	does kill e >/dev/null
	ok "what is thrown away is not theirs" \
		is "$(sum "$state/nvram/e.fd")" "$kept"
	ok "renamed" does rename e f
	ok "it has the same ones" is "$(sum "$state/nvram/f.fd")" "$kept"
	does delete f --yes >/dev/null
	ok "deleted with the VM" eventually is_gone_file "$state/nvram/f.fd"

	linux s <<-EOF
	firmware = uefi-secure
	EOF
	from=0
	ok "a VM with Secure Boot starts" starts s --paused
	ok "by its firmware" grep -qa smm=on "/proc/$(pid_of s)/cmdline"
	does kill s >/dev/null
else
	linux e <<-EOF
	firmware = uefi
	EOF
	fails_with 1 start e
	ok "without firmware it says what to install" complains 'install ovmf'
fi
ok "nothing is left" nothing_left
plan
