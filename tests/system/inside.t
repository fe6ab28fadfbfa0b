#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What this host's kernel may not have (VLAN devices, VLAN filtering, bonds,
# vhost), inside a Debian 12 guest that vmward runs, with vmward inside it:
# tests/inside/*.t, each of their lines is one of ours.  The guest's root is
# made once (tests/guest/lab/build.sh) and kept outside the tree; what is
# tested comes on a second disk.  INSIDE=010-uplink.t runs that file alone.
# shellcheck source=tests/live/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/live/lib.sh"
command -v mkfs.ext4 >/dev/null || skip_all "no mkfs.ext4"
lab=$("$TOP/tests/guest/lab/build.sh" 2>"$tmp/build.log") || {
	tail -n 3 "$tmp/build.log" | sed 's/^/# /'
	skip_all "the Debian guest cannot be made here"
}
limit=${INSIDE_LIMIT:-5400}

# ---- the second disk ----

tree=$tmp/tree
mkdir -p "$tree/build/guest" "$tree/tests/guest"
cp "$TOP/tests/inside/init" "$tree/init"
cp "$BUILD/vmward" "$BUILD/vmwardd" "$tree/build/"
cp -L "$BUILD/guest/"* "$tree/build/guest/"
cp -R "$TOP/tests/guest/bios" "$tree/tests/guest/"
mkdir "$tree/tests/inside" "$tree/tests/t" "$tree/tests/live"
cp "$TOP/tests/t/lib.sh" "$tree/tests/t/"
cp "$TOP/tests/live/lib.sh" "$TOP/tests/live/net.sh" "$tree/tests/live/"
cp "$TOP/tests/inside/"*.sh "$tree/tests/inside/"
for file in "$TOP/tests/inside/"${INSIDE:-*.t}; do
	cp "$file" "$tree/tests/inside/"
done
files=$(find "$tree/tests/inside" -name '*.t' | wc -l)
truncate -s 64M "$images/tree.raw"
mkfs.ext4 -q -d "$tree" "$images/tree.raw" || skip_all "mkfs.ext4 -d fails"

cat >"$vms/lab.ini" <<EOT
[vm]
memory = 768M
cpus = 2
accel = ${VMWARD_ACCEL:-tcg}
ephemeral = yes
kernel = $lab/vmlinuz
initrd = $lab/initrd.gz
cmdline = console=ttyS0 quiet panic=-1 net.ifnames=0
[start]
ready = serial:^INSIDE kernel
[restart]
policy = no
on-guest-reboot = stop
[disk.root]
image = $lab/root.raw
[disk.tree]
image = tree.raw
readonly = yes
[serial.console]
log = 16M
EOT

# ---- its lines are ours ----

up
from=$(date +%s)
ok "vmward starts the Debian guest" does start lab --wait=ready --timeout 900s
echo "# up after $(($(date +%s) - from)) s"
console=$logs/lab/console.log
pid=$(pid_of lab)
mkfifo "$tmp/pipe"
timeout -s KILL "$limit" tail -n +1 -s 0.2 --pid="${pid:-1}" -f "$console" |
	sed -u 's,\r$,,' | tee "$tmp/lines" >"$tmp/pipe" &
ended=0
file=
seen() # LINE
{
	case $1 in
	'INSIDE file '*) file=${1#INSIDE file } ;;
	'INSIDE exit 0') ended=$((ended + 1)) ;;
	'INSIDE exit '*) echo "# $file: ${1#INSIDE }" ;;
	'ok '*)
		n=$((n + 1))
		echo "ok $n - $file: ${1#ok * - }"
		;;
	'not ok '*)
		n=$((n + 1))
		echo "not ok $n - $file: ${1#not ok * - }"
		;;
	'#'*) echo "$1" ;;
	esac
}
while IFS= read -r line; do
	seen "$line"
done <"$tmp/pipe"
ok "the guest came to its end" grep -q '^INSIDE end' "$tmp/lines"
ok "all $files files ran to theirs" is "$ended" "$files"
ok "it powers off" ends_with lab guest-poweroff
echo "# ended after $(($(date +%s) - from)) s"
plan
