#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Nothing needs glibc: musl's headers do for all sources (checked, not linked:
# the libraries of this machine are glibc's).  Needs musl-gcc and the headers
# of the kernel and of the libraries.
set -u
top=${TOP:-$(cd "$(dirname "$0")/../.." && pwd)}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
cd "$top" || exit 1
n=0

command -v musl-gcc >/dev/null || {
	echo "1..0 # SKIP no musl-gcc (musl-tools)"
	exit 0
}

# musl-gcc looks at nothing below /usr/include: what is not glibc's is linked
mkdir "$tmp/include"
for header in linux asm-generic asm mtd jansson.h jansson_config.h ev.h \
	iniparser iniparser.h dictionary.h libmnl; do
	for dir in /usr/include "/usr/include/$(uname -m)-linux-gnu"; do
		[ ! -e "$dir/$header" ] || ln -sf "$dir/$header" "$tmp/include/"
	done
done
for header in linux asm jansson.h ev.h; do
	[ -e "$tmp/include/$header" ] || {
		echo "1..0 # SKIP no $header"
		exit 0
	}
done
[ -e config.h ] || {
	echo "1..0 # SKIP configured in another directory"
	exit 0
}
# what configure found in another C library
grep -v HAVE_MALLOC_TRIM config.h >"$tmp/config.h"

checks() # FILE...: musl-gcc has nothing to say about them
{
	musl-gcc -std=c11 -D_GNU_SOURCE -fsyntax-only -Wall -Wextra -Werror \
		-include "$tmp/config.h" -I. -isystem "$tmp/include" "$@" \
		>"$tmp/said" 2>&1 </dev/null
}

for dir in base qmp storage net supervisor ctl tests/fake; do
	n=$((n + 1))
	if checks "$dir"/*.c; then
		echo "ok $n - $dir: musl's headers do"
	else
		sed 's/^/# /' "$tmp/said" | head -n 20
		echo "not ok $n - $dir: musl's headers do"
	fi
done
printf '#include <execinfo.h>\n' >"$tmp/glibc.c"
n=$((n + 1))
if checks "$tmp/glibc.c"; then
	echo "not ok $n - glibc's own headers would be seen"
else
	echo "ok $n - glibc's own headers would be seen"
fi
echo "1..$n"
