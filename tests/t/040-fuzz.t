#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Every fuzzer takes every file of its corpus.
# shellcheck source=tests/t/lib.sh
. "$(dirname "$0")/lib.sh"

for source in "$TOP"/tests/fuzz/*.c; do
	name=$(basename "$source" .c)
	[ "$name" != main ] || continue
	ok "$name" timeout 120 "$BUILD/tests/fuzz/$name" \
		"$TOP/tests/fuzz/corpus/$name"/*
done
plan
