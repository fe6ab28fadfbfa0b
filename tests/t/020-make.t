#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The Makefile and tests/run: install, uninstall, dist, and that a failing
# test makes the whole run fail.
set -u
top=${TOP:-$(cd "$(dirname "$0")/../.." && pwd)}
build=${BUILD:-$top/build}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
cd "$tmp" || exit 1
n=0

ok() # NAME, then a command that must succeed
{
	n=$((n + 1))
	what=$1
	shift
	if "$@" >said 2>&1; then
		echo "ok $n - $what"
	else
		sed 's/^/# /' said out 2>/dev/null | tail -n 20
		echo "not ok $n - $what"
	fi
}

run() # MAKE'S ARGUMENTS
{
	make -C "$top" BUILD="$build" "$@" >out 2>&1
}

mode_is() # MODE FILE
{
	[ "$(stat -c %a "$2")" = "$1" ]
}

# ---- install ----

ok "install into DESTDIR" run install DESTDIR="$tmp/dest" prefix=/usr \
	bindir=/usr/bin sbindir=/usr/sbin mandir=/usr/share/man \
	datadir=/usr/share sysconfdir=/etc
ok "the client is there" mode_is 755 dest/usr/bin/vmward
ok "the supervisor is there" mode_is 755 dest/usr/sbin/vmwardd
for page in man8/vmwardd.8 man1/vmward.1 man5/vmward.ini.5 \
	man7/vmward-protocol.7; do
	ok "$page is there" mode_is 644 "dest/usr/share/man/$page"
done
unit=dest/usr/lib/systemd/system/vmward.service
ok "the unit starts what was installed" \
	grep -q '^ExecStart=/usr/sbin/vmwardd$' "$unit"
ok "the directory of VM files is there" test -d dest/etc/vmward/vms
ok "the examples are there" \
	test -n "$(find dest/usr/share/doc/vmward/examples -name '*.ini')"
ok "uninstall" run uninstall DESTDIR="$tmp/dest" prefix=/usr bindir=/usr/bin \
	sbindir=/usr/sbin mandir=/usr/share/man datadir=/usr/share
ok "leaves no file" test -z "$(find dest -type f)"

if [ -e "$top/.git" ]; then
	mkdir dist
	ok "dist" make -C "$top" BUILD="$tmp/dist" dist
	ok "the tarball has what it takes to build" sh -c \
		'tar tzf dist/vmward-*.tar.gz | grep -q "^vmward-[0-9.].*/configure$"'
else
	for what in dist tarball; do
		n=$((n + 1))
		echo "ok $n - $what # SKIP not a git tree"
	done
fi

# ---- what is compiled again ----

# A config.h that configure left as it was is older than config.mk for ever.
mkdir -p again/build/base
cp "$top/config.h" "$top/config.mk" again 2>/dev/null
touch -d '2001-01-01' again/config.h
touch again/config.mk again/build/base/err.o
compiles() # what make would do for an object that is new
{
	make -C again -f "$top/Makefile" srcdir="$top" BUILD=build -n \
		build/base/err.o | grep -c -- ' -c '
}
ok "an unchanged config.h compiles nothing" [ "$(compiles)" = 0 ]
touch again/config.h
ok "a changed one does" [ "$(compiles)" = 1 ]

# ---- tests/run ----

script() # NAME, LINES
{
	printf '#!/bin/sh\n%s\n' "$2" >"$1"
	chmod +x "$1"
}

suite() # STATUS LAST-LINE TEST...
{
	want=$1 line=$2
	shift 2
	"$top/tests/run" some: "$@" >out 2>&1
	[ $? -eq "$want" ] && [ "$(tail -n 1 out)" = "$line" ]
}

script good 'echo "ok 1"; echo "ok 2 - x # SKIP y"; echo 1..2'
script failing 'echo "ok 1"; echo "not ok 2"; echo 1..2'
script dying 'echo "ok 1"; echo 1..1; exit 3'
script short 'echo 1..3; echo "ok 1"'
script silent ':'
ok "counts what passed" suite 0 "2 passed, 0 failed" "$tmp/good"
cp good twin
ok "adds up over tests" suite 0 "4 passed, 0 failed" "$tmp/good" "$tmp/twin"
ok "fails with a failing test" suite 1 "3 passed, 1 failed" "$tmp/good" \
	"$tmp/failing"
ok "fails with a test that dies" suite 1 "1 passed, 1 failed" "$tmp/dying"
ok "fails with a test cut short" suite 1 "1 passed, 1 failed" "$tmp/short"
ok "fails with a test that says nothing" suite 1 "0 passed, 1 failed" \
	"$tmp/silent"
ok "fails with a test that is not there" suite 1 "0 passed, 1 failed" \
	"$tmp/no-such"
script slow 'exec cat <&3'
mkfifo never
slow()
{
	exec 3<>never
	TEST_TIMEOUT=1 suite 1 "0 passed, 1 failed" "$tmp/slow"
}
ok "ends a test that hangs" slow

echo "1..$n"
