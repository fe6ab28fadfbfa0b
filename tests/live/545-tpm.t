#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A TPM that keeps what it holds: seen by a Linux, from beside, and after the
# end of all that it belongs to.
# shellcheck source=tests/live/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/live/lib.sh"
# shellcheck source=tests/live/linux.sh
. "$TOP/tests/live/linux.sh"
state=$tmp/var/lib/vmward

# swtpm_of NAME: its pid, by the directory that it has
swtpm_of()
{
	for pid in $(pgrep -x swtpm); do
		[ "$(stat -L -c %i "/proc/$pid/fd/4" 2>/dev/null)" != \
			"$(stat -c %i "$state/tpm/$1" 2>/dev/null)" ] ||
			echo "$pid"
	done
}
is_there() { [ -s "$1" ]; }
is_gone_file() { [ ! -e "$1" ]; }

up

if command -v swtpm >/dev/null; then
	linux t <<-EOF
	[tpm]
	EOF
	from=0
	ok "a VM with a TPM starts" starts t
	pid=$(swtpm_of t)
	ok "swtpm is beside it" test -n "$pid"
	if [ "$(id -u)" = 0 ]; then
		ok "as the VM's user" is \
			"$(awk '/^Uid/ { print $2 }' "/proc/$pid/status")" \
			"$(awk '/^Uid/ { print $2 }' "/proc/$(pid_of t)/status")"
		ok "without capabilities" is \
			"$(awk '/^CapEff/ { print $2 }' "/proc/$pid/status")" \
			0000000000000000
	fi
	ok "the guest starts" boots t
	# shellcheck disable=SC2016 # the guest's own
	ok "and sees a TPM 2.0" answers t \
		'echo tpm=$(cat /sys/class/tpm/tpm0/tpm_version_major)
' 'tpm=2'
	down
	up
	becomes t running >/dev/null
	ok "it outlives its supervisor" test -d "/proc/$pid"
	ok "nothing drifts" does drift t
	does kill t >/dev/null
	ok "and goes with its QEMU" is_gone "$pid"
	ok "what it holds is kept" is_there "$state/tpm/t/tpm2-00.permall"
	ok "it starts again" starts t
	pid=$(swtpm_of t)
	ok "with what it held" test -n "$pid"
	kill -9 "$pid"
	ok "its death is told" eventually grep -q \
		'tpm: swtpm ended by signal 9: the guest has no TPM' "$tmp/sup.log"
	does kill t >/dev/null
	ok "renamed" does rename t u
	ok "it has the same one" is_there "$state/tpm/u/tpm2-00.permall"
	ok "a life that is thrown away" starts u --ephemeral
	ok "has a copy of it" is_there "$state/tpm/.u/tpm2-00.permall"
	does kill u >/dev/null
	ok "which is thrown away" eventually is_gone_file "$state/tpm/.u"
	ok "the VM's own stays" is_there "$state/tpm/u/tpm2-00.permall"
	does delete u --yes >/dev/null
	ok "deleted with the VM" eventually is_gone_file "$state/tpm/u"
else
	linux t <<-EOF
	[tpm]
	EOF
	fails_with 1 start t
	ok "without swtpm it says what to install" complains \
		"[tpm] needs swtpm, which is not installed: apt-get install swtpm"
fi

ok "nothing is left" nothing_left
plan
