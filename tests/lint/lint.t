#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# All checks of how the code reads, as one TAP test: one line each, with its
# figures; what is wrong stands above the line of the check that found it.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${BUILD:-build}
lint=tests/lint
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

layers="base qmp storage net supervisor ctl"
# shellcheck disable=SC2086 # a list of directories
product=$(find $layers -name '*.[ch]' 2>/dev/null | LC_ALL=C sort)
headers=$(echo "$product" | grep '\.h$')
tested=$(find tests -name '*.[ch]' | LC_ALL=C sort)
# everything that a shell reads, by its first line
scripts=$(find configure .ci tests examples contrib -type f 2>/dev/null |
	while read -r file; do
		case $(head -c 64 "$file" | tr -d '\0' | sed 1q) in
		'#!/bin/sh'* | '#!/usr/bin/env bash'* | '#!/bin/bash'* | '#!/sbin/openrc-run'*)
			echo "$file"
			;;
		esac
	done | LC_ALL=C sort)

total=0
# check NAME COMMAND...: ok if it succeeds; "# " lines of it are its figures
check()
{
	total=$((total + 1))
	name=$1
	shift
	if "$@" >"$tmp/out" 2>&1; then
		echo "ok $total - $name$(sed -n 's/^# \(.*\)/: \1/p' "$tmp/out" | tr -d '#' | sed 1q)"
	else
		sed 's/^# //; s/^/# /' "$tmp/out" | sed 40q
		echo "not ok $total - $name"
	fi
}

skip() # NAME, WHY
{
	total=$((total + 1))
	echo "ok $total - $1 # SKIP $2"
}

with() # COMMAND NAME FUNCTION: the check, if the command is there
{
	if command -v "$1" >/dev/null; then
		check "$2" "$3"
	else
		skip "$2" "no $1"
	fi
}

# shellcheck disable=SC2086 # lists of files, here and below
layers() { awk -f $lint/strip.awk -f $lint/layers.awk $product; }
# shellcheck disable=SC2086
jobs_check() { awk -f $lint/strip.awk -f $lint/jobs.awk $product; }
# shellcheck disable=SC2086
sizes() { awk -v gates=all -f $lint/strip.awk -f $lint/sizes.awk $product; }
# shellcheck disable=SC2086
test_sizes() { awk -v gates=max -f $lint/strip.awk -f $lint/sizes.awk $tested; }
# shellcheck disable=SC2086
comments() { awk -f $lint/strip.awk -f $lint/comments.awk $headers; }
# shellcheck disable=SC2086
words() { awk -f $lint/strip.awk -f $lint/words.awk $product $tested; }
# shellcheck disable=SC2086
format() { clang-format --dry-run -Werror $product $tested; }
# shellcheck disable=SC2086
shells() { shellcheck -x -e SC1091 $scripts; }

calls()
{
	# shellcheck disable=SC2086 # a list of directories
	(cd "$build" && find $layers -name '*.o' 2>/dev/null) |
		while read -r object; do
			[ ! -e "${object%.o}.c" ] ||
				nm -P "$build/$object" | sed "s|^|$object |"
		done >"$tmp/symbols"
	[ -s "$tmp/symbols" ] || {
		echo "no objects in $build: make first"
		return 1
	}
	awk -v allow=$lint/calls.allow -f $lint/calls.awk "$tmp/symbols"
}

licences()
{
	for file in $product $tested $scripts $(find tests -name '*.awk') \
		$(find man tests -name '*.[1578]' -o -name '*.S') Makefile; do
		sed 3q "$file" | grep -q 'SPDX-License-Identifier: GPL-2.0-or-later' ||
			echo "$file: no SPDX line at its head"
	done >"$tmp/licences"
	cat "$tmp/licences"
	[ ! -s "$tmp/licences" ]
}

# A test that only prove can run is one that the suite cannot.
modes()
{
	find tests -name '*.t' ! -perm -100 | grep . && return 1
	return 0
}

# Tests wait for events, never for time to pass.
sleeps()
{
	# shellcheck disable=SC2086 # a list of files
	! grep -nE '(^|[;&|]|then|do)[[:space:]]*sleep +[0-9]' $scripts
}

manuals()
{
	pages=$(find "$build/man" -name '*.[1578]')
	[ -n "$pages" ] || return 0
	# shellcheck disable=SC2086 # a list of files
	mandoc -Tlint -W warning $pages
}

# HACKING names every module.
modules()
{
	$lint/modules | sed -n 's/^  \([a-z].*\)/\1/p' | cut -d ' ' -f 1 |
		while read -r module; do
			grep -q "^  $module " HACKING ||
				echo "HACKING does not list $module: tests/lint/modules -w"
		done >"$tmp/modules"
	cat "$tmp/modules"
	[ ! -s "$tmp/modules" ]
}

# A test names every command that a person or a client can send.
verbs()
{
	# shellcheck disable=SC2046 # a list of files
	cat $(find tests/t tests/live tests/unit tests/system tests/clients \
		-type f 2>/dev/null) >"$tmp/tests"
	"$build/tests/lint/verbs" >"$tmp/verbs" || return 1
	while read -r verb; do
		grep -qE "(^|[^a-z-])$verb([^a-z-]|\$)" "$tmp/tests" ||
			echo "no test names '$verb'"
	done <"$tmp/verbs" >"$tmp/untested"
	cat "$tmp/untested"
	echo "# $(wc -l <"$tmp/verbs") commands"
	[ ! -s "$tmp/untested" ]
}

check "layers: who includes whom, no cycle" layers
with nm "calls: symbols of the layers, nothing past base/sys" calls
check "jobs: no locals across a yield" jobs_check
check "sizes" sizes
check "sizes of tests" test_sizes
check "comments: every function of a header has one" comments
check "words" words
check "licences: an SPDX line in every file" licences
check "sleeps: no test waits for time to pass" sleeps
check "modes: every test can be run" modes
with clang-format "format" format
with shellcheck "shell scripts" shells
with mandoc "man pages" manuals
check "modules: HACKING lists every one" modules
check "verbs: every command has a test" verbs
echo "1..$total"
