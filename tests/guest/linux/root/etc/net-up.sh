#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# net-up.sh IFACE: asks for an address in the background.
ip link set "$1" up
udhcpc -i "$1" -b -t 5 -T 1 -A 2 -S -s /etc/udhcpc.sh >/dev/null 2>&1 &
