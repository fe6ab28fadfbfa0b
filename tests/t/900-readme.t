#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# README says what is true: its lines, its INI file, its verbs, its files, its
# session.  (.ci/run types its two first lines as they stand there.)
# shellcheck source=tests/t/lib.sh
. "$(dirname "$0")/lib.sh"
readme=$TOP/README.md

block() # LANGUAGE: the lines of such blocks
{
	awk -v open="\`\`\`$1" '
		$0 == open { inside = 1; next }
		/^```/ { inside = 0 }
		inside' "$readme"
}

has_line() { block sh | grep -qxF "$1"; }
ok "make demo" has_line './configure --bootstrap && make demo'
ok "make check" has_line './configure --bootstrap && make check'
# shellcheck disable=SC2016 # what .ci/run says
ok ".ci/run types them" grep -q 'README.md' "$TOP/.ci/run"

# ---- the example, by the commands behind it ----

block ini >web.ini
if command -v qemu-img >/dev/null; then
	qemu-img create -q -f qcow2 debian-12.qcow2 1M
else
	printf 'QFI\373\0\0\0\3' >debian-12.qcow2
fi
ok "vmward check web.ini" has_line 'vmward check web.ini'
vmward check web.ini
ok "it has no mistakes" exits 0
ok "and no notes" output_is <<EOS
no mistakes
EOS
vmward show web.ini
ok "it means what it seems to" says 'memory = 2G'

# ---- verbs ----

{
	block sh
	block console
	# shellcheck disable=SC2016 # backquotes of markdown
	grep -o '`[^`]*`' "$readme" | tr -d '`'
} | sed -n 's/^\$ //; s/^vmward \(--user \)\{0,1\}\([a-z][a-z-]*\)\(.*\)/\2\3/p' |
	awk '{ print $1 == "disk" ? $1 " " $2 : $1 }' | sort -u >verbs
known() # VERB...
{
	"$BUILD/vmward" help "$@" >/dev/null 2>&1 || [ "$1" = VERB ]
}
all_known()
{
	[ "$(wc -l <verbs)" -ge 20 ] || return 1
	while read -r first second; do
		known "$first" ${second:+"$second"} || {
			echo "no verb '$first $second'"
			return 1
		}
	done <verbs
}
ok "every verb exists" all_known

# ---- files ----

# shellcheck disable=SC2016 # backquotes of markdown
files()
{
	grep -oE '`(examples|contrib)/[^`]*`' "$readme" | tr -d '`'
	sed -n 's/.*\](\([A-Za-z/]*\)).*/\1/p' "$readme"
}
there()
{
	for file in $(files); do
		[ -e "$TOP/$file" ] || {
			echo "no $file"
			return 1
		}
	done
}
ok "every file exists" there

# ---- the session ----

scenes()
{
	sed -n 's/.*begin_scene \([0-9]\).*/\1/p' "$TOP/tests/demo/demo"
}
ok "the session has all scenes of make demo" is \
	"$(block console | sed -n 's/^== \([0-9]\).*/\1/p')" "$(scenes)"
plan
