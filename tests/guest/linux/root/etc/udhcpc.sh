#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What udhcpc runs: sets the address it got.
case $1 in
bound | renew) ;;
*) exit 0 ;;
esac
# shellcheck disable=SC2154 # udhcpc sets them
{
	ip addr flush dev "$interface"
	ip addr add "$ip/${mask:-24}" dev "$interface"
	[ -z "$router" ] || ip route replace default via "${router%% *}" dev "$interface"
	: >/etc/resolv.conf
	for server in $dns; do
		echo "nameserver $server" >>/etc/resolv.conf
	done
	echo "NET $interface $ip/${mask:-24} gw=${router:--}" >/dev/console
}
