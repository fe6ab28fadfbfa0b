#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Each bad item of a list is told by itself, with its file and line.
# shellcheck source=tests/t/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/t/daemon.sh
. "$TOP/tests/t/daemon.sh"

file() # NAME: what is in it stands on stdin
{
	mkdir -p "$(dirname "$tmp/$1")"
	cat >"$tmp/$1"
}
told() { grep -c "^$1" "$tmp/out"; } # WHERE: so many findings
all_told() # N WHERE WORDS...: so many there, and each of the words is in one
{
	count=$1 where=$2
	shift 2
	is "$(told "$where")" "$count" || { cat "$tmp/out"; return 1; }
	for word; do
		grep -qF -- "$where$word" "$tmp/out" || {
			echo "no '$where$word'"
			cat "$tmp/out"
			return 1
		}
	done
}

file bad.ini <<'EOF'
[vm]
memory = 64M
kernel = /bin/true
protect = delte, stop, strat
tags = a b, fine, c$
[stop]
steps = agnet:20s, acpi:20s, acpi, , kill:3s
[net.lan]
user = yes
forward = 8080, tcp:2222:22, 99999:80
trunk = 1-10, 5000, x
[net.two]
user = yes
forward = 8080:80, 8080:81
[backup]
keep = 7 daily, weekly, 3 yearly
EOF
vmward check bad.ini
ok "they are mistakes" is "$status" 1
ok "protect: both" all_told 2 bad.ini:4: " [vm] protect: delte" \
	" [vm] protect: strat"
ok "tags: both" all_told 2 bad.ini:5: " [vm] tags: a b:" " [vm] tags: c\$:"
ok "steps: all four" all_told 4 bad.ini:7: \
	" [stop] steps = agnet:20s: no such step (did you mean 'agent'?)" \
	" [stop] steps = acpi: how long? say acpi:20s" \
	" [stop] steps = (empty): say agent, acpi" \
	" [stop] steps = kill:3s: kill takes no time"
ok "forward: both" all_told 2 bad.ini:10: " [net.lan] forward = 8080: say" \
	" [net.lan] forward = 99999:80: ports are 1 to 65535"
ok "trunk: both" all_told 2 bad.ini:11: " [net.lan] trunk = 5000: say VLANs" \
	" [net.lan] trunk = x: say VLANs"
ok "what only does not go together: once" all_told 1 bad.ini:14: \
	" [net.two] forward = 8080:81: port 8080 of the host is in the list twice"
ok "keep: both" all_told 2 bad.ini:16: " [backup] keep = weekly: say as" \
	" [backup] keep = 3 yearly: say as"
vmward --json check bad.ini
ok "the same as JSON" is "$(grep -o '"line": *7' "$tmp/out" | wc -l)" 4

file web@.ini <<'EOF'
[vm]
instances = 1-3, B, x y, 4
kernel = /bin/true
EOF
vmward check web@.ini
ok "instances: both" all_told 2 web@.ini:2: " [vm] instances = B:" \
	" [vm] instances = x y:"

file etc/vmward/networks/lan.ini <<'EOF'
[network]
address = 10.64.0.1/24, 10.64.0.0/24, ten
EOF
file etc/vmward/networks/up.ini <<'EOF'
[network]
mode = bridge
bridge = br7
uplink = bond7
[bond]
members = eth0, a/b, averyveryverylongname
EOF
daemon
vmward check
ok "addresses of a network: both" all_told 2 networks/lan.ini:2: \
	" [network] address = 10.64.0.0/24:" " [network] address = ten:"
ok "members of a bond: both" all_told 2 networks/up.ini:6: \
	" [bond] members = a/b:" " [bond] members = averyveryverylongname:"
daemon_ends KILL
plan
