#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A guest keeps the machine that it was installed on: the versioned type of
# its first start, whatever a newer QEMU means by q35.
# shellcheck source=tests/live/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/live/lib.sh"

machine_of() { of m machine; }
given() # MACHINE: what its QEMU was started with
{
	tr '\0' '\n' <"/proc/$(pid_of m)/cmdline" | grep -A1 -x -- -machine |
		tail -n 1 >"$tmp/given"
	grep -qx -- "$1\\(,.*\\)\\{0,1\\}" "$tmp/given" ||
		{ cat "$tmp/given" && false; }
}
is_like() { echo "$1" | grep -qx -- "$2" || is "$1" "$2"; } # TEXT REGEX

up
guest m tcg </dev/null
ok "nothing is pinned before the first start" is "$(machine_of)" null
ok "a VM starts" starts m --wait=ready
ok "with the newest of its kind" given q35
pinned=$(machine_of)
ok "which it has from now on" is_like "$pinned" 'pc-q35-.*'
ok "not while it runs" fails_with 3 upgrade-machine m
ok "that is said" complains 'a machine is changed while it is stopped'
does kill m >/dev/null
down
up
ok "plan names it" does plan m --json
ok "as it is" says "$pinned"
ok "the next start" starts m --wait=ready
ok "has that one" given "$pinned"
ok "nothing drifts" does drift m
does save m >/dev/null
ok "its saved memory holds it, too" fails_with 3 upgrade-machine m
ok "that is said" complains "its saved memory goes on only in $pinned"
starts m >/dev/null
becomes m running >/dev/null
does kill m >/dev/null

sed -i 's/^memory/machine = pc\nmemory/' "$vms/m.ini"
ok "another kind of machine in its file" does reload
ok "is what it gets" starts m --wait=ready
ok "at first the newest" given pc
ok "then that one" is_like "$(machine_of)" 'pc-i440fx-.*'
does kill m >/dev/null

ok "upgrade-machine: a dry run" does upgrade-machine m --dry-run
ok "changes nothing" is_like "$(machine_of)" 'pc-i440fx-.*'
ok "upgrade-machine" does upgrade-machine m
ok "lets it go" is "$(machine_of)" null
ok "it starts" starts m --wait=ready
ok "with the newest" given pc
does kill m >/dev/null
ok "nothing is left" nothing_left
plan
