#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The short form of tests/faults/kill-snapshot-live.t.
ROUNDS=${ROUNDS:-6}
export ROUNDS
exec "$(dirname "$0")/../faults/kill-snapshot-live.t"
