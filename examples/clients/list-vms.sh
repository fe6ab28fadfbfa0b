#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# List the VMs: list-vms.sh [SOCKET].  The control socket speaks QMP.
socket=${1:-/run/vmward/control.sock}
arguments=

ask() # REQUEST: the reply to it, the last of three lines
{
	printf '{"execute": "qmp_capabilities"}\n%s\n' "$1" |
		socat -t 10 - "UNIX-CONNECT:$socket" | sed -n 3p
}

while page=$(ask "{\"execute\": \"vm-list\", \"arguments\": {$arguments}}") &&
	[ -n "$page" ]; do
	echo "$page" | grep -o '"name":"[^"]*","state":"[^"]*"' |
		awk -F '"' '{ printf "%-16s %s\n", $4, $8 }'
	next=$(echo "$page" | sed -n 's/.*"next":"\([^"]*\)".*/\1/p')
	[ -n "$next" ] || exit 0
	arguments="\"after\": \"$next\""
done
exit 1
