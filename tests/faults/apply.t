#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The long form of tests/live/542-apply-pairs.t.
PAIRS=${PAIRS:-200} OPS=${OPS:-10000}
export PAIRS OPS
exec "$(dirname "$0")/../live/542-apply-pairs.t"
