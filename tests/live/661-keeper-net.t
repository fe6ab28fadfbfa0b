#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Networks of a brain without any right: the keeper makes its devices, and its
# tools have the rights of networks alone.
export VMWARD_KEEPER=yes
# shellcheck source=tests/live/net.sh
. "${TOP:-$(dirname "$0")/../..}/tests/live/net.sh"

[ "$(id -u)" = 0 ] || skip_all "only root has powers to part"
# what follows takes rules away: never those of a machine, which has devices
[ "$(ip -o link | grep -cv ': lo: ')" = 0 ] ||
	skip_all "no network namespace of its own"

in_status() { grep -qE "^$2" "/proc/$1/status"; } # PID REGEX
is_tables() { is "$(tables)" "$1"; }
another() # PID: another dnsmasq serves
{
	now=$(dnsmasqs | head -n 1)
	[ -n "$now" ] && [ "$now" != "$1" ]
}

printf '[net.lan]\nnetwork = default\n' | guest web tcg
up
ok "a VM starts on a NAT network" starts web --wait=ready
pid=$(pid_of web)
ok "with a tap on its bridge" is \
	"$(ip -o link show master vw-default | grep -c .)" 1
rules=$(tables)
ok "and rules" [ "$rules" -gt 0 ]
server=$(dnsmasqs | head -n 1)
ok "dnsmasq is the brain's user" in_status "$server" 'Uid:	1987510271	'
ok "with three rights" in_status "$server" 'CapBnd:	0000000000003400$'
ok "and no way to more" in_status "$server" 'NoNewPrivs:	1$'

# ---- others change things ----

nft list tables | while read -r _ family name; do
	nft delete table "$family" "$name"
done
ok "rules that somebody took away come again" eventually is_tables "$rules"
kill -9 "$(brain)"
ok "after the death of the brain another one answers" eventually does list
ok "QEMU is the same" eventually same_pid web "$pid"
ok "on its network" is_taps 1
kill -9 "$server"
ok "a dnsmasq that died has a successor" eventually another "$server"
ok "the VM ends" does kill web
ok "and takes all along" eventually is_gone_all
plan
